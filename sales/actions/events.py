"""What staff do to an event that people bought tickets of. The locks: the actor, the event, accounts, products, options, tickets."""

import uuid
from datetime import datetime

from django.db import transaction

from accounts.models import User
from portal.clock import now
from sales.actions.orders import lock_actor
from sales.models import Account
from sales.steps import ledger, options, orders
from tickets import event_steps, order_steps, steps
from tickets.audience import tell
from tickets.errors import EventIsCancelled, EventIsOver, EventIsThere
from tickets.models import Event, EventChange, OrderLine, Ticket, Venue


@transaction.atomic(durable=True)
def cancel_event(*, event: int, by: User, advice: str, request_key: uuid.UUID) -> EventChange:
    """Cancel an event, with its tickets wherever they are save those checked; every level and every holder is told once.

    Whoever bought is credited, orders that waited for their payment too; its options end. Nothing when it is cancelled
    already: the answer is that cancellation.
    """
    lock_actor(by)
    found, done = event_steps.event_to_change(event, by, request_key)
    if change := done or found.changes.filter(kind=EventChange.Kind.CANCELLED).first():
        return change
    accounts = lock_what_is_sold(found)
    options.end_with_event(found, at=now())
    tickets = event_steps.lock_tickets_of(found)
    at = now()
    change = event_steps.keep(found, EventChange.Kind.CANCELLED, by, advice, request_key)
    found.cancelled_at = at
    found.save(update_fields=["cancelled_at"])
    unused = [t for t in tickets if t.status != Ticket.Status.CHECKED]
    steps.cancel(unused, by=by, act=change.public_id)
    orders.credit_awaiting(accounts, found, by=by, at=at)
    orders.credit(accounts, unused, by=by, at=at)
    tell(change, tickets, at)
    return change


def lock_what_is_sold(event: Event) -> dict[int, Account]:
    """The event's products locked, and before them the account of every company that has ordered some of them.

    A company that orders its first ones meanwhile holds a product while we wait for it: then all is let go, and locked again.
    """
    while True:
        point = transaction.savepoint()
        accounts = ledger.lock_accounts(buyers_of(event))
        order_steps.lock_products(event.products.values_list("pk", flat=True))
        if set(buyers_of(event)) <= set(accounts):
            return accounts
        transaction.savepoint_rollback(point)


def buyers_of(event: Event) -> list[int]:
    lines = OrderLine.objects.filter(product__event=event).exclude(order__state__in=["draft", "cancelled"])
    return list(lines.order_by().values_list("order__company", flat=True).distinct())


@transaction.atomic(durable=True)
def move_event(
    *, event: int, by: User, venue: Venue, times: dict[str, datetime | None], advice: str, request_key: uuid.UUID
) -> EventChange:
    """Move an event to other `times` or another venue; its tickets stay valid, printed ones too, and every holder is told once.

    No option holds beyond its new start. EventIsOver when it would be past, EventIsCancelled, or EventIsThere when nothing changes.
    """
    lock_actor(by)
    found, done = event_steps.event_to_change(event, by, request_key)
    if done:
        return done
    if found.cancelled_at:
        raise EventIsCancelled(found)
    order_steps.lock_products(found.products.values_list("pk", flat=True))
    tickets = event_steps.lock_tickets_of(found)
    at = now()
    if not times["valid_until"] or times["valid_until"] <= at:
        raise EventIsOver
    if found.is_already(venue, times):
        raise EventIsThere
    change = event_steps.keep(found, EventChange.Kind.MOVED, by, advice, request_key)
    Event.objects.filter(pk=found.pk).update(venue=venue, **times)
    options.shorten_to_event(event, at=at)
    tell(change, tickets, at)
    return change
