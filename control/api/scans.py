"""Checking tickets: one, many, a group, and taking a check back."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Router
from pydantic import AwareDatetime, BaseModel, Field
from pydantic_core import to_json

from control import actions, limits, verdicts
from control.access import Remembered, device_of
from control.actions.scans import signed_or_none
from control.api.answers import PROBLEMS, DeviceToken, Problem, RememberedToken, speaking
from control.models import Device, Scan

router = Router()
Code = Annotated[str, Field(max_length=400, description="What the barcode says.")]
Number = Annotated[int, Field(ge=1, lt=2**48)]
Counter = Annotated[int, Field(ge=1, lt=2**31)]

AT_MOST = 1_000
COST_OF_A_BATCH = 20


class CodeIn(BaseModel):
    """One reading. `scan_id` is the client's own: sent again, it gets the first answer."""

    scan_id: uuid.UUID
    code: Code


class FoundIn(BaseModel):
    """A ticket that a doorman found by number or name; for devices that may search."""

    scan_id: uuid.UUID
    ticket: Number


class ScanOut(BaseModel):
    """`reason` is stable, for programs; `title` and `sentence` are for people, in the language asked for."""

    scan_id: uuid.UUID
    verdict: Literal["admitted", "refused"]
    reason: str
    title: str
    sentence: str
    ticket: int | None
    copy_number: int | None = Field(description="Which copy of the ticket was read; the first is 1.")
    beneficiary: str
    gate: str
    at: datetime
    group: int = Field(description="How many other tickets of the same person this gate would admit with it.")


class AdmittedOffline(BaseModel):
    """A gate without network admitted the bearer. `at` is by its own clock; `counter` numbers its scans without a gap."""

    said: Literal["admitted"]
    at: AwareDatetime
    counter: Counter | None = None


class RefusedOffline(BaseModel):
    """A gate without network refused the bearer."""

    said: Literal["refused"]
    reason: Literal[tuple(reason for reason in Scan.Reason.values if reason)]  # type: ignore[valid-type]
    at: AwareDatetime
    counter: Counter | None = None


class BatchedScan(BaseModel):
    """A reading of a batch; with `offline` it says what the bearer was told before."""

    scan_id: uuid.UUID
    code: Code
    offline: AdmittedOffline | RefusedOffline | None = None


class BatchIn(BaseModel):
    """`sent_at` is the device's clock now: only the age of its scans is believed, so a wrong clock is harmless."""

    sent_at: AwareDatetime | None = None
    scans: Annotated[list[BatchedScan], Field(min_length=1, max_length=AT_MOST)]


class Verdict(BaseModel):
    scan_id: uuid.UUID
    verdict: Literal["admitted", "refused"]
    reason: str
    sentence: str = Field(description="Why it was refused; empty for an admission.")
    at: datetime


class BatchOut(BaseModel):
    scans: list[Verdict] = Field(description="In the order in which they were sent.")


def shown(scan: Scan, device: Device) -> HttpResponse:
    verdicts.informed([scan], device)
    ticket = scan.ticket
    admitted = scan.verdict == Scan.Verdict.ADMITTED
    return written(
        {
            "scan_id": scan.client_id,
            "verdict": scan.verdict,
            "reason": scan.reason,
            "title": verdicts.title(scan),
            "sentence": verdicts.sentence(scan),
            "ticket": ticket.number if ticket else None,
            "copy_number": None if scan.generation is None else scan.generation + 1,
            "beneficiary": ticket.beneficiary if ticket and admitted else "",
            "gate": device.gate.name,
            "at": scan.at,
            "group": actions.group_of(scan).count() if device.gate.admits_groups and admitted else 0,
        }
    )


def entered(reading: CodeIn, entry: actions.Entry, device: Device) -> HttpResponse:
    ticket = entry.ticket
    return written(
        {
            "scan_id": reading.scan_id,
            "verdict": "admitted",
            "reason": "",
            "title": str(verdicts.TITLES[""]),
            "sentence": verdicts.enters(ticket.category, ticket.seat),
            "ticket": ticket.number,
            "copy_number": ticket.generation + 1,
            "beneficiary": ticket.beneficiary,
            "gate": device.gate.name,
            "at": entry.at,
            "group": 0,
        }
    )


def written(answer: dict) -> HttpResponse:
    """Written at once: to check an answer against its description takes longer than to make it. The tests check it."""
    return HttpResponse(to_json(answer), content_type="application/json; charset=utf-8")


