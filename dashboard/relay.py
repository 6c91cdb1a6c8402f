"""A company's own figures: by product, by structure that holds its tickets, by season; week by week; and at the door, now."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now, TruncWeek
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Company, Relay, User
from dashboard.seasons import Season
from dashboard.table import STATES as STATES_OF
from distribution.models import Recipient
from portal.templatetags.words import local
from tickets.models import Event, Forward, Movement, Product, Ticket
from tickets.stock import GIVEN

BY = {"product": gettext_lazy("By outing"), "site": gettext_lazy("By structure"), "season": gettext_lazy("By season")}
HEADINGS = {
    "total": pgettext_lazy("tickets", "Bought or received"),
    "distributed": pgettext_lazy("tickets", "Distributed"),
    "left": pgettext_lazy("tickets", "Not distributed"),
    "printed": pgettext_lazy("tickets", "Printed"),
    "checked": pgettext_lazy("tickets", "Checked"),
    "absent": pgettext_lazy("tickets", "No-show"),
}
# The tickets behind each figure; who did not come is a count and no list.
STATES = {"total": Q()} | {name: STATES_OF[name] for name in ("distributed", "left", "printed", "checked")}
WEEKS = 12


@dataclass
class Line:
    """Figures of some tickets of the company, and what they have in common."""

    name: str
    product: Product | None = None
    company: Company | None = None
    season: Season | None = None
    coming: bool = False
    figures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HEADINGS, 0))

    def add(self, figures: dict[str, int]) -> None:
        for name in HEADINGS:
            self.figures[name] += figures[name]

    @property
    def event(self) -> Event | None:
        return self.product.event if self.product else None

    @property
    def cells(self) -> list[tuple[str, str, int | None]]:
        """(figure, heading, number) in the order of the columns; no number yet for who will not come."""
        numbers = self.figures | ({"absent": None} if self.coming else {})
        return [(name, str(heading), numbers[name]) for name, heading in HEADINGS.items()]


@dataclass
class Sight:
    """All tickets that a company bought or received, counted once by product and by who holds them."""

    rows: list[dict]
    products: dict[int, Product]
    companies: dict[int, Company]

    def of(self, season: Season | None) -> list[dict]:
        return [row for row in self.rows if season is None or season_of(self.products[row["product"]].event) == season]

    @property
    def seasons(self) -> list[Season]:
        return sorted({season_of(product.event) for product in self.products.values()}, key=lambda s: -s.starts)

    def total(self, season: Season | None) -> Line:
        line = Line("")
        for row in self.of(season):
            line.add(row)
        return line

    def lines(self, by: str, season: Season | None) -> list[Line]:
        """By outing the soonest first and then those past, the latest first; by structure and season by name."""
        found: dict = {}
        for row in self.of(season):
            product, holder = self.products[row["product"]], self.companies[row["company"]]
            made = {
                "product": (product.pk, Line(product.event.name, product=product, coming=not row["over"])),
                "site": (holder.name, Line(holder.name, company=holder)),
                "season": (-(own := season_of(product.event)).starts, Line(str(own), season=own)),
            }
            key, line = made[by]
            found.setdefault(key, line).add(row)
        if by != "product":
            return [found[key] for key in sorted(found)]
        coming = sorted((line for line in found.values() if line.coming), key=lambda line: begins(line.event))
        return coming + sorted((line for line in found.values() if not line.coming), key=lambda line: begins(line.event), reverse=True)


def begins(event: Event | None) -> datetime:
    assert event
    return event.starts_at or event.valid_until


def season_of(event: Event) -> Season:
    return Season.at(begins(event))


def sight_of(relay: Relay) -> Sight:
    """What the company bought and what it received, wherever it is now: no ticket is in both."""
    received = Forward.objects.filter(to_company=relay.company_id).values("ticket")
    rows = [*counted(Ticket.objects.filter(bought_by=relay.company_id)), *counted(Ticket.objects.filter(pk__in=received))]
    products = Product.objects.for_list().in_bulk({row["product"] for row in rows})
    companies = Company.objects.in_bulk({row["company"] for row in rows})
    return Sight(rows, products, companies)


def counted(tickets) -> Iterable[dict]:
    over = Q(event__valid_until__lte=Now())
    given = Q(status__in=GIVEN)
    return (
        tickets.standing()
        .order_by()
        .values("product", "company", over=over)
        .annotate(
            **{name: Count("pk", filter=which) for name, which in STATES.items()},
            absent=Count("pk", filter=given & ~Q(status="checked") & over),
        )
    )


@dataclass
class Week:
    """How far the tickets had come at the end of a week."""

    monday: date
    distributed: int = 0
    printed: int = 0
    checked: int = 0


def evolution(relay: Relay, season: Season | None, at: datetime) -> list[Week]:
    """The last weeks, each with what had been distributed, printed and checked of what is so today: the last is today's figures."""
    received = Forward.objects.filter(to_company=relay.company_id).values("ticket")
    found: dict[str, dict[date, int]] = {name: {} for name in ("distributed", "printed", "checked")}
    for mine in (Ticket.objects.filter(bought_by=relay.company_id), Ticket.objects.filter(pk__in=received)):
        tickets = mine.filter(event__in=season.events()) if season else mine
        for name, reached in STEPS.items():
            last = Movement.objects.filter(ticket=OuterRef("pk"), kind__in=reached.kinds).order_by("-pk").values("at")[:1]
            rows = tickets.filter(reached.now).order_by().values(week=TruncWeek(Subquery(last))).annotate(n=Count("pk"))
            for row in rows:
                week = local(row["week"]).date()
                found[name][week] = found[name].get(week, 0) + row["n"]
    this = monday(at)
    mondays = [this - timedelta(weeks=n) for n in range(WEEKS - 1, -1, -1)]
    sums = {name: [sum(n for week, n in by.items() if week <= day) for day in mondays] for name, by in found.items()}
    weeks = [Week(day, *(sums[name][n] for name in found)) for n, day in enumerate(mondays)]
    first = next((n for n, week in enumerate(weeks) if week.distributed), None)
    return [] if first is None else weeks[max(0, first - 1) :]


