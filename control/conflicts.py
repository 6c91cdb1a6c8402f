"""What two gates without network did with one ticket, told to the door manager."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from control.models import Scan
from control.verdicts import TITLES
from tickets.models import Event, Ticket


@dataclass(frozen=True)
class Passage:
    """Someone came in, or the gate let them in: when as far as is known, where, and what the portal says of it."""

    at: datetime
    gate: str
    device: str
    offline: bool
    title: str


@dataclass(frozen=True)
class Conflict:
    ticket: Ticket | None
    passages: list[Passage]


def of(event: Event) -> list[Conflict]:
    """Every ticket by which more came in than it admits, each with its passages, first by time; in three queries."""
    wrong = list(Scan.objects.of_event(event).conflicts().order_by("pk"))
    keys = {scan.ticket_id for scan in wrong if scan.ticket_id}
    tickets = Ticket.objects.for_list().in_bulk(keys)
    came = Scan.objects.filter(Q(ticket__in=keys), Q(verdict="admitted", undone_at=None) | Q(said="admitted"))
    unknown = Scan.objects.filter(pk__in=[scan.pk for scan in wrong if not scan.ticket_id])
    found: dict[object, list[Scan]] = {}
    for scan in (came | unknown).select_related("device__gate"):
        found.setdefault(scan.ticket_id or f"scan {scan.pk}", []).append(scan)
    conflicts = [Conflict(tickets.get(scans[0].ticket_id or 0), passages(scans)) for scans in found.values()]
    return sorted(conflicts, key=lambda conflict: conflict.passages[0].at)


def passages(scans: list[Scan]) -> list[Passage]:
    came = [Passage(s.said_at or s.at, s.device.gate.name, s.device.name, bool(s.said), str(TITLES[s.reason])) for s in scans]
    return sorted(came, key=lambda passage: passage.at)
