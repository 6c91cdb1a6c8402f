"""Sending what is owed. Any number of workers may run these at once, and any of them may be killed."""

import os
import smtplib
import socket
import threading
import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import translation

from outbox import bounces, post
from outbox.kinds import kind
from outbox.models import Delivery, DeliveryEvent
from portal.clock import now
from portal.errors import Refused

LEASE = timedelta(seconds=60)
HEARTBEAT_SECONDS = 15
UNKNOWN_WAITS = timedelta(minutes=10)
RETRY_MINUTES = [1, 5, 15, 60]
THEN_EVERY = timedelta(hours=3)
GIVE_UP_AFTER = timedelta(hours=48)

CLAIM = """
WITH due AS (
    SELECT id FROM outbox_delivery
    WHERE state = 'pending' AND not_before <= clock_timestamp() AND priority <= %s
    ORDER BY priority, not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE outbox_delivery d
SET state = 'sending', phase = 'claimed', attempts = attempts + 1, worker = %s, lease_until = clock_timestamp() + %s
FROM due WHERE d.id = due.id RETURNING d.*
"""


def send_due(*, login_only: bool = False) -> int:
    """Send every email that is due, the most urgent first, and return how many were taken up."""
    worker = f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
    most = Delivery.Priority.LOGIN if login_only else Delivery.Priority.ORDINARY
    taken = 0
    with heartbeat(worker):
        while delivery := claim(worker, most):
            taken += 1
            deliver(delivery)
    return taken


def claim(worker: str, most: int) -> Delivery | None:
    """Take the next email that is due, in a transaction of its own."""
    rows = list(Delivery.objects.raw(CLAIM, [most, worker, LEASE]))
    return rows[0] if rows else None


@contextmanager
def heartbeat(worker: str):
    """Renew the lease of what this worker holds, for as long as the process lives."""
    stop = threading.Event()

    def beat():
        try:
            while not stop.wait(HEARTBEAT_SECONDS):
                Delivery.objects.filter(worker=worker, state="sending").update(lease_until=now() + LEASE)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def deliver(delivery: Delivery) -> None:
    """Send one email that this worker has claimed, and write down what became of it."""
    owed = kind(delivery.kind)
    if delivery.useful_until and delivery.useful_until < now():
        settle(delivery, "cancelled", "too late to be useful")
        return
    if not owed.still_due(delivery.refs):
        settle(delivery, "cancelled", "no longer due")
        return
    try:
        with translation.override(delivery.language):
            letter = owed.render(delivery.refs, delivery.language, delivery.secret)
            message = post.written(delivery, letter)
    except (ValueError, LookupError) as error:
        settle(delivery, "failed", f"cannot be written: {type(error).__name__}")
        return
    except Refused as refusal:
        try_later(delivery, f"cannot be written yet: {refusal.code}")
        return
    try:
        reply = post.send(delivery, message, before_data=lambda: enter_data(delivery))
    except post.NotTaken:
        return
    except smtplib.SMTPResponseException as error:
        refused(delivery, error.smtp_code, str(error.smtp_error))
    except (OSError, smtplib.SMTPException) as error:
        if delivery.phase == Delivery.Phase.DATA:
            settle(delivery, "unknown", f"the link dropped: {type(error).__name__}")
        else:
            try_later(delivery, f"no link to the mail server: {type(error).__name__}")
    else:
        settle(delivery, "sent", reply)


def enter_data(delivery: Delivery) -> bool:
    """Commit that DATA begins now. False when the row was called off or taken over meanwhile."""
    if held(delivery).update(phase=Delivery.Phase.DATA, lease_until=now() + LEASE):
        delivery.phase = Delivery.Phase.DATA
        return True
    return False


def held(delivery: Delivery):
    """The row, if this worker still holds it as it claimed it."""
    return Delivery.objects.filter(pk=delivery.pk, worker=delivery.worker, attempts=delivery.attempts, state="sending")


