"""Money: every posting balances, nothing is edited, the limit holds under any concurrency, and each cent is told the same everywhere."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from portal.clock import now
from sales import actions
from sales.errors import LimitPassed, NotSoManyUnused
from sales.models import Account, Entry, Payment, PostedLine, Posting
from sales.statement import late_orders, with_money
from sales.steps import ledger
from tests import factories
from tests.distribution.test_races import at_once
from tickets.models import Order, OrderLine, Product, Ticket
from tickets.money import vat_within

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(seller):
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def company(seller):
    return factories.CompanyFactory()


def owed_by(company) -> Decimal:
    return ledger.owed_by(Account.objects.get(company=company))


def pay(company, amount, *, by, order=None, on=None) -> Payment:
    with transaction.atomic():
        account = ledger.lock_account(company)
        payment = Payment(account=account, amount=Decimal(amount), received_on=on or date.today(), recorded_by=by)  # noqa: DTZ011
        return ledger.receive(payment, order=order, at=now())


def paid(company) -> dict[int, Decimal]:
    return {order.number: order.left for order in with_money(Order.objects.filter(company=company, number__isnull=False))}


def test_confirming_debits_the_company_and_parts_the_vat(company):
    factories.stock(company, 3, factories.ProductFactory(price="38.00", vat_rate="5.50"))

    posting = Posting.objects.get()
    entries = {(e.ledger, str(e.amount)) for e in posting.entries.all()}
    assert entries == {("customer", "114.00"), ("revenue", "-108.06"), ("vat", "-5.94")}
    assert (posting.kind, posting.order, owed_by(company)) == ("sale", Order.objects.get(), Decimal("114.00"))


def test_cancelling_credits_whoever_bought_wherever_the_tickets_are(company, staff):
    product = factories.stock(company, 4)
    relay = factories.RelayFactory(company=company)
    site = factories.CompanyFactory(parent=company)
    factories.given(factories.MemberFactory(company=company), product, 1, by=relay.user)
    with transaction.atomic():
        from tickets import steps as tickets_steps

        tickets_steps.forward(list(Ticket.objects.filter(status="available")[:2]), to=site, by=staff, act=None)

    actions.cancel_tickets(tickets=[t.pk for t in Ticket.objects.filter(company=site)], by=staff, key="a")
    assert owed_by(company) == Decimal("76.00")
    actions.cancel_order(order=Order.objects.get().pk, by=staff)
    assert owed_by(company) == 0
    assert not Account.objects.filter(company=site).exists()


def test_a_part_of_an_order_is_cancelled_once_and_only_what_is_in_hand(company, staff):
    product = factories.stock(company, 5)
    relay = factories.RelayFactory(company=company)
    factories.given(factories.MemberFactory(company=company), product, 3, by=relay.user)
    order, line = Order.objects.get(), OrderLine.objects.get()

    for _ in range(2):
        actions.cancel_part(order=order.pk, quantities={line.pk: 1}, shown={line.pk: 5}, by=staff, key="k")
    assert (owed_by(company), Ticket.objects.standing().count()) == (4 * Decimal(38), 4)
    with pytest.raises(NotSoManyUnused):
        actions.cancel_part(order=order.pk, quantities={line.pk: 2}, shown={line.pk: 4}, by=staff, key="l")
    assert owed_by(company) == 4 * Decimal(38)


@pytest.mark.parametrize("table", ["sales_posting", "sales_entry", "sales_postedline", "sales_payment"])
def test_what_was_posted_is_never_changed_nor_deleted(company, staff, table):
    factories.stock(company, 1)
    pay(company, 5, by=staff)

    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_entries_that_do_not_sum_to_zero_are_refused_at_once(company):
    factories.stock(company, 1)

    with pytest.raises(IntegrityError, match="sum to zero"), transaction.atomic():
        Entry.objects.create(posting=Posting.objects.get(), ledger="bank", amount=1)


def test_every_posting_names_one_order_or_one_payment(company):
    account = factories.account(company)

    with pytest.raises(IntegrityError, match="names_its_order"), transaction.atomic():
        Posting.objects.create(account=account, kind="sale", at=timezone.now())


def test_the_limit_of_credit_and_of_a_deposit_is_never_passed(company, staff):
    factories.account(company, limit=100)
    product = factories.ProductFactory(price="38.00")
    factories.stock(company, 2, product)
    with pytest.raises(LimitPassed, match="24,00"):
        factories.stock(company, 1, product)
    assert Order.objects.filter(state="confirmed").count() == 1

    prepaid = factories.CompanyFactory()
    factories.account(prepaid, kind="prepaid", limit=0)
    with pytest.raises(LimitPassed):
        factories.stock(prepaid, 1, product)
    pay(prepaid, "38.00", by=staff)
    factories.stock(prepaid, 1, product)
    assert owed_by(prepaid) == 0


@pytest.mark.django_db(transaction=True)
def test_the_first_two_orders_of_a_company_open_one_account(seller):
    company = factories.CompanyFactory()
    drafts = [factories.order(company, factories.ProductFactory(), 1) for _ in range(4)]

    at_once(*((lambda key=draft.pk: actions.confirm_order(order=key, by=None)) for draft in drafts))

    assert Account.objects.count() == 1
    assert owed_by(company) == 4 * 38


def test_a_payment_pays_the_order_it_names_then_the_oldest(company, staff):
    product = factories.ProductFactory(price="10.00")
    for quantity in (3, 4, 5):
        factories.stock(company, quantity, product)

    pay(company, 55, by=staff, order=Order.objects.get(number=3))
    assert paid(company) == {1: 25, 2: 40, 3: 0}
    pay(company, 100, by=staff)
    assert (paid(company), owed_by(company)) == ({1: 0, 2: 0, 3: 0}, -35)
    factories.stock(company, 6, product)
    assert paid(company)[4] == 25


def test_a_payment_undone_is_due_again_and_stays_in_the_ledger(company, staff):
    factories.stock(company, 2)
    payment = pay(company, 76, by=staff)

    assert [actions.reverse_payment(payment=payment.pk, by=staff) for _ in range(2)] == [True, False]

    assert (owed_by(company), paid(company)) == (76, {1: 76})
    assert list(Posting.objects.order_by("pk").values_list("kind", flat=True)) == ["sale", "payment", "reversal"]


def test_what_a_cancelled_order_was_paid_with_pays_the_next(company, staff):
    product = factories.ProductFactory(price="10.00")
    factories.stock(company, 3, product)
    pay(company, 30, by=staff)
    actions.cancel_order(order=Order.objects.get().pk, by=staff)
    assert owed_by(company) == -30

    factories.stock(company, 2, product)
    assert (paid(company)[2], owed_by(company)) == (0, -10)


def test_who_is_late_is_who_has_not_paid_the_day_after(company, staff):
    factories.account(company, terms_days=30)
    factories.stock(company, 1)
    today = timezone.localdate()

    assert not late_orders(today + timedelta(days=30))
    (late,) = late_orders(today + timedelta(days=31))
    assert (late.company, late.left) == (company, 38)
    pay(company, 38, by=staff)
    assert not late_orders(today + timedelta(days=31))


def test_half_a_cent_of_vat_counts_as_one():
    assert vat_within(Decimal("0.03"), Decimal(20)) == Decimal("0.01")
    assert vat_within(Decimal("0.15"), Decimal("20")) == Decimal("0.03")


def test_what_was_posted_of_each_line_is_what_was_sold_and_taken_back(company, staff):
    factories.stock(company, 3)
    actions.cancel_tickets(tickets=[Ticket.objects.first().pk], by=staff, key="x")

    assert list(PostedLine.objects.values_list("posting__kind", "quantity")) == [("sale", 3), ("cancellation", 1)]


def test_the_same_order_confirmed_twice_is_posted_once(company, staff):
    draft = factories.order(company, factories.ProductFactory(), 2)
    for _ in range(2):
        actions.confirm_order(order=draft.pk, by=staff)

    assert Posting.objects.count() == 1 and Product.objects.get().tickets.count() == 2