@router.post("/scans", auth=RememberedToken(), response={200: ScanOut, **PROBLEMS}, summary="Check a ticket")
def create_scan(request: HttpRequest, reading: CodeIn | FoundIn):
    """Admit once, or refuse with a reason and a sentence; every scan is kept."""
    caller: Device | Remembered = request.auth  # type: ignore[attr-defined]
    if known := isinstance(caller, Remembered):
        limits.spend(caller.device.pk)
        if isinstance(reading, CodeIn) and (entry := at_once(caller, reading)):
            return entered(reading, entry, caller.device)
        request.auth = device_of(caller.token)  # type: ignore[attr-defined]
    device = speaking(request, to="may_scan", cost=0 if known else 1)
    if isinstance(reading, CodeIn):
        return shown(actions.scan(device=device, code=reading.code, client_id=reading.scan_id), device)
    device = speaking(request, to="may_search", cost=0)
    return shown(actions.scan_number(device=device, number=reading.ticket, client_id=reading.scan_id), device)


def at_once(caller: Remembered, reading: CodeIn) -> actions.Entry | None:
    """The bearer admitted in one statement, where no group may follow; None, and nothing done, when that can't be."""
    device, still = caller.device, caller.still
    if not device.may_scan or device.gate.admits_groups:
        return None
    return actions.scan_at_once(device=device, still=still, code=reading.code, client_id=reading.scan_id)


@router.post(
    "/scans/batch", auth=DeviceToken(telling=True), response={200: BatchOut, **PROBLEMS, 409: Problem}, summary="Check up to 1,000 tickets"
)
def create_scans(request: HttpRequest, batch: BatchIn):
    """What a gate scanned without network, or another system: each done once, verdicts in the same order."""
    device = speaking(request, to="may_scan", cost=1 + COST_OF_A_BATCH * len(batch.scans) / AT_MOST)
    received = timezone.now()
    readings = [
        actions.Reading(scan.scan_id, signed_or_none(scan.code), told(scan.offline, batch.sent_at or received, received))
        for scan in batch.scans
    ]
    scans = actions.scan_batch(device=device, readings=readings)
    return answered(scans, device)


def answered(scans: Sequence[Scan], device: Device) -> HttpResponse:
    """Of each scan its verdict; of those refused, why."""
    refused = [scan for scan in scans if scan.verdict == Scan.Verdict.REFUSED]
    said = dict(zip([scan.pk for scan in refused], verdicts.sentences(verdicts.informed(refused, device)), strict=True))
    shown = [{"scan_id": s.client_id, "verdict": s.verdict, "reason": s.reason, "sentence": said.get(s.pk, ""), "at": s.at} for s in scans]
    return written({"scans": shown})


def told(offline: AdmittedOffline | RefusedOffline | None, sent_at: datetime, received: datetime) -> actions.Offline | None:
    if offline is None:
        return None
    at = when(offline.at, sent_at, received)
    return actions.Offline(said=offline.said, reason=getattr(offline, "reason", ""), at=at, counter=offline.counter)


def when(said_at: datetime, sent_at: datetime, received: datetime) -> datetime:
    """The instant of a scan by the portal's clock: as long ago as the device's clock says, never to come, never before 2000."""
    age = max(sent_at.astimezone(UTC) - said_at.astimezone(UTC), timedelta(0))
    return max(received - min(age, timedelta(days=9_000)), datetime(2000, 1, 1, tzinfo=UTC))


@router.post("/scans/{scan_id}/undo", response={200: ScanOut, **PROBLEMS, 404: Problem, 409: Problem}, summary="Take back an admission")
def undo_scan(request: HttpRequest, scan_id: uuid.UUID):
    """For the door manager's device: the ticket may come in again. Asked again it is done once."""
    device = speaking(request, to="may_manage")
    return shown(actions.undo(scan=Scan.objects.of_event(device.gate.event).admission(scan_id).pk, device=device), device)


@router.post("/scans/{scan_id}/group", response={200: BatchOut, **PROBLEMS, 404: Problem}, summary="Admit the rest of a group")
def admit_group(request: HttpRequest, scan_id: uuid.UUID):
    """Admit the other tickets of the person who came in with this scan of this device, where the gate admits groups."""
    device = speaking(request, to="may_scan")
    (first,) = verdicts.informed([device.scans.admission(scan_id)], device)
    return answered(actions.admit_group(scan=first), device)
