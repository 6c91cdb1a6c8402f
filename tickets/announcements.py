"""What a change of an event will do, said before, and what it did: for the staff's page."""

import copy
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from outbox.kinds import Letter
from outbox.models import Delivery
from portal.clock import now
from tickets.audience import OUT_OF_REACH, audience
from tickets.emails import event_letter
from tickets.forms import CancelEventForm, MoveEventForm
from tickets.models import Event, EventChange, Movement, Ticket


@dataclass
class Preview:
    """How many tickets, whom the change reaches, and the emails that a first relay and a first holder get."""

    tickets: int
    checked: int
    holders: int
    relays: int
    companies: int
    out_of_reach: int
    letters: list[Letter]
    words: str


def preview(event: Event, kind: str, form: CancelEventForm) -> Preview:
    at = now()
    change = planned(event, kind, form, at)
    standing = Ticket.objects.filter(product__event=event).standing().order_by("pk")
    tickets = list(standing.select_related("member"))
    shares = audience(tickets, at)
    checked = sum(t.status == Ticket.Status.CHECKED for t in tickets)
    relays = [relay for share in shares.values() for relay in share.relays]
    samples = [
        next((share for share in shares.values() if share.relays), None),
        next((share for share in shares.values() if share.tickets and not share.relays), None),
    ]
    concerned = ~Q(status__in=["checked", "cancelled"]) if kind == EventChange.Kind.CANCELLED else ~Q(status="cancelled")
    letters = [event_letter(change, share.relays, share.tickets, concerned) for share in samples if share]
    return Preview(
        tickets=len(tickets) - (checked if kind == EventChange.Kind.CANCELLED else 0),
        checked=checked,
        holders=sum(bool(share.tickets) for share in shares.values()),
        relays=len({relay.user_id for relay in relays}),
        companies=len({relay.company_id for relay in relays}),
        out_of_reach=standing.filter(OUT_OF_REACH).exclude(status="checked").count(),
        letters=letters,
        words=letters[0].subject if letters else "",
    )


def planned(event: Event, kind: str, form: CancelEventForm, at: datetime) -> EventChange:
    """The change as it would be made, on a copy of the event: nothing is written."""
    after = copy.copy(event)
    after._state = copy.copy(event._state)
    after._state.fields_cache = dict(event._state.fields_cache)  # type: ignore[attr-defined]
    if isinstance(form, MoveEventForm):
        for name, value in (form.times() | {"venue": form.cleaned_data["venue"]}).items():
            setattr(after, name, value)
    else:
        after.cancelled_at = at
    was = {name: getattr(event, name) for name in ("starts_at", "valid_from", "valid_until", "venue")}
    return EventChange(event=after, kind=kind, advice=form.cleaned_data["advice"], at=at, **was)


def done_in_words(change: EventChange) -> str:
    told = Delivery.objects.filter(dedupe_key__startswith=f"event_{change.kind}:{change.pk}:").count()
    words = {"event": change.event, "told": told, "count": Movement.objects.filter(act=change.public_id).count()}
    if change.kind == EventChange.Kind.CANCELLED:
        return _("“%(event)s” is cancelled. Tickets cancelled: %(count)s. People told by email: %(told)s.") % words
    return _("“%(event)s” is moved. Its tickets stay valid. People told by email: %(told)s.") % words
