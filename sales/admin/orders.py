"""Orders of every channel, and the tickets with what gives money back."""

import uuid
from decimal import Decimal

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from portal.admin import asks_again, asks_again_to
from portal.errors import Refused
from portal.forms import RequestKeyField
from portal.templatetags.words import euros
from sales import actions
from sales.actions.orders import lock_actor
from sales.documents import order_pdf
from sales.forms import PartForm
from sales.models import Listing
from sales.statement import with_money
from sales.steps.ledger import standing
from tickets.admin import TicketAdmin
from tickets.models import Order, OrderLine, Ticket


def link_to(name: str, key, words) -> str:
    return format_html('<a href="{}">{}</a>', reverse(name, args=[key]), words)


@admin.register(Listing)
class ListingAdmin(admin.ModelAdmin):
    """The catalogue: which products are on sale, to whom, and when."""

    list_display = ["product", "starts", "open_to_all", "from_at", "until_at", "option_limit"]
    list_filter = ["open_to_all"]
    list_select_related = ["product__event"]
    search_fields = ["product__event__name", "product__category"]
    autocomplete_fields = ["product", "companies"]

    @admin.display(description=_("event"), ordering="product__event__starts_at")
    def starts(self, listing):
        return listing.product.event.starts_at


class OrderLineInline(admin.TabularInline):
    model = OrderLine
    extra = 1
    can_delete = False
    autocomplete_fields = ["product"]
    fields = ["product", "quantity", "unit_price", "vat_rate"]

    def is_locked(self, obj) -> bool:
        return obj is not None and obj.state != Order.State.DRAFT

    def has_add_permission(self, request, obj=None):
        return super().has_add_permission(request, obj) and not self.is_locked(obj)

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and not self.is_locked(obj)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("product__event")


