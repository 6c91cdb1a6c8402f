"""What relays, staff and the clock do to options. The locks: the actor, the account, the product, options, tickets, the series."""

import hashlib
import secrets
import uuid
from datetime import date
from decimal import Decimal

from django.db import transaction

from accounts.models import Relay, User
from portal.clock import now
from sales.actions.basket import locked_buyer, make_order
from sales.actions.orders import lock_actor
from sales.deadlines import deadline_on, latest
from sales.errors import AlreadyAnswered, EventIsOver, NoAccountYet, OptionHoldsFewer, OptionNotLive
from sales.models import CalendarFeed, Option
from sales.steps import ledger, options, orders
from sales.steps.tell import buyers_of, tell, tell_staff
from tickets import order_steps
from tickets.errors import QuotaExceeded
from tickets.models import Order, OrderLine, Product

State = Option.State


def lock_option(key: int) -> Option:
    """An option with its product, the product locked first."""
    order_steps.lock_products(Option.objects.filter(pk=key).values_list("product", flat=True))
    return Option.objects.for_list().select_for_update(of=("self",)).get(pk=key)


@transaction.atomic(durable=True)
def request_option(*, relay: Relay, product: Product, quantity: int, wished_on: date | None, note: str, request_key: uuid.UUID) -> Option:
    """Ask for tickets to be held. The rule may accept at once; with too few free, the request waits for them in its order."""
    relay = locked_buyer(relay)
    if done := Option.objects.filter(asked_by=relay.user, request_key=request_key).first():
        return done
    order_steps.lock_products([product.pk])
    order_steps.require_events([product.pk])
    at = now()
    if latest(product.event) <= at or (wished_on and deadline_on(product.event, wished_on) <= at):
        raise EventIsOver
    option = Option.objects.create(
        company=relay.company,
        product=product,
        quantity=quantity,
        wished_on=wished_on,
        note=note,
        asked_by=relay.user,
        request_key=request_key,
    )
    options.answer_request(option, at=at)
    return option


@transaction.atomic(durable=True)
def accept_option(*, option: int, quantity: int, last_day: date, by: User) -> Option:
    """Staff hold so many tickets until the end of that day, which may differ from what was asked.

    AlreadyAnswered, QuotaExceeded, or EventIsOver when that day is no deadline.
    """
    lock_actor(by)
    found, at = lock_option(option), now()
    if found.state not in (State.REQUESTED, State.WAITING):
        raise AlreadyAnswered
    deadline = deadline_on(found.product.event, last_day)
    if deadline <= at:
        raise EventIsOver
    free = orders.free_of([found.product])[found.product_id]
    if quantity > free:
        raise QuotaExceeded(found.product, quantity, max(0, free))
    options.grant(found, quantity=quantity, deadline=deadline, by=by, at=at)
    return found


@transaction.atomic(durable=True)
def refuse_option(*, option: int, reason: str, by: User) -> Option:
    """Staff refuse a request, with the reason that the company reads."""
    lock_actor(by)
    found, at = lock_option(option), now()
    if found.state not in (State.REQUESTED, State.WAITING):
        raise AlreadyAnswered
    options.end(found, State.REFUSED, at=at, reason=reason, by=by)
    tell(buyers_of(found.company_id), "option_refused", {"option": found.pk}, f"option:{found.pk}", not_before=at)
    return found


@transaction.atomic(durable=True)
def confirm_option(*, relay: Relay, option: Option, quantity: int, price: Decimal, request_key: uuid.UUID) -> Order:
    """Order tickets that a live option holds, at the price that was shown; the others stay held until its deadline.

    OptionNotLive, OptionHoldsFewer, and all that refuses an order.
    """
    relay = locked_buyer(relay)
    if done := Order.objects.filter(confirmed_by=relay.user, request_key=request_key).first():
        return done
    account = ledger.lock_account(relay.company)
    if account.limit is None:
        raise NoAccountYet
    found = still_held(relay, option, quantity)
    found.confirmed += quantity
    options.release(found, quantity, State.CONFIRMED, at=now())
    product = found.product
    line = OrderLine(product=product, quantity=quantity, unit_price=product.price, vat_rate=product.vat_rate)
    return make_order(account, relay, [line], total=price * quantity, request_key=request_key)


