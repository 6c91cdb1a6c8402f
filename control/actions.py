"""What a device does at a gate, and staff to devices."""

import uuid

from django.db import IntegrityError, transaction

from control.models import Device, Gate, Scan
from control.tokens import hashed, new_token
from portal.clock import now
from tickets import barcode
from tickets import steps as tickets_steps
from tickets.models import Event, Ticket

Reason = Scan.Reason


def scan(*, device: Device, code: str, client_id: uuid.UUID) -> Scan:
    """Admit the bearer of a code, once under any concurrency, or refuse with a reason; every scan is kept.

    The same reading sent again, by the client's id, gets the first one's answer.
    """
    try:
        claim = barcode.decode(code)
    except barcode.Forged:
        claim = None
    try:
        return judge(device=device, claim=claim, client_id=client_id)
    except IntegrityError:
        return Scan.objects.get(device=device, client_id=client_id)


@transaction.atomic(durable=True)
def judge(*, device: Device, claim: barcode.Claim | None, client_id: uuid.UUID) -> Scan:
    event, admitted, ticket, reason = device.gate.event, None, None, Reason.UNKNOWN
    if claim and claim.event == event.pk:
        admitted, reason = tickets_steps.check(number=claim.number, event=event, generation=claim.generation), Reason.ADMITTED
    if claim and not admitted:
        ticket = Ticket.objects.filter(number=claim.number).first()
        reason = refusal(event, ticket, claim) if ticket else Reason.UNKNOWN
    return Scan.objects.create(
        device=device,
        client_id=client_id,
        verdict=Scan.Verdict.REFUSED if reason else Scan.Verdict.ADMITTED,
        reason=reason,
        ticket_id=admitted or (ticket and ticket.pk),
        generation=claim.generation if claim else None,
    )


def refusal(event: Event, ticket: Ticket, claim: barcode.Claim) -> str:
    """Why a ticket that was not admitted is not."""
    at = now()
    if ticket.event_id != event.pk or claim.event != event.pk:
        return Reason.OTHER_EVENT
    if at < event.valid_from:
        return Reason.TOO_EARLY
    if at > event.valid_until:
        return Reason.TOO_LATE
    if ticket.status == Ticket.Status.CANCELLED:
        return Reason.CANCELLED
    if claim.generation != ticket.generation:
        return Reason.REPLACED
    if ticket.status == Ticket.Status.CHECKED:
        return Reason.ALREADY_CHECKED
    return Reason.NOT_DISTRIBUTED


@transaction.atomic(durable=True)
def pair_device(*, gate: Gate, name: str) -> tuple[Device, str]:
    """A new device for a gate and its token, shown this once."""
    token = new_token()
    return Device.objects.create(gate=gate, name=name, token_hash=hashed(token)), token


@transaction.atomic(durable=True)
def revoke_devices(*, devices: list[int]) -> int:
    """Revoke devices at once. How many were in force."""
    return Device.objects.filter(pk__in=devices, revoked_at=None).update(revoked_at=now())
