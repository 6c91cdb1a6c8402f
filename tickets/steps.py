"""The moves of a ticket: the only writes to Ticket, Forward, Movement and Series.

Each needs an open transaction and tickets already locked in the order of their keys, and writes
the movement beside the change.
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Case, Exists, F, OuterRef, PositiveSmallIntegerField, Q, When

from accounts.models import Company, User
from members.models import Member, called
from portal.prepared import all_rows, first_row
from tickets.barcode import Claim
from tickets.models import Event, Forward, Movement, OrderLine, Seat, Series, Ticket
from tickets.models.catalogue import place as seat_place
from tickets.models.ticket import TicketQuerySet, beneficiary

Kind, Status = Movement.Kind, Ticket.Status


def next_numbers(series: str, count: int) -> range:
    """The next numbers of a series without gaps: a rollback gives them back (taken last: it is a lock)."""
    assert connection.in_atomic_block
    table = connection.ops.quote_name(Series._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS series (name, last) VALUES (%s, %s)"  # noqa: S608
            " ON CONFLICT (name) DO UPDATE SET last = series.last + excluded.last RETURNING last",
            [series, count],
        )
        last = cursor.fetchone()[0]
    return range(last - count + 1, last + 1)


# Arrays and not a row of values each: the database plans 5,000 movements as fast as one, and writes their instant itself.
MOVE = """
INSERT INTO tickets_movement
  (kind, actor_id, act, to_company_id, ticket_id, generation, from_company_id, from_member_id, to_member_id)
SELECT %s, %s, %s, %s, * FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[], %s::bigint[])
"""


def record(
    kind: str,
    tickets: Sequence[Ticket],
    *,
    by: User | None,
    act: uuid.UUID | None = None,
    to_members: Sequence[Member | None] | None = None,
    to_company: Company | None = None,
    leaves_company: bool = False,
    leaves_member: bool = False,
) -> None:
    """A movement for each ticket. Its objects still name whom it leaves; their generation is the new one."""
    if not tickets:
        return
    of_each: list[list[int | None]] = [
        [ticket.pk for ticket in tickets],
        [ticket.generation for ticket in tickets],
        [ticket.company_id if leaves_company else None for ticket in tickets],
        [ticket.member_id if leaves_member else None for ticket in tickets],
        [member.pk if member else None for member in to_members] if to_members else [None] * len(tickets),
    ]
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [kind, by.pk if by else None, act, to_company.pk if to_company else None, *of_each])


def issue(line: OrderLine, *, seats: Sequence[Seat], by: User | None, numbers: range) -> list[Ticket]:
    """The tickets of a confirmed order line, available to the company that bought them."""
    assert connection.in_atomic_block
    tickets = Ticket.objects.bulk_create(
        Ticket(
            number=number,
            order_line=line,
            event_id=line.product.event_id,
            product=line.product,
            bought_by=line.order.company,
            company=line.order.company,
            seat=seats[i] if seats else None,
        )
        for i, number in enumerate(numbers)
    )
    record(Kind.ISSUED, tickets, by=by, to_company=line.order.company)
    return tickets


DISTRIBUTE = """
UPDATE tickets_ticket t SET member_id = given.member, status = 'distributed', shown_from = %s
FROM unnest(%s::bigint[], %s::bigint[]) AS given(ticket, member) WHERE t.id = given.ticket
"""


def distribute(given: Sequence[tuple[Ticket, Member]], *, by: User, shown_from: datetime, act: uuid.UUID) -> None:
    """Put available tickets in members' hands; they see them from `shown_from`."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(DISTRIBUTE, [shown_from, [ticket.pk for ticket, _ in given], [member.pk for _, member in given]])
    record(Kind.DISTRIBUTED, [ticket for ticket, _ in given], by=by, act=act, to_members=[member for _, member in given])


def forward(tickets: Sequence[Ticket], *, to: Company, by: User | None, act: uuid.UUID | None) -> None:
    """Give available tickets of one company to another, which distributes them itself."""
    assert connection.in_atomic_block
    pks = [ticket.pk for ticket in tickets]
    levels: dict[int, int] = {}
    for ticket, level in Forward.objects.filter(ticket__in=pks).order_by("level").values_list("ticket", "level"):
        levels[ticket] = level
    Forward.objects.bulk_create(
        Forward(ticket=t, level=levels.get(t.pk, 0) + 1, from_company_id=t.company_id, to_company=to) for t in tickets
    )
    record(Kind.FORWARDED, tickets, by=by, act=act, to_company=to, leaves_company=True)
    Ticket.objects.filter(pk__in=pks).update(company=to)


