"""What was bought, is not distributed and comes near: for which events relays are to be reminded."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count, F, Sum

from accounts.models import Seller
from dashboard.models import Tally
from distribution.reminders import relays_told
from portal.templatetags.words import local
from tickets.models import Event

USUAL_DAYS = 7  # where the seller reminds no relay by the clock
SHOWN_AT_MOST = 20


def days_before() -> int:
    return Seller.objects.current().relay_reminder_days or USUAL_DAYS


@dataclass
class Waiting:
    """An event that comes near, whose tickets are not all distributed."""

    event: Event
    left: int
    companies: int
    products: list[int] = field(default_factory=list)
    told_at: datetime | None = None
    told_today: bool = False


def soon(at: datetime) -> list[Waiting]:
    """Bought, not distributed, and the event is near: as near as the seller's reminders to relays are sent. Soonest first."""
    until = at + timedelta(days=days_before())
    rows = (
        Tally.objects.with_some_left()
        .filter(begins__lte=until)
        .order_by("begins", "event")
        .values("begins", "event")
        .annotate(
            left=Sum(F("n_bought") - F("n_distributed")),
            companies=Count("held_by", distinct=True),
            products=ArrayAgg("product", distinct=True),
        )[:SHOWN_AT_MOST]
    )
    rows = list(rows)
    events = Event.objects.select_related("venue").in_bulk([row["event"] for row in rows])
    told = relays_told([product for row in rows for product in row["products"]])
    found = []
    for row in rows:
        line = Waiting(events[row["event"]], row["left"], row["companies"], row["products"])
        line.told_at = max((told[product] for product in line.products if product in told), default=None)
        zone = line.event.venue.zone
        line.told_today = line.told_at is not None and local(line.told_at, zone).date() == local(at, zone).date()
        found.append(line)
    return found
