"""Each constraint of the tables of sales, broken past every form and action: the database says no."""

import uuid
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from sales.actions import issue_due_invoices
from sales.models import Account, BasketLine, Entry, Invoice, Listing, Option, Payment, PostedLine, Posting, Settlement, Terms
from tests import factories
from tests.sales.test_invoices import written_by_law
from tickets.models import OrderLine

pytestmark = pytest.mark.django_db


def again(row, **fields):
    """The same row once more, with other values here and there."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
    if "public_id" in values:
        values["public_id"] = uuid.uuid4()
    return lambda: type(row).objects.bulk_create([type(row)(**values | fields)])


def change(model, **fields):
    return lambda: model.objects.update(**fields)


def test_the_database_refuses_what_no_row_of_sales_may_be(relay):
    written_by_law()
    factories.account(relay.company, address="1, rue A")
    product = factories.stock(relay.company, 2)
    factories.pay(relay.company, 20)
    issue_due_invoices()
    at = timezone.now()
    factories.listing(product, from_at=at, until_at=at + timedelta(days=1))
    line = BasketLine.objects.create(relay=relay, product=product, quantity=1)
    option = Option.objects.create(company=relay.company, product=product, quantity=1, asked_by=relay.user, request_key=uuid.uuid4())
    sale, paid = Posting.objects.get(kind="sale"), Posting.objects.get(kind="payment")
    entry, posted, settled = Entry.objects.first(), PostedLine.objects.get(), Settlement.objects.get()
    payment, other_line = Payment.objects.get(), OrderLine.objects.get()
    other_line.pk = None
    other_line.save()

    broken = {
        "there_is_one_set_of_terms": lambda: Terms.objects.bulk_create([Terms(pk=2)]),
        "a_sale_begins_before_it_ends": change(Listing, until_at=at),
        "a_product_is_once_in_a_basket": again(line),
        "a_basket_line_has_a_quantity": change(BasketLine, quantity=0),
        "a_prepaid_account_has_no_credit": change(Account, kind="prepaid", limit=1),
        "a_limit_is_not_negative": change(Account, limit=-1),
        "a_payment_is_of_something": again(payment, amount=0, request_key=uuid.uuid4()),
        "a_payment_is_recorded_once": again(payment),
        "a_posting_names_its_order_or_its_payment": again(sale, payment_id=payment.pk),
        "an_order_is_posted_once": again(sale),
        "a_payment_is_posted_once_and_undone_once": again(paid),
        "an_entry_moves_something": again(entry, amount=0),
        "an_entry_is_in_euros": again(entry, currency="CHF"),
        "a_line_is_posted_once": again(posted),
        "a_posted_line_has_a_quantity": again(posted, quantity=0, order_line_id=other_line.pk),
        "a_payment_settles_an_order_once": again(settled),
        "a_settlement_is_of_something": change(Settlement, amount=0),
        "an_option_is_asked_once": again(option),
        "a_live_option_holds_until_a_deadline": change(Option, state="live"),
        "only_a_live_option_holds": change(Option, held=1),
        "a_number_is_given_once": again(Invoice.objects.get()),
    }

    named = {constraint.name for model in apps.get_app_config("sales").get_models() for constraint in model._meta.constraints}
    assert set(broken) == named
    for name, act in broken.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            act()
