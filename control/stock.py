"""Who came in, and who is expected: in all and by gate."""

from collections import Counter

from django.db.models import Count, Q

from control.models import Device, Gate, Scan
from portal.clock import now
from tickets.models import Event, Ticket


def counted(event: Event) -> Counter:
    """Tickets given to someone, by entrance and whether they were checked."""
    given = Ticket.objects.filter(product__event=event, status__in=["distributed", "printed", "checked"]).order_by()
    rows = given.values_list("product__entrance", "status").annotate(n=Count("pk"))
    found: Counter = Counter()
    for entrance, status, n in rows:
        found[entrance, status == "checked"] += n
    return found


def gates(event: Event, tickets: Counter) -> list[dict]:
    """Of each gate: how many it admitted, and how many may come in by it."""
    standing = Q(devices__scans__verdict=Scan.Verdict.ADMITTED, devices__scans__undone_at=None)
    found = Gate.objects.filter(event=event).annotate(admitted=Count("devices__scans", filter=standing)).order_by("name")
    return [
        {
            "name": gate.name,
            "admitted": gate.admitted,
            "expected": sum(n for (entrance, _), n in tickets.items() if not gate.entrance or entrance in ("", gate.entrance)),
        }
        for gate in found
    ]


def figures(event: Event) -> dict:
    tickets = counted(event)
    admitted = sum(n for (_, checked), n in tickets.items() if checked)
    return {"admitted": admitted, "expected": sum(tickets.values()), "gates": gates(event, tickets)}


def of(device: Device) -> dict:
    """What the device's page shows of its event."""
    event = device.gate.event
    rights = (("scan", device.may_scan), ("search", device.may_search), ("manage", device.may_manage))
    shown = {
        "id": event.pk,
        "name": event.name,
        "venue": event.venue.name,
        "zone": event.venue.zone,
        "starts_at": event.starts_at,
        "valid_from": event.valid_from,
        "valid_until": event.valid_until,
        **figures(event),
    }
    return {
        "now": now(),
        "device": device.name,
        "gate": device.gate.name,
        "may": [name for name, granted in rights if granted],
        "conflicts": Scan.objects.of_event(event).conflicts().count() if device.may_manage else 0,
        "events": [shown],
    }
