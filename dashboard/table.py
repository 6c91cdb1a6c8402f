"""The seller's figures by event, company or channel, as an address chooses them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import Http404, QueryDict
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Company
from dashboard.models import Tally, TallyQuerySet
from dashboard.seasons import Season
from portal.text import folded
from tickets.models import Event, Order
from tickets.stock import GIVEN

ON_A_PAGE = 30
BY = {"event": gettext_lazy("By event"), "company": gettext_lazy("By company"), "channel": gettext_lazy("By channel")}
WHEN = {"coming": gettext_lazy("To come"), "past": gettext_lazy("Past"), "all": gettext_lazy("All")}
KEYS = {"event": "event", "company": "bought_by", "channel": "channel"}
HEADINGS = {
    "bought": pgettext_lazy("tickets", "Bought"),
    "distributed": pgettext_lazy("tickets", "Distributed"),
    "left": pgettext_lazy("tickets", "Not distributed"),
    "printed": pgettext_lazy("tickets", "Printed"),
    "checked": pgettext_lazy("tickets", "Checked"),
    "absent": pgettext_lazy("tickets", "No-show"),
}
OF = {"event": gettext_lazy("Event"), "company": gettext_lazy("Company"), "channel": gettext_lazy("Sales channel")}
# The tickets behind each figure.
STATES = {
    "bought": Q(),
    "distributed": Q(status__in=GIVEN),
    "left": Q(status="available"),
    "printed": Q(status__in=["printed", "checked"], printed_generation=F("generation")),
    "checked": Q(status="checked"),
    "absent": Q(status__in=["distributed", "printed"], event__valid_until__lte=Now()),
}


@dataclass(frozen=True)
class Chosen:
    """What an address asks for: the same address is the same view, for whoever it is sent to."""

    by: str = "event"
    when: str = "coming"
    season: Season | None = None
    event: Event | None = None
    company: Company | None = None
    channel: str = ""
    words: str = ""
    sort: str = ""

    def narrow(self, rows):
        """Of tallies, or of tickets that stand: what the filters keep, save the words."""
        tallies = rows.model is Tally
        if self.when != "all":
            over = Q(over=True) if tallies else Q(event__valid_until__lte=Now())
            rows = rows.filter(over if self.when == "past" else ~over)
        if self.season:
            rows = rows.filter(event__in=self.season.events())
        if self.event:
            rows = rows.filter(event=self.event)
        if self.company:
            rows = rows.filter(bought_by=self.company)
        if self.channel:
            rows = rows.filter(**{"channel" if tallies else "order_line__order__channel": self.channel})
        return rows

    @property
    def address(self) -> dict[str, str]:
        """The filters as they are written in an address, those that are not set left out."""
        named = {
            "when": "" if self.when == "coming" else self.when,
            "season": str(self.season.starts) if self.season else "",
            "event": str(self.event.public_id) if self.event else "",
            "company": str(self.company.public_id) if self.company else "",
            "channel": self.channel,
        }
        return {name: value for name, value in named.items() if value}


def chosen(asked: QueryDict) -> Chosen:
    """What the address asks for. An event or a company that does not exist is a 404, not everything."""
    return Chosen(
        by=known(asked.get("by"), BY, "event"),
        when=known(asked.get("when"), WHEN, "coming"),
        season=Season.named(asked.get("season", "")),
        event=one(Event.objects.select_related("venue"), asked.get("event", "")),
        company=one(Company.objects.all(), asked.get("company", "")),
        channel=known(asked.get("channel"), dict(Order.Channel.choices), ""),
        words=asked.get("q", "")[:80],
        sort=known(asked.get("sort"), HEADINGS, ""),
    )


def known(value: str | None, values: Collection, default: str) -> str:
    return value if value and value in values else default


def one(rows: QuerySet, public_id: str):
    if not public_id:
        return None
    try:
        return rows.get(public_id=public_id)
    except (rows.model.DoesNotExist, ValidationError) as error:
        raise Http404 from error


@dataclass
class Line:
    """One event, company or channel with its figures, and what its address filters by."""

    name: str
    figures: dict[str, int]
    address: dict[str, str]
    event: Event | None = None
    coming: bool = False

    @property
    def asks(self) -> str:
        return urlencode(self.address)

    @property
    def cells(self) -> list[tuple[str, str, int | None]]:
        """(figure, heading, number) in the order of the columns; no number yet for who will not come."""
        return [
            (name, str(heading), None if self.coming and name == "absent" else self.figures[name]) for name, heading in HEADINGS.items()
        ]


@dataclass
class Table:
    """The lines of a view, and the figures of them all."""

    chosen: Chosen
    tallies: TallyQuerySet
    totals: dict[str, int] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return KEYS[self.chosen.by]

    def rows(self) -> QuerySet:
        """The largest first of the figure asked for; else by date for events, by name for companies."""
        rows = self.tallies.figures_by(self.key)
        if self.chosen.sort:
            return rows.order_by(F(self.chosen.sort).desc(), self.key)
        # Read for each line, not for each tally: joined, the names would be read a hundred thousand times.
        names = {
            "event": Event.objects.filter(pk=OuterRef("event")).values(at=Coalesce("starts_at", "valid_until")),
            "company": Company.objects.filter(pk=OuterRef("bought_by")).values("name"),
        }
        if self.chosen.by not in names:
            return rows.order_by(self.key)
        by = Subquery(names[self.chosen.by])
        latest_first = self.chosen.by == "event" and self.chosen.when == "past"
        return rows.order_by(by.desc() if latest_first else by.asc(), self.key)

    def page(self, number) -> Page:
        """Some lines; the figures of all of them were counted with how many they are."""
        self.totals = self.tallies.figures(self.key)
        pages = Paginator(self.rows(), ON_A_PAGE)
        pages.count = self.totals.pop("lines")
        page = pages.get_page(number)
        page.object_list = self.named(list(page.object_list))
        return page

    def lines(self) -> Iterator[Line]:
        """All of them, some at a time, for a file."""
        some: list[dict] = []
        for row in self.rows().iterator(chunk_size=500):
            some.append(row)
            if len(some) == 500:
                yield from self.named(some)
                some = []
        yield from self.named(some)

    def named(self, rows: list[dict]) -> list[Line]:
        """The lines with what they are of, in one query."""
        base, by = self.chosen.address, self.chosen.by
        if by == "channel":
            labels = dict(Order.Channel.choices)
            return [Line(str(labels[row["channel"]]), row, base | {"channel": row["channel"]}) for row in rows]
        events = Event.objects.select_related("venue").annotate(over=Q(valid_until__lte=Now()))
        found: dict = (events if by == "event" else Company.objects).in_bulk([row[self.key] for row in rows])
        lines = []
        for row in rows:
            of = found[row[self.key]]
            line = Line(of.name, row, base | {by: str(of.public_id)})
            if by == "event":
                line.event, line.coming = of, not of.over
            lines.append(line)
        return lines


def table(choice: Chosen) -> Table:
    tallies = choice.narrow(Tally.objects.all())
    if choice.words and choice.by != "channel":
        tallies = tallies.filter(**{f"{KEYS[choice.by]}__in": matching(choice)})
    return Table(choice, tallies)


def matching(choice: Chosen) -> list[int]:
    """The keys of the events, or companies, whose name has these words, whatever their case and accents."""
    wanted = folded(choice.words).split()
    rows = (Event if choice.by == "event" else Company).objects.order_by().values_list("pk", "name")
    return [pk for pk, name in rows if all(word in folded(name) for word in wanted)]