@dataclass(frozen=True)
class Reached:
    """Which tickets have come as far as a step today, and which movements brought them there."""

    now: Q
    kinds: tuple[str, ...]


STEPS = {
    "distributed": Reached(Q(status__in=GIVEN), ("distributed", "handed_over")),
    "printed": Reached(Q(status__in=["printed", "checked"], printed_generation=F("generation")), ("printed", "handed_over")),
    "checked": Reached(Q(status="checked"), ("checked",)),
}


def monday(when: datetime) -> date:
    day = local(when).date()
    return day - timedelta(days=day.weekday())


@dataclass
class Undone:
    """An outing to come, and how many people have not opened, named, printed."""

    product: Product
    opened: int
    named: int
    printed: int


def to_do(relay: Relay, products: dict[int, Product]) -> list[Undone]:
    """The outings to come for which somebody still has something to do, the soonest first."""
    person, address = Coalesce("member__merged_into", "member"), Coalesce("member__merged_into__email", "member__email")
    told = Recipient.objects.in_sight_of(relay).filter(
        Q(member=OuterRef("person")) | Q(member__merged_into=OuterRef("person")),
        distribution__product=OuterRef("product"),
        distribution__undone_at=None,
    )
    waiting = Ticket.objects.filter(company=relay.company_id, status="distributed", member__isnull=False).to_come().order_by()
    rows = (
        waiting.annotate(person=person, address=address)
        .annotate(
            told=Subquery(told.order_by("-pk").values("delivery__created_at")[:1]),
            seen=Subquery(User.objects.filter(email=OuterRef("address")).values("last_seen_at")[:1]),
        )
        .values("product")
        .annotate(
            printed=Count("person", distinct=True),
            named=Count("person", distinct=True, filter=Q(beneficiary_first_name="", beneficiary_last_name="")),
            opened=Count("person", distinct=True, filter=Q(told=None) | Q(seen=None) | Q(seen__lt=F("told"))),
        )
    )
    found = [Undone(products[row["product"]], row["opened"], row["named"], row["printed"]) for row in rows]
    return sorted(found, key=lambda line: begins(line.product.event))


@dataclass
class AtTheDoor:
    """An event whose doors are open: how many of the company's people have come in, of how many who hold a ticket."""

    event: Event
    checked: int
    given: int


def at_the_door(relay: Relay) -> list[AtTheDoor]:
    """Dated events whose doors are open at this instant, for which the company has given tickets."""
    mine = Ticket.objects.filter(company=relay.company_id, status__in=GIVEN)
    now = mine.filter(event__doors_at__lte=Now(), event__valid_until__gt=Now(), event__starts_at__isnull=False)
    rows = now.order_by().values("event").annotate(given=Count("pk"), checked=Count("pk", filter=Q(status="checked")))
    found = {row["event"]: row for row in rows}
    events = Event.objects.filter(pk__in=found).select_related("venue").order_by("starts_at", "pk")
    return [AtTheDoor(event, found[event.pk]["checked"], found[event.pk]["given"]) for event in events]