def renewed() -> dict:
    """The barcode's next generation for what was printed: the prints that exist are dead."""
    return {
        "generation": Case(
            When(printed_generation__isnull=False, then=F("generation") + 1),
            default=F("generation"),
            output_field=PositiveSmallIntegerField(),
        ),
        "printed_generation": None,
    }


def reclaim(tickets: Sequence[Ticket], *, by: User, act: uuid.UUID | None, kind: str = Kind.RECLAIMED, to: Company | None = None) -> None:
    """Back to the company that holds them, or to one above it that forwarded them; available again.

    `kind` undone: the member never hears of it.
    """
    assert connection.in_atomic_block
    pks = [t.pk for t in tickets]
    if to:
        above = Forward.objects.filter(ticket=OuterRef("ticket"), from_company=to, level__lte=OuterRef("level"))
        Forward.objects.filter(Exists(above), ticket__in=pks).delete()
    Ticket.objects.filter(pk__in=pks).update(
        company=to or F("company"),
        member=None,
        beneficiary_first_name="",
        beneficiary_last_name="",
        status=Status.AVAILABLE,
        shown_from=None,
        **renewed(),
    )
    for ticket in tickets:
        ticket.generation += ticket.printed_generation is not None
    record(kind, tickets, by=by, act=act, to_company=to, leaves_company=to is not None, leaves_member=True)


NAME_AS_HOLDERS = """
UPDATE tickets_ticket t SET beneficiary_first_name = m.first_name, beneficiary_last_name = m.last_name FROM members_member m
WHERE m.id = t.member_id AND t.id = ANY(%s) AND t.beneficiary_first_name = '' AND t.beneficiary_last_name = ''
"""


def mark_printed(tickets: Sequence[Ticket], *, by: User | None, act: uuid.UUID | None = None) -> None:
    """The barcodes leave the system, each with the name written on it: the member's where there is no other."""
    assert connection.in_atomic_block
    pks = [t.pk for t in tickets]
    with connection.cursor() as cursor:
        cursor.execute(NAME_AS_HOLDERS, [pks])
    Ticket.objects.filter(pk__in=pks, status=Status.DISTRIBUTED).update(status=Status.PRINTED, printed_generation=F("generation"))
    record(Kind.PRINTED, tickets, by=by, act=act)


HAND_OVER = """
UPDATE tickets_ticket t
SET beneficiary_first_name = written.first, beneficiary_last_name = written.last, status = 'printed', printed_generation = generation
FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS written(ticket, first, last) WHERE t.id = written.ticket
"""


def hand_over(tickets: Sequence[Ticket], names: Sequence[tuple[str, str]], *, by: User, act: uuid.UUID) -> None:
    """Print available tickets at once, each with a beneficiary's name or none, to be given on paper."""
    assert connection.in_atomic_block
    assert len(tickets) == len(names)
    with connection.cursor() as cursor:
        cursor.execute(HAND_OVER, [[ticket.pk for ticket in tickets], [first for first, _ in names], [last for _, last in names]])
    record(Kind.HANDED_OVER, tickets, by=by, act=act)


def rename(ticket: Ticket, *, first_name: str, last_name: str, by: User) -> None:
    """Write another beneficiary. What was printed dies: the next print has a new barcode."""
    assert connection.in_atomic_block
    Ticket.objects.filter(pk=ticket.pk).update(
        beneficiary_first_name=first_name, beneficiary_last_name=last_name, status=Status.DISTRIBUTED, **renewed()
    )
    ticket.generation += ticket.printed_generation is not None
    record(Kind.RENAMED, [ticket], by=by)


def reissue(tickets: Sequence[Ticket], *, by: User) -> None:
    """A new barcode. A ticket handed over on paper has no member to print it again: it is the company's again."""
    assert connection.in_atomic_block
    held = [t.pk for t in tickets if t.member_id]
    paper = [t.pk for t in tickets if not t.member_id and t.status == Status.PRINTED]
    available = [t.pk for t in tickets if t.status == Status.AVAILABLE]
    raised = {"generation": F("generation") + 1, "printed_generation": None}
    Ticket.objects.filter(pk__in=held).update(status=Status.DISTRIBUTED, **raised)
    Ticket.objects.filter(pk__in=paper + available).update(
        status=Status.AVAILABLE, beneficiary_first_name="", beneficiary_last_name="", **raised
    )
    for ticket in tickets:
        ticket.generation += 1
    record(Kind.REISSUED, tickets, by=by)


