import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import Relay, Seller, User
from distribution.errors import NobodyChosen, NotEnoughTickets, OnlyPairsLeft, PairParted, SeatTaken, SomeoneLeft, UndoTooLate
from distribution.models import Distribution, Recipient
from members.models import Member
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Movement, Product, Ticket
from tickets.models.ticket import TicketQuerySet
from tickets.seating import Hall, parted, propose

# What one person gets: the member's key, how many tickets, and which ones if the relay chose seats.
Gift = tuple[int, int, Sequence[int]]


@transaction.atomic(durable=True)
def distribute(*, relay: Relay, product: Product, gifts: Sequence[Gift], message: str, request_key: uuid.UUID) -> Distribution:
    """Give tickets of a product to members of the relay's company, and owe each address one email.

    All or nothing: when stock is short NotEnoughTickets is raised, when a chosen seat is gone SeatTaken.
    The emails leave, and the members see their tickets, when the seller's delay to undo is over.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    members = Member.objects.of(relay.company).in_bulk([pk for pk, _, _ in gifts])
    if not gifts or any(quantity < 1 for _, quantity, _ in gifts) or len(members) != len(gifts):
        raise NobodyChosen
    return give(relay, product, gifts, members, message, request_key)


def give(
    relay: Relay,
    product: Product,
    gifts: Sequence[Gift],
    members: dict[int, Member],
    message: str,
    request_key: uuid.UUID,
    *,
    can_be_undone: bool = True,
    lost: Mapping[str, int] | None = None,
) -> Distribution:
    """The act itself, once who gets what is clear. SomeoneLeft when one of them is no longer on the list.

    `lost` says how many tickets each address has just lost: the same email tells it.
    """
    lock_members(members)
    wanted = sum(quantity for _, quantity, _ in gifts)
    chosen = {pk for *_, seats in gifts for pk in seats}
    parts = [(seats, quantity - len(seats)) for _, quantity, seats in gifts]
    given = pair(gifts, members, lock_stock(relay, product, wanted, chosen, parts))

    at = now()
    undo_until = at + timedelta(seconds=Seller.objects.current().undo_seconds) if can_be_undone else None
    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.DISTRIBUTE,
        request_key=request_key,
        quantity=wanted,
        undo_until=undo_until,
    )
    recipients = [Recipient(distribution=act, member=members[pk], quantity=quantity, message=message) for pk, quantity, _ in gifts]
    owe_letters(recipients, key=str(request_key), at=at, lost=lost)
    Recipient.objects.bulk_create(recipients)
    tickets_steps.distribute(given, by=relay.user, shown_from=undo_until or at, act=act.public_id)
    Member.objects.filter(pk__in=members).update(last_given_at=at)
    return act


def lock_members(members: Collection[int]) -> None:
    """Lock these people of the list: none of them leaves it, or is merged into another, while she is given tickets."""
    rows = Member.objects.filter(pk__in=members, left_on=None).order_by("pk").select_for_update(no_key=True, of=("self",))
    if len(rows.values_list("pk", flat=True)) < len(members):
        raise SomeoneLeft


# What one person, or one batch of paper, takes of a stock: the seats chosen, and how many more.
Part = tuple[Collection[int], int]


def lock_stock(relay: Relay, product: Product, wanted: int, chosen: Collection[int], parts: Sequence[Part] | None = None) -> list[Ticket]:
    """Lock tickets of the company's stock: the chosen ones first, then those of each part in turn."""
    return take_stock(Ticket.objects.filter(product=product).left_to_distribute(relay.company), product, wanted, chosen, parts)


def take_stock(
    stock: TicketQuerySet, product: Product, wanted: int, chosen: Collection[int], parts: Sequence[Part] | None = None
) -> list[Ticket]:
    """Lock so many tickets of these. A second relay waits, then gets the next ones.

    Numbered seats that nobody chose are the best that are left, for each part or for all of them as one; a wheelchair
    place is not parted from its companion's.
    """
    stock = stock.order_by("pk")
    if product.numbered:
        return take_seats(stock.select_related("seat"), product, wanted, parts or [(chosen, wanted - len(chosen))])
    locked = list(lock(stock.filter(pk__in=chosen))) if chosen else []
    if len(locked) < len(chosen):
        raise SeatTaken
    if rest := wanted - len(locked):
        locked += lock(stock.exclude(pk__in=chosen))[:rest]
    if len(locked) < wanted:
        raise NotEnoughTickets(wanted=wanted, available=stock.count())
    return locked


