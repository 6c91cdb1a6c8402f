"""Emails to the relays of a company about what it buys."""

from collections.abc import Iterable
from datetime import datetime

from accounts.models import Relay
from outbox import steps as outbox_steps


def tell(relays: Iterable[Relay], kind: str, refs: dict, key: str, *, not_before: datetime, useful_until: datetime | None = None) -> None:
    """Owe each of these relays one email."""
    outbox_steps.owe(
        [
            outbox_steps.letter(
                kind,
                to=relay.user.email,
                language=relay.user.language,
                refs={**refs, "relay": relay.pk},
                key=f"{key}:{relay.pk}",
                not_before=not_before,
                useful_until=useful_until,
            )
            for relay in relays
        ]
    )


def relays_of(company: int, *, but: Relay | None = None):
    """The relays in force of a company who see its tickets, but one."""
    found = Relay.objects.authorised().seeing_tickets().filter(company=company).select_related("user").order_by("pk")
    return found.exclude(pk=but.pk) if but else found


def buyers_of(company: int):
    """Those of them who buy."""
    return relays_of(company).filter(may_buy=True)
