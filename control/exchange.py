"""Gates of other systems: the valid codes of an event as CSV, and what they scanned read from CSV."""

import csv
import io
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from control.actions import Offline, Reading, scan_batch
from control.actions.scans import signed_or_none
from control.models import Device, Scan
from portal.clock import now
from portal.errors import Refused
from portal.sheets import decoded, safe
from tickets.barcode import encode, signer
from tickets.models import Event, Ticket

AT_ONCE = 1_000
MOST = 10_000
CODE, AT = ("code",), ("at", "time", "heure", "date", "le")
SEPARATORS = ";\t,"  # none is a letter of a code


class NotScans(Refused):
    code = "not_scans"


def codes(event: Event) -> str:
    """As CSV the code of each ticket that may come in. A code is as it is, nothing put before it."""
    text, signed_by = io.StringIO(), signer()
    writer = csv.writer(text, delimiter=";")
    found = Ticket.objects.filter(event=event, status__in=["distributed", "printed"]).select_related("product", "seat").order_by("number")
    writer.writerow([_("Number"), _("Copy"), _("Category"), _("Entrance"), _("Seat"), "Code"])
    for ticket in found.iterator(chunk_size=AT_ONCE):
        words = (ticket.product.category, ticket.product.entrance, ticket.seat or "")
        writer.writerow([ticket.number, ticket.copy, *map(safe, words), encode(ticket, signed_by)])
    return "\ufeff" + text.getvalue()


def rows_of(content: bytes, zone: str) -> list[tuple[str, datetime]]:
    """The codes of a CSV file and when each was read; NotScans says which row is not one."""
    text = decoded(content)
    head = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(SEPARATORS, key=head.count))
    try:
        titles = [title.strip().lower() for title in next(rows, [])]
        code, at = (next((n for n, title in enumerate(titles) if title in names), None) for names in (CODE, AT))
        if code is None or at is None:
            raise NotScans(_("The first row names the columns: this file needs one called code and one called at."))
        found = [read(row, code, at, n, zone) for n, row in enumerate(rows, 2) if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise NotScans(_("This is not a CSV file.")) from error
    if not found or len(found) > MOST:
        raise NotScans(_("This file must have between 1 and 10,000 scans."))
    return found


def read(row: Sequence[str], code: int, at: int, number: int, zone: str) -> tuple[str, datetime]:
    try:
        when = datetime.fromisoformat(row[at].strip())
        when = when if when.tzinfo else when.replace(tzinfo=ZoneInfo(zone))
        return row[code][:400], when.astimezone(UTC)
    except (IndexError, ValueError, OverflowError) as error:
        raise NotScans(_("Row %(row)s: the time must read 2026-11-27 19:42:05.") % {"row": number}) from error


def as_text(rows: Sequence[tuple[str, datetime]]) -> str:
    """The same scans, as the page gives them back to be confirmed."""
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\n").writerows([("code", "at"), *((code, at.isoformat()) for code, at in rows)])
    return text.getvalue()


def known(rows: Sequence[tuple[str, datetime]], event: Event) -> int:
    """How many of these codes are authentic and of this event."""
    return sum(bool(signed and signed.claim.event == event.pk) for signed in (signed_or_none(code) for code, _ in rows))


def take_in(rows: Sequence[tuple[str, datetime]], device: Device) -> list[Scan]:
    """Judge and keep what another system admitted at this device's gate; the same file again changes nothing."""
    scans: list[Scan] = []
    for first in range(0, len(rows), AT_ONCE):
        readings = [reading(device, code, at) for code, at in rows[first : first + AT_ONCE]]
        scans += scan_batch(device=device, readings=readings)
    return scans


def reading(device: Device, code: str, at: datetime) -> Reading:
    key = uuid.uuid5(device.public_id, f"{code} {at.isoformat()}")
    return Reading(key, signed_or_none(code), Offline(said=Scan.Verdict.ADMITTED, reason="", at=min(at, now()), counter=None))
