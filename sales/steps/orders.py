"""The moves of an order that several actions share, with its money. Accounts are locked before, products here."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from django.db.models import Count, Sum

from accounts import steps as accounts_steps
from accounts.models import User
from sales.models import Account, Option
from sales.steps import ledger
from tickets import order_steps
from tickets.errors import NoSeatsLeft
from tickets.models import Event, Order, OrderLine, Product, Ticket


def free_of(products: Sequence[Product]) -> dict[int, int]:
    """How many tickets of each product may still be sold or held: its quota less those issued, waited for, and on live option."""
    keys = [product.pk for product in products]
    issued = dict(Ticket.objects.standing().filter(product__in=keys).order_by().values_list("product").annotate(n=Count("pk")))
    awaited = OrderLine.objects.filter(order__state=Order.State.AWAITING, product__in=keys, product__event__cancelled_at=None)
    waiting = dict(awaited.order_by().values_list("product").annotate(n=Sum("quantity")))
    held = Option.objects.held_by_product(keys)
    return {p.pk: p.quota - issued.get(p.pk, 0) - waiting.get(p.pk, 0) - held.get(p.pk, 0) for p in products}


def confirm(account: Account, order: Order, lines: Sequence[OrderLine], *, by: User | None, at: datetime, paid_first: bool = False) -> None:
    """Confirm an order within the quota and the account's limit: debit, match, number, and issue its tickets unless it is to be paid first.

    The products are locked. EventIsCancelled, QuotaExceeded, NoSeatsLeft and LimitPassed leave nothing.
    """
    assert connection.in_atomic_block
    order_steps.require_events(line.product_id for line in lines)
    order_steps.require_quota(lines, free_of([line.product for line in lines]))
    ledger.post_sale(account, order, lines, by=by, at=at)
    order.confirmed_at = at
    order.save(update_fields=["confirmed_at"])
    ledger.match(account)
    waits = paid_first and order.pk in ledger.open_orders(account)
    seats = {} if waits else order_steps.seats_for(lines)
    order_steps.confirm(order, by=by, at=at, state=Order.State.AWAITING if waits else Order.State.CONFIRMED)
    if not waits:
        order_steps.issue(order, lines, seats, by=by)


def tell_ready(order: Order) -> None:
    """Owe the relays of the company the email that tickets are ready."""
    accounts_steps.owe_to_relays([order.company_id], "tickets_ready", {"order": order.pk}, f"order:{order.pk}")


def release_paid(account: Account, *, by: User | None) -> list[Order]:
    """Issue the tickets of orders that waited for a payment and are paid now, save those of cancelled events.

    One that finds no free seat goes on waiting.
    """
    unpaid = ledger.open_orders(account)
    waiting = Order.objects.filter(company=account.company_id, state=Order.State.AWAITING).exclude(pk__in=unpaid).order_by("pk")
    found = list(waiting.select_for_update(of=("self",)))
    order_steps.lock_products(OrderLine.objects.filter(order__in=found).values_list("product", flat=True))
    due = OrderLine.objects.filter(order__in=found, product__event__cancelled_at=None)
    lines = list(due.select_related("product__event").order_by("order", "product", "pk"))
    released = []
    for order in found:
        theirs = [line for line in lines if line.order_id == order.pk]
        try:
            seats = order_steps.seats_for(theirs)
        except NoSeatsLeft:
            continue
        order.state = Order.State.CONFIRMED
        order.save(update_fields=["state"])
        order_steps.issue(order, theirs, seats, by=by)
        tell_ready(order)
        released.append(order)
    return released


def credit(accounts: dict[int, Account], tickets: Sequence[Ticket], *, by: User, at: datetime) -> None:
    """Credit whoever bought these cancelled tickets, order by order, whichever company has them now."""
    counted: dict[Order, dict[int, int]] = {}
    for ticket in tickets:
        lines = counted.setdefault(ticket.order_line.order, {})
        lines[ticket.order_line_id] = lines.get(ticket.order_line_id, 0) + 1
    for order, lines in sorted(counted.items(), key=lambda pair: pair[0].pk):
        ledger.post_cancellation(accounts[order.company_id], order, lines, by=by, at=at)
    for account in accounts.values():
        ledger.match(account)


def credit_awaiting(accounts: dict[int, Account], event: Event, *, by: User, at: datetime) -> None:
    """Credit what waits for its payment and will not be issued, as its event is cancelled. An order of nothing else is cancelled."""
    waiting = Order.objects.filter(state=Order.State.AWAITING, lines__product__event=event).distinct().order_by("pk")
    for order in waiting:
        stood = ledger.standing(order)
        gone = order.lines.filter(product__event=event).values_list("pk", flat=True)
        ledger.post_cancellation(accounts[order.company_id], order, {pk: stood[pk] for pk in gone}, by=by, at=at)
        if not any(ledger.standing(order).values()):
            order.state = Order.State.CANCELLED
            order.save(update_fields=["state"])
