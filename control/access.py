"""Which device speaks: the gate's door, by its token."""

from functools import cache, lru_cache

from django.db.models.expressions import RawSQL

from control.models import Device
from control.tokens import hashed
from portal.prepared import first_row

TOKEN = "the token's hash"  # noqa: S105  (where it goes among the parameters)
TABLES = ("control_device", "control_gate", "tickets_event", "tickets_venue")


def device_of(token: str, *, telling: bool = False) -> Device | None:
    """The device in force that has this token; `telling`: also one whose time is over, for what it scanned before.

    The database is asked each time whether it is in force; what it is was read when one of its rows last changed.
    """
    if not token:
        return None
    sql, values = question(telling)
    found = first_row(sql, [hashed(token) if value == TOKEN else value for value in values])
    return read(*found) if found else None


@cache
def question(telling: bool) -> tuple[str, tuple]:
    """The SQL that asks, made once: to make it takes longer than to answer it, and a queue waits."""
    devices = Device.objects.may_still_tell() if telling else Device.objects.in_force()
    rows = ", ".join(f"{table}.xmin, {table}.ctid" for table in TABLES)
    version = RawSQL(f"concat_ws(' ', {rows})", [])  # noqa: S611  (names of tables, above)
    joined = devices.filter(token_hash=TOKEN, gate__event__venue__name__isnull=False).order_by()
    return joined.values_list("pk", version).query.sql_with_params()


@lru_cache(maxsize=1_000)
def read(device: int, version: str) -> Device:
    """A device with its gate, event and venue; a row written again has another version."""
    return Device.objects.select_related("gate__event__venue").get(pk=device)
