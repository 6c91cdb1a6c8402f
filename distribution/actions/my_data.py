"""What a person asks about her own data, and staff do about it."""

from collections.abc import Sequence

from django.db import transaction

from accounts.models import Relay, User
from distribution import steps
from distribution.errors import HoldsTickets, StillActs
from members.models import Erasure
from outbox import steps as outbox_steps
from portal.clock import now


@transaction.atomic(durable=True)
def ask_erasure(*, user: User, keeps_tickets: bool) -> Erasure:
    """Ask that what is kept about her be erased: after the seller's delay, and after the last of the tickets she keeps.

    HoldsTickets when she has tickets to come and has not said that she keeps them; StillActs for a relay in force and the
    staff. Asked twice, it is asked once. An email says so, in case it was not she.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if asked := user.erasures.filter(called_off_at=None, done_at=None).first():
        return asked
    if user.is_staff or Relay.objects.authorised().filter(user=user).exists():
        raise StillActs
    if not keeps_tickets and steps.to_come(user.email).exists():
        raise HoldsTickets
    at = now()
    erasure = Erasure.objects.create(user=user, asked_at=at)
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "erasure_asked",
                to=user.email,
                language=user.language,
                refs={"erasure": erasure.pk},
                key=f"{erasure.pk}",
                not_before=at,
            )
        ]
    )
    return erasure


@transaction.atomic(durable=True)
def call_off_erasure(*, user: User) -> None:
    """She has changed her mind: nothing is erased."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    user.erasures.filter(called_off_at=None, done_at=None).update(called_off_at=now())


@transaction.atomic(durable=True)
def erase_now(*, erasures: Sequence[int], by: User) -> int:
    """Staff carry out these requests without waiting for the delay. How many: who holds tickets to come or acts, waits."""
    return steps.carry_out(Erasure.objects.filter(pk__in=erasures), limit=len(erasures), by=by)
