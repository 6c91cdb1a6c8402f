"""An event is cancelled or moved: the money, the options and the orders that wait follow in the same act."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from control.actions import scan
from distribution.actions import forward
from outbox.models import Delivery
from sales import actions
from sales.models import Account, Listing, Option, Terms
from sales.steps import ledger
from tests import factories
from tickets.barcode import encode, signer
from tickets.errors import EventIsCancelled
from tickets.models import Event, Order, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(relay):
    relay.may_buy = True
    relay.save()
    factories.account(relay.company)
    return relay


@pytest.fixture
def staff(db):
    return factories.UserFactory(is_staff=True)


def on_sale(days: int = 60):
    return factories.listing(factories.ProductFactory(quota=20, event__starts_at=timezone.now() + timedelta(days=days))).product


def order(relay, *products, each: int = 2) -> Order:
    actions.fill_basket(relay=relay, quantities={product.pk: each for product in products})
    return actions.place_order(relay=relay, total=38 * each * len(products), request_key=uuid.uuid4())


def ask(relay, product, quantity: int) -> Option:
    values = {"wished_on": None, "note": "", "request_key": uuid.uuid4()}
    return actions.request_option(relay=relay, product=product, quantity=quantity, **values)


def held(relay, product, staff, quantity: int, days: int = 30) -> Option:
    asked = ask(relay, product, quantity)
    return actions.accept_option(option=asked.pk, quantity=quantity, last_day=timezone.localdate() + timedelta(days=days), by=staff)


def cancel(product, staff):
    return actions.cancel_event(event=product.event_id, by=staff, advice="", request_key=uuid.uuid4())


def owed_by(relay) -> Decimal:
    return ledger.owed_by(Account.objects.get(company=relay.company))


def test_whoever_bought_is_credited_wherever_the_tickets_are_and_what_was_checked_stays_due(relay, staff):
    product = on_sale(days=0)
    Event.objects.update(starts_at=timezone.now() + timedelta(hours=1))
    order(relay, product, each=5)
    other = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    forward(relay=relay, product=product, to=other.company, quantity=2, message="", request_key=uuid.uuid4())
    used = factories.given(factories.MemberFactory(company=relay.company), product, 1, by=relay.user)[0]
    device = factories.DeviceFactory(gate__event=product.event)
    assert scan(device=device, code=encode(used, signer()), client_id=uuid.uuid4()).verdict == "admitted"

    cancel(product, staff)
    cancel(product, staff)

    assert owed_by(relay) == 38
    assert not Account.objects.filter(company=other.company).exists()


def test_its_options_end_their_company_is_told_why_and_nothing_more_is_held_or_sold(relay, staff):
    product = on_sale()
    live, waiting = held(relay, product, staff, 15), ask(relay, product, 9)
    requested = ask(relay, product, 3)
    Delivery.objects.all().delete()

    cancel(product, staff)

    for option in (live, waiting, requested):
        option.refresh_from_db()
        assert (option.state, option.held, option.reason) == ("refused", 0, "La séance est annulée.")
    assert list(Delivery.objects.values_list("kind", "recipient")) == [("option_refused", relay.user.email)] * 3
    assert not Listing.objects.open_to(relay.company).exists()
    with pytest.raises(EventIsCancelled):
        ask(relay, product, 1)
    with pytest.raises(EventIsCancelled):
        actions.confirm_order(order=factories.order(relay.company, product, 1).pk, by=staff)


def test_an_order_that_waits_for_its_payment_is_credited_and_only_what_is_left_of_it_issued(relay, staff):
    Terms.objects.create(paid_first_from=0)
    gone, stays = on_sale(), on_sale()
    both, alone = order(relay, gone, stays), order(relay, gone)
    assert {both.state, alone.state} == {"awaiting"}

    cancel(gone, staff)
    factories.pay(relay.company, 76)

    for placed in (both, alone):
        placed.refresh_from_db()
    assert (both.state, alone.state) == ("confirmed", "cancelled")
    assert list(Ticket.objects.values_list("product", flat=True)) == [stays.pk] * 2
    assert owed_by(relay) == 0


def test_no_option_holds_beyond_the_start_of_an_event_that_comes_sooner(relay, staff):
    product = on_sale()
    late, early = held(relay, product, staff, 5), held(relay, product, staff, 5, days=3)
    Delivery.objects.all().delete()
    event = Event.objects.select_related("venue").get()
    times = event.times_around(timezone.now() + timedelta(days=10), event.venue)

    actions.move_event(event=event.pk, by=staff, venue=event.venue, times=times, advice="", request_key=uuid.uuid4())

    deadline = early.deadline
    for option in (late, early):
        option.refresh_from_db()
    assert late.deadline == times["starts_at"] and early.deadline == deadline
    assert Delivery.objects.filter(kind="option_live").count() == 1
