"""What a list of people would change on the company's own, row by row, before anything is done; and that list as rows."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Company
from members import people
from members.forms import SEPARATORS, clean_group
from members.models import Group, Member
from members.people import Person
from portal.sheets import Rows, plain
from portal.text import folded

GROUPS = {
    "site": {"site", "sites", "etablissement", "etablissements"},
    "department": {"service", "services", "departement", "departements", "direction", "department", "departments"},
    "label": {"groupe", "groupes", "group", "groups", "etiquette", "etiquettes", "label", "labels"},
}
HEADINGS = people.HEADINGS | GROUPS
LABELS = people.LABELS | {
    "site": gettext_lazy("Sites"),
    "department": gettext_lazy("Departments"),
    "label": pgettext_lazy("groups", "Labels"),
}
BETWEEN = " | "  # the groups of one person in an exported cell


@dataclass
class Line(Person):
    """One row: who, and what would change for her. `named` are her groups by kind, for each of the columns there is."""

    named: dict[str, list[str]] = field(default_factory=dict)
    gains_address: bool = False
    joins: list[tuple[str, str]] = field(default_factory=list)  # name and kind
    leaves: list[Group] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        if self.error:
            return "refused"
        if self.member is None:
            return "new"
        return "changed" if self.gains_address or self.joins or self.leaves else "unchanged"

    def check(self) -> None:
        super().check()
        self.named = {kind: [clean_group(name) for name in names] for kind, names in self.named.items()}


def lines_of(rows: Rows, columns: list[str], skip: int) -> list[Line]:
    """The people of the rows, as typed, under the columns chosen."""
    lines = []
    for number, cells in people.cells_of(rows, columns, skip):
        read = {name: plain(cell) for name, cell in cells.items()}
        named = {kind: [part for part in re.split(f"[{SEPARATORS}]", read[kind]) if part.strip()] for kind in GROUPS if kind in read}
        lines.append(Line(number, read.get("first_name", ""), read.get("last_name", ""), read.get("email", ""), named=named))
    return lines


def judge(lines: list[Line], company: Company, *, shares: bool, namesakes: bool) -> list[Line]:
    """Write on each line what is wrong with it, whom it means and what changes for her; in five queries."""
    people.check(lines)
    people.recognise([line for line in lines if not line.error], company, shares=shares)
    if not namesakes:
        recognise_by_name([line for line in lines if not line.error], company)
    compare_groups([line for line in lines if not line.error], company)
    return lines


def recognise_by_name(lines: list[Line], company: Company) -> None:
    """Who bears an address that nobody has is known by her name: she gains it if she has none, else it is not written here."""
    lines = [line for line in lines if line.email and line.member is None]
    known: dict[str, list[Member]] = {}
    for member in Member.objects.of(company).filter(sort_key__in={line.key for line in lines}):
        known.setdefault(member.sort_key, []).append(member)
    taken: dict[int, Line] = {}
    for line in lines:
        same = known.get(line.key, [])
        if len(same) == 1 and not same[0].email and same[0].pk not in taken:
            line.member, line.gains_address = same[0], True
            taken[same[0].pk] = line
        elif same:
            words = {"name": same[0], "addresses": ", ".join(member.email or _("no email") for member in same)}
            line.error = _("%(name)s (%(addresses)s) is on your list: correct it there, or say below that they are two people.") % words


def compare_groups(lines: list[Line], company: Company) -> None:
    """Which groups each one joins, and which of the kinds that the list speaks of she leaves."""
    groups = {group.pk: group for group in Group.objects.of(company)}
    by_key = {group.key: group for group in groups.values()}
    rows = Group.members.through.objects.filter(member__in=[line.member for line in lines if line.member], group__company=company)
    within: dict[int, set[int]] = {}
    for member, group in rows.values_list("member", "group"):
        within.setdefault(member, set()).add(group)
    for line in lines:
        now = within.get(line.member.pk, set()) if line.member else set()
        wanted = {folded(name): (name, kind) for kind, names in line.named.items() for name in names}
        line.joins = [named for key, named in wanted.items() if key not in by_key or by_key[key].pk not in now]
        line.leaves = [groups[pk] for pk in sorted(now) if groups[pk].kind in line.named and groups[pk].key not in wanted]


def new_groups(lines: list[Line], company: Company) -> dict[str, tuple[str, str]]:
    """The groups that the list names and the company has not: by folded name, each as first written."""
    found: dict[str, tuple[str, str]] = {}
    for line in lines:
        for name, kind in line.joins:
            found.setdefault(folded(name), (name, kind))
    known = set(Group.objects.of(company).filter(key__in=found).values_list("key", flat=True))
    return {key: named for key, named in found.items() if key not in known}


def totals(lines: list[Line]) -> dict[str, int]:
    """How many lines of each verdict."""
    counts = Counter(line.verdict for line in lines)
    return {verdict: counts[verdict] for verdict in ("new", "changed", "unchanged", "refused")}


def exported(company: Company) -> Iterator[list[str]]:
    """Today's list as rows that `lines_of` reads again without any change."""
    yield [str(label) for label in LABELS.values()]
    for member in Member.objects.of(company).prefetch_related("groups"):
        named: dict[str, list[str]] = {}
        for group in member.groups.all():
            named.setdefault(group.kind, []).append(group.name)
        yield [member.first_name, member.last_name, member.email, *(BETWEEN.join(named.get(kind, [])) for kind in GROUPS)]