def still_held(relay: Relay, option: Option, quantity: int) -> Option:
    """The option locked, and holding so many tickets at this instant."""
    found = lock_option(option.pk)
    if found.company_id != relay.company_id or found.state != State.LIVE or found.deadline is None or found.deadline <= now():
        raise OptionNotLive
    if quantity > found.held:
        raise OptionHoldsFewer(found.held)
    return found


@transaction.atomic(durable=True)
def give_option_back(*, relay: Relay, option: Option, held: int) -> bool:
    """Give back all that an option holds, or withdraw a request. `held` is what the page showed: False when that has changed."""
    relay = locked_buyer(relay)
    found, at = lock_option(option.pk), now()
    open_states = (State.REQUESTED, State.WAITING, State.LIVE)
    if found.company_id != relay.company_id or found.state not in open_states or found.held != held:
        return False
    options.end(found, State.CONFIRMED if found.confirmed else State.GIVEN_BACK, at=at)
    options.offer_freed([found.product])
    return True


@transaction.atomic(durable=True)
def ask_more_time(*, relay: Relay, option: Option, until: date) -> Option:
    """Ask staff, who are told by email, to move the deadline of a live option to the end of that day."""
    relay = locked_buyer(relay)
    found, at = still_held(relay, option, 1), now()
    assert found.deadline is not None
    if deadline_on(found.product.event, until) <= found.deadline:
        raise EventIsOver
    if found.more_time_on != until:  # else it was sent twice
        found.more_time_on = until
        found.save(update_fields=["more_time_on"])
        tell_staff(found, f"option:{found.pk}:{at.isoformat()}", not_before=at)
    return found


@transaction.atomic(durable=True)
def answer_more_time(*, option: int, last_day: date | None, reason: str, by: User) -> Option:
    """Staff move the deadline of a live option, or refuse to with a reason; the company is told."""
    lock_actor(by)
    found, at = lock_option(option), now()
    if found.state != State.LIVE or found.deadline is None or found.deadline <= at or found.more_time_on is None:
        raise AlreadyAnswered
    found.more_time_on, found.reason, found.answered_by = None, "" if last_day else reason, by
    if last_day:
        found.deadline = deadline_on(found.product.event, last_day)
        if found.deadline <= at:
            raise EventIsOver
    found.save(update_fields=["more_time_on", "reason", "answered_by", "deadline"])
    if last_day:
        options.tell_of_deadline(found, at=at)
    else:
        refs = {"option": found.pk, "more_time": True}
        tell(buyers_of(found.company_id), "option_refused", refs, f"option:{found.pk}:{at.isoformat()}", not_before=at)
    return found


def end_lapsed_options() -> int:
    """The sweep: ends what is void, tells its company, and offers what is free again to those waiting. Safe at any time, twice, or late."""
    void = set(Option.objects.past().values_list("product", flat=True))
    wanted = Product.objects.filter(pk__in=Option.objects.waiting().order_by().values("product"), event__valid_until__gt=now())
    free = orders.free_of(list(wanted))  # also when a quota was raised
    return sum(end_lapsed_of(product=key) for key in sorted(void | {key for key, left in free.items() if left > 0}))


@transaction.atomic(durable=True)
def end_lapsed_of(*, product: int) -> int:
    """The same for one product, in one transaction: how many options it was."""
    locked = order_steps.lock_products([product])
    at = now()
    void = Option.objects.filter(product=product, state=State.LIVE, deadline__lte=at).order_by("deadline", "pk")
    found = list(void.for_list().select_for_update(of=("self",)))
    for option in found:
        refs = {"option": option.pk, "quantity": option.held}
        options.end(option, State.LAPSED, at=at)
        tell(buyers_of(option.company_id), "option_lapsed", refs, f"option:{option.pk}", not_before=at)
    options.offer_freed(locked)
    return len(found)


@transaction.atomic(durable=True)
def make_calendar_feed(*, relay: Relay) -> str:
    """A new secret address for her calendar: the token, told this once. The one before is dead."""
    relay = locked_buyer(relay)
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.update_or_create(relay=relay, defaults={"token_hash": hashed(token), "created_at": now()})
    return token


@transaction.atomic(durable=True)
def revoke_calendar_feed(*, relay: Relay) -> None:
    relay = locked_buyer(relay)
    CalendarFeed.objects.filter(relay=relay).delete()


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
