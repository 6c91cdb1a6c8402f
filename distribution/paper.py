"""What there is of an act on paper: printouts and how far they have come, sheets to sign, slips."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Min, Prefetch, Q

from accounts.models import Relay
from distribution.actions.printouts import KEPT, MOST_ATTEMPTS
from distribution.models import Distribution, Printout, PrintoutFile
from distribution.paper_forms import PrintForm
from portal.clock import now

# Lines of one document: it renders while one waits, and a larger one takes a worker's memory.
MOST_LINES = 300


@dataclass
class Progress:
    """How far a printout has come, counted in tickets."""

    printout: Printout
    files: Sequence[PrintoutFile]
    at: datetime

    @property
    def done(self) -> int:
        return sum(file.quantity for file in self.files if file.rendered_at)

    @property
    def percent(self) -> int:
        return self.done * 100 // self.printout.quantity

    @property
    def failed(self) -> int:
        """Tickets of files that nobody tries any more."""
        given_up = [
            f for f in self.files if not f.rendered_at and f.attempts >= MOST_ATTEMPTS and f.lease_until and f.lease_until < self.at
        ]
        return sum(file.quantity for file in given_up)

    @property
    def is_ready(self) -> bool:
        return all(file.rendered_at for file in self.files)

    @property
    def is_going(self) -> bool:
        return not self.is_ready and not self.failed

    @property
    def left_out(self) -> int:
        return sum(file.left_out for file in self.files)

    @property
    def until(self) -> datetime:
        return self.printout.at + KEPT


@dataclass
class Paper:
    """An act on paper, as its page shows it."""

    printouts: list[Progress] = field(default_factory=list)
    form: PrintForm | None = None
    sheet_parts: range = range(0)
    sheet_parts_without_email: range = range(0)
    slip_parts: range = range(0)  # of the slip with names
    is_first: bool = True  # whether nobody printed it yet

    @property
    def is_going(self) -> bool:
        return any(progress.is_going for progress in self.printouts)


def on_paper(relay: Relay, act: Distribution) -> Paper | None:
    """For an act that gave tickets to people; None for another kind."""
    if act.kind not in Distribution.GIVING:
        return None
    at = now()
    files = Prefetch("files", PrintoutFile.objects.for_list())
    made = act.printouts.filter(at__gt=at - KEPT).prefetch_related(files)
    printouts = [Progress(printout, list(printout.files.all()), at) for printout in made if printout.files.all()]
    printable = Q(status__in=["distributed", "printed"], company=relay.company)
    counted = act.tickets_given().aggregate(
        given=Count("pk"),
        everybody=Count("pk", filter=printable),
        without_email=Count("pk", filter=printable & Q(member__email="")),
        all_without_email=Count("pk", filter=Q(member__email="")),
    )
    form = PrintForm().offer(counted["everybody"], counted["without_email"]) if counted["everybody"] else None
    is_first = act.kind != Distribution.Kind.HAND_OVER and not act.printouts.exists()
    return Paper(
        printouts,
        form,
        sheet_parts=parts_of(counted["given"]),
        sheet_parts_without_email=parts_of(counted["all_without_email"]) if form and "whom" in form.fields else range(0),
        slip_parts=parts_of(slip_rows(act).count()),
        is_first=is_first,
    )


def parts_of(lines: int) -> range:
    """Numbers of the documents that so many lines make."""
    return range(1, max(0, lines - 1) // MOST_LINES + 2)


def part_of(lines, part: str | None) -> Page:
    """One of those documents: the lines in it, and which part of how many it is."""
    return Paginator(lines, MOST_LINES).get_page(part)


@dataclass
class SlipLine:
    """So many tickets of one face value, to one person where the slip has names."""

    quantity: int
    face_value: Decimal
    first_name: str = ""
    last_name: str = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def total(self) -> Decimal:
        return self.quantity * self.face_value


def slip_rows(act: Distribution):
    """What the act gave and nobody took back, a row for each person and face value, in the order of the tickets."""
    given = act.tickets_given().order_by().values(face_value=F("order_line__unit_price"))
    if act.kind == Distribution.Kind.HAND_OVER:
        people = given.values("face_value", first_name=F("beneficiary_first_name"), last_name=F("beneficiary_last_name"))
        return people.annotate(quantity=Count("pk"), at=Min("number")).order_by("at")
    names = {"first_name": F("member__first_name"), "last_name": F("member__last_name")}
    people = given.values("face_value", "member", at=F("member__sort_key"), **names)
    return people.annotate(quantity=Count("pk")).order_by("at", "member", "-face_value")


def slip_lines(act: Distribution, *, names: bool) -> list[SlipLine]:
    """What the act gave and nobody took back, with its face value: the unit price of its order.

    By person: the member, or whom a ticket on paper was written out to. Without names, by price alone.
    """
    if names:
        return [SlipLine(row["quantity"], row["face_value"], row["first_name"], row["last_name"]) for row in slip_rows(act)]
    given = act.tickets_given().order_by().values(face_value=F("order_line__unit_price"))
    return [SlipLine(**row) for row in given.annotate(quantity=Count("pk")).order_by("-face_value")]
