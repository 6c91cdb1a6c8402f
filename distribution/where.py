"""Where the tickets of a product are, level by level, as rows of one picture: each starts where the one before it ends.

Each number leads to the tickets that it counts: a `place`, and for those with other companies the path down to them.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext

from accounts.models import Company, Relay
from tickets.models import Product, Ticket
from tickets.models.ticket import TicketQuerySet
from tickets.stock import GIVEN, Branch, Figures, along, parts


def tickets_at(relay: Relay, product: Product, place: str, path: Sequence[uuid.UUID]) -> TicketQuerySet:
    """The tickets behind a number: of the relay's own company, or of those that it forwarded along a path of companies.

    Without a place all of them, the cancelled ones too. A path that is not hers leads to nothing.
    """
    if path:
        there = along(relay.company, product, path)
        ends_here = Q(company__public_id=path[-1])
        return there.filter({"given": ends_here & Q(status__in=GIVEN), "waiting": ends_here & Q(status="available")}.get(place, Q()))
    mine = Ticket.objects.in_sight_of(relay).filter(product=product)
    figures, here = parts(relay.company), Q(company=relay.company)
    places = {
        "total": Q(),
        "bought": Q(bought_by=relay.company),
        "received": ~Q(bought_by=relay.company),
        "waiting": Q(status="available"),
        "away": Q(status="available") & ~figures["left"] & ~figures["unused"],
        "members": here & Q(member__isnull=False),
        "paper": here & Q(member=None, status__in=["printed", "checked"]),
        **figures,
    }
    return mine.standing().filter(places[place]) if place in places else mine


def words_at(relay: Relay, product: Product, place: str, path: Sequence[uuid.UUID]) -> str:
    """What that place is called, for the head of its list; nothing for all tickets."""
    if path:
        company = Company.objects.filter(public_id=path[-1]).first() if along(relay.company, product, path).exists() else None
        words = {"given": _("Distributed by %(company)s"), "waiting": _("At %(company)s, not distributed yet")}
        return words.get(place, _("At %(company)s")) % {"company": company} if company else ""
    names = {
        "bought": _("Tickets bought"),
        "received": _("Tickets received"),
        "distributed": _("Tickets distributed"),
        "printed": _("Tickets printed"),
        "checked": _("Tickets checked"),
        "left": _("Here, to distribute"),
        "waiting": _("Tickets not distributed"),
        "unused": _("Tickets not used"),
        "away": _("With other structures, not distributed yet"),
        "members": _("With your colleagues"),
        "paper": _("Handed over on paper"),
    }
    return names.get(place, "")


WIDTH, MOST_CELLS = 1000, 60


@dataclass
class Row:
    count: int
    kind: str  # of its bar: all, here, held, away
    words: str
    link: str
    gesture: tuple[str, str] | None = None  # an address and its label
    note: str = ""
    rows: list["Row"] = field(default_factory=list)
    closes: range = range(0)  # how many lists end after it
    cells: list[tuple[str, str]] = field(default_factory=list)  # of its bar: where each starts, and how wide it is
    cuts: str = ""

    def draw(self, start: int, total: int) -> None:
        """Its bar, of so many tickets from `start` on; those in hand are cells that stand apart."""
        cell, in_cells = WIDTH / max(total, 1), total <= MOST_CELLS
        if self.kind == "here" and in_cells:
            gap = min(3.1, cell * 0.22 / 2)
            self.cells = [(f"{(start + i) * cell + gap:.2f}", f"{cell - 2 * gap:.2f}") for i in range(self.count)]
            return
        self.cells = [(f"{start * cell:.2f}", f"{self.count * cell:.2f}")]
        self.cuts = "".join(f"M{(start + i) * cell:.2f} 0v20" for i in range(1, self.count)) if in_cells else ""


@dataclass
class Tree:
    """The rows of one company's picture."""

    relay: Relay
    product: Product

    def __post_init__(self) -> None:
        self.ids = [self.relay.company.public_id, self.product.public_id]
        self.tickets = reverse("distribution:tickets", args=self.ids)
        self.may = self.relay.may_distribute

    def link(self, place: str, path: str = "") -> str:
        return f"{self.tickets}?place={place}{path}"

    def whole(self, figures: Figures, *, given: int, on_paper: int, branches: list[Branch]) -> list[Row]:
        """The tree of a company's stock, as its lists are written; its numbers add up, save what was unused when the event ended."""
        bought = npgettext("figure", "bought", "bought", figures.bought)
        words = npgettext("figure", "received", "received", figures.received) if figures.received else bought
        if figures.received and figures.bought:
            words = _("bought and received")
        root = Row(figures.total, "all", words, self.link("total"))
        if figures.left:
            gesture = (reverse("distribution:distribute", args=self.ids), _("Distribute")) if self.may else None
            root.rows.append(Row(figures.left, "here", _("here, to distribute"), self.link("left"), gesture))
        root.rows += [self.below(branch, "") for branch in branches if branch.total]
        if given:
            root.rows.append(Row(given, "held", _("with your colleagues"), self.link("members")))
        if on_paper:
            root.rows.append(Row(on_paper, "held", _("handed over on paper"), self.link("paper")))
        return flat(root, figures.total)

    def below(self, branch: Branch, above: str) -> Row:
        path = f"{above}&at={branch.company.public_id}"
        words = _("at %(company)s") % {"company": branch.company}
        reclaim = (reverse("distribution:reclaim_from", args=[*self.ids, branch.company.public_id]), _("Reclaim")) if self.may else None
        note = "" if branch.company.has_relays or not branch.waiting else _("nobody can distribute there any more")
        row = Row(branch.total, "away", words, self.link("there", path), reclaim, note)
        if branch.given:
            there = ngettext("distributed there", "distributed there", branch.given)
            row.rows.append(Row(branch.given, "held", there, self.link("given", path)))
        if branch.waiting:
            there = ngettext("not distributed yet", "not distributed yet", branch.waiting)
            row.rows.append(Row(branch.waiting, "away", there, self.link("waiting", path)))
        row.rows += [self.below(further, path) for further in branch.branches if further.total]
        return row


def flat(row: Row, total: int, start: int = 0, closes: int = 0) -> list[Row]:
    """The row and all those below it, drawn, in the order of the page: a template that calls itself costs a second for 1,000."""
    row.draw(start, total)
    found = [row]
    for inner in row.rows:
        last = inner is row.rows[-1]
        found += flat(inner, total, start, closes + 1 if last else 0)
        start += inner.count
    row.closes = range(0 if row.rows else closes)
    return found
