"""Events, with what moves money and options: an event cancelled, or moved."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils.translation import gettext_lazy as _

from portal.admin import asks_again
from portal.errors import Refused
from portal.forms import as_uuid
from sales import actions
from tickets.admin import EventAdmin
from tickets.announcements import done_in_words, preview
from tickets.forms import CancelEventForm, MoveEventForm
from tickets.models import Event, EventChange

admin.site.unregister(Event)


@admin.register(Event)
class SoldEventAdmin(EventAdmin):
    """The events, each cancelled or moved in one act."""

    change_form_template = "admin/tickets/event.html"

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<int:event_id>/cancel/", view(self.cancel), name="tickets_event_cancel"),
            path("<int:event_id>/move/", view(self.move), name="tickets_event_move"),
            *super().get_urls(),
        ]

    @asks_again
    def cancel(self, request, event_id):
        """Cancel the event: what will happen is said before."""
        event = self.to_change(request, event_id)
        form = CancelEventForm(request.POST if request.method == "POST" else None)
        title = _("Cancel “%(event)s”") % {"event": event}
        return self.changed(request, event, form, EventChange.Kind.CANCELLED, title)

    @asks_again
    def move(self, request, event_id):
        """Move the event to another time or place: what will happen is said before."""
        event = self.to_change(request, event_id)
        form = MoveEventForm(event, request.POST if request.method == "POST" else None)
        title = _("Move “%(event)s”") % {"event": event}
        return self.changed(request, event, form, EventChange.Kind.MOVED, title)

    def to_change(self, request, event_id) -> Event:
        if not (self.has_change_permission(request) and request.user.has_perm("tickets.change_ticket")):
            raise PermissionDenied
        return get_object_or_404(Event.objects.select_related("venue"), pk=event_id)

    def changed(self, request, event, form, kind, title):
        """The page of a change: asked, said before, confirmed."""
        made = EventChange.objects.filter(actor=request.user, request_key=as_uuid(request.POST.get("request_key", ""))).first()
        if not made and "confirm" in request.POST and form.is_valid():
            try:
                made = self.change(request, event, form, kind)
            except Refused as refusal:
                form.add_error(None, str(refusal))
        if made:
            self.message_user(request, done_in_words(made), messages.SUCCESS)
            return redirect("admin:tickets_event_change", event.pk)
        shown = preview(event, kind, form) if form.is_valid() and "edit" not in request.POST else None
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta, "original": event}
        context |= {"form": form, "kind": kind, "preview": shown}
        return render(request, "admin/tickets/event_change.html", context, status=422 if form.errors else 200)

    def change(self, request, event, form, kind) -> EventChange:
        values = {name: form.cleaned_data[name] for name in ("advice", "request_key")}
        if kind == EventChange.Kind.CANCELLED:
            return actions.cancel_event(event=event.pk, by=request.user, **values)
        return actions.move_event(event=event.pk, by=request.user, venue=form.cleaned_data["venue"], times=form.times(), **values)
