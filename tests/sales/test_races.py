"""Many at once: the last places are never sold twice, the limit never passed, and what is sent twice is done once."""

import os
import random
import threading
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from portal.errors import Refused
from sales import actions
from sales.models import Entry, Option, Posting, Terms
from sales.steps import ledger
from sales.steps.orders import free_of
from tests import factories
from tests.distribution.test_races import at_once
from tests.sales.test_invoices import written_by_law
from tickets.models import Order, Series, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 200 if os.environ.get("RELAIS_LONG") else 1
CLIENTS, ACTS = 16, 4
CROWD, LAST = (64, 10) if os.environ.get("RELAIS_LONG") else (8, 3)


def some_acts(relay, product, staff, seed):
    """What one client does, in an order of its own; a refusal is an answer."""

    def act():
        dice = random.Random(seed)
        for _ in range(ACTS):
            quantity = dice.randint(1, 8)
            try:
                match dice.choice(["order", "order", "hold", "hold", "confirm", "give back", "cancel", "lapse"]):
                    case "order":
                        actions.fill_basket(relay=relay, quantities={product.pk: quantity})
                        actions.place_order(relay=relay, total=product.price * quantity, request_key=uuid.uuid4())
                    case "hold":
                        actions.request_option(
                            relay=relay, product=product, quantity=quantity, wished_on=None, note="", request_key=uuid.uuid4()
                        )
                    case "confirm":
                        if option := Option.objects.of(relay.company).live().first():
                            price = product.price
                            actions.confirm_option(relay=relay, option=option, quantity=1, price=price, request_key=uuid.uuid4())
                    case "give back":
                        if option := Option.objects.of(relay.company).live().first():
                            actions.give_option_back(relay=relay, option=option, held=option.held)
                    case "cancel":
                        if order := Order.objects.filter(company=relay.company, state="confirmed").first():
                            actions.cancel_order(order=order.pk, by=staff)
                    case _:
                        Option.objects.of(relay.company).live().update(deadline=timezone.now() - timedelta(seconds=1))
                        actions.end_lapsed_options()
            except Refused:
                pass
        return "done"

    return act


def watch(product, stop):
    """Looks all the while: the money sums to zero and no place is sold twice, at every moment; answers how often it looked."""

    def look():
        looked = 0
        while not stop.is_set() or not looked:
            assert Entry.objects.aggregate(n=Sum("amount", default=Decimal(0)))["n"] == 0
            with connection.cursor() as cursor:  # one statement: one moment
                cursor.execute(
                    "SELECT (SELECT count(*) FROM tickets_ticket WHERE product_id = %s AND status <> 'cancelled') +"
                    " (SELECT coalesce(sum(held), 0) FROM sales_option WHERE product_id = %s AND state = 'live' AND deadline > now())",
                    [product.pk, product.pk],
                )
                assert cursor.fetchone()[0] <= 50
            looked += 1
            stop.wait(0.02)
        return looked

    def act():
        try:
            return look()
        except AssertionError as error:
            return error
        finally:
            connection.close()

    return act


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_the_last_fifty_places_are_never_fifty_one(seller, round_):
    Terms.objects.create(options_by_rule=True, option_limit=30)
    product = factories.listing(factories.ProductFactory(quota=50, event__starts_at=timezone.now() + timedelta(days=90))).product
    staff = factories.UserFactory(is_staff=True)
    companies = factories.CompanyFactory.create_batch(4)
    for company in companies:
        factories.account(company, limit=38 * 20)
    relays = [factories.RelayFactory(company=companies[n % 4], may_buy=True) for n in range(CLIENTS)]
    acts = [some_acts(relay, product, staff, seed=round_ * 1000 + n) for n, relay in enumerate(relays)]

    stop = threading.Event()
    watcher = watch(product, stop)
    looked: list = []
    thread = threading.Thread(target=lambda: looked.append(watcher()))
    thread.start()
    results = at_once(*acts)
    stop.set()
    thread.join(60)

    assert results == ["done"] * CLIENTS, results
    assert isinstance(looked[0], int), looked
    assert free_of([product])[product.pk] >= 0
    for series, numbers in (("order", Order.objects), ("ticket", Ticket.objects)):
        given = sorted(numbers.filter(number__isnull=False).values_list("number", flat=True))
        assert given == list(range(1, len(given) + 1))
        assert not given or Series.objects.get(name=series).last == given[-1]


