import uuid

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _

from portal.admin import ReadOnlyAdmin, asks_again_to
from portal.errors import Refused
from tickets import actions
from tickets.forms import SeatListForm
from tickets.models import Event, Movement, Order, OrderLine, Product, SigningKey, Ticket, Venue


@admin.register(Venue)
class VenueAdmin(admin.ModelAdmin):
    list_display = ["name", "address", "zone"]
    search_fields = ["name"]


@admin.register(Event)
class EventAdmin(admin.ModelAdmin):
    list_display = ["name", "venue", "starts_at", "valid_until", "kind"]
    list_filter = ["kind"]
    list_select_related = ["venue"]
    date_hierarchy = "valid_until"
    search_fields = ["name", "subtitle"]
    autocomplete_fields = ["venue"]

    def get_urls(self):
        return [path("seats/", self.admin_site.admin_view(self.seats), name="tickets_event_seats"), *super().get_urls()]

    def seats(self, request):
        """Seats from a pasted list: those that the event has already are left alone."""
        if not self.has_change_permission(request):
            return redirect("admin:index")
        form = SeatListForm(request.POST if request.method == "POST" else None, initial={"event": request.GET.get("event")})
        if form.is_valid():
            new = actions.add_seats(event=form.cleaned_data["event"].pk, seats=form.cleaned_data["seats"])
            messages.success(request, _("New seats: %(count)s.") % {"count": new})
            return redirect("admin:tickets_event_changelist")
        context = {**self.admin_site.each_context(request), "form": form, "title": _("Add seats from a list"), "opts": self.model._meta}
        return render(request, "admin/tickets/seats.html", context)


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["event", "category", "price", "quota", "numbered"]
    list_select_related = ["event"]
    search_fields = ["event__name", "category"]
    autocomplete_fields = ["event"]

    def has_delete_permission(self, request, obj=None):
        return False


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


class MovementInline(admin.TabularInline):
    model = Movement
    extra = 0
    can_delete = False
    fields = readonly_fields = ["at", "kind", "from_company", "to_company", "from_member", "to_member", "actor", "generation"]

    def has_add_permission(self, request, obj=None):
        return False

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("from_company", "to_company", "from_member", "to_member", "actor")


@admin.register(Ticket)
class TicketAdmin(ReadOnlyAdmin):
    list_display = ["number", "product", "company", "member", "status", "copy"]
    list_filter = ["status"]
    list_select_related = ["product__event", "company", "member"]
    search_fields = ["number", "company__name", "member__search_key"]
    show_full_result_count = False
    fields = ["number", "product", "seat", "order_line", "bought_by", "company", "member", "status", "copy"]
    inlines = [MovementInline]
    actions = ["cancel", "reissue"]

    @asks_again_to("cancel")
    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, extra_context)

    def get_actions(self, request):
        found = super().get_actions(request)
        return found if request.user.has_perm("tickets.change_ticket") else {}

    @admin.action(description=_("Cancel, wherever they are"))
    def cancel(self, request, queryset):
        try:
            count = actions.cancel_tickets(tickets=list(queryset.values_list("pk", flat=True)), by=request.user, key=str(uuid.uuid4()))
        except Refused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, _("Tickets cancelled: %(count)s.") % {"count": count}, messages.SUCCESS)

    @admin.action(description=_("Reissue: a new barcode, earlier prints are dead"))
    def reissue(self, request, queryset):
        for pk in queryset.values_list("pk", flat=True).order_by("pk"):
            try:
                ticket = actions.reissue_ticket(ticket=pk, by=request.user)
            except Refused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                words = {"number": ticket.number, "copy": ticket.copy}
                self.message_user(request, _("Ticket %(number)s is now at copy %(copy)s.") % words, messages.SUCCESS)


@admin.register(Movement)
class MovementAdmin(ReadOnlyAdmin):
    list_display = ["at", "ticket", "kind", "from_company", "to_company", "from_member", "to_member", "actor", "generation"]
    list_filter = ["kind"]
    list_select_related = ["ticket", "from_company", "to_company", "from_member", "to_member", "actor"]
    search_fields = ["ticket__number"]
    show_full_result_count = False


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    list_display = ["id", "created_at", "revoked_at"]
    fields = ["id", "created_at", "revoked_at"]
