"""What a gate needs to check tickets without network: the keys that verify, and which generation of each ticket is in force."""

import base64
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import groupby
from operator import itemgetter

from django.db import connection

from control.models import Device
from portal.clock import now
from tickets.models import Product, SigningKey

STATES = {"available": 0, "distributed": 1, "printed": 1, "checked": 2, "cancelled": 3}
# A movement gets its number before it is seen, so a later one may be seen first: what is younger than this is told again.
AGAIN = timedelta(minutes=2)
# After so many movements the whole is cheaper than the changes.
CHANGES_AT_MOST = 200_000

WHOLE = """
SELECT product_id, number, generation, status FROM tickets_ticket WHERE product_id = ANY(%(products)s) ORDER BY product_id, number
"""
CHANGED = """
SELECT product_id, number, generation, status FROM tickets_ticket
WHERE id IN (SELECT ticket_id FROM tickets_movement WHERE id > %(since)s) AND event_id = %(event)s ORDER BY product_id, number
"""
CURSOR = "SELECT id FROM tickets_movement WHERE at < %s ORDER BY id DESC LIMIT 1"
LAST = "SELECT coalesce(max(id), 0) FROM tickets_movement"


def of(device: Device, since: int = 0) -> dict:
    """The manifest of the device's event; of its changes alone since a cursor that an earlier one gave."""
    event, made_at = device.gate.event, now()
    products = {product.pk: product for product in Product.objects.filter(event=event)}
    with connection.cursor() as cursor:
        cursor.execute(LAST)
        last = cursor.fetchone()[0]
        cursor.execute(CURSOR, [made_at - AGAIN])
        settled = (cursor.fetchone() or [0])[0]
        whole = not 0 < since <= last or last - since > CHANGES_AT_MOST
        cursor.execute(WHOLE if whole else CHANGED, {"products": list(products), "since": since, "event": event.pk})
        parts = [part(products[key], rows) for key, rows in groupby(cursor.fetchall(), itemgetter(0))]
    keys = SigningKey.objects.filter(revoked_at=None).order_by("pk")
    return {
        "event": event.pk,
        "gate": device.gate.name,
        "entrance": device.gate.entrance,
        "valid_from": event.valid_from,
        "valid_until": event.valid_until,
        "made_at": made_at,
        "cursor": settled if whole else max(since, settled),
        "whole": whole,
        "keys": [{"id": key.pk, "public_key": base64.b64encode(bytes(key.public_key)).decode()} for key in keys],
        "parts": parts,
    }


def part(product: Product, rows: Iterable[tuple]) -> dict:
    """The tickets of one product, packed."""
    found = list(rows)
    numbers = packed(differences(number for _, number, _, _ in found))
    states = packed(generation * 4 + STATES[status] for _, _, generation, status in found)
    return {"category": product.category, "entrance": product.entrance, "count": len(found), "numbers": numbers, "states": states}


def differences(numbers: Iterable[int]) -> Iterator[int]:
    before = 0
    for number in numbers:
        yield number - before
        before = number


def packed(values: Iterable[int]) -> str:
    """Base64 of unsigned LEB128: seven bits a byte, the low ones first, the high bit says that more follow."""
    out = bytearray()
    for value in values:
        while value > 127:
            out.append(value & 127 | 128)
            value >>= 7
        out.append(value)
    return base64.b64encode(out).decode()
