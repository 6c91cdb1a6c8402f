"""Owing an email, calling it off, forgetting to whom it went: the only writes to Delivery that other apps may cause."""

import hmac
import uuid
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from outbox.models import Delivery, DeliveryEvent
from portal.clock import now


def letter(
    kind: str,
    *,
    to: str,
    language: str,
    refs: dict,
    key: str,
    not_before: datetime,
    useful_until: datetime | None = None,
    priority: int = Delivery.Priority.ORDINARY,
    secret: str = "",
) -> Delivery:
    """An email not yet owed, for `owe`. `key` makes it unique among all of its kind."""
    pk = uuid.uuid4()
    mark = hmac.digest(settings.SECRET_KEY.encode(), pk.bytes, "sha256").hex()[:8]
    return Delivery(
        id=pk,
        kind=kind,
        dedupe_key=f"{kind}:{key}",
        recipient=to,
        language=language,
        refs=refs,
        not_before=not_before,
        useful_until=useful_until,
        priority=priority,
        secret=secret,
        message_id=f"<{pk}.{mark}@{settings.MAIL_DOMAIN}>",
    )


def owe(letters: Iterable[Delivery]) -> list[Delivery]:
    """Owe these emails. They leave after the commit, at their time, whatever crashes in between."""
    assert connection.in_atomic_block
    owed, at = list(letters), now()
    for delivery in owed:
        delivery.created_at = at
    Delivery.objects.bulk_create(owed)
    if owed:
        wait = max(0.0, (max(d.not_before for d in owed) - at).total_seconds())
        login = any(d.priority == Delivery.Priority.LOGIN for d in owed)
        ring_after_commit(login=login, countdown=wait + 1 if wait else 0)
    return owed


def ring_after_commit(*, login: bool, countdown: float) -> None:
    def bell() -> None:  # a function with a name: Django names it when it logs a broker that is away
        ring(login=login, countdown=countdown)

    transaction.on_commit(bell, robust=True)


def call_off(deliveries: Iterable) -> set[uuid.UUID]:
    """Call these emails off and return the ids of those that had not left yet: the others have."""
    assert connection.in_atomic_block
    rows = Delivery.objects.filter(pk__in=deliveries).can_be_called_off()
    called_off = set(rows.select_for_update().order_by("pk").values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=called_off).update(state=Delivery.State.CANCELLED, phase="", secret="", lease_until=None)
    DeliveryEvent.objects.bulk_create(DeliveryEvent(delivery_id=pk, kind="called off") for pk in called_off)
    return called_off


def ring(*, login: bool, countdown: float) -> None:
    """Wake a worker. A broker that does not answer is no loss: the sweep finds what is due."""
    from outbox import tasks  # tasks imports actions: the only import we allow inside a function

    task = tasks.send_login_codes if login else tasks.send_due
    task.apply_async(countdown=countdown, retry=False)


def erase(deliveries: QuerySet[Delivery]) -> int:
    """Forget to whom these emails went and what mail servers answered: that they left, and when, is kept. How many."""
    assert connection.in_atomic_block
    keys = list(deliveries.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=keys).update(recipient="", smtp_reply="")
    DeliveryEvent.objects.filter(delivery__in=keys).exclude(detail="").update(detail="")
    return len(keys)


def erase_old(before: datetime, limit: int) -> int:
    """Forget the addresses of emails owed before an instant, at most so many."""
    known = Delivery.objects.exclude(recipient="", smtp_reply="").filter(created_at__lt=before)
    return erase(Delivery.objects.filter(pk__in=known.exclude(state__in=["pending", "sending", "unknown"]).order_by().values("pk")[:limit]))


def forget(addresses: Iterable[str]) -> None:
    """Send nothing more to these addresses, and forget what was sent there."""
    theirs = Delivery.objects.filter(recipient__in=list(addresses))
    call_off(theirs.values("pk"))
    theirs.filter(state="unknown").update(state=Delivery.State.CANCELLED, phase="", secret="", lease_until=None)
    erase(theirs)
