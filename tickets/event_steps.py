"""The moves of an event that is cancelled or moved. Each needs an open transaction."""

import uuid

from django.db import connection

from accounts.models import User
from tickets.models import Event, EventChange, Ticket


def event_to_change(event: int, by: User, request_key: uuid.UUID) -> tuple[Event, EventChange | None]:
    """The event, locked, and the change that this request has made already. Its actor is locked before."""
    assert connection.in_atomic_block
    found = Event.objects.select_related("venue").select_for_update(no_key=True, of=("self",)).get(pk=event)
    return found, EventChange.objects.filter(actor=by, request_key=request_key).first()


def lock_tickets_of(event: Event) -> list[Ticket]:
    """All that stand, with their holders and the orders that bought them."""
    standing = Ticket.objects.filter(product__event=event).standing().order_by("pk")
    return list(standing.select_for_update(of=("self",)).select_related("member", "order_line__order"))


def keep(event: Event, kind: str, by: User, advice: str, request_key: uuid.UUID) -> EventChange:
    """The row of a change: what the event was until now."""
    was = {name: getattr(event, name) for name in ("starts_at", "valid_from", "valid_until", "venue")}
    return EventChange.objects.create(event=event, kind=kind, actor=by, advice=advice, request_key=request_key, **was)
