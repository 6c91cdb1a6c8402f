"""What a device may know of its event, and how it becomes a device."""

import gzip
import uuid
from datetime import datetime
from typing import Annotated, Literal

from allauth.account.adapter import get_adapter
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router, Schema
from pydantic import Field

from control import actions, limits, manifest, stock
from control.api.answers import PROBLEMS, Problem, speaking
from control.models import Device, Scan
from tickets.models import Ticket

router = Router()


class GateOut(Schema):
    name: str
    admitted: int
    expected: int = Field(description="Tickets given to someone that may come in here.")


class EventOut(Schema):
    id: int = Field(description="As in the codes of its tickets.")
    name: str
    venue: str
    zone: str
    starts_at: datetime | None
    valid_from: datetime
    valid_until: datetime
    admitted: int
    expected: int
    gates: list[GateOut]


class EventsOut(Schema):
    now: datetime
    device: str
    gate: str
    may: list[Literal["scan", "search", "manage"]]
    conflicts: int = Field(description="For the door manager: bearers who came in twice, by two gates without network.")
    events: list[EventOut]


class Key(Schema):
    id: int
    public_key: str = Field(description="Ed25519, base64.")


class Part(Schema):
    """The tickets of one category. Both texts are base64 of unsigned LEB128 numbers, one a ticket, in order of number.

    `numbers`: the ticket's number less the one before (the first less 0). `states`: generation × 4 + state; the state is
    0 not to be admitted, 1 to be admitted, 2 checked, 3 cancelled.
    """

    category: str
    entrance: str
    count: int
    numbers: str
    states: str


class Manifest(Schema):
    """All that a gate needs without network. It has no names, and no key that signs."""

    event: int
    gate: str
    entrance: str
    valid_from: datetime
    valid_until: datetime
    made_at: datetime
    cursor: int
    whole: bool = Field(description="False: only what has changed since the cursor that was sent.")
    keys: list[Key]
    parts: list[Part]


class TicketOut(Schema):
    number: int
    copy_number: int
    status: str
    category: str
    seat: str
    beneficiary: str
    scan_id: uuid.UUID | None = Field(description="The scan that admitted it; to take it back.")
    checked_at: datetime | None
    gate: str


class Words(Schema):
    name: Annotated[str, Field(min_length=2, max_length=80)]


class TicketsOut(Schema):
    tickets: list[TicketOut]


class PairIn(Schema):
    code: Annotated[str, Field(max_length=40)]


class PairOut(Schema):
    """Keep the token: it is shown this once."""

    token: str
    device: str
    gate: str
    event: str


@router.get("/events", response={200: EventsOut, **PROBLEMS}, summary="The device's event, its gates and who came in")
def list_events(request: HttpRequest):
    return stock.of(speaking(request))


@router.get("/manifest", response={200: Manifest, **PROBLEMS}, summary="What a gate needs without network")
def read_manifest(request: HttpRequest, since: Annotated[int, Query(ge=0, lt=2**63)] = 0):
    """The keys and, for each ticket, its generation and whether it may come in; since a cursor, only what has changed."""
    device = speaking(request, to="may_scan", cost=5)
    answer = Manifest(**manifest.of(device, since)).model_dump_json().encode()
    response = HttpResponse(answer, content_type="application/json; charset=utf-8")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(gzip.compress(answer, 6), content_type=response["Content-Type"])
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    return response


def shown(tickets: list[Ticket], device: Device) -> list[dict]:
    standing = Scan.objects.standing().filter(ticket__in=[ticket.pk for ticket in tickets]).select_related("device__gate")
    admissions = {scan.ticket_id: scan for scan in standing.order_by("pk")}
    return [
        {
            "number": ticket.number,
            "copy_number": ticket.copy,
            "status": ticket.status,
            "category": ticket.product.category,
            "seat": str(ticket.seat or ""),
            "beneficiary": ticket.beneficiary,
            "scan_id": scan.client_id if (scan := admissions.get(ticket.pk)) else None,
            "checked_at": scan.at if scan else None,
            "gate": scan.device.gate.name if scan else "",
        }
        for ticket in tickets
    ]


@router.get("/tickets/{number}", response={200: TicketOut, **PROBLEMS, 404: Problem}, summary="One ticket of the device's event")
def read_ticket(request: HttpRequest, number: Annotated[int, Path(ge=1, lt=2**48)]):
    device = speaking(request, to="may_search")
    ticket = get_object_or_404(Ticket.objects.filter(event=device.gate.event_id).for_list(), number=number)
    return shown([ticket], device)[0]


@router.post("/searches", response={200: TicketsOut, **PROBLEMS}, summary="Search a lost ticket by name")
def create_search(request: HttpRequest, words: Words):
    """The tickets of the device's event whose bearer has this name, twenty at most. The search is kept, by ids."""
    device = speaking(request, to="may_search", cost=5)
    return {"tickets": shown(actions.search(device=device, words=words.name), device)}


ANSWERS = {200: PairOut, **dict.fromkeys((400, 404, 422, 429, 503), Problem)}


@router.post("/pairings", auth=None, response=ANSWERS, summary="Become a device")
def create_pairing(request: HttpRequest, asked: PairIn):
    """Exchange the code that staff show, good for ten minutes and once, for a token."""
    limits.spend(get_adapter().get_client_ip(request), limits.A_GUESS)
    device, token = actions.pair(code=asked.code)
    return {"token": token, "device": device.name, "gate": device.gate.name, "event": device.gate.event.name}
