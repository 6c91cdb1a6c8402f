"""The figures of a company's stock, always counted: what it bought plus what it received, each ticket once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now

from accounts.models import Company
from tickets.models import Forward, Product, Ticket
from tickets.models.ticket import TicketQuerySet

GIVEN = ["distributed", "printed", "checked"]


@dataclass(frozen=True)
class Figures:
    """Of `total` tickets bought or received: how many went through each state, and what is left here to distribute.

    `unused` were here, or further down, when the event ended; `away` are with companies that have not distributed them.
    """

    bought: int = 0
    received: int = 0
    distributed: int = 0
    printed: int = 0
    checked: int = 0
    left: int = 0
    unused: int = 0

    @property
    def total(self) -> int:
        return self.bought + self.received

    @property
    def away(self) -> int:
        return self.total - self.distributed - self.left - self.unused

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    def with_given(self, quantity: int) -> "Figures":
        """What they would be after distributing so many more."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return Figures(**values | {"distributed": self.distributed + quantity, "left": self.left - quantity})


def parts(company: Company) -> dict[str, Q]:
    """Which of a company's standing tickets each figure counts."""
    waits, past = Q(status="available"), Q(event__valid_until__lte=Now())
    return {
        "distributed": Q(status__in=GIVEN),
        "printed": Q(status__in=["printed", "checked"], printed_generation=F("generation")),
        "checked": Q(status="checked"),
        "left": waits & Q(company=company) & ~past,
        "unused": waits & past,
    }


def counts(tickets: TicketQuerySet, company: Company, origin: str) -> dict[int, Figures]:
    """Figures by product of tickets that the company bought, or of those that it received."""
    figures = {name: Count("pk", filter=part) for name, part in parts(company).items()}
    rows = tickets.standing().order_by().values("product").annotate(n=Count("pk"), **figures)
    return {row.pop("product"): Figures(**{origin: row.pop("n")}, **row) for row in rows}


def stock_of(company: Company, product: Product | None = None) -> dict[int, Figures]:
    """The company's figures by product key; of one product when it is given."""
    tickets = Ticket.objects.filter(product=product) if product else Ticket.objects.all()
    received = Forward.objects.filter(to_company=company)
    if product:
        received = received.filter(ticket__product=product)
    figures = counts(tickets.filter(bought_by=company), company, "bought")
    for key, more in counts(tickets.filter(pk__in=received.values("ticket")), company, "received").items():
        figures[key] = figures.get(key, Figures()) + more
    return figures


def figures_of(company: Company, product: Product) -> Figures:
    return stock_of(company, product).get(product.pk, Figures())


@dataclass
class Branch:
    """Where forwarded tickets are: with a company, `waiting` to be distributed there or `given` to its members, and further down."""

    company: Company
    waiting: int = 0
    given: int = 0
    branches: list["Branch"] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.waiting + self.given + sum(branch.total for branch in self.branches)

    @property
    def all_waiting(self) -> int:
        return self.waiting + sum(branch.all_waiting for branch in self.branches)


def forwarded(company: Company, product: Product) -> TicketQuerySet:
    """What the company forwarded of a product, each with the `level` at which it had it: 0 for what it bought."""
    received_at = Forward.objects.filter(ticket=OuterRef("pk"), to_company=company).values("level")
    mine = Ticket.objects.filter(product=product).standing().forwarded_by(company)
    return mine.annotate(level=Coalesce(Subquery(received_at), 0))


def along(company: Company, product: Product, path: Sequence[uuid.UUID]) -> TicketQuerySet:
    """Those of them that went on to these companies, one after the other, wherever below the last they are."""
    found = forwarded(company, product)
    for step, other in enumerate(path, 1):
        there = Forward.objects.filter(ticket=OuterRef("pk"), level=OuterRef("level") + step, to_company__public_id=other)
        found = found.filter(Exists(there))
    return found


def tree(company: Company, product: Product) -> list[Branch]:
    """The companies that have tickets of the product from this one, each with those it forwarded itself, in two queries."""
    below = Forward.objects.filter(ticket=OuterRef("pk"), level__gt=OuterRef("level")).order_by("level").values("to_company")
    rows = forwarded(company, product).order_by().annotate(path=ArraySubquery(below)).values("path", "status").annotate(n=Count("pk"))
    counted = [(tuple(row["path"]), row["status"], row["n"]) for row in rows]
    companies = Company.objects.saying_who_can_act().in_bulk({pk for path, _, _ in counted for pk in path})
    roots: list[Branch] = []
    branches: dict[tuple, Branch] = {}
    every = {path[:depth] for path, _, _ in counted for depth in range(1, len(path) + 1)}
    for path in sorted(every, key=lambda path: (len(path), companies[path[-1]].name)):
        branches[path] = Branch(companies[path[-1]])
        siblings = branches[path[:-1]].branches if len(path) > 1 else roots
        siblings.append(branches[path])
    for path, status, n in counted:
        branches[path].waiting += n if status == "available" else 0
        branches[path].given += n if status in GIVEN else 0
    return roots


def stranded_below(company: Company) -> list[dict]:
    """Of what the company forwarded, what waits where nobody can act any more: how many of each product at each company."""
    gone = Forward.objects.filter(from_company=company).values("ticket")
    waiting = Ticket.objects.filter(pk__in=gone).stranded().order_by("event__valid_until", "company__name")
    said = waiting.values("event__name", "product__public_id", "company__name", "company__public_id")
    return list(said.annotate(count=Count("pk")))


def by_channel(company: Company, product: Product) -> list[tuple[str, int]]:
    """How many the company bought on each sales channel, still standing."""
    bought = Ticket.objects.filter(bought_by=company, product=product).standing().order_by()
    rows = bought.values_list("order_line__order__channel").annotate(n=Count("pk")).order_by("order_line__order__channel")
    return list(rows)
