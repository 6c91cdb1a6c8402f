"""Many readings at once: what a gate kept while it had no network, and what other systems tell."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import IntegrityError, connection, transaction

from control.actions.scans import Reason, refusal
from control.errors import HoleInJournal
from control.models import Device, Gate, Scan
from portal.clock import now
from portal.prepared import all_rows
from tickets import barcode
from tickets import steps as tickets_steps
from tickets.models import Ticket

Verdict = Scan.Verdict


@dataclass(frozen=True)
class Offline:
    """What the gate told the bearer without network, when as far as is known, and the scan's place in the device's journal."""

    said: str
    reason: str
    at: datetime
    counter: int | None


@dataclass(frozen=True)
class Reading:
    """One reading; `read` is None when its code is not one of ours."""

    client_id: uuid.UUID
    read: barcode.Signed | barcode.Claim | None
    offline: Offline | None = None

    @cached_property
    def claim(self) -> barcode.Claim | None:
        return self.read.claim if isinstance(self.read, barcode.Signed) else self.read


def scan_batch(*, device: Device, readings: Sequence[Reading]) -> list[Scan]:
    """Judge and keep up to some thousands of readings in a handful of statements; their scans, in the same order.

    Each is done once, by the client's id. Who was refused at a gate without network did not come in: that is kept and
    nothing moves. Who was admitted there and should not have been is refused here, and both are kept: a conflict.
    HoleInJournal, and nothing kept, when a scan that the device counted is missing.
    """
    try:
        return judge_batch(device=device, readings=readings)
    except IntegrityError:  # one of them arrived alone at the same instant: now it is there to be found
        return judge_batch(device=device, readings=readings)


@transaction.atomic(durable=True)
def judge_batch(*, device: Device, readings: Sequence[Reading]) -> list[Scan]:
    here = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    stored = known_already(device, readings)
    new = list({reading.client_id: reading for reading in readings if reading.client_id not in stored}.values())
    answered = {r.client_id: r for r in readings if r.offline and r.client_id in stored and not stored[r.client_id].said}
    follow_journal(here, [*new, *answered.values()])

    tickets = admitted_in(device, new)
    at = now()
    rows = [judged(device.gate, reading, tickets, at) for reading in new]
    stored |= keep(device, new, rows)
    complete(stored, answered)
    return [stored[reading.client_id] for reading in readings]


def known_already(device: Device, readings: Sequence[Reading]) -> dict[uuid.UUID, Scan]:
    """The scans of the readings that were kept before. By an array: a list of a thousand values takes longer to write than to find."""
    found = all_rows(KNOWN, [device.pk, [reading.client_id for reading in readings]])
    return {scan.client_id: scan for scan in Scan.objects.filter(pk__in=[pk for (pk,) in found])} if found else {}


def follow_journal(device: Device, told: Sequence[Reading]) -> None:
    """Each scan that the device counted follows the last one, and none is missing: a line taken out would be seen."""
    counters = sorted(reading.offline.counter for reading in told if reading.offline and reading.offline.counter is not None)
    if not counters:
        return
    expected = counters[0] if device.journal is None else device.journal + 1
    for counter in counters:
        if counter != expected:
            raise HoleInJournal(expected, counter)
        expected += 1
    Device.objects.filter(pk=device.pk).update(journal=counters[-1])


@dataclass
class Known:
    """What the batch may need of its tickets: who came in by it, and the tickets themselves by number."""

    admitted: dict[int, int]
    first: dict[int, uuid.UUID]
    by_number: dict[int, Ticket]


def admitted_in(device: Device, readings: Sequence[Reading]) -> Known:
    """Admit the first admissible reading of each ticket, all in one statement."""
    event, keys = device.gate.event, keys_in_force(readings)
    wanted: dict[tuple[int, int], Reading] = {}
    for reading in readings:
        claim = reading.claim
        if claim is None or claim.event != event.pk or not in_force(reading, keys):
            continue
        if reading.offline and reading.offline.said == Verdict.REFUSED:
            continue
        wanted.setdefault((claim.number, claim.generation), reading)
    claims = [reading.claim for reading in wanted.values() if reading.claim]
    admitted: dict[int, int] = {}
    if claims:
        earlier = [reading.offline is not None for reading in wanted.values()]
        admitted = tickets_steps.check_many(claims, event=event, entrance=device.gate.entrance, earlier=earlier)
    first = {c.number: r.client_id for r in wanted.values() if (c := r.claim) and c.number in admitted}
    others = [r for r in readings if r.claim and in_force(r, keys) and first.get(r.claim.number) != r.client_id]
    numbers = {reading.claim.number for reading in others if reading.claim}
    found = Ticket.objects.filter(number__in=numbers).select_related("product") if numbers else []
    return Known(admitted, first, {ticket.number: ticket for ticket in found})


def keys_in_force(readings: Sequence[Reading]) -> set[tuple[int, bytes]]:
    asked = {(r.read.key_id, r.read.public_key) for r in readings if isinstance(r.read, barcode.Signed)}
    return {(key_id, public) for key_id, public in asked if barcode.public_key(key_id) == public}


def in_force(reading: Reading, keys: set[tuple[int, bytes]]) -> bool:
    return not isinstance(reading.read, barcode.Signed) or (reading.read.key_id, reading.read.public_key) in keys


def judged(gate: Gate, reading: Reading, known: Known, at: datetime) -> tuple[str, int | None]:
    """The reason of a refusal, empty for an admission, and the key of the ticket that was read."""
    claim, offline = reading.claim, reading.offline
    if claim and known.first.get(claim.number) == reading.client_id:
        return Reason.ADMITTED, known.admitted[claim.number]
    ticket = known.by_number.get(claim.number) if claim else None
    if offline and offline.said == Verdict.REFUSED:
        return offline.reason, ticket.pk if ticket else None
    if ticket is None or claim is None:
        return Reason.UNKNOWN, None
    return refusal(gate, ticket, claim, at=at, earlier=offline is not None), ticket.pk


# Arrays are sent in binary (%b): as text they take five times as long to write.
KNOWN = "SELECT id FROM control_scan WHERE device_id = %s::bigint AND client_id = ANY(%b::uuid[])"
KEPT = [field.attname for field in Scan._meta.concrete_fields]
# Their keys follow the order in which they were read, and their instant is one: a thousand of them are slow to read.
KEEP = """
WITH kept AS (
    INSERT INTO control_scan (device_id, client_id, verdict, reason, ticket_id, generation, by_hand, said, said_at, counter)
    SELECT %s::bigint, client_id, CASE reason WHEN '' THEN 'admitted' ELSE 'refused' END, reason, ticket, generation, false,
      COALESCE(said, ''), said_at, counter
    FROM unnest(%b::uuid[], %b::text[], %b::bigint[], %b::int[], %b::text[], %b::timestamptz[], %b::int[])
      AS told(client_id, reason, ticket, generation, said, said_at, counter)
    RETURNING id, at
)
SELECT array_agg(id ORDER BY id), min(at) FROM kept
"""


def keep(device: Device, readings: Sequence[Reading], rows: Sequence[tuple[str, int | None]]) -> dict[uuid.UUID, Scan]:
    """The scans, in one statement and in the order in which they were read; by their client's ids."""
    if not readings:
        return {}
    offline = [(r.offline.said, r.offline.at, r.offline.counter) if r.offline else ("", None, None) for r in readings]
    generations = [reading.claim.generation if reading.claim else None for reading in readings]
    columns: list[list[Any]] = [
        [reading.client_id for reading in readings],
        [str(reason) for reason, _ticket in rows],
        [ticket for _reason, ticket in rows],
        generations,
        *(map(list, zip(*offline, strict=True)) if any(reading.offline for reading in readings) else [[], [], []]),
    ]
    ((keys, at),) = all_rows(KEEP, [device.pk, *columns])
    kept: dict[uuid.UUID, Scan] = {}
    for pk, reading, (reason, ticket), generation, told in zip(keys, readings, rows, generations, offline, strict=True):
        verdict = Verdict.REFUSED if reason else Verdict.ADMITTED
        row = (pk, device.pk, reading.client_id, verdict, str(reason), ticket, generation, False, at, *told, None, None)
        kept[reading.client_id] = Scan.from_db(connection.alias, KEPT, row)
    return kept


def complete(stored: dict[uuid.UUID, Scan], answered: dict[uuid.UUID, Reading]) -> None:
    """A scan whose answer never reached the gate: what the gate told the bearer instead is written beside."""
    for client_id, reading in answered.items():
        if told := reading.offline:
            scan = stored[client_id]
            scan.said, scan.said_at, scan.counter = told.said, told.at, told.counter
    Scan.objects.bulk_update([stored[client_id] for client_id in answered], ["said", "said_at", "counter"])
