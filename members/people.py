"""People in rows, of a file or pasted: which column says what, and whom of the company's list each row means."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Company
from members.models import Member
from portal.forms import clean_name
from portal.sheets import ABOVE, Rows
from portal.templatetags.words import full_day
from portal.text import canonical_email, folded

HEADINGS = {
    "first_name": {"prenom", "first name", "firstname", "given name"},
    "last_name": {"nom", "nom de famille", "last name", "lastname", "surname", "name"},
    "email": {"email", "e mail", "mail", "courriel", "adresse", "adresse email", "adresse e mail", "adresse mail", "adresse de courriel"}
    | {"adresse electronique", "email address"},
}
LABELS = {"first_name": gettext_lazy("First name"), "last_name": gettext_lazy("Last name"), "email": gettext_lazy("Email address")}
NUMBER = re.compile(r"([0-9]{1,5})([.,]0+)?")  # 2, or 2,0 as a spreadsheet may write it


def guess_columns(rows: Rows, headings: Mapping[str, set[str]], *, digits: str = "") -> tuple[list[str], int]:
    """Which field each column is, by its heading or its content, and how many rows stand above the people.

    `digits` is the field that a column of numbers is.
    """
    for index, row in enumerate(rows[:ABOVE]):
        found = [next((field for field, names in headings.items() if folded(cell) in names), "") for cell in row]
        if len(set(found) - {""}) >= 2:
            return [field if field and field not in found[:i] else "" for i, field in enumerate(found)], index + 1
    columns = [""] * len(rows[0])
    sample = [row for row in rows[: 2 * ABOVE] if any(row)]
    with_at = [sum("@" in row[i] for row in sample) for i in range(len(columns))]
    with_digits = [sum(bool(NUMBER.fullmatch(row[i])) for row in sample) for i in range(len(columns))]
    if max(with_at):
        columns[with_at.index(max(with_at))] = "email"
    if digits and max(with_digits) > len(sample) / 2:
        columns[with_digits.index(max(with_digits))] = digits
    for field in ("first_name", "last_name"):
        if "" in columns:
            columns[columns.index("")] = field
    return columns, 0


def columns_of(rows: Rows, headings: Mapping[str, set[str]], data, *, fresh: bool, digits: str = "") -> tuple[list[str], int]:
    """The columns as chosen on the page; as guessed for a list that it has not shown yet."""
    guessed, skip = guess_columns(rows, headings, digits=digits)
    chosen = [data.get(f"column-{index}") for index in range(len(guessed))]
    if fresh or None in chosen or f"column-{len(guessed)}" in data:
        return guessed, skip
    return [field if field in headings and field not in chosen[:i] else "" for i, field in enumerate(chosen)], skip


def samples(rows: Rows, columns: list[str]) -> list[tuple[int, str, list[str]]]:
    """Each column as the page shows it: its place, what it is taken for, and its first cells."""
    return [(index, column, [row[index] for row in rows if row[index]][:3]) for index, column in enumerate(columns)]


def cells_of(rows: Rows, columns: list[str], skip: int) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each row with anything in it, and its cells by field."""
    at = {field: index for index, field in enumerate(columns) if field}
    for number, row in enumerate(rows[skip:], skip + 1):
        cells = {field: row[column] if column < len(row) else "" for field, column in at.items()}
        if any(cells.values()):
            yield number, cells


class Doubt(NamedTuple):
    """A domain to look at again, and the familiar one that was perhaps meant."""

    domain: str
    near: str = ""


@dataclass
class Person:
    """Who a row is about, as typed, and which member that is."""

    number: int
    first_name: str
    last_name: str
    email: str
    member: Member | None = None
    error: str = ""
    doubt: Doubt | None = None

    @cached_property
    def key(self) -> str:
        """Asked once its cells are checked."""
        return folded(f"{self.last_name} {self.first_name}")

    def check(self) -> None:
        """The cells themselves: ValidationError says what is wrong with one."""
        self.first_name, self.last_name = clean_name(self.first_name), clean_name(self.last_name)
        if not self.first_name or not self.last_name:
            raise ValidationError(_("A first name and a last name are needed."))
        self.email = canonical_email(self.email)
        if self.email:
            try:
                validate_email(self.email)
            except ValidationError:
                raise ValidationError(_("“%(text)s” is no email address.") % {"text": self.email[:60]}) from None


def check(people: Sequence[Person]) -> None:
    """Write on each row what is wrong with its own cells."""
    for person in people:
        try:
            person.check()
        except ValidationError as error:
            person.error = error.messages[0]


def recognise(people: Sequence[Person], company: Company, *, shares: bool) -> None:
    """Write on each row, sound so far, whom of the company's list it means, or why that cannot be said; in two queries.

    Same address and same name is the same member; without an address the name alone decides. Who left is found, and refused.
    """
    by_address: dict[str, list[Member]] = {}
    for member in Member.objects.ever_of(company).filter(email__in={p.email for p in people if p.email}):
        by_address.setdefault(member.email, []).append(member)
    by_name: dict[str, list[Member]] = {}
    for member in Member.objects.ever_of(company).filter(sort_key__in={p.key for p in people if not p.email}):
        by_name.setdefault(member.sort_key, []).append(member)
    seen: dict[tuple, Person] = {}
    bearers: dict[str, Person] = {}
    for person in people:
        identify(person, by_address.get(person.email, []) if person.email else by_name.get(person.key, []), shares)
        who = ("member", person.member.pk) if person.member else (person.email, person.key)
        if who in seen:
            person.error = _("Same person as on row %(row)s: keep one of the two.") % {"row": seen[who].number}
        elif person.email and not shares and person.email in bearers:
            words = {"row": bearers[person.email].number}
            person.error = _("Same address as on row %(row)s under another name: say below that they share it.") % words
        seen.setdefault(who, person)
        bearers.setdefault(person.email, person)


def identify(person: Person, candidates: list[Member], shares: bool) -> None:
    """Which of those with the person's address, or with her name when she has none, she is."""
    here = [member for member in candidates if not member.left_on]
    same = [member for member in here if member.sort_key == person.key]
    gone = [member for member in candidates if member.left_on and member.sort_key == person.key]
    if len(same) > 1:
        person.error = _("Several colleagues have this name: add the address.")
    elif same:
        person.member = same[0]
    elif gone:
        words = {"name": gone[-1], "day": full_day(gone[-1].left_on)}
        person.error = _("%(name)s left on %(day)s: put them back on your list first, or take this row out.") % words
    elif here and not shares:
        names = ", ".join(str(member) for member in here)
        person.error = _("%(names)s already has this address: say below that they share it, or correct it.") % {"names": names}
