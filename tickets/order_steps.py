"""The moves of an order that every channel shares. Each needs an open transaction; products are locked by their keys."""

from collections.abc import Iterable, Mapping, Sequence

from django.db import connection

from accounts import steps as accounts_steps
from accounts.models import User
from outbox import steps as outbox_steps
from portal.clock import now
from tickets import steps
from tickets.errors import EventIsCancelled, NoSeatsLeft, QuotaExceeded, TicketIsChecked
from tickets.models import Event, Forward, Order, OrderLine, Product, Seat, Ticket


def lock_products(keys: Iterable[int]) -> list[Product]:
    """These products, locked in the order of their keys.

    Not the keys themselves: a relay who has locked tickets names their product in her act, and whoever cancels waits for the tickets.
    """
    assert connection.in_atomic_block
    return list(Product.objects.filter(pk__in=set(keys)).order_by("pk").select_for_update(no_key=True))


def require_events(products: Iterable[int]) -> None:
    """Nothing more is sold or held of a cancelled event (these products are locked: whoever cancels it waits, or has)."""
    if gone := Event.objects.filter(products__in=set(products), cancelled_at__isnull=False).first():
        raise EventIsCancelled(gone)


def require_quota(lines: Sequence[OrderLine], free: Mapping[int, int]) -> None:
    """No product of these lines is ordered beyond what is free of it (its row is locked)."""
    wanted: dict[int, int] = {}
    for line in lines:
        wanted[line.product_id] = wanted.get(line.product_id, 0) + line.quantity
    for line in lines:
        if wanted[line.product_id] > free[line.product_id]:
            raise QuotaExceeded(line.product, wanted[line.product_id], max(0, free[line.product_id]))


def free_seats(line: OrderLine, taken: Iterable[int] = ()) -> list[Seat]:
    """The first free seats of a numbered product, in the order of the house, but those taken."""
    if not line.product.numbered:
        return []
    given = Ticket.objects.filter(event=line.product.event, seat_taken__isnull=False).values("seat_taken")
    free = Seat.objects.filter(event=line.product.event).exclude(pk__in=given).exclude(pk__in=list(taken))
    seats = list(free.select_for_update()[: line.quantity])
    if len(seats) < line.quantity:
        raise NoSeatsLeft(line.product)
    return seats


def seats_for(lines: Sequence[OrderLine]) -> dict[int, list[Seat]]:
    """Free seats for each line, by its key; NoSeatsLeft when the house has not so many."""
    seats: dict[int, list[Seat]] = {}
    for line in lines:
        seats[line.pk] = free_seats(line, [seat.pk for chosen in seats.values() for seat in chosen])
    return seats


def confirm(order: Order, *, by: User | None, at, state: str) -> None:
    """Number an order and say who confirmed it (the number is a lock: taken after all others)."""
    assert connection.in_atomic_block
    order.number = steps.next_numbers("order", 1)[0]
    order.state, order.confirmed_at, order.confirmed_by = state, at, by
    order.save(update_fields=["number", "state", "confirmed_at", "confirmed_by"])


def issue(order: Order, lines: Sequence[OrderLine], seats: Mapping[int, Sequence[Seat]], *, by: User | None) -> None:
    """The tickets of these lines."""
    numbers = steps.next_numbers("ticket", sum(line.quantity for line in lines))
    for line in lines:
        line.order = order
        steps.issue(line, seats=seats[line.pk], by=by, numbers=numbers[: line.quantity])
        numbers = numbers[line.quantity :]


def cancel(tickets: Sequence[Ticket], *, by: User, key: str) -> list[Ticket]:
    """Cancel locked tickets wherever they are; every level and the members are told once. Those that were not cancelled before.

    TicketIsChecked when one has been checked.
    """
    assert connection.in_atomic_block
    if checked := [t.number for t in tickets if t.status == Ticket.Status.CHECKED]:
        raise TicketIsChecked(checked)
    tickets = [t for t in tickets if t.status != Ticket.Status.CANCELLED]
    pks = [t.pk for t in tickets]
    companies = {t.bought_by_id for t in tickets} | set(Forward.objects.filter(ticket__in=pks).values_list("to_company", flat=True))
    steps.cancel(tickets, by=by)
    accounts_steps.owe_to_relays(companies, "tickets_cancelled", {"tickets": pks}, f"cancel:{key}")
    owe_to_members(tickets, key)
    return tickets


def owe_to_members(tickets: list[Ticket], key: str) -> None:
    """One email per address, whatever the number of tickets and of members who share it."""
    at = now()
    shown = Ticket.objects.filter(pk__in=[t.pk for t in tickets], shown_from__lte=at).exclude(member__email="")
    by_address: dict[str, list[Ticket]] = {}
    for ticket in shown.filter(member__isnull=False).select_related("member").order_by("pk"):
        assert ticket.member is not None
        by_address.setdefault(ticket.member.email, []).append(ticket)
    languages = dict(User.objects.filter(email__in=by_address).values_list("email", "language"))
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "ticket_cancelled",
                to=address,
                language=languages.get(address, "fr"),
                refs={"tickets": [t.pk for t in held]},
                key=f"cancel:{key}:{held[0].pk}",
                not_before=at,
            )
            for address, held in by_address.items()
        ]
    )
