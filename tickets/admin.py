from django.contrib import admin, messages
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _

from portal.admin import ReadOnlyAdmin
from portal.errors import Refused
from tickets import actions
from tickets.forms import SeatListForm
from tickets.models import Event, EventChange, Movement, Product, SigningKey, Ticket, Venue


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

    def get_readonly_fields(self, request, obj=None):
        """Once it has tickets, people are told where and when: that changes by an action of its own."""
        return ["venue", "starts_at", "doors_at", "ends_at"] if obj and Ticket.objects.filter(product__event=obj).exists() else []

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
    actions = ["reissue"]

    def get_actions(self, request):
        found = super().get_actions(request)
        return found if request.user.has_perm("tickets.change_ticket") else {}

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


@admin.register(EventChange)
class EventChangeAdmin(ReadOnlyAdmin):
    list_display = ["event", "kind", "starts_at", "venue", "actor", "at"]
    list_filter = ["kind"]
    list_select_related = ["event", "venue", "actor"]
    search_fields = ["event__name"]
    fields = ["event", "kind", "advice", "starts_at", "venue", "actor", "at"]


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
