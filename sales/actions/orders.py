"""What staff do to orders of every channel. The locks: the actor, the account, the order, products, tickets, the series."""

from django.db import transaction

from accounts.models import User
from portal.clock import now
from sales.errors import NotSoManyUnused
from sales.steps import ledger, options, orders
from tickets import order_steps
from tickets.errors import OrderNotOpen
from tickets.models import Order, OrderLine, Ticket


def lock_actor(by: User | None) -> None:
    """Her acts queue here; the clock, and whoever loads data, are nobody."""
    if by:
        User.objects.select_for_update(no_key=True).get(pk=by.pk)


def lock_order(key: int) -> tuple[Order, ledger.Account]:
    """An order with the account of its company, the account locked first."""
    company = Order.objects.values_list("company", flat=True).get(pk=key)
    account = ledger.lock_account(company)
    found = Order.objects.select_for_update(of=("self",)).select_related("company").get(pk=key)
    if found.company_id != company:
        raise OrderNotOpen
    return found, account


@transaction.atomic(durable=True)
def confirm_order(*, order: int, by: User | None) -> Order:
    """Confirm a draft: debit the company, issue the tickets, number it, and tell the relays that they are ready.

    Whole or not at all: OrderNotOpen, QuotaExceeded, NoSeatsLeft and LimitPassed leave the draft as it was.
    """
    lock_actor(by)
    found, account = lock_order(order)
    if found.state in (Order.State.CONFIRMED, Order.State.AWAITING):
        return found
    lines = list(found.lines.select_related("product__event").order_by("product_id", "pk"))
    if found.state != Order.State.DRAFT or not lines:
        raise OrderNotOpen
    order_steps.lock_products(line.product_id for line in lines)
    orders.confirm(account, found, lines, by=by, at=now())
    orders.tell_ready(found)
    return found


@transaction.atomic(durable=True)
def cancel_order(*, order: int, by: User) -> int:
    """Cancel an order and all its tickets, wherever they are; credit its company. How many tickets it was.

    TicketIsChecked when one has been used: then nothing is cancelled.
    """
    lock_actor(by)
    found, account = lock_order(order)
    if found.state == Order.State.CANCELLED:
        return 0
    if found.state not in (Order.State.CONFIRMED, Order.State.AWAITING):
        raise OrderNotOpen
    stood = {pk: n for pk, n in ledger.standing(found).items() if n}
    products = order_steps.lock_products(OrderLine.objects.filter(pk__in=stood).values_list("product", flat=True))
    tickets = list(Ticket.objects.filter(order_line__order=found).order_by("pk").select_for_update(of=("self",)))
    order_steps.cancel(tickets, by=by, key=f"order:{found.pk}")
    if stood:
        ledger.post_cancellation(account, found, stood, by=by, at=now())
    found.state = Order.State.CANCELLED
    found.save(update_fields=["state"])
    ledger.match(account)
    options.offer_freed(products)
    return sum(stood.values())


@transaction.atomic(durable=True)
def cancel_part(*, order: int, quantities: dict[int, int], shown: dict[int, int], by: User, key: str) -> int:
    """Cancel so many tickets of each line (by its key) that nobody was given; credit the company. How many it was.

    `shown` is how many of each stood when it was asked: when that has changed, nothing is done (it was sent twice).
    NotSoManyUnused when fewer are still in the hands of whoever bought them.
    """
    lock_actor(by)
    found, account = lock_order(order)
    stood = ledger.standing(found)
    wanted = {pk: n for pk, n in quantities.items() if n > 0}
    if any(stood.get(pk, 0) != shown.get(pk) for pk in wanted):
        return 0
    if found.state != Order.State.CONFIRMED:
        raise OrderNotOpen
    lines = {line.pk: line for line in found.lines.filter(pk__in=wanted).select_related("product__event")}
    products = order_steps.lock_products(line.product_id for line in lines.values())
    unused = Ticket.objects.filter(order_line__in=wanted, company=found.company, status=Ticket.Status.AVAILABLE)
    locked = list(unused.order_by("pk").select_for_update(of=("self",)))
    tickets: list[Ticket] = []
    for pk in sorted(wanted):
        free = [ticket for ticket in locked if ticket.order_line_id == pk][: wanted[pk]]
        if len(free) < wanted[pk]:
            raise NotSoManyUnused(lines[pk].product, len(free))
        tickets += free
    order_steps.cancel(tickets, by=by, key=key)
    if wanted:
        ledger.post_cancellation(account, found, wanted, by=by, at=now())
    if wanted and not any(ledger.standing(found).values()):
        found.state = Order.State.CANCELLED
        found.save(update_fields=["state"])
    ledger.match(account)
    options.offer_freed(products)
    return len(tickets)


@transaction.atomic(durable=True)
def cancel_tickets(*, tickets: list[int], by: User, key: str) -> int:
    """Cancel these tickets wherever they are; every level and the members are told once, and whoever bought them credited. How many.

    All or nothing: TicketIsChecked when one has been checked. Those already cancelled are left alone.
    """
    lock_actor(by)
    chosen = Ticket.objects.filter(pk__in=tickets)
    accounts = ledger.lock_accounts(chosen.order_by().values_list("bought_by", flat=True))
    products = order_steps.lock_products(chosen.order_by().values_list("product", flat=True))
    locked = list(chosen.select_related("order_line__order").order_by("pk").select_for_update(of=("self",)))
    cancelled = order_steps.cancel(locked, by=by, key=key)
    orders.credit(accounts, cancelled, by=by, at=now())
    options.offer_freed(products)
    return len(cancelled)


def issue_paid_orders() -> int:
    """The clock: issues the tickets of orders that waited for a payment and have it now, from a cancellation too. How many orders."""
    waiting = Order.objects.filter(state=Order.State.AWAITING).order_by("company").values_list("company", flat=True).distinct()
    return sum(issue_paid_of(company=company) for company in list(waiting))


@transaction.atomic(durable=True)
def issue_paid_of(*, company: int) -> int:
    """The same for one company, in one transaction."""
    account = ledger.lock_account(company)
    return len(orders.release_paid(account, by=None))
