"""Moves on scans."""

from datetime import datetime

from django.db import connection

from control.models import Scan, Search


def part_old_scans(before: datetime, limit: int) -> int:
    """Forget which ticket each scan of an event over before an instant was of, at most so many: what the gate answered stays.

    Searches of doormen go altogether: they are nothing but which tickets were shown.
    """
    assert connection.in_atomic_block
    known = Scan.objects.filter(ticket__isnull=False, device__gate__event__valid_until__lt=before).order_by()
    parted = Scan.objects.filter(pk__in=list(known.values_list("pk", flat=True)[:limit])).update(ticket=None, generation=None)
    searches = Search.objects.filter(device__gate__event__valid_until__lt=before).order_by()
    deleted, _ = Search.objects.filter(pk__in=list(searches.values_list("pk", flat=True)[: limit - parted])).delete()
    return parted + deleted