def merge(tickets: Sequence[Ticket], *, into: Member, by: User) -> None:
    """What a member holds and has not used goes to the member that she is: the same person, so prints stay good."""
    assert connection.in_atomic_block
    Ticket.objects.filter(pk__in=[t.pk for t in tickets]).update(member=into)
    record(Kind.MERGED, tickets, by=by, to_members=[into] * len(tickets), leaves_member=True)


# One round trip for the whole admission: a queue waits for it. "+ 0" keeps the planner, whose statistics know nothing
# of an event on sale since an hour, from reading all its tickets.
ADMISSION = """
WITH admitted AS (
    UPDATE tickets_ticket AS ticket SET status = 'checked' FROM tickets_event AS event
    WHERE ticket.number = %(number)s::bigint AND ticket.event_id + 0 = %(event)s::bigint AND ticket.generation = %(generation)s::int
      AND ticket.status IN ('distributed', 'printed')
      AND event.id = ticket.event_id AND clock_timestamp() BETWEEN event.valid_from AND event.valid_until
      AND (%(entrance)s::text = '' OR EXISTS (
          SELECT FROM tickets_product WHERE id = ticket.product_id AND entrance IN ('', %(entrance)s::text)))
      AND (%(key)s::int IS NULL OR EXISTS (
          SELECT FROM tickets_signingkey WHERE id = %(key)s::int AND public_key = %(public)s::bytea AND revoked_at IS NULL))
      AND {provided}
    RETURNING ticket.*
), kept AS (
    INSERT INTO tickets_movement (ticket_id, kind, generation) SELECT id, 'checked', generation FROM admitted
), beside AS ({beside})
SELECT ticket.id, ticket.number, ticket.generation, ticket.beneficiary_first_name, ticket.beneficiary_last_name, product.category,
  ticket.member_id, member.first_name, member.last_name, ticket.seat_id, seat.block, seat.row, seat.number, beside.*
FROM admitted AS ticket CROSS JOIN beside JOIN tickets_product AS product ON product.id = ticket.product_id
LEFT JOIN members_member AS member ON member.id = ticket.member_id LEFT JOIN tickets_seat AS seat ON seat.id = ticket.seat_id
"""


class Admitted(NamedTuple):
    """A ticket that has just come in: its key, and what a gate says of it."""

    id: int
    number: int
    generation: int
    category: str
    seat: str
    beneficiary: str


@cache
def admission(provided: str, beside: str) -> str:
    return ADMISSION.format(provided=provided, beside=beside)


def check(
    *,
    number: int,
    event: Event,
    generation: int,
    entrance: str = "",
    signed_by: tuple[int, bytes] | None = None,
    provided: str = "true",
    beside: str = "SELECT",
    values: Mapping[str, Any] | None = None,
) -> tuple[Admitted, tuple] | None:
    """Admit this generation of a ticket of the event, once under any concurrency: the conditional UPDATE decides.

    `entrance` narrows to the products that use it; `signed_by` is the key of the code, None for a ticket found by hand.
    It is one statement, whole by itself, and the gate keeps its scan in it: `beside` is SQL that writes something of the
    ticket (`admitted`), `provided` is SQL that must be true, both with these values.
    What `beside` returns comes second; None, and nothing done, when the ticket is not distributed or printed, the event
    does not admit at this instant, or the code's key is not in force.
    """
    key, public = signed_by or (None, None)
    asked = {"number": number, "event": event.pk, "generation": generation, "entrance": entrance, "key": key, "public": public}
    row = first_row(admission(provided, beside), {**asked, **(values or {})})
    if row is None:
        return None
    pk, number, generation, first, last, category, member, member_first, member_last, seat, block, line, place, *rest = row
    holder = called(member_first, member_last) if member else ""
    where = seat_place(block, line, place) if seat else ""
    return Admitted(pk, number, generation, category, where, beneficiary(first, last, holder)), tuple(rest)


