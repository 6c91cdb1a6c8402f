"""Orders of every channel, and the tickets with what gives money back."""

import uuid

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from portal.admin import asks_again_to
from portal.errors import Refused
from sales import actions
from tickets.admin import TicketAdmin
from tickets.models import Order, OrderLine, Ticket


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


@admin.register(Order)
class OrderAdmin(admin.ModelAdmin):
    list_display = ["__str__", "company", "channel", "state", "created_at", "confirmed_at"]
    list_filter = ["state", "channel"]
    list_select_related = ["company"]
    search_fields = ["number", "company__name"]
    autocomplete_fields = ["company"]
    readonly_fields = ["number", "state", "confirmed_at", "confirmed_by"]
    inlines = [OrderLineInline]
    actions = ["confirm", "cancel"]
    change_form_template = "admin/tickets/order.html"

    def has_delete_permission(self, request, obj=None):
        return False

    def get_readonly_fields(self, request, obj=None):
        locked = ["company", "channel"] if obj and obj.state != Order.State.DRAFT else []
        return [*self.readonly_fields, *locked]

    @asks_again_to("cancel")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    def save_formset(self, request, form, formset, change):
        for line in formset.save(commit=False):
            if line.unit_price is None:
                line.unit_price = line.product.price
            if line.vat_rate is None:
                line.vat_rate = line.product.vat_rate
            line.save()
        formset.save_m2m()

    def get_urls(self):
        confirm = self.admin_site.admin_view(self.confirm_view)
        return [path("<int:order_id>/confirm/", confirm, name="tickets_order_confirm"), *super().get_urls()]

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