class NewOrderForm(forms.ModelForm):
    key = RequestKeyField()

    class Meta:
        model = Order
        fields = ["company", "channel"]


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["__str__", "company", "channel", "state", "total", "left_to_pay", "confirmed_at", "documents"]
    list_filter = ["state", "channel"]
    list_select_related = ["company__account"]
    search_fields = ["number", "company__name"]
    autocomplete_fields = ["company"]
    readonly_fields = ["number", "state", "confirmed_at", "confirmed_by"]
    inlines = [OrderLineInline]
    actions = ["confirm", "cancel"]
    change_form_template = "admin/tickets/order.html"

    def has_delete_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        return with_money(super().get_queryset(request)).prefetch_related("lines", "postings__invoiced__invoice")

    @admin.display(description=_("total with VAT"))
    def total(self, order):
        return euros(sum((line.total for line in order.lines.all()), Decimal(0)))

    @admin.display(description=_("left to pay"), ordering="left")
    def left_to_pay(self, order):
        return euros(order.left)

    @admin.display(description=_("documents"))
    def documents(self, order):
        """Its order form, and the invoices and credit notes that tell it."""
        links = [link_to("admin:tickets_order_form", order.pk, _("order form"))] if order.number else []
        told = {posting.invoiced.invoice for posting in order.postings.all() if hasattr(posting, "invoiced")}
        links += [link_to("admin:sales_invoice_pdf", invoice.pk, invoice.name) for invoice in sorted(told, key=lambda found: found.pk)]
        return format_html_join(", ", "{}", ((link,) for link in links))

    def get_readonly_fields(self, request, obj=None):
        locked = ["company", "channel"] if obj and obj.state != Order.State.DRAFT else []
        return [*self.readonly_fields, *locked]

    @asks_again_to("cancel")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **kwargs if obj else kwargs | {"form": NewOrderForm})

    def save_model(self, request, obj, form, change):
        """Enter it once, whatever the number of times that the form is sent."""
        if not change:
            lock_actor(request.user)
            obj.request_key = form.cleaned_data["key"]
            if done := Order.objects.filter(request_key=obj.request_key).first():
                obj.pk, request.entered_before = done.pk, True
                return
        super().save_model(request, obj, form, change)

    def save_formset(self, request, form, formset, change):
        for line in formset.save(commit=False):
            if line.unit_price is None:
                line.unit_price = line.product.price
            if line.vat_rate is None:
                line.vat_rate = line.product.vat_rate
            line.save()
        formset.save_m2m()

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:order_id>/confirm/", view(self.confirm_view), name="tickets_order_confirm"),
            path("<int:order_id>/part/", view(self.part_view), name="tickets_order_part"),
            path("<int:order_id>/order.pdf", view(self.form_view), name="tickets_order_form"),
            *super().get_urls(),
        ]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        """ "Save and confirm" does both: the order of a phone call is one form. The draft is saved before it is confirmed."""
        response = super().changeform_view(request, object_id, form_url, extra_context)
        if saved := getattr(request, "saved_order", None):
            self.confirm_one(request, saved)
        return response

    def save_related(self, request, form, formsets, change):
        if getattr(request, "entered_before", False):
            for formset in formsets:  # what the admin's log asks for
                formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        else:
            super().save_related(request, form, formsets, change)
        if "_confirm" in request.POST:
            request.saved_order = form.instance.pk

    def response_add(self, request, obj, post_url_continue=None):
        confirmed = "_confirm" in request.POST
        return redirect("admin:tickets_order_change", obj.pk) if confirmed else super().response_add(request, obj, post_url_continue)

    def form_view(self, request, order_id):
        """The order form as PDF."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order.objects.select_related("company__account"), pk=order_id, number__isnull=False)
        return HttpResponse(order_pdf(order), content_type="application/pdf")

    @asks_again
    def part_view(self, request, order_id):
        """Cancel a part: so many tickets of each line that the company has not given to anybody."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        order = get_object_or_404(Order.objects.select_related("company"), pk=order_id, state=Order.State.CONFIRMED)
        lines = list(order.lines.select_related("product__event").order_by("pk"))
        form = PartForm(lines, standing(order), request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                key = str(form.cleaned_data["key"])
                count = actions.cancel_part(order=order.pk, quantities=form.quantities(), shown=form.shown(), by=request.user, key=key)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Tickets cancelled: %(count)s.") % {"count": count})
                return redirect("admin:tickets_order_change", order_id)
        title = _("Cancel a part of order %(number)s") % {"number": order.number}
        context = {**self.admin_site.each_context(request), "form": form, "title": title, "opts": self.model._meta, "order": order}
        return render(request, "admin/sales/part.html", context)

    def confirm_view(self, request, order_id):
        """The button of the order's page: issues its tickets."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method == "POST":
            self.confirm_one(request, order_id)
        return redirect("admin:tickets_order_change", order_id)

    def confirm_one(self, request, order_id) -> None:
        try:
            order = actions.confirm_order(order=order_id, by=request.user)
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            tickets = Ticket.objects.filter(order_line__order=order).count()
            words = {"number": order.number, "count": tickets, "company": order.company}
            message = _("Order %(number)s is confirmed: %(count)s tickets issued, and the relays of %(company)s are told.")
            self.message_user(request, message % words, messages.SUCCESS)

    @admin.action(description=_("Confirm: issue the tickets and tell the relays"), permissions=["change"])
    def confirm(self, request, queryset):
        for order_id in queryset.values_list("pk", flat=True).order_by("pk"):
            self.confirm_one(request, order_id)

    @admin.action(description=_("Cancel, with all tickets wherever they are"), permissions=["change"])
    def cancel(self, request, queryset):
        for order_id in queryset.values_list("pk", flat=True).order_by("pk"):
            try:
                count = actions.cancel_order(order=order_id, by=request.user)
            except Refused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                self.message_user(request, _("Tickets cancelled: %(count)s.") % {"count": count}, messages.SUCCESS)


admin.site.unregister(Ticket)


@admin.register(Ticket)
class SoldTicketAdmin(TicketAdmin):
    """The tickets, with what gives money back."""

    actions = ["cancel", "reissue"]

    @asks_again_to("cancel")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    @admin.action(description=_("Cancel, wherever they are"))
    def cancel(self, request, queryset):
        try:
            count = actions.cancel_tickets(tickets=list(queryset.values_list("pk", flat=True)), by=request.user, key=str(uuid.uuid4()))
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, _("Tickets cancelled: %(count)s.") % {"count": count}, messages.SUCCESS)
