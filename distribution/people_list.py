"""What a list of people would do, row by row, before anything is done: who is new, known, served already, or refused."""

from collections import Counter
from collections.abc import Collection
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
    "quantity": {
        *("billets", "nombre", "nombre de billets", "quantite", "nb", "nb billets", "nb de billets", "qte", "places"),
        *("nombre de places", "tickets", "quantity", "number", "number of tickets"),
    },
}
LABELS = people.LABELS | {"quantity": gettext_lazy("How many tickets")}


@dataclass
class Line(Person):
    """One row: who, how many tickets of the product that person is to hold, and what it means."""

    typed: str = "1"
    quantity: int = 0
    held: int = 0
    without: bool = False  # the tickets did not reach down to this line
    namesake: str = ""  # the address of somebody else with this name: the relay may say that they are two
    another: bool = False  # she has said so
    old_email: str | None = None  # the address that this one replaces, perhaps none

    @property
    def lacks(self) -> int:
        return 0 if self.error else max(0, self.quantity - self.held)

    @property
    def gets(self) -> int:
        return 0 if self.without else self.lacks

    @property
    def old_name(self) -> str:
        """How the company's list writes the name, where that is not how this row does. It stays so."""
        return str(self.member) if self.member and str(self.member) != f"{self.first_name} {self.last_name}" else ""

    @property
    def verdict(self) -> str:
        if self.error:
            return "refused"
        if self.without:
            return "without"
        if self.old_name or self.old_email is not None:
            return "changed"
        if not self.gets:
            return "unchanged"
        return "known" if self.member else "new"

    def check(self) -> None:
        super().check()
        number = people.NUMBER.fullmatch(self.typed.strip())
        self.quantity = int(number[1]) if number else 0
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


def judge(lines: list[Line], company: Company, product: Product, *, shares: bool, others: Collection[str] = ()) -> list[Line]:
    """Write on each line what is wrong with it, whom it means and what she holds already; in four queries.

    `others` are the addresses of those who are not whom the list knows by their name, but somebody else.
    """
    count_held(whom(lines, company, shares=shares, others=others), company, product)
    return lines


def whom(lines: list[Line], company: Company, *, shares: bool, others: Collection[str]) -> list[Line]:
    """Write on each line what is wrong with it and whom it means. Those with nothing wrong in themselves."""
    people.check(lines)
    sound = [line for line in lines if not line.error]
    people.recognise(sound, company, shares=shares)
    for line in sound:
        line.another = bool(line.email) and line.email in others
    tell_namesakes(sound, company)
    return sound


def tell_namesakes(lines: list[Line], company: Company) -> None:
    """Whoever has the name of somebody else, on the company's list or in another row, is never silently a second person."""
    strangers = [line for line in lines if not line.member and not line.error]
    namesakes: dict[str, list[Member]] = {}
    for member in Member.objects.of(company).with_owner().filter(sort_key__in={line.key for line in strangers}):
        namesakes.setdefault(member.sort_key, []).append(member)
    named: dict[str, Line] = {}
    meant = {line.member.pk: line for line in lines if line.member}
    for line in lines:
        twin = named.setdefault(line.key, line)
        if line.member or line.error:
            continue
        if found := namesakes.get(line.key):
            line.namesake = ", ".join(member.email or _("no email") for member in found)
            if not line.another:
                readdress(line, found, meant)
        elif twin is not line:
            line.namesake = (twin.email or _("no email")) if line.email else ""
            if not line.email:
                line.error = _("Same name as on row %(row)s: keep one, or give each an address.") % {"row": twin.number}
            elif not line.another:
                line.error = _("Same name as on row %(row)s: keep one, or say that this is somebody else.") % {"row": twin.number}


def readdress(line: Line, namesakes: list[Member], meant: dict[int, Line]) -> None:
    """The one who has the row's name has another address there: it is corrected, as far as the rule of addresses allows."""
    (first, *others) = namesakes
    if others:
        line.error = _("Several colleagues have this name, with other addresses: use one of these, or say that this is somebody else.")
    elif first.pk in meant:
        line.error = _("Same name as on row %(row)s: keep one, or say that this is somebody else.") % {"row": meant[first.pk].number}
    elif first.email and first.owner_has_come:  # type: ignore[attr-defined]
        line.error = _(
            "%(name)s has logged in with %(address)s, which only she or he may change: use it, or say that this is somebody else."
        )
        line.error %= {"name": first, "address": first.email}
    else:
        line.member, line.old_email, meant[first.pk] = first, first.email, line


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
    """How many lines of each verdict, how many addresses are corrected, and how many tickets leave."""
    counts = Counter(line.verdict for line in lines)
    found = {verdict: counts[verdict] for verdict in ("new", "known", "changed", "unchanged", "without", "refused")}
    return found | {"gets": sum(line.gets for line in lines), "corrected": sum(line.old_email is not None for line in lines)}
