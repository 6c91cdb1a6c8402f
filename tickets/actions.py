"""What staff do to orders and tickets."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import Max

from accounts import steps as accounts_steps
from accounts.models import User
from outbox import steps as outbox_steps
from portal.clock import now
from tickets import barcode, steps
from tickets.errors import NoSeatsLeft, OrderNotOpen, QuotaExceeded, TicketIsChecked
from tickets.models import Event, Forward, Order, OrderLine, Product, Seat, SigningKey, Ticket


@transaction.atomic(durable=True)
def confirm_order(*, order: int, by: User | None) -> Order:
    """Confirm a draft: issue its tickets, number it, and tell the company's relays that they are ready.

    Whole or not at all: OrderNotOpen, QuotaExceeded and NoSeatsLeft leave the draft as it was.
    """
    found = Order.objects.select_for_update(of=("self",)).select_related("company").get(pk=order)
    if found.state == Order.State.CONFIRMED:
        return found
    lines = list(found.lines.select_related("product__event").order_by("product_id", "pk"))
    if found.state != Order.State.DRAFT or not lines:
        raise OrderNotOpen
    list(Product.objects.filter(pk__in={line.product_id for line in lines}).order_by("pk").select_for_update())
    for line in lines:
        require_quota(line)
    seats = {line.pk: free_seats(line) for line in lines}
    found.number = steps.next_numbers("order", 1)[0]
    found.state, found.confirmed_at, found.confirmed_by = Order.State.CONFIRMED, now(), by
    found.save(update_fields=["number", "state", "confirmed_at", "confirmed_by"])
    numbers = steps.next_numbers("ticket", sum(line.quantity for line in lines))
    for line in lines:
        line.order = found
        steps.issue(line, seats=seats[line.pk], by=by, numbers=numbers[: line.quantity])
        numbers = numbers[line.quantity :]
    accounts_steps.owe_to_relays([found.company_id], "tickets_ready", {"order": found.pk}, f"order:{found.request_key}")
    return found


def require_quota(line: OrderLine) -> None:
    """Tickets issued and not cancelled may never pass the product's quota (its row is locked)."""
    left = line.product.quota - line.product.tickets.standing().count()
    same = sum(other.quantity for other in line.order.lines.all() if other.product_id == line.product_id)
    if same > left:
        raise QuotaExceeded(line.product, same, max(0, left))


def free_seats(line: OrderLine) -> list[Seat]:
    """The first free seats of a numbered product, in the order of the house."""
    if not line.product.numbered:
        return []
    taken = Ticket.objects.standing().filter(event=line.product.event, seat__isnull=False).values("seat")
    seats = list(Seat.objects.filter(event=line.product.event).exclude(pk__in=taken).select_for_update()[: line.quantity])
    if len(seats) < line.quantity:
        raise NoSeatsLeft(line.product)
    return seats


@transaction.atomic(durable=True)
def cancel_tickets(*, tickets: list[int], by: User, key: str) -> int:
    """Cancel these tickets wherever they are; every level and the members are told once. How many it was.

    All or nothing: TicketIsChecked when one has been checked. Those already cancelled are left alone.
    """
    return cancel_locked(list(Ticket.objects.filter(pk__in=tickets).order_by("pk").select_for_update(of=("self",))), by=by, key=key)


@transaction.atomic(durable=True)
def cancel_order(*, order: int, by: User) -> int:
    """Cancel a confirmed order and all its tickets, wherever they are. How many tickets it was."""
    found = Order.objects.select_for_update().get(pk=order)
    if found.state == Order.State.CANCELLED:
        return 0
    if found.state != Order.State.CONFIRMED:
        raise OrderNotOpen
    tickets = list(Ticket.objects.filter(order_line__order=found).order_by("pk").select_for_update(of=("self",)))
    cancelled = cancel_locked(tickets, by=by, key=f"order:{found.request_key}")
    found.state = Order.State.CANCELLED
    found.save(update_fields=["state"])
    return cancelled


def cancel_locked(tickets: list[Ticket], *, by: User, key: str) -> int:
    if checked := [t.number for t in tickets if t.status == Ticket.Status.CHECKED]:
        raise TicketIsChecked(checked)
    tickets = [t for t in tickets if t.status != Ticket.Status.CANCELLED]
    pks = [t.pk for t in tickets]
    companies = {t.bought_by_id for t in tickets} | set(Forward.objects.filter(ticket__in=pks).values_list("to_company", flat=True))
    steps.cancel(tickets, by=by)
    accounts_steps.owe_to_relays(companies, "tickets_cancelled", {"tickets": pks}, f"cancel:{key}")
    owe_to_members(tickets, key)
    return len(tickets)


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


@transaction.atomic(durable=True)
def reissue_ticket(*, ticket: int, by: User) -> Ticket:
    """Give a ticket a new barcode: what was printed is dead. TicketIsChecked when it has been used."""
    found = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket)
    if found.status in (Ticket.Status.CHECKED, Ticket.Status.CANCELLED):
        raise TicketIsChecked([found.number])
    steps.reissue([found], by=by)
    return found


@transaction.atomic(durable=True)
def add_seats(*, event: int, seats: list[dict]) -> int:
    """Add the seats of a pasted list that the event has not yet. How many are new."""
    found = Event.objects.select_for_update().get(pk=event)
    before = found.seats.count()
    Seat.objects.bulk_create([Seat(event=found, **seat) for seat in seats], ignore_conflicts=True)
    return found.seats.count() - before


@transaction.atomic(durable=True)
def create_signing_key() -> str:
    """Register the public half of a new key and return the private seed, in base64, for SIGNING_KEY."""
    key = Ed25519PrivateKey.generate()
    register(key)
    return base64.b64encode(key.private_bytes_raw()).decode()


@transaction.atomic(durable=True)
def register_signing_key() -> SigningKey:
    """Register the public half of the key in the settings, once."""
    return register(barcode.private_key())


def register(key: Ed25519PrivateKey) -> SigningKey:
    public = key.public_key().public_bytes_raw()
    last = SigningKey.objects.aggregate(last=Max("pk"))["last"] or 0
    return SigningKey.objects.get_or_create(public_key=public, defaults={"pk": last + 1})[0]
