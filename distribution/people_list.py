"""What a list of people would do, row by row, before anything is done: who is new, known, served already, or refused."""

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256

from django.core.exceptions import ValidationError
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Company
from members import people
from members.models import Group, Member
from members.people import Person
from portal.sheets import Rows
from tickets.models import Product, Ticket

HEADINGS = people.HEADINGS | {
    "quantity": {"billets", "nombre", "nombre de billets", "quantite", "nb", "qte", "tickets", "quantity", "number", "places"},
}
LABELS = people.LABELS | {"quantity": gettext_lazy("How many tickets")}


@dataclass
class Line(Person):
    """One row: who, how many tickets of the product that person is to hold, and what it means."""

    typed: str = "1"
    quantity: int = 0
    held: int = 0
    without: bool = False  # the tickets did not reach down to this line

    @property
    def lacks(self) -> int:
        return 0 if self.error else max(0, self.quantity - self.held)

    @property
    def gets(self) -> int:
        return 0 if self.without else self.lacks

    @property
    def verdict(self) -> str:
        if self.error:
            return "refused"
        if self.without:
            return "without"
        if not self.gets:
            return "unchanged"
        return "known" if self.member else "new"

    def check(self) -> None:
        super().check()
        number = self.typed.strip()
        self.quantity = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
        if self.quantity < 1:
            raise ValidationError(_("“%(text)s” is no number of tickets.") % {"text": self.typed[:20]})


def lines_of(rows: Rows, columns: list[str], skip: int) -> list[Line]:
    """The people of the rows, as typed, under the columns chosen. A row without a number means one ticket."""
    return [
        Line(
            number,
            cells.get("first_name", ""),
            cells.get("last_name", ""),
            cells.get("email", ""),
            typed=cells.get("quantity", "") or "1",
        )
        for number, cells in people.cells_of(rows, columns, skip)
    ]


def judge(lines: list[Line], company: Company, product: Product, *, shares: bool) -> list[Line]:
    """Write on each line what is wrong with it, whom it means and what she holds already; in three queries."""
    people.check(lines)
    sound = [line for line in lines if not line.error]
    people.recognise(sound, company, shares=shares)
    count_held(sound, company, product)
    return lines


def count_held(lines: list[Line], company: Company, product: Product) -> None:
    """How many tickets of the product each one's member holds."""
    held = Ticket.objects.filter(product=product, company=company, member__in=[line.member for line in lines if line.member])
    counts = dict(held.standing().order_by().values_list("member").annotate(n=Count("pk")))
    for line in lines:
        line.held = counts.get(line.member.pk, 0) if line.member else 0


def lines_of_group(company: Company, product: Product, group: Group | None, each: int) -> list[Line]:
    """Everybody of a group, or of the whole list, each to hold so many; in the order of the list."""
    members = Member.objects.of(company).filter(groups=group) if group else Member.objects.of(company)
    lines = [
        Line(number, member.first_name, member.last_name, member.email, member, typed=str(each), quantity=each)
        for number, member in enumerate(members.order_by("sort_key", "pk"), 1)
    ]
    count_held(lines, company, product)
    return lines


def left_of(company: Company, product: Product) -> int:
    """How many tickets of the product the company may still give."""
    return Ticket.objects.filter(product=product).left_to_distribute(company).count()


def share_out(lines: list[Line], left: int) -> list[Line]:
    """Serve the lines in their order until one asks for more than is left: from there on nobody gets anything."""
    for line in lines:
        line.without = line.lacks > left
        left = 0 if line.without else left - line.lacks
    return lines


def as_shown(lines: list[Line]) -> str:
    """Who gets how many, to tell whether that is still what a page showed."""
    served = "|".join(f"{line.member.pk}:{line.gets}" for line in lines if line.member and line.gets)
    return sha256(served.encode()).hexdigest()


def totals(lines: list[Line]) -> dict[str, int]:
    """How many lines of each verdict, and how many tickets leave."""
    counts = Counter(line.verdict for line in lines)
    return {verdict: counts[verdict] for verdict in ("new", "known", "unchanged", "without", "refused")} | {
        "gets": sum(line.gets for line in lines)
    }
