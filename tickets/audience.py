"""Who hears of an event's change: every relay whose company has its tickets, at any level, and every holder; once each."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from accounts.models import Relay, User
from outbox import steps as outbox_steps
from tickets.models import EventChange, Forward, Ticket

# Whose holder no email reaches: the relays of the company are asked to tell her themselves.
OUT_OF_REACH = Q(member=None, printed_generation__isnull=False) | Q(member__email="")


@dataclass
class Share:
    """What one address is concerned by: the relays that it acts as, and the tickets that its members hold."""

    relays: list[Relay] = field(default_factory=list)
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def refs(self) -> dict:
        return {"relays": [r.pk for r in self.relays], "tickets": [t.pk for t in self.tickets]}


def audience(tickets: Sequence[Ticket], at: datetime) -> dict[str, Share]:
    """By address, of tickets read with their members. Whom a ticket has not been shown yet never hears of it."""
    by_address: dict[str, Share] = {}
    companies = {t.bought_by_id for t in tickets}
    companies |= set(Forward.objects.filter(ticket__in=[t.pk for t in tickets]).values_list("to_company", flat=True))
    for relay in Relay.objects.authorised().seeing_tickets().filter(company__in=companies).select_related("user", "company").order_by("pk"):
        by_address.setdefault(relay.user.email, Share()).relays.append(relay)
    for ticket in tickets:
        if ticket.member and ticket.member.email and ticket.shown_from and ticket.shown_from <= at:
            by_address.setdefault(ticket.member.email, Share()).tickets.append(ticket)
    return by_address


def tell(change: EventChange, tickets: Sequence[Ticket], at: datetime) -> None:
    """Owe each address one email."""
    shares = audience(tickets, at)
    languages = dict(User.objects.filter(email__in=shares).values_list("email", "language"))
    outbox_steps.owe(
        [
            outbox_steps.letter(
                f"event_{change.kind}",
                to=address,
                language=languages.get(address, "fr"),
                refs={"change": change.pk, **share.refs},
                key=f"{change.pk}:{address_key(share)}",
                not_before=at,
            )
            for address, share in shares.items()
        ]
    )


def address_key(share: Share) -> str:
    """What makes it one of the change's emails and no other: an address has its relays and its tickets to itself."""
    return f"relay:{share.relays[0].pk}" if share.relays else f"ticket:{share.tickets[0].pk}"
