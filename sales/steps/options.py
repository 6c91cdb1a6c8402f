"""The moves of options that several actions share: the only writes to Option. Each needs its product locked."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Sum
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from portal.clock import now
from sales.deadlines import deadline_on, last_day_by_rule, latest, reminder_at
from sales.models import Listing, Option, Terms
from sales.steps.orders import free_of
from sales.steps.tell import buyers_of, tell, tell_staff
from tickets.models import Event, Product

State = Option.State


def grant(option: Option, *, quantity: int, deadline: datetime, by: User | None, at: datetime) -> None:
    """Hold tickets until the deadline; tell those who buy for the company, now and before the end."""
    assert connection.in_atomic_block
    option.state, option.granted, option.held, option.deadline = State.LIVE, quantity, quantity, deadline
    option.answered_by, option.reason = by, ""
    option.save(update_fields=["state", "granted", "held", "deadline", "answered_by", "reason"])
    tell_of_deadline(option, at=at)


def tell_of_deadline(option: Option, *, at: datetime) -> None:
    """The letter that says until when it holds, and the reminder: not sent late, nor when the deadline has moved."""
    assert option.deadline is not None
    buyers = list(buyers_of(option.company_id))
    refs, key = {"option": option.pk, "deadline": option.deadline.isoformat()}, f"option:{option.pk}:{at.isoformat()}"
    tell(buyers, "option_live", refs, key, not_before=at)
    remind = reminder_at(option.product.event, option.deadline, Terms.objects.current().remind_days)
    if remind > at:
        tell(buyers, "option_reminder", refs, key, not_before=remind, useful_until=option.deadline)


def end(option: Option, state: str, *, at: datetime, reason: str = "", by: User | None = None) -> None:
    """It holds nothing any more."""
    option.state, option.held, option.ended_at, option.reason = state, 0, at, reason
    option.answered_by = by or option.answered_by
    option.save(update_fields=["state", "held", "ended_at", "reason", "answered_by"])


def release(option: Option, quantity: int, state: str, *, at: datetime) -> None:
    """Take so many tickets out of a live option; it ends in this state with the last one."""
    option.held -= quantity
    if option.held:
        option.save(update_fields=["held", "confirmed"])
    else:
        option.save(update_fields=["confirmed"])
        end(option, state, at=at)


def limit_of(product: Product, terms: Terms) -> int:
    """How many tickets of a product the rule lets one company hold."""
    own = Listing.objects.filter(product=product).values_list("option_limit", flat=True).first()
    return terms.option_limit if own is None else own


def accepted_by_rule(option: Option, quantity: int, *, at: datetime) -> datetime | None:
    """The deadline that the rule gives to so many tickets of an option; None when staff decide."""
    terms, event = Terms.objects.current(), option.product.event
    live = Option.objects.of(option.company).filter(product=option.product).live()
    holds = live.aggregate(n=Sum("held", default=0))["n"]
    if not terms.options_by_rule or holds + quantity > limit_of(option.product, terms):
        return None
    day = last_day_by_rule(event, at, terms)
    deadline = deadline_on(event, min(day, option.wished_on) if option.wished_on else day)
    return deadline if deadline > at else None


def answer_request(option: Option, *, at: datetime) -> None:
    """A new request waits for tickets when too few are free, is accepted by the rule, or waits for staff, who are told."""
    if free_of([option.product])[option.product_id] < option.quantity:
        option.state = State.WAITING
        option.save(update_fields=["state"])
    elif deadline := accepted_by_rule(option, option.quantity, at=at):
        grant(option, quantity=option.quantity, deadline=deadline, by=None, at=at)
    else:
        tell_staff(option, f"option:{option.pk}", not_before=at)


def offer_freed(products: Iterable[Product]) -> None:
    """Offer tickets that have become free to those who wait for them, in their order, each once.

    The rule makes it an option at once, of as many as are free; where staff decide, the request is theirs: they and the company are told.
    """
    assert connection.in_atomic_block
    found = list(products)
    if not Option.objects.waiting().filter(product__in=found).exists():
        return
    at, free = now(), free_of(found)
    for option in Option.objects.filter(product__in=found, state=State.REQUESTED):
        free[option.product_id] -= option.quantity  # staff have to answer these first: nobody is told of the same tickets
    waiting = Option.objects.waiting().filter(product__in=found).select_related("company", "product__event__venue")
    for option in waiting.select_for_update(of=("self",)):
        quantity = min(free[option.product_id], option.quantity)
        if quantity < 1 or latest(option.product.event) <= at:
            continue
        free[option.product_id] -= quantity
        if deadline := accepted_by_rule(option, quantity, at=at):
            grant(option, quantity=quantity, deadline=deadline, by=None, at=at)
        else:
            option.state = State.REQUESTED
            option.save(update_fields=["state"])
            refs = {"option": option.pk, "quantity": quantity}
            tell(buyers_of(option.company_id), "option_free", refs, f"option:{option.pk}", not_before=at)
            tell_staff(option, f"option:{option.pk}", not_before=at)


def end_with_event(event: Event, *, at: datetime) -> None:
    """An event is cancelled: what was held of it or asked for ends, and those who buy for the company read why."""
    open_ones = Option.objects.filter(product__event=event, state__in=[State.REQUESTED, State.WAITING, State.LIVE])
    for option in open_ones.order_by("pk").select_for_update():
        with translation.override(settings.LANGUAGE_CODE):
            end(option, State.REFUSED, at=at, reason=_("The event is cancelled."))
        tell(buyers_of(option.company_id), "option_refused", {"option": option.pk}, f"option:{option.pk}:event", not_before=at)


def shorten_to_event(event: int, *, at: datetime) -> None:
    """An event has moved: nothing is held beyond its start; who buys is told of an earlier deadline."""
    for option in Option.objects.for_list().filter(product__event=event, state=State.LIVE, deadline__gt=at).select_for_update(of=("self",)):
        if option.deadline > latest(option.product.event):
            option.deadline = latest(option.product.event)
            option.save(update_fields=["deadline"])
            tell_of_deadline(option, at=at)
