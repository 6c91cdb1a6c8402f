"""What is kept only for a time: one table, which the nightly task applies and the page on privacy tells.

Each app registers a line for what it keeps; an attribute of the seller says for how long.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import Seller

CONTRACT = _("to give you your tickets")
DUTY = _("because the law asks it")
SAFETY = _("for everybody's safety")


@dataclass(frozen=True)
class Line:
    """`erase(before, limit)` erases at most so many rows that were over before an instant, and returns how many.

    It needs an open transaction; called again until it returns 0, it leaves nothing that is past its date.
    """

    column: str  # of the seller; its last word is the unit
    what: Promise
    since: Promise  # "%(term)s after the event"
    basis: Promise | str  # in law, of keeping it
    erase: Callable[[datetime, int], int]

    def kept(self, seller: Seller) -> str:
        """For how long, in words."""
        count = getattr(seller, self.column)
        terms = {
            "months": ngettext("%(count)d month", "%(count)d months", count),
            "days": ngettext("%(count)d day", "%(count)d days", count),
            "hours": ngettext("%(count)d hour", "%(count)d hours", count),
        }
        return str(self.since) % {"term": terms[self.unit] % {"count": count}}

    @property
    def unit(self) -> str:
        return self.column.rpartition("_")[2]

    def before(self, seller: Seller) -> datetime:
        """What was over before this instant is past its date, by the database's clock and calendar."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp() - %s::interval", [f"{getattr(seller, self.column)} {self.unit}"])
            return cursor.fetchone()[0]


_table: dict[str, Line] = {}


def register(name: str, *, column: str, what: Promise, since: Promise, basis: Promise | str, erase: Callable[[datetime, int], int]) -> None:
    _table[name] = Line(column, what, since, basis, erase)


def table() -> dict[str, Line]:
    return _table