@pytest.mark.parametrize("round_", range(ROUNDS))
@pytest.mark.parametrize("scarce", ["places", "credit"])
def test_of_a_crowd_ordering_the_last_ones_as_many_are_served_and_the_others_told_why(seller, scarce, round_):
    """TRUST row 16. The last places of one product by as many companies; the last of a company's credit, for as many products."""
    places = scarce == "places"
    company = factories.CompanyFactory()
    event = factories.EventFactory(starts_at=timezone.now() + timedelta(days=60))
    relays = [factories.RelayFactory(company=factories.CompanyFactory() if places else company, may_buy=True) for _ in range(CROWD)]
    kinds = 1 if places else CROWD
    products = [factories.ProductFactory(event=event, category=str(n), price=Decimal(38), quota=LAST) for n in range(kinds)]
    for held in {relay.company for relay in relays}:
        factories.account(held, limit=38 * LAST)
    for product in products:
        factories.listing(product)
    for relay, product in zip(relays, products * (CROWD // kinds), strict=True):
        actions.fill_basket(relay=relay, quantities={product.pk: 1})

    def place(relay):
        return lambda: actions.place_order(relay=relay, total=Decimal(38), request_key=uuid.uuid4())

    results = sorted(type(result).__name__ for result in at_once(*(place(relay) for relay in relays)))

    refusal = "QuotaExceeded" if places else "LimitPassed"
    assert results == sorted(["Order"] * LAST + [refusal] * (CROWD - LAST))
    assert Ticket.objects.count() == LAST and Entry.objects.filter(ledger="customer").aggregate(n=Sum("amount"))["n"] == 38 * LAST


def test_what_is_sent_twice_at_once_and_again_later_is_done_once_with_one_answer(seller):
    """TRUST rows 15 and F12, for every act of sales."""
    staff, relay = factories.UserFactory(is_staff=True), factories.RelayFactory(may_buy=True)
    account = factories.account(relay.company, address="1, rue A")
    written_by_law()
    product = factories.listing(factories.ProductFactory(price=Decimal(38), event__starts_at=timezone.now() + timedelta(days=60))).product
    actions.fill_basket(relay=relay, quantities={product.pk: 5})
    payment = factories.pay(relay.company, 100, by=staff)

    def thrice(act, **values):
        """Its answers: two at once, one later, all with the same request key."""
        answers = [*at_once(*[lambda: act(**values)] * 2), *at_once(lambda: act(**values))]
        return sorted(getattr(answer, "pk", answer) if not isinstance(answer, Refused) else answer.code for answer in answers)

    def key() -> dict:
        return {"request_key": uuid.uuid4()}

    asked = thrice(actions.request_option, relay=relay, product=product, quantity=6, wished_on=None, note="", **key())
    option = Option.objects.get()
    assert asked == [option.pk] * 3
    day = timezone.localdate() + timedelta(days=9)
    accepted = at_once(*[lambda: actions.accept_option(option=option.pk, quantity=6, last_day=day, by=staff)] * 2)
    assert sorted(type(answer).__name__ for answer in accepted) == ["AlreadyAnswered", "Option"]
    assert len(set(thrice(actions.confirm_option, relay=relay, option=option, quantity=4, price=product.price, **key()))) == 1
    assert thrice(actions.give_option_back, relay=relay, option=option, held=2) == [False, False, True]
    (placed,) = set(thrice(actions.place_order, relay=relay, total=product.price * 5, **key()))
    line = Order.objects.get(pk=placed).lines.get().pk
    assert thrice(actions.cancel_part, order=placed, quantities={line: 2}, shown={line: 5}, by=staff, key="k") == [0, 0, 2]
    assert thrice(actions.reverse_payment, payment=payment.pk, by=staff) == [False, False, True]
    assert [len(issued) for issued in thrice(actions.issue_invoices, account=account.pk, by=staff)] == [0, 0, 3]
    assert thrice(actions.cancel_order, order=placed, by=staff) == [0, 0, 3]

    kinds = ["payment", "sale", "sale", "cancellation", "reversal", "cancellation"]
    assert list(Posting.objects.order_by("pk").values_list("kind", flat=True)) == kinds
    assert Ticket.objects.standing().count() == 4 and ledger.owed_by(account) == 38 * 4