@transaction.atomic(durable=True)
def settle(delivery: Delivery, state: str, detail: str) -> None:
    changes: dict = {"state": state, "smtp_reply": detail[:500]}
    if state == "sent":
        changes["sent_at"] = now()
    if state != "unknown":
        changes |= {"secret": "", "lease_until": None, "phase": ""}
    else:
        changes["lease_until"] = now()
    if held(delivery).update(**changes):
        DeliveryEvent.objects.create(delivery=delivery, kind=state, detail=detail[:500])


def refused(delivery: Delivery, code: int, reply: str) -> None:
    if 400 <= code < 500:
        try_later(delivery, reply)
    else:
        settle(delivery, "failed", reply)


@transaction.atomic(durable=True)
def try_later(delivery: Delivery, detail: str) -> None:
    """Put the email back, to be tried after 1, 5, 15, 60 minutes, then every 3 hours up to 48."""
    at = now()
    if at - delivery.created_at > GIVE_UP_AFTER:
        changes: dict = {"state": "failed", "secret": ""}
    else:
        step = delivery.attempts - 1
        wait = timedelta(minutes=RETRY_MINUTES[step]) if step < len(RETRY_MINUTES) else THEN_EVERY
        changes = {"state": "pending", "not_before": at + wait}
    if held(delivery).update(**changes, phase="", lease_until=None, smtp_reply=detail[:500]):
        DeliveryEvent.objects.create(delivery=delivery, kind=f"{changes['state']} again", detail=detail[:500])


@transaction.atomic(durable=True)
def take_up_what_was_left() -> None:
    """Free what dead workers held; void what came too late. Safe to run at any time, twice, or late."""
    at = now()
    left = Delivery.objects.select_for_update(skip_locked=True)
    dead = left.filter(state="sending", lease_until__lt=at)
    move(dead.filter(phase="claimed"), "taken back", state="pending", phase="", lease_until=None)
    move(dead.filter(phase="data"), "unknown", state="unknown", phase="", lease_until=F("lease_until"))
    move(left.filter(state="unknown", lease_until__lt=at - UNKNOWN_WAITS), "sent again", state="pending", phase="", lease_until=None)
    move(left.filter(state="pending", useful_until__lt=at), "too late", state="cancelled", secret="")


def move(deliveries, event: str, **changes) -> None:
    found = list(deliveries.order_by("pk").values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=found).update(**changes)
    DeliveryEvent.objects.bulk_create(DeliveryEvent(delivery_id=pk, kind=event) for pk in found)


@transaction.atomic(durable=True)
def send_again(ids) -> int:
    """Owe these emails anew, each as a new row of its own; never a login code, nor to an erased address. How many are owed."""
    from outbox import steps

    again = [
        steps.letter(
            d.kind,
            to=d.recipient,
            language=d.language,
            refs=d.refs,
            key=f"again:{uuid.uuid4()}",
            not_before=now(),
        )
        for d in Delivery.objects.filter(pk__in=ids, state__in=["sent", "failed", "unknown"])
        .exclude(priority=Delivery.Priority.LOGIN)
        .exclude(recipient="")
    ]
    return len(steps.owe(again))


@transaction.atomic(durable=True)
def take_bounce(*, to: str, content: bytes) -> bool:
    """An email that was sent is refused after all, as a report to its envelope sender says. Whether it is one of ours.

    It is not sent again: whoever owed it sees the refusal, and corrects the address.
    """
    words = bounces.refusal_in(content)[:500]
    key = to.strip().lower().removeprefix("bounce+").partition("@")[0]
    sent = Delivery.objects.filter(message_id=f"<{key}@{settings.MAIL_DOMAIN}>", state__in=["sent", "unknown"])
    delivery = sent.select_for_update().first() if words else None
    if delivery is None:
        return False
    sent.update(state="failed", smtp_reply=words, secret="", lease_until=None)
    DeliveryEvent.objects.create(delivery=delivery, kind="bounced", detail=words)
    return True
