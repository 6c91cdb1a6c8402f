from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from accounts import actions, retention, steps
from accounts.forms import RefusalForm, RelayForm, SellerForm
from accounts.models import Company, Relay, RelayProposal, Seller, User
from portal.admin import ReadOnlyAdmin, asks_again, asks_again_to

for model in (EmailAddress, Authenticator, UserSession):
    admin.site.unregister(model)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin):
    """Second factors and passkeys: a lost one is deleted here, and its owner enrols another."""

    list_display = ["user", "type", "created_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["user__email"]
    fields = ["user", "type", "created_at", "last_used_at"]

    def has_delete_permission(self, request, obj=None):
        return request.user.is_superuser

    @asks_again
    def delete_view(self, request, object_id, extra_context=None):
        return super().delete_view(request, object_id, extra_context)

    @asks_again_to("delete_selected")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)


@admin.register(Seller)
class SellerAdmin(admin.ModelAdmin):
    form = SellerForm

    def get_fieldsets(self, request, obj=None):
        fields = [str(name) for name in self.get_fields(request, obj)]
        kept = [name for name in fields if name in {line.column for line in retention.table().values()}]
        return [
            (None, {"fields": [name for name in fields if name not in kept]}),
            (_("How long personal data is kept"), {"fields": kept}),
        ]

    def has_add_permission(self, request):
        return super().has_add_permission(request) and not Seller.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if logo := form.cleaned_data["logo_file"]:
            obj.logo = logo
        obj.save()


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ["email", "language", "is_staff", "is_active", "last_seen_at"]
    list_filter = ["is_staff"]
    search_fields = ["email"]
    fields = ["email", "language", "is_active", "is_staff", "is_superuser", "groups", "last_seen_at", "created_at", "erased_at"]
    actions = ["log_out"]

    def has_change_permission(self, request, obj=None):
        return request.user.is_superuser

    def get_readonly_fields(self, request, obj=None):
        return ["email", "language", "last_seen_at", "created_at", "erased_at"]

    @asks_again
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return super().changeform_view(request, object_id, form_url, extra_context)

    @admin.action(description=_("Log out of every browser"))
    def log_out(self, request, queryset):
        for user in queryset:
            actions.log_out_everywhere(user=user)
        self.message_user(request, _("They are logged out of every browser."))


class RelayInline(admin.TabularInline):
    model = Relay
    extra = 0
    can_delete = False
    show_change_link = True
    fields = readonly_fields = ["first_name", "last_name", "user", "until", "withdrawn_at"]

    def has_add_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("user")


@admin.register(Company)
class CompanyAdmin(admin.ModelAdmin):
    list_display = ["name", "kind", "parent"]
    list_filter = ["kind"]
    list_select_related = ["parent"]
    search_fields = ["name"]
    autocomplete_fields = ["parent", "partners"]
    inlines = [RelayInline]

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Relay)
class RelayAdmin(admin.ModelAdmin):
    form = RelayForm
    list_display = ["__str__", "user", "company", "may_distribute", "until", "withdrawn_at"]
    list_filter = ["may_distribute", ("withdrawn_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user", "company"]
    search_fields = ["last_name", "first_name", "user__email", "company__name"]
    autocomplete_fields = ["company"]
    readonly_fields = ["user", "authorised_by", "authorised_at", "withdrawn_at"]
    actions = ["withdraw"]

    def get_fields(self, request, obj=None):
        rights = ["may_distribute", "may_buy", "may_manage", "may_see_accounts", "until"]
        if obj is None:
            return ["company", "email", "first_name", "last_name", *rights]
        return ["company", "user", "first_name", "last_name", *rights, "authorised_by", "authorised_at", "withdrawn_at"]

    def get_readonly_fields(self, request, obj=None):
        return [*self.readonly_fields, "company"] if obj else self.readonly_fields

    def has_delete_permission(self, request, obj=None):
        return False

    def save_model(self, request, obj, form, change):
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            steps.authorise(obj, address=form.cleaned_data["email"], by=request.user)

    @admin.action(description=_("Withdraw the authorisation, at once"))
    def withdraw(self, request, queryset):
        withdrawn = actions.withdraw_relays(relays=list(queryset.values_list("pk", flat=True)), by=request.user)
        self.message_user(request, _("Authorisations withdrawn: %(count)s.") % {"count": withdrawn}, messages.SUCCESS)


@admin.register(RelayProposal)
class RelayProposalAdmin(ReadOnlyAdmin):
    """People whom relays propose: authorised or refused from their own page, by whoever may authorise relays."""

    list_display = ["__str__", "email", "company", "proposer", "state", "at"]
    list_filter = ["state"]
    list_select_related = ["company", "proposed_by__company"]
    search_fields = ["last_name", "first_name", "email", "company__name"]
    fields = ["company", "first_name", "last_name", "email", "proposer", "at", "state", "reason", "decided_by", "decided_at", "relay"]
    readonly_fields = ["proposer"]
    change_form_template = "admin/accounts/proposal.html"

    @admin.display(description=_("proposed by"))
    def proposer(self, proposal):
        return f"{proposal.proposed_by}, {proposal.proposed_by.company}"

    def get_urls(self):
        answer = self.admin_site.admin_view(self.answer)
        return [path("<int:relayproposal_id>/answer/", answer, name="accounts_relayproposal_answer"), *super().get_urls()]

    def answer(self, request, relayproposal_id):
        """The two buttons of a proposal's page."""
        if not request.user.has_perm("accounts.add_relay"):
            raise PermissionDenied
        get_object_or_404(RelayProposal, pk=relayproposal_id)
        form = RefusalForm(request.POST)
        if request.method == "POST" and "accept" in request.POST:
            proposal = actions.accept_proposal(proposal=relayproposal_id, by=request.user)
            self.answered(request, proposal)
        elif request.method == "POST" and form.is_valid():
            proposal = actions.refuse_proposal(proposal=relayproposal_id, reason=form.cleaned_data["reason"], by=request.user)
            self.answered(request, proposal)
        elif request.method == "POST":
            self.message_user(request, _("Say why in a few words: the relay who proposed this person reads it."), messages.ERROR)
        return redirect("admin:accounts_relayproposal_change", relayproposal_id)

    def answered(self, request, proposal) -> None:
        words = {"person": proposal, "company": proposal.company, "relay": proposal.proposed_by}
        sentence = _("%(person)s is a relay of %(company)s: an email tells both them and %(relay)s.")
        if proposal.state == RelayProposal.State.REFUSED:
            sentence = _("Refused: an email tells %(relay)s why.")
        self.message_user(request, sentence % words, messages.SUCCESS)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        more = {"may_answer": request.user.has_perm("accounts.add_relay")}
        return super().changeform_view(request, object_id, form_url, {**more, **(extra_context or {})})
