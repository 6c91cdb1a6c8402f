"""One reading at a gate."""

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction

from control.access import Asked
from control.models import Device, Gate, Scan
from portal.clock import now
from tickets import barcode
from tickets import steps as tickets_steps
from tickets.models import Ticket

Reason = Scan.Reason


def scan(*, device: Device, code: str, client_id: uuid.UUID) -> Scan:
    """Admit the bearer of a code, once under any concurrency, or refuse with a reason; every scan is kept.

    The same reading sent again, by the client's id, gets the first one's answer.
    """
    return once(device, client_id, signed_or_none(code), by_hand=False)


class Entry(NamedTuple):
    """The bearer of a ticket has just come in."""

    ticket: tickets_steps.Admitted
    scan: int
    at: datetime


def scan_at_once(*, device: Device, still: Asked, code: str, client_id: uuid.UUID) -> Entry | None:
    """Admit by a device that is only remembered: the same statement asks whether it is `still` in force, and as it was.

    None, and nothing done, when it is not, or the bearer is not admitted: ask who it is, and `scan`.
    """
    read = signed_or_none(code)
    if read is None:
        return None
    try:
        return admitted(device, client_id, read.claim, (read.key_id, read.public_key), by_hand=False, still=still)
    except IntegrityError:  # the same reading, at the same instant or since its check was taken back
        return None


def scan_number(*, device: Device, number: int, client_id: uuid.UUID) -> Scan:
    """The same for a ticket that a doorman found by number or name, in its present generation; the scan says so."""
    event = device.gate.event_id
    generation = Ticket.objects.filter(event=event, number=number).values_list("generation", flat=True).first()
    claim = None if generation is None else barcode.Claim(event, number, generation)
    return once(device, client_id, claim, by_hand=True)


def signed_or_none(code: str) -> barcode.Signed | None:
    try:
        return barcode.read(code)
    except barcode.Forged:
        return None


# The scan of an admission, kept in its statement: a reading that was kept before admits nobody, whatever became of it.
KEEP = """
INSERT INTO control_scan (device_id, client_id, verdict, reason, ticket_id, generation, by_hand, said)
SELECT %(device)s::bigint, %(client_id)s::uuid, 'admitted', '', id, generation, %(by_hand)s::bool, '' FROM admitted RETURNING id, at
"""


def once(device: Device, client_id: uuid.UUID, read: barcode.Signed | barcode.Claim | None, *, by_hand: bool) -> Scan:
    claim, key = (read.claim, (read.key_id, read.public_key)) if isinstance(read, barcode.Signed) else (read, None)
    try:
        entry = admitted(device, client_id, claim, key, by_hand=by_hand)
        return Scan.objects.get(pk=entry.scan) if entry else judge(device, client_id, claim, key, by_hand=by_hand)
    except IntegrityError:  # the same reading, at the same instant or since its check was taken back
        return Scan.objects.get(device=device, client_id=client_id)


def admitted(
    device: Device,
    client_id: uuid.UUID,
    claim: barcode.Claim | None,
    key: tuple[int, bytes] | None,
    *,
    by_hand: bool,
    still: Asked = ("true", {}),
) -> Entry | None:
    """Admit in one statement, which is a transaction of its own; None, and nothing done, when that can't be."""
    gate = device.gate
    if claim is None or claim.event != gate.event_id:
        return None
    provided, asked = still
    done = tickets_steps.check(
        number=claim.number,
        event=gate.event,
        generation=claim.generation,
        entrance=gate.entrance,
        signed_by=key,
        provided=provided,
        beside=KEEP,
        values={**asked, "device": device.pk, "client_id": client_id, "by_hand": by_hand},
    )
    if done is None:
        return None
    ticket, (scan, at) = done
    return Entry(ticket, scan, at)


@transaction.atomic(durable=True)
def judge(device: Device, client_id: uuid.UUID, claim: barcode.Claim | None, key: tuple[int, bytes] | None, *, by_hand: bool) -> Scan:
    """What was answered before, else why the bearer is not admitted, kept."""
    stored = Scan.objects.filter(device=device, client_id=client_id).first()
    if stored:
        return stored
    known = claim is not None and (key is None or barcode.public_key(key[0]) == key[1])
    ticket = Ticket.objects.filter(number=claim.number).select_related("product").first() if claim and known else None
    return Scan.objects.create(
        device=device,
        client_id=client_id,
        verdict=Scan.Verdict.REFUSED,
        reason=refusal(device.gate, ticket, claim, at=now()) if ticket and claim else Reason.UNKNOWN,
        ticket=ticket,
        generation=claim.generation if claim else None,
        by_hand=by_hand,
    )


def refusal(gate: Gate, ticket: Ticket, claim: barcode.Claim, *, at: datetime, earlier: bool = False) -> str:
    """Why a ticket that was not admitted is not. `earlier`: it was read some time ago, at an hour that nobody can prove."""
    event = gate.event
    if ticket.event_id != event.pk or claim.event != event.pk:
        return Reason.OTHER_EVENT
    if at < event.valid_from:
        return Reason.TOO_EARLY
    if at > event.valid_until and not earlier:
        return Reason.TOO_LATE
    if ticket.status == Ticket.Status.CANCELLED:
        return Reason.CANCELLED
    if claim.generation != ticket.generation:
        return Reason.REPLACED
    if ticket.status == Ticket.Status.CHECKED:
        return Reason.ALREADY_CHECKED
    if gate.entrance and ticket.product.entrance not in ("", gate.entrance):
        return Reason.OTHER_GATE
    return Reason.NOT_DISTRIBUTED
