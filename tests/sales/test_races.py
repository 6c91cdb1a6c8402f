"""Sixteen clients order, hold, confirm and cancel the last fifty places: never fifty-one, never a cent too many."""

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
from sales.models import Entry, Option, Terms
from sales.steps.orders import free_of
from tests import factories
from tests.distribution.test_races import at_once
from tickets.models import Order, Series, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 200 if os.environ.get("RELAIS_LONG") else 1
CLIENTS, ACTS = 16, 4


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
    """Looks all the while: the money sums to zero and no place is sold twice, at every moment."""

    def act():
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
        return looked

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
    thread = threading.Thread(target=lambda: looked.append(at_once(watcher)[0]))
    thread.start()
    results = at_once(*acts)
    stop.set()
    thread.join(30)

    assert results == ["done"] * CLIENTS, results
    assert isinstance(looked[0], int), looked
    assert free_of([product])[product.pk] >= 0
    for series, numbers in (("order", Order.objects), ("ticket", Ticket.objects)):
        given = sorted(numbers.filter(number__isnull=False).values_list("number", flat=True))
        assert given == list(range(1, len(given) + 1))
        assert not given or Series.objects.get(name=series).last == given[-1]
