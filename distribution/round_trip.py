"""A product's tickets as a sheet, one a row, and that sheet read again: what it would change, row by row, before anything is done.

Each row carries a version: what the ticket and the cells were when the sheet was made. A row whose cells are still those
asks for nothing, however old the sheet is; of one that was changed, the ticket must still be as it was, or it is left alone.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from hashlib import blake2b, sha256

from django.utils.translation import gettext as _

from accounts.models import Relay
from distribution.history import latest
from distribution.people_list import Line, whom
from distribution.reclaimable import why_not
from members import people
from members.models import Member
from portal.clock import now
from portal.sheets import Rows, Unreadable
from portal.text import canonical_email, folded
from tickets.models import Product, Ticket

HEADINGS = people.HEADINGS | {
    "ticket": {"billet", "numero de billet", "ticket", "ticket number"},
    "version": {"version"},
}
NUMBER = re.compile(r"([0-9]{1,18})([.,]0+)?")
MOST = 25_000  # rows of a sheet; of these as many may be changed at once as a list has
CHANGES = ("give", "move", "reclaim", "corrected")


def sheet_of(relay: Relay, product: Product) -> Iterator[list]:
    """The tickets that the company holds or has given, with who has each."""
    yield [_("Ticket"), _("Seat"), _("First name"), _("Last name"), _("Email address"), _("State"), _("Version")]
    tickets = Ticket.objects.in_sight_of(relay).filter(product=product, company=relay.company).standing()
    for ticket in tickets.select_related("member", "seat").order_by("number"):
        who = cells_of(ticket.member)
        state = _("on paper") if ticket.status == Ticket.Status.PRINTED and not ticket.member else ticket.get_status_display()
        yield [ticket.number, str(ticket.seat or ""), *who, state, f"v{ticket.face}.{mark(*who)}"]


def cells_of(member: Member | None) -> tuple[str, str, str]:
    return (member.first_name, member.last_name, member.email) if member else ("", "", "")


def mark(first_name: str, last_name: str, email: str) -> str:
    """What three cells say, to tell whether they still say it."""
    text = "\n".join([" ".join(first_name.split()), " ".join(last_name.split()), canonical_email(email)])
    return blake2b(text.encode(), digest_size=4).hexdigest()


@dataclass
class Edit:
    """One row of the sheet as it came back, and what it means. `before` is who has the ticket, `person` who is to have it."""

    number: int
    typed: str
    first_name: str
    last_name: str
    email: str
    version: str
    ticket: Ticket | None = None
    person: Line | None = None
    verdict: str = ""  # refused, passed (it has moved meanwhile), one of CHANGES, or done: it is so already
    words: str = ""

    @property
    def is_untouched(self) -> bool:
        return bool(self.version) and self.version.rpartition(".")[2] == mark(self.first_name, self.last_name, self.email)

    @property
    def is_as_shown(self) -> bool:
        """Whether the ticket is as it was when the sheet was made."""
        return self.ticket is not None and self.version.rpartition(".")[0] == f"v{self.ticket.face}"

    @property
    def empties(self) -> bool:
        return not (self.first_name or self.last_name or self.email)

    def refuse(self, words: str) -> None:
        self.verdict, self.words = "refused", words


def edits_of(rows: Rows) -> list[Edit]:
    """The rows under their headings; Unreadable when these are not a sheet of ours."""
    columns, skip = people.guess_columns(rows, HEADINGS)
    if not set(HEADINGS) <= set(columns):
        raise Unreadable(
            _("This is not the sheet of this page, or a heading is missing: export it again, and change only names and addresses.")
        )
    return [
        Edit(number, cells["ticket"], cells["first_name"], cells["last_name"], cells["email"], cells["version"])
        for number, cells in people.cells_of(rows, columns, skip)
    ]


def as_rows(edits: Collection[Edit]) -> Rows:
    """These rows as `edits_of` reads them again."""
    heads = [_("Ticket"), _("First name"), _("Last name"), _("Email address"), _("Version")]
    return [heads, *([e.typed, e.first_name, e.last_name, e.email, e.version] for e in edits)]


def judge(edits: list[Edit], relay: Relay, product: Product, *, shares: bool, others: Collection[str] = ()) -> list[Edit]:
    """Write on each changed row what it would do, what is wrong with it, or why its ticket is left alone; in some ten queries."""
    find_tickets(edits, relay, product)
    sound = [edit for edit in edits if edit.ticket and not edit.verdict]
    find_people([edit for edit in sound if not edit.empties], relay, shares=shares, others=others)
    is_over = product.event.valid_until <= now()
    reasons = why_not([edit.ticket for edit in sound if edit.ticket and edit.ticket.status != Ticket.Status.AVAILABLE])
    for edit in sound:
        decide(edit, reasons, is_over)
    happened = latest([edit.ticket for edit in edits if edit.ticket and edit.verdict == "passed"], relay)
    for edit in edits:
        if edit.ticket and edit.verdict == "passed":
            edit.words = happened[edit.ticket.pk]
    return edits


def find_tickets(edits: list[Edit], relay: Relay, product: Product) -> None:
    for edit in edits:
        edit.ticket, edit.person, edit.verdict, edit.words = None, None, "", ""
    numbers = [int(found[1]) for edit in edits if (found := NUMBER.fullmatch(edit.typed))]
    mine = Ticket.objects.in_sight_of(relay).filter(product=product, number__in=numbers).for_list()
    by_number = {ticket.number: ticket for ticket in mine}
    seen: dict[int, Edit] = {}
    for edit in edits:
        found = NUMBER.fullmatch(edit.typed)
        edit.ticket = by_number.get(int(found[1])) if found else None
        if edit.ticket is None:
            edit.refuse(_("Your structure has no ticket of this number here."))
        elif edit.ticket.pk in seen:
            edit.refuse(_("Same ticket as on row %(row)s: keep one of the two.") % {"row": seen[edit.ticket.pk].number})
        elif edit.version.count(".") != 2:
            edit.refuse(_("Its version is missing: export the sheet again."))
        elif edit.ticket.company_id != relay.company_id:
            edit.verdict = "passed"
        if edit.ticket:
            seen.setdefault(edit.ticket.pk, edit)


def find_people(edits: list[Edit], relay: Relay, *, shares: bool, others: Collection[str]) -> None:
    """Whom the rows name: one line for each person, however many tickets."""
    lines: dict[tuple, Line] = {}
    for edit in edits:
        line = Line(edit.number, edit.first_name, edit.last_name, edit.email)
        key = (canonical_email(edit.email), folded(f"{edit.last_name} {edit.first_name}"))
        edit.person = lines.setdefault(key, line)
    whom(list(lines.values()), relay.company, shares=shares, others=others)


def decide(edit: Edit, reasons: dict[int, str], is_over: bool) -> None:
    ticket, wanted = edit.ticket, edit.person
    assert ticket is not None
    if wanted and wanted.member and ticket.member_id == wanted.member.pk:
        edit.verdict = "corrected" if wanted.old_email is not None else "done"
    elif edit.empties and ticket.status == Ticket.Status.AVAILABLE:
        edit.verdict = "done"
    elif not edit.is_as_shown:
        edit.verdict = "passed"
    elif wanted and wanted.error:
        edit.refuse(wanted.error)
    elif ticket.pk in reasons:
        edit.refuse(reasons[ticket.pk])
    elif ticket.status == Ticket.Status.PRINTED and not ticket.member_id:
        edit.refuse(_("It was handed over on paper: reclaim it first, then give it."))
    elif edit.empties:
        edit.verdict = "reclaim"
    elif is_over:
        edit.refuse(_("This event is over: nobody can come with this ticket any more."))
    else:
        edit.verdict = "give" if ticket.status == Ticket.Status.AVAILABLE else "move"


def people_of(edits: Collection[Edit]) -> list[Line]:
    """Whom these rows give something or correct, each once."""
    found = {id(edit.person): edit.person for edit in edits if edit.person and edit.verdict in CHANGES}
    return list(found.values())


def totals(edits: Collection[Edit]) -> dict[str, int]:
    """How many rows of each verdict; how many tickets are given and taken back in all."""
    counts = Counter(edit.verdict for edit in edits)
    found = {verdict: counts[verdict] for verdict in (*CHANGES, "done", "passed", "refused")}
    return found | {"gives": found["give"] + found["move"], "takes": found["move"] + found["reclaim"]}


def as_shown(edits: Collection[Edit]) -> str:
    """What would be done, to tell whether that is still what a page showed."""
    parts = []
    for edit in edits:
        if edit.ticket and edit.verdict in CHANGES:
            to = edit.person.member.pk if edit.person and edit.person.member else mark(*cells(edit))
            parts.append(f"{edit.ticket.pk}:{edit.verdict}:{to}:{edit.email}")
    return sha256("|".join(sorted(parts)).encode()).hexdigest()


def cells(edit: Edit) -> tuple[str, str, str]:
    return edit.first_name, edit.last_name, edit.email
