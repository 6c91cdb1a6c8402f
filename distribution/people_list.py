"""What a list of people would do, row by row, before anything is done: who is new, known, served already, or refused."""

from collections import Counter
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Count
from django.utils.translation import gettext as _

from accounts.models import Company
from members.models import Member
from portal.forms import clean_name
from portal.sheets import Rows
from portal.text import canonical_email, folded
from tickets.models import Product, Ticket

HEADINGS = {
    "first_name": {"prenom", "first name", "firstname", "given name"},
    "last_name": {"nom", "nom de famille", "last name", "lastname", "surname", "name"},
    "email": {"email", "e mail", "mail", "courriel", "adresse", "adresse email", "adresse e mail", "adresse mail", "email address"},
    "quantity": {"billets", "nombre", "nombre de billets", "quantite", "nb", "qte", "tickets", "quantity", "number", "places"},
}
FIELDS = list(HEADINGS)


def guess_columns(rows: Rows) -> tuple[list[str], int]:
    """Which field each column is, by its heading or its content, and how many rows stand above the people."""
    for index, row in enumerate(rows[:10]):
        found = [next((field for field, names in HEADINGS.items() if folded(cell) in names), "") for cell in row]
        if len(set(found) - {""}) >= 2:
            return [field if field and field not in found[:i] else "" for i, field in enumerate(found)], index + 1
    columns = [""] * len(rows[0])
    sample = rows[:20]
    with_at = [sum("@" in row[i] for row in sample) for i in range(len(columns))]
    with_digits = [sum(row[i].isdigit() for row in sample) for i in range(len(columns))]
    if max(with_at):
        columns[with_at.index(max(with_at))] = "email"
    if max(with_digits) > len(sample) / 2:
        columns[with_digits.index(max(with_digits))] = "quantity"
    for field in ("first_name", "last_name"):
        if "" in columns:
            columns[columns.index("")] = field
    return columns, 0


@dataclass
class Line:
    """One row: who, how many tickets of the product that person is to hold, and what it means."""

    number: int
    first_name: str
    last_name: str
    email: str
    typed: str
    quantity: int = 0
    member: Member | None = None
    held: int = 0
    error: str = ""

    @property
    def gets(self) -> int:
        return 0 if self.error else max(0, self.quantity - self.held)

    @property
    def verdict(self) -> str:
        if self.error:
            return "refused"
        if not self.gets:
            return "unchanged"
        return "known" if self.member else "new"

    @property
    def key(self) -> str:
        return folded(f"{self.last_name} {self.first_name}")


def lines_of(rows: Rows, columns: list[str], skip: int) -> list[Line]:
    """The people of the rows, as typed, under the columns chosen. A row without a number means one ticket."""
    at = {field: columns.index(field) for field in FIELDS if field in columns}
    lines = []
    for number, row in enumerate(rows[skip:], skip + 1):
        cells = {field: row[column] if column < len(row) else "" for field, column in at.items()}
        if any(cells.values()):
            typed = cells.get("quantity", "") or "1"
            lines.append(
                Line(number, cells.get("first_name", ""), cells.get("last_name", ""), canonical_email(cells.get("email", "")), typed)
            )
    return lines


def judge(lines: list[Line], company: Company, product: Product, *, shares: bool) -> list[Line]:
    """Write on each line what is wrong with it, whom it means and what she holds already; in three queries."""
    for line in lines:
        check(line)
    sound = [line for line in lines if not line.error]
    everyone = Member.objects.of(company)
    by_address: dict[str, list[Member]] = {}
    for member in everyone.filter(email__in={line.email for line in sound if line.email}):
        by_address.setdefault(member.email, []).append(member)
    by_name: dict[str, list[Member]] = {}
    for member in everyone.filter(sort_key__in={line.key for line in sound if not line.email}):
        by_name.setdefault(member.sort_key, []).append(member)
    seen: dict[tuple, Line] = {}
    bearers: dict[str, Line] = {}
    for line in sound:
        identify(line, by_address.get(line.email, []) if line.email else by_name.get(line.key, []), shares)
        who = ("member", line.member.pk) if line.member else (line.email, line.key)
        if who in seen:
            line.error = _("Same person as on row %(row)s: keep one of the two.") % {"row": seen[who].number}
        elif line.email and not shares and line.email in bearers:
            words = {"row": bearers[line.email].number}
            line.error = _("Same address as on row %(row)s under another name: say below that they share it.") % words
        seen.setdefault(who, line)
        bearers.setdefault(line.email, line)
    held = Ticket.objects.filter(product=product, company=company, member__in=[line.member for line in sound if line.member])
    counts = dict(held.standing().order_by().values_list("member").annotate(n=Count("pk")))
    for line in sound:
        line.held = counts.get(line.member.pk, 0) if line.member else 0
    return lines


def check(line: Line) -> None:
    """The cells themselves: names, address, number."""
    try:
        line.first_name, line.last_name = clean_name(line.first_name), clean_name(line.last_name)
        if not line.first_name or not line.last_name:
            raise ValidationError(_("A first name and a last name are needed."))
        if line.email:
            try:
                validate_email(line.email)
            except ValidationError:
                raise ValidationError(_("“%(text)s” is no email address.") % {"text": line.email[:60]}) from None
        number = line.typed.strip()
        line.quantity = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
        if line.quantity < 1:
            raise ValidationError(_("“%(text)s” is no number of tickets.") % {"text": line.typed[:20]})
    except ValidationError as error:
        line.error = error.messages[0]


def identify(line: Line, candidates: list[Member], shares: bool) -> None:
    same = [member for member in candidates if member.sort_key == line.key]
    if len(same) > 1:
        line.error = _("Several colleagues have this name: add the address.")
    elif same:
        line.member = same[0]
    elif candidates and not shares:
        names = ", ".join(str(member) for member in candidates)
        line.error = _("%(names)s already has this address: say below that they share it, or correct it.") % {"names": names}


def totals(lines: list[Line]) -> dict[str, int]:
    """How many lines of each verdict, and how many tickets leave."""
    counts = Counter(line.verdict for line in lines)
    return {verdict: counts[verdict] for verdict in ("new", "known", "unchanged", "refused")} | {"gets": sum(line.gets for line in lines)}
