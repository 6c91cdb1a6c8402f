"""What is read from the ledger: what was owed before a period, by when an order is to be paid, and who is late."""

import uuid
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from sales import actions
from sales.models import Account, Invoice, Posting, Terms
from sales.statement import late_orders, statement_of, with_money
from tests import factories
from tests.sales.test_invoices import date_back, written_by_law
from tickets.errors import OrderNotOpen
from tickets.models import Order, OrderLine, Seat

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(seller):
    return factories.CompanyFactory()


def test_a_statement_carries_over_what_was_owed_before_its_first_day(company):
    factories.stock(company, 1)
    date_back(Posting.objects.all(), timezone.now() - timedelta(days=40))
    factories.pay(company, 10)
    account, today = company.account, timezone.localdate()
    before = (today - timedelta(days=60), today - timedelta(days=1))

    told = [statement_of(account, *period) for period in (before, (today, today))]

    assert [(s.before, s.debits, s.credits, s.after) for s in told] == [(0, 38, 0, 38), (38, 0, 10, 28)]


def test_where_invoices_are_monthly_the_delay_begins_with_the_end_of_the_month(company):
    factories.stock(company, 1)
    Order.objects.update(confirmed_at="2028-02-10T12:00Z")
    for billing, due_on in (("order", date(2028, 3, 11)), ("month", date(2028, 3, 30))):
        Account.objects.update(billing=billing, terms_days=30)
        assert with_money(Order.objects.all()).get().due_on == due_on


def test_a_prepaid_account_is_never_late_and_its_invoice_names_no_day(company):
    written_by_law()
    factories.account(company, limit=None, address="1, rue A")
    factories.stock(company, 1)
    assert late_orders(timezone.localdate() + timedelta(days=90))

    Account.objects.update(kind="prepaid", limit=0)
    actions.issue_due_invoices()

    assert not late_orders(timezone.localdate() + timedelta(days=90))
    assert Invoice.objects.get().due_on is None
    Account.objects.update(kind="credit", limit=None)  # it owes more than prepaid accounts may


def test_an_order_cancelled_part_by_part_is_cancelled_and_one_that_waits_has_no_part(company):
    staff = factories.UserFactory(is_staff=True)
    factories.stock(company, 2)
    order, line = Order.objects.get(), OrderLine.objects.get()
    for stood in (2, 1):
        actions.cancel_part(order=order.pk, quantities={line.pk: 1}, shown={line.pk: stood}, by=staff, key=f"{stood}")
    order.refresh_from_db()
    assert order.state == "cancelled"

    factories.stock(company, 1)
    Order.objects.exclude(pk=order.pk).update(state="awaiting")
    other = OrderLine.objects.exclude(pk=line.pk).get()
    with pytest.raises(OrderNotOpen):
        actions.cancel_part(order=other.order_id, quantities={other.pk: 1}, shown={other.pk: 1}, by=staff, key="k")


def test_a_paid_order_whose_seats_are_gone_goes_on_waiting_and_holds_no_other_back(company):
    Terms.objects.create(paid_first_from=0)
    relay = factories.RelayFactory(company=company, may_buy=True)
    factories.account(company)
    for numbered in (True, False):
        product = factories.listing(factories.ProductFactory(numbered=numbered)).product
        if numbered:
            Seat.objects.create(event=product.event, row="A", number="1", place_in_row=1)
        actions.fill_basket(relay=relay, quantities={product.pk: 1})
        actions.place_order(relay=relay, total=Decimal(38), request_key=uuid.uuid4())
    Seat.objects.all().delete()

    factories.pay(company, 76)

    assert list(Order.objects.order_by("pk").values_list("state", flat=True)) == ["awaiting", "confirmed"]
