"""What staff ask of personal data, and see of the stock of companies on the pages that accounts has of them."""

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.admin import CompanyAdmin
from accounts.models import Company
from members.models import Erasure
from portal.admin import ReadOnlyAdmin, asks_again_to
from tickets.models import Ticket

admin.site.unregister(Company)


class Waiting(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "waits"

    def lookups(self, request, model_admin):
        return [("yes", _("waits")), ("no", _("done or called off"))]

    def queryset(self, request, queryset):
        waits = {"called_off_at": None, "done_at": None}
        return {"yes": queryset.filter(**waits), "no": queryset.exclude(**waits)}.get(self.value() or "", queryset)


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    """What people asked; each is carried out by itself after the seller's delay, or from here at once."""

    list_display = ["user", "asked_at", "called_off_at", "done_at", "done_by"]
    list_filter = [Waiting]
    list_select_related = ["user", "done_by"]
    search_fields = ["user__email"]
    fields = ["user", "asked_at", "called_off_at", "done_at", "done_by"]
    actions = ["erase_now"]

    @asks_again_to("erase_now")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    def get_actions(self, request):
        found = super().get_actions(request)
        return found if request.user.has_perm("members.change_erasure") else {}

    @admin.action(description=_("Erase now, without waiting for the delay"))
    def erase_now(self, request, queryset):
        from distribution import actions  # it draws tickets: their libraries are not there when the image is built

        erasures = list(queryset.filter(called_off_at=None, done_at=None).values_list("pk", flat=True))
        done = actions.erase_now(erasures=erasures, by=request.user)
        self.message_user(request, ngettext("%(n)d person is erased.", "%(n)d people are erased.", done) % {"n": done}, messages.SUCCESS)
        if waiting := len(erasures) - done:
            sentence = ngettext(
                "%(n)d person waits: she holds tickets to come, or still acts for a company.",
                "%(n)d people wait: they hold tickets to come, or still act for a company.",
                waiting,
            )
            self.message_user(request, sentence % {"n": waiting}, messages.WARNING)


class StrandedFilter(admin.SimpleListFilter):
    title = _("tickets that nobody can distribute")
    parameter_name = "stranded"

    def lookups(self, request, model_admin):
        return [("yes", _("some"))]

    def queryset(self, request, queryset):
        return queryset.filter(stranded__gt=0) if self.value() == "yes" else queryset


@admin.register(Company)
class CompanyWithStockAdmin(CompanyAdmin):
    list_display = [*CompanyAdmin.list_display, "without_relay"]
    list_filter = [*CompanyAdmin.list_filter, StrandedFilter]
    actions = ["take_back"]

    def get_queryset(self, request):
        waiting = Ticket.objects.filter(company=OuterRef("pk")).stranded().order_by().values("company")
        return super().get_queryset(request).annotate(stranded=Coalesce(Subquery(waiting.annotate(n=Count("pk")).values("n")), 0))

    @admin.display(description=_("tickets that nobody can distribute"), ordering="stranded")
    def without_relay(self, company):
        return company.stranded or ""

    def has_take_back_permission(self, request):
        return request.user.has_perm("tickets.change_ticket")

    @admin.action(description=_("Take back to the company above what nobody can distribute"), permissions=["take_back"])
    def take_back(self, request, queryset):
        from distribution import actions  # it draws tickets: their libraries are not there when the image is built

        for company in queryset.order_by("pk"):
            count = actions.take_back_stranded(company=company, by=request.user)
            words = {"company": company, "count": count, "left": company.stranded - count}
            if count:
                self.message_user(request, _("%(company)s: %(count)s tickets are back at the company above.") % words, messages.SUCCESS)
            if words["left"] > 0:
                sentence = _("%(company)s bought the %(left)s tickets that wait there: authorise a relay, or cancel them.")
                self.message_user(request, sentence % words, messages.WARNING)
            if not company.stranded:
                self.message_user(request, _("%(company)s: nothing waits there without a relay.") % words, messages.WARNING)
