"""Emails about what a company buys: to its relays, and to the staff who decide."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.backends import ModelBackend

from accounts.models import Relay
from outbox import steps as outbox_steps
from sales.models import Option


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


def deciders():
    """The staff who may answer requests for options."""
    return ModelBackend().with_perm("sales.change_option").filter(is_staff=True).order_by("pk")


def tell_staff(option: Option, key: str, *, not_before: datetime) -> None:
    """Owe each of them one email: an option, or more time of one, waits for an answer."""
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "option_asked",
                to=user.email,
                language=user.language,
                refs={"option": option.pk, "user": user.pk},
                key=f"{key}:{user.pk}",
                not_before=not_before,
            )
            for user in deciders()
        ]
    )
