"""Where the tickets of a product are, level by level, as rows of one picture: each starts where the one before it ends."""

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Relay
from tickets.models import Product
from tickets.stock import Branch, Figures


@dataclass
class Row:
    count: int
    kind: str  # of its bar: all, here, held, away
    words: str
    link: str = ""
    gesture: tuple[str, str] | None = None  # an address and its label
    start: int = 0
    rows: list["Row"] = field(default_factory=list)


def where(relay: Relay, product: Product, figures: Figures, *, given: int, on_paper: int, branches: list[Branch]) -> Row:
    """The tree of a company's stock; its numbers add up, save what was unused when the event ended."""
    ids = [relay.company.public_id, product.public_id]
    tickets = reverse("distribution:tickets", args=ids)
    words = ngettext("bought", "bought", figures.bought) if not figures.received else ngettext("received", "received", figures.received)
    if figures.received and figures.bought:
        words = _("bought and received")
    root = Row(figures.total, "all", words, tickets)
    if figures.left:
        here = f"{tickets}?at={relay.company.public_id}&state=available"
        gesture = (reverse("distribution:distribute", args=ids), _("Distribute")) if relay.may_distribute else None
        root.rows.append(Row(figures.left, "here", _("here, to distribute"), here, gesture))
    root.rows += [below(relay, product, branch) for branch in branches if branch.total]
    if given:
        root.rows.append(Row(given, "held", _("with your colleagues"), "#people"))
    if on_paper:
        root.rows.append(Row(on_paper, "held", _("handed over on paper"), "#paper"))
    return placed(root)


def below(relay: Relay, product: Product, branch: Branch) -> Row:
    ids = [relay.company.public_id, product.public_id]
    link = f"{reverse('distribution:tickets', args=ids)}?at={branch.company.public_id}"
    reclaim = (reverse("distribution:reclaim_from", args=[*ids, branch.company.public_id]), _("Reclaim"))
    row = Row(branch.total, "away", _("at %(company)s") % {"company": branch.company}, link, reclaim if relay.may_distribute else None)
    if branch.given:
        row.rows.append(Row(branch.given, "held", ngettext("distributed there", "distributed there", branch.given)))
    if branch.waiting:
        row.rows.append(Row(branch.waiting, "away", ngettext("not distributed yet", "not distributed yet", branch.waiting)))
    row.rows += [below(relay, product, further) for further in branch.branches if further.total]
    return row


def placed(row: Row) -> Row:
    start = row.start
    for inner in row.rows:
        inner.start = start
        placed(inner)
        start += inner.count
    return row
