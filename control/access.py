"""Which device speaks: the gate's door, by its token."""

from functools import cache
from typing import Any, NamedTuple

from django.db.models.expressions import RawSQL

from control.models import Device
from control.tokens import hashed
from portal.prepared import first_row

TOKEN = "the token's hash"  # noqa: S105  (where it goes among the parameters)
# A row that was written again is another version: the columns that tell it, and their types.
TABLES = ("control_device", "control_gate", "tickets_event", "tickets_venue")
VERSION = {f"{table}.{column}": kind for table in TABLES for column, kind in (("xmin", "xid"), ("ctid", "tid"))}
REMEMBERED = 1_000
Asked = tuple[str, dict[str, Any]]  # SQL that is true or not, and its values by name

# Each with its gate, event and venue, and their version, by the hash of its token.
devices: dict[str, tuple[Device, str]] = {}


def device_of(token: str, *, telling: bool = False) -> Device | None:
    """The device in force that has this token; `telling`: also one whose time is over, for what it scanned before.

    The database is asked each time whether it is in force; what it is was read when one of its rows last changed.
    """
    if not token:
        return None
    sql, values = question(telling)
    token_hash = hashed(token)
    found = first_row(sql, [token_hash if value == TOKEN else value for value in values])
    if found is None:
        return None
    key, version = found
    known = devices.get(token_hash)
    if known is None or known[1] != version:
        known = Device.objects.select_related("gate__event__venue").get(pk=key), version
        if len(devices) >= REMEMBERED:
            devices.clear()
        devices[token_hash] = known
    return known[0]


class Remembered(NamedTuple):
    """The device that a token named last, and what asks whether it is still in force, and as it was: whoever acts by it asks."""

    token: str
    device: Device
    still: Asked


def remembered(token: str) -> Remembered | None:
    token_hash = hashed(token)
    known = devices.get(token_hash)
    if known is None:
        return None
    device, version = known
    sql, values = still()
    asked = {name: token_hash if value == TOKEN else value for name, value in values.items()}
    return Remembered(token, device, (sql, asked | {f"still_{name}": value for name, value in zip(VERSION, version.split(), strict=True)}))


@cache
def still() -> Asked:
    """The question once more, for another statement to ask with its own."""
    sql, values = question(telling=False)
    named = {f"still_{place}": value for place, value in enumerate(values)}
    asked = sql % tuple(f"%({name})s" for name in named)
    same = " AND ".join(f"{name} = %(still_{name})s::{kind}" for name, kind in VERSION.items())
    return f"EXISTS ({asked} AND {same})", named


@cache
def question(telling: bool) -> tuple[str, tuple]:
    """The SQL that asks, made once: to make it takes longer than to answer it, and a queue waits."""
    found = Device.objects.may_still_tell() if telling else Device.objects.in_force()
    version = RawSQL(f"concat_ws(' ', {', '.join(VERSION)})", [])  # noqa: S611  (columns of each row, above)
    joined = found.filter(token_hash=TOKEN, gate__event__venue__name__isnull=False).order_by()
    return joined.annotate(version=version).values_list("pk", "version").query.sql_with_params()
