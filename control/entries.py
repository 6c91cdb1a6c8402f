"""The doors of an event, minute by minute."""

from datetime import datetime, timedelta
from hashlib import blake2b

from django.db.models import Count
from django.db.models.functions import Coalesce, TruncMinute
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from control.models import Scan
from portal.templatetags.charts import Bars
from portal.templatetags.words import hour, local
from tickets.models import Event

MOST_BARS = 60
STEPS = [1, 5, 15, 60, 24 * 60]  # minutes that a bar may stand for


def entries(event: Event) -> list[tuple[datetime, int]]:
    """How many came in, by the minute and, where that makes too many bars, by as many minutes as leave them readable.

    By the gate's clock for what it admitted without network.
    """
    came = Scan.objects.of_event(event).standing().annotate(came=Coalesce("said_at", "at")).order_by()
    minutes = dict(came.values_list(TruncMinute("came")).annotate(n=Count("pk")))
    if not minutes:
        return []
    first, last = min(minutes), max(minutes)
    step = next(step for step in STEPS if (last - first) / timedelta(minutes=step) < MOST_BARS or step == STEPS[-1])
    width = timedelta(minutes=step)
    first -= timedelta(minutes=local(first, event.venue.zone).minute % min(step, 60))
    bars = [[first + n * width, 0] for n in range(int((last - first) / width) + 1)]
    for minute, count in minutes.items():
        bars[int((minute - first) / width)][1] += count
    return [(at, count) for at, count in bars]


def curve_of(event: Event) -> dict:
    """What control/_entries.html shows; `mark` is another one whenever that has changed."""
    came = entries(event)
    zone = event.venue.zone
    places = [(hour(at, zone), (count,)) for at, count in came]
    minutes = int((came[1][0] - came[0][0]).total_seconds() // 60) if len(came) > 1 else 1
    mark = blake2b(f"{get_language()} {came}".encode(), digest_size=8).hexdigest()
    return {"event": event, "came": came, "minutes": minutes, "chart": Bars(_("Entries"), ("left",), places), "mark": f'"{mark}"'}