# The same for many, in the order of their keys as every lock of tickets. What a gate without network admitted (`earlier`)
# happened before it is told: of the gate's hours only the opening can be asked.
ADMISSIONS = """
WITH wanted AS MATERIALIZED (
    SELECT ticket.id, ticket.number, ticket.generation FROM tickets_event AS event
    CROSS JOIN unnest(%(numbers)b::bigint[], %(generations)b::int[], %(earlier)b::bool[]) AS read(number, generation, earlier)
    JOIN tickets_ticket AS ticket ON ticket.number = read.number AND ticket.generation = read.generation
    WHERE event.id = %(event)s::bigint
      AND clock_timestamp() >= event.valid_from AND (read.earlier OR clock_timestamp() <= event.valid_until)
      AND ticket.event_id + 0 = event.id AND ticket.status IN ('distributed', 'printed')
      AND (%(entrance)s::text = '' OR EXISTS (
          SELECT FROM tickets_product WHERE id = ticket.product_id AND entrance IN ('', %(entrance)s::text)))
    ORDER BY ticket.id FOR NO KEY UPDATE OF ticket
), admitted AS (
    UPDATE tickets_ticket AS ticket SET status = 'checked' FROM wanted WHERE ticket.id = wanted.id
), kept AS (
    INSERT INTO tickets_movement (ticket_id, kind, generation) SELECT id, 'checked', generation FROM wanted
)
SELECT number, id FROM wanted
"""


def check_many(claims: Sequence[Claim], *, event: Event, entrance: str = "", earlier: Sequence[bool]) -> dict[int, int]:
    """Admit many at once, each as `check` would; none is named twice. The keys of the tickets admitted, by number.

    `earlier` says of each whether a gate without network admitted it before now.
    """
    assert connection.in_atomic_block
    asked: dict[str, Any] = {
        "numbers": [claim.number for claim in claims],
        "generations": [claim.generation for claim in claims],
        "earlier": list(earlier),
        "event": event.pk,
        "entrance": entrance,
    }
    return dict(all_rows(ADMISSIONS, asked))


def uncheck(ticket: Ticket, *, by: User | None) -> None:
    """Take back the check of a ticket: what it was before. The movement comes first, without it the database refuses."""
    assert connection.in_atomic_block
    record(Kind.UNCHECKED, [ticket], by=by)
    before = Status.DISTRIBUTED if ticket.printed_generation is None else Status.PRINTED
    Ticket.objects.filter(pk=ticket.pk, status=Status.CHECKED).update(status=before)


def cancel(tickets: Sequence[Ticket], *, by: User, act: uuid.UUID | None = None) -> None:
    """Cancel tickets wherever they are. Each keeps its number; its seat is free again."""
    assert connection.in_atomic_block
    Ticket.objects.filter(pk__in=[t.pk for t in tickets]).update(status=Status.CANCELLED)
    record(Kind.CANCELLED, tickets, by=by, act=act)


def erase_names(tickets: TicketQuerySet) -> int:
    """Forget whom these tickets name, and nothing else of them: a checked one too. How many named somebody."""
    assert connection.in_atomic_block
    named = tickets.exclude(beneficiary_first_name="", beneficiary_last_name="")
    keys = list(named.order_by("pk").select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
    return Ticket.objects.filter(pk__in=keys).update(beneficiary_first_name="", beneficiary_last_name="")


NAMED = """
SELECT t.id FROM tickets_ticket t JOIN tickets_event e ON e.id = t.event_id
JOIN unnest(%s::bigint[], %s::text[]) AS person(company, name)
  ON t.company_id = person.company AND lower(t.beneficiary_first_name || ' ' || t.beneficiary_last_name) = lower(person.name)
WHERE e.valid_until < %s
"""


def erase_names_of(members: Sequence[int], people: Sequence[tuple[int, str]], *, at: datetime) -> None:
    """Forget every name on the tickets that these members hold, and these (company, name) on its tickets of past events."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(NAMED, [[company for company, _ in people], [name for _, name in people], at])
        named = [pk for (pk,) in cursor.fetchall()]
    erase_names(Ticket.objects.filter(Q(member__in=members) | Q(pk__in=named)))


def erase_old_names(before: datetime, limit: int) -> int:
    """Forget the names on tickets whose event was over before an instant, at most so many."""
    named = Ticket.objects.exclude(beneficiary_first_name="", beneficiary_last_name="").filter(event__valid_until__lt=before)
    return erase_names(Ticket.objects.filter(pk__in=named.order_by().values("pk")[:limit]))