def lock(tickets: TicketQuerySet) -> TicketQuerySet:
    return tickets.select_for_update(of=("self",))


def take_seats(stock: TicketQuerySet, product: Product, wanted: int, parts: Sequence[Part]) -> list[Ticket]:
    """The same for numbered seats. Where some are to be found, all are locked: what is best stays free until it is taken."""
    chosen = {pk for seats, _ in parts for pk in seats}
    locked = list(lock(stock.filter(pk__in=chosen) if len(chosen) == wanted else stock))
    free = {ticket.pk: ticket for ticket in (stock if len(chosen) == wanted else locked)}
    if len(chosen.intersection(ticket.pk for ticket in locked)) < len(chosen):
        raise SeatTaken
    if len(free) < wanted:
        raise NotEnoughTickets(wanted=wanted, available=len(free))
    hall = Hall.of(product.event)
    by_seat = {ticket.seat_id: ticket for pk, ticket in free.items() if pk not in chosen}
    found = propose([ticket.seat for ticket in by_seat.values() if ticket.seat], [rest for _, rest in parts], hall)
    if found is None:
        raise OnlyPairsLeft
    given = [[free[pk].seat for pk in seats] + more for (seats, _), more in zip(parts, found, strict=True)]
    if seat := parted(given, [ticket.seat for ticket in free.values() if ticket.seat], hall):
        raise PairParted(seat)
    return [free[pk] for pk in sorted(chosen)] + [by_seat[seat.pk] for seats in found for seat in seats]


def pair(gifts: Sequence[Gift], members: dict[int, Member], tickets: list[Ticket]) -> list[tuple[Ticket, Member]]:
    """Which ticket goes to whom: the chosen seats to who they were chosen for, the others in order."""
    by_key = {ticket.pk: ticket for ticket in tickets}
    chosen = {pk for *_, seats in gifts for pk in seats}
    others = iter([ticket for ticket in tickets if ticket.pk not in chosen])
    given = []
    for pk, quantity, seats in gifts:
        mine = [by_key[seat] for seat in seats]
        mine += [next(others) for _ in range(quantity - len(mine))]
        given += [(ticket, members[pk]) for ticket in mine]
    return given


def owe_letters(recipients: list[Recipient], *, key: str, at: datetime, lost: Mapping[str, int] | None = None) -> None:
    """One email per address and act, whoever shares the address; none for a member without one.

    None leaves before the act that it tells of can no longer be undone.
    """
    shares: dict[tuple, list[Recipient]] = {}
    for recipient in recipients:
        if recipient.person.email:
            shares.setdefault((recipient.distribution, recipient.person.email), []).append(recipient)
    languages = User.objects.languages({address for _, address in shares})
    letters: list[Delivery] = []
    for (act, address), shared in shares.items():
        refs: dict = {"recipients": [str(recipient.public_id) for recipient in shared]}
        if lost and address in lost:
            refs["lost"] = lost[address]
        letter = outbox_steps.letter(
            "tickets_distributed",
            to=address,
            language=languages.get(address, "fr"),
            refs=refs,
            key=f"{key}:{shared[0].public_id}",
            not_before=max(act.undo_until or at, at),
        )
        letters.append(letter)
        for recipient in shared:
            recipient.delivery = letter
    outbox_steps.owe(letters)


@transaction.atomic(durable=True)
def undo(*, relay: Relay, distribution: Distribution) -> Distribution:
    """Take a distribution back whole before its emails leave: nobody hears of it.

    UndoTooLate once the delay is over. Repeated, it does nothing more.
    """
    relay = Relay.objects.locked(relay)
    act = Distribution.objects.select_for_update(no_key=True).get(pk=distribution.pk, company=relay.company)
    if act.undone_at:
        return act
    moved = Movement.objects.filter(act=act.public_id, kind=Movement.Kind.DISTRIBUTED).values("ticket")
    tickets = Ticket.objects.filter(pk__in=moved, company=relay.company, status__in=["distributed", "printed"], shown_from=act.undo_until)
    locked = list(tickets.order_by("pk").select_for_update(of=("self",)))
    at = now()
    if act.undo_until is None or at >= act.undo_until:
        raise UndoTooLate
    tickets_steps.reclaim(locked, by=relay.user, act=None, kind=Movement.Kind.UNDONE)
    outbox_steps.call_off(act.recipients.filter(delivery__isnull=False).values_list("delivery", flat=True))
    act.undone_at = at
    act.save(update_fields=["undone_at"])
    return act
