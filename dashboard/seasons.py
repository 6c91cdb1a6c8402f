"""The seasons of a house: from September to August, by the seller's clock."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from tickets.models import Event

FIRST_MONTH = 9


@dataclass(frozen=True)
class Season:
    """The one that starts in September of a year."""

    starts: int

    @classmethod
    def named(cls, text: str) -> "Season | None":
        return cls(int(text)) if re.fullmatch(r"20[0-9]{2}", text) else None

    @classmethod
    def at(cls, instant: datetime) -> "Season":
        day = timezone.localtime(instant)
        return cls(day.year if day.month >= FIRST_MONTH else day.year - 1)

    def __str__(self):
        return f"{self.starts}\u2013{self.starts + 1}"

    @property
    def begin(self) -> datetime:
        return datetime(self.starts, FIRST_MONTH, 1, tzinfo=timezone.get_current_timezone())

    @property
    def end(self) -> datetime:
        return Season(self.starts + 1).begin

    def events(self) -> QuerySet[Event]:
        """An event belongs to the season in which it begins, an open-dated one to that in which it ends."""
        begins = Coalesce("starts_at", "valid_until")
        return Event.objects.order_by().alias(begins=begins).filter(begins__gte=self.begin, begins__lt=self.end)
