"""What staff, a person at the login page, or a relay does to logins and authorisations."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts import retention, steps
from accounts.models import Relay, Seller, User
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now


@transaction.atomic(durable=True)
def withdraw_relays(*, relays: list[int], by: User) -> int:
    """Withdraw these authorisations at once, open sessions included. How many were in force.

    A person who is relay or member elsewhere logs in again and finds what is still hers.
    """
    users = User.objects.filter(relays__in=relays).order_by("pk")
    locked = list(User.objects.filter(pk__in=users).order_by("pk").select_for_update(no_key=True))
    withdrawn = Relay.objects.filter(pk__in=relays, withdrawn_at=None).update(withdrawn_at=now())
    for user in locked:
        steps.end_sessions(user)
    return withdrawn


@transaction.atomic(durable=True)
def send_login_code(*, address: str, code: str | None) -> None:
    """Owe the login code, or to an address that nobody authorised the sentence that says so: equal work."""
    user = User.objects.filter(email=address).first()
    at = now()
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "login_code" if code else "login_unknown",
                to=address,
                language=user.language if user else settings.LANGUAGE_CODE,
                refs={},
                key=str(uuid.uuid4()),
                not_before=at,
                useful_until=at + timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT),
                priority=Delivery.Priority.LOGIN,
                secret=code or "",
            )
        ]
    )


@transaction.atomic(durable=True)
def log_out_everywhere(*, user: User) -> None:
    """End every session of this person, the present one too."""
    steps.end_sessions(user)


@transaction.atomic(durable=True)
def choose_language(*, user: User, language: str) -> None:
    """The language of her pages and emails from now on."""
    User.objects.filter(pk=user.pk).update(language=language)


BATCH = 500


def apply_retention() -> int:
    """Erase whatever is past its date, line by line and batch by batch. Twice at once, or late, does no harm. How many rows."""
    erased = 0
    for line in retention.table().values():
        while done := erase_batch(line):
            erased += done
    return erased


@transaction.atomic(durable=True)
def erase_batch(line: retention.Line) -> int:
    return line.erase(line.before(Seller.objects.current()), BATCH)
