"""Accounts, payments and the ledger. What was posted is looked at; a mistake is undone by a posting of its own."""

from decimal import Decimal

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, Sum
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext_lazy as _

from portal.admin import ReadOnlyAdmin, asks_again_to
from portal.clock import now
from portal.errors import Refused
from portal.forms import RequestKeyField
from portal.templatetags.words import euros
from sales import actions
from sales.actions.orders import lock_actor
from sales.models import Account, Entry, Payment, Posting, Terms
from sales.statement import late_orders
from sales.steps import ledger, orders
from tickets.models import Order


@admin.register(Terms)
class TermsAdmin(admin.ModelAdmin):
    def has_add_permission(self, request):
        return super().has_add_permission(request) and not Terms.objects.exists()

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    list_display = ["company", "limit", "owes", "terms_days", "billing"]
    list_filter = ["kind"]
    list_select_related = ["company"]
    search_fields = ["company__name"]
    autocomplete_fields = ["company"]
    change_list_template = "admin/sales/accounts.html"
    actions = ["invoice"]

    def has_delete_permission(self, request, obj=None):
        return False

    def get_readonly_fields(self, request, obj=None):
        return ["company", "owes"] if obj else []

    def get_queryset(self, request):
        mine = Q(postings__entries__ledger=Entry.Ledger.CUSTOMER)
        return super().get_queryset(request).annotate(owed=Sum("postings__entries__amount", filter=mine, default=Decimal(0)))

    @admin.action(description=_("Issue the invoices that are due"), permissions=["change"])
    def invoice(self, request, queryset):
        for account in queryset.order_by("pk"):
            try:
                issued = actions.issue_invoices(account=account.pk, by=request.user)
            except Refused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                words = {"company": account, "count": len(issued)}
                self.message_user(request, _("%(company)s: %(count)s invoices and credit notes issued.") % words, messages.SUCCESS)

    @admin.display(description=_("owes"), ordering="owed")
    def owes(self, account):
        return euros(account.owed)

    def get_urls(self):
        return [path("late/", self.admin_site.admin_view(self.late), name="sales_account_late"), *super().get_urls()]

    def late(self, request):
        """Who is late: orders that should have been paid before today."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self.admin_site.each_context(request), "title": _("Who is late"), "orders": late_orders(), "opts": self.model._meta}
        return render(request, "admin/sales/late.html", context)


class PaymentForm(forms.ModelForm):
    order = forms.ModelChoiceField(
        Order.objects.filter(number__isnull=False),
        to_field_name="number",
        required=False,
        widget=forms.TextInput,
        label=_("for order"),
        help_text=_("Its number. Empty: the oldest unpaid orders. What is left waits for the next ones."),
        error_messages={"invalid_choice": _("No order has this number.")},
    )
    key = RequestKeyField()

    class Meta:
        model = Payment
        fields = ["account", "method", "amount", "received_on", "reference"]

    def clean(self):
        values = super().clean() or {}
        order, account = values.get("order"), values.get("account")
        if order and account and order.company_id != account.company_id:
            self.add_error("order", _("This order is of another company."))
        return values


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """Recorded with one form; undone by an action that adds the counter-entries."""

    list_display = ["received_on", "account", "method", "shown_amount", "reference", "unmatched", "state"]
    list_filter = ["method"]
    list_select_related = ["account__company"]
    search_fields = ["reference", "account__company__name"]
    autocomplete_fields = ["account"]
    date_hierarchy = "received_on"
    actions = ["reverse"]

    def has_add_permission(self, request):
        return request.user.has_perm("sales.add_payment")

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **kwargs if obj else kwargs | {"form": PaymentForm})

    def get_fields(self, request, obj=None):
        shown = ["account", "method", "amount", "received_on", "reference"]
        return [*shown, "recorded_by", "recorded_at", "state", "pays"] if obj else [*shown, "order", "key"]

    def get_readonly_fields(self, request, obj=None):
        return ["recorded_by", "recorded_at", "state", "pays"] if obj else []

    def get_changeform_initial_data(self, request):
        return {"received_on": now().date(), **super().get_changeform_initial_data(request)}

    def get_queryset(self, request):
        undone = Q(postings__kind=Posting.Kind.REVERSAL)
        return super().get_queryset(request).annotate(undone=Count("pk", filter=undone), used=ledger.used_of_payment())

    def save_model(self, request, obj, form, change):
        """Record it once, whatever the number of times that the form is sent."""
        lock_actor(request.user)
        obj.recorded_by, obj.request_key = request.user, form.cleaned_data["key"]
        if done := Payment.objects.filter(recorded_by=obj.recorded_by, request_key=obj.request_key).first():
            obj.pk = done.pk
            return
        obj.account = ledger.lock_account(obj.account.company_id)
        ledger.receive(obj, order=form.cleaned_data["order"], at=now())
        for released in orders.release_paid(obj.account, by=request.user):
            self.message_user(
                request, _("Order %(number)s is paid: its tickets are issued.") % {"number": released.number}, messages.SUCCESS
            )

    @admin.display(description=_("amount"), ordering="amount")
    def shown_amount(self, payment):
        return euros(payment.amount)

    @admin.display(description=_("not matched yet"))
    def unmatched(self, payment):
        return euros(Decimal(0) if payment.undone else payment.amount - payment.used)

    @admin.display(description=_("pays"))
    def pays(self, payment):
        """The orders that it is matched with."""
        rows = payment.settlements.select_related("order").order_by("order__number")
        return (
            ", ".join(_("order %(number)s: %(amount)s") % {"number": row.order.number, "amount": euros(row.amount)} for row in rows) or "–"
        )

    @admin.display(description=_("state"))
    def state(self, payment):
        return _("undone") if payment.undone else _("received")

    @asks_again_to("reverse")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    @admin.action(description=_("Undo: it did not arrive, or was mistyped"), permissions=["add"])
    def reverse(self, request, queryset):
        count = sum(actions.reverse_payment(payment=pk, by=request.user) for pk in queryset.order_by("pk").values_list("pk", flat=True))
        self.message_user(request, _("Payments undone by counter-entries: %(count)s.") % {"count": count}, messages.SUCCESS)
