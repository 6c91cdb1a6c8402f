"""Staff confirm and cancel orders: tickets are issued within the quota, numbered without gaps, and people are told."""

import threading

import pytest
from django.db import connection

from outbox.models import Delivery
from sales import actions
from tests import factories
from tickets import actions as tickets_actions
from tickets import steps as tickets_steps
from tickets.errors import NoSeatsLeft, OrderNotOpen, QuotaExceeded, TicketIsChecked
from tickets.models import Order, Seat, Series, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db):
    return factories.UserFactory(is_staff=True, is_superuser=True)


def test_confirming_an_order_issues_its_tickets_and_tells_every_relay(relay, staff):
    colleague = factories.RelayFactory(company=relay.company)
    factories.RelayFactory()
    draft = factories.order(relay.company, factories.ProductFactory(), 35)

    order = actions.confirm_order(order=draft.pk, by=staff)

    assert Ticket.objects.filter(company=relay.company, bought_by=relay.company, status="available").count() == 35
    assert (order.state, order.number) == ("confirmed", 1)
    assert set(Delivery.objects.values_list("kind", "recipient")) == {
        ("tickets_ready", relay.user.email),
        ("tickets_ready", colleague.user.email),
    }


def test_confirming_twice_issues_once(relay, staff):
    draft = factories.order(relay.company, factories.ProductFactory(), 3)

    for _ in range(2):
        actions.confirm_order(order=draft.pk, by=staff)

    assert Ticket.objects.count() == 3


def test_the_quota_is_never_passed_and_a_refusal_leaves_no_gap_in_the_numbers(relay, staff):
    product = factories.ProductFactory(quota=10)
    factories.stock(relay.company, 8, product)
    too_much = factories.order(relay.company, product, 3)

    with pytest.raises(QuotaExceeded, match="il ne reste que 2"):
        actions.confirm_order(order=too_much.pk, by=staff)

    too_much.refresh_from_db()
    assert (too_much.state, too_much.number) == ("draft", None)
    factories.stock(relay.company, 2, product)
    assert list(Ticket.objects.order_by("number").values_list("number", flat=True)) == list(range(1, 11))
    assert Series.objects.get(name="order").last == 2


def test_two_lines_of_one_product_count_together(relay, staff):
    product = factories.ProductFactory(quota=3)
    draft = factories.order(relay.company, product, 2)
    draft.lines.create(product=product, quantity=2, unit_price=product.price, vat_rate=product.vat_rate)

    with pytest.raises(QuotaExceeded):
        actions.confirm_order(order=draft.pk, by=staff)


def test_an_order_without_lines_is_not_confirmed(relay, staff):
    with pytest.raises(OrderNotOpen):
        actions.confirm_order(order=Order.objects.create(company=relay.company).pk, by=staff)


def test_numbered_products_take_free_seats_in_the_order_of_the_house(relay, staff):
    product = factories.ProductFactory(numbered=True)
    Seat.objects.bulk_create(Seat(event=product.event, row="A", number=str(n), place_in_row=n) for n in range(1, 4))

    factories.stock(relay.company, 2, product)
    assert sorted(Ticket.objects.values_list("seat__number", flat=True)) == ["1", "2"]
    with pytest.raises(NoSeatsLeft):
        factories.stock(relay.company, 2, product)


def test_a_cancelled_ticket_frees_its_seat_and_its_place_in_the_quota(relay, staff):
    product = factories.ProductFactory(numbered=True, quota=1)
    Seat.objects.create(event=product.event, row="A", number="1")
    factories.stock(relay.company, 1, product)

    actions.cancel_tickets(tickets=[Ticket.objects.get().pk], by=staff, key="k")
    factories.stock(relay.company, 1, product)

    assert sorted(Ticket.objects.values_list("status", flat=True)) == ["available", "cancelled"]


def test_cancelling_an_order_reaches_tickets_wherever_they_are_and_tells_each_level_once(relay, staff):
    product = factories.stock(relay.company, 3)
    site = factories.RelayFactory()
    zoe = factories.MemberFactory(company=relay.company)
    factories.given(zoe, product, 1, by=relay.user)
    with_site = list(Ticket.objects.filter(status="available"))[:1]
    tickets_steps.forward(with_site, to=site.company, by=None, act=None)
    Delivery.objects.all().delete()

    assert actions.cancel_order(order=Order.objects.get().pk, by=staff) == 3
    assert actions.cancel_order(order=Order.objects.get().pk, by=staff) == 0

    assert set(Ticket.objects.values_list("status", flat=True)) == {"cancelled"}
    told = sorted(Delivery.objects.values_list("kind", "recipient"))
    assert told == sorted(
        [("ticket_cancelled", zoe.email), ("tickets_cancelled", relay.user.email), ("tickets_cancelled", site.user.email)]
    )


def test_an_order_with_a_checked_ticket_is_not_cancelled_at_all(relay, staff):
    product = factories.stock(relay.company, 2)
    (used,) = factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user)
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)

    with pytest.raises(TicketIsChecked, match=str(used.number)):
        actions.cancel_order(order=Order.objects.get().pk, by=staff)

    assert not Ticket.objects.filter(status="cancelled").exists()


def test_reissuing_raises_the_generation_and_a_handed_over_ticket_is_the_companys_again(relay, staff):
    product = factories.stock(relay.company, 2)
    (held,) = factories.printed(factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user))

    tickets_actions.reissue_ticket(ticket=held.pk, by=staff)

    held.refresh_from_db()
    assert (held.generation, held.status, held.printed_generation) == (1, "distributed", None)


@pytest.mark.django_db(transaction=True)
def test_two_orders_confirmed_at_once_never_pass_the_quota_nor_share_a_number(seller):
    product = factories.ProductFactory(quota=15)
    company = factories.CompanyFactory()
    drafts = [factories.order(company, product, 5) for _ in range(6)]
    results = []

    def confirm(draft):
        try:
            results.append(actions.confirm_order(order=draft.pk, by=None).number)
        except QuotaExceeded:
            results.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm, args=[draft]) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(n for n in results if n) == [1, 2, 3]
    assert results.count(None) == 3
    assert sorted(Ticket.objects.values_list("number", flat=True)) == list(range(1, 16))
