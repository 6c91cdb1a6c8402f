"""Staff enter the order of a phone call with one form, cancel a part of it, and see every channel with its documents."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sales.actions import issue_due_invoices
from sales.models import Account, Posting
from sales.steps import ledger
from tests import factories
from tests.sales.test_invoices import written_by_law
from tickets.models import Order, OrderLine, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(client, settings, relay):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def form_of(company, product, quantity) -> dict:
    lines = {"lines-TOTAL_FORMS": "1", "lines-INITIAL_FORMS": "0", "lines-0-product": product.pk, "lines-0-quantity": quantity}
    return {"company": company.pk, "channel": "phone", "key": str(uuid.uuid4()), **lines}


def test_a_phone_order_is_entered_and_confirmed_with_one_button(as_staff, relay):
    product = factories.ProductFactory()
    form = form_of(relay.company, product, 4) | {"_confirm": "1"}
    for _twice in range(2):
        answer = as_staff.post("/admin/tickets/order/add/", form, follow=True)

    assert "est confirmée" in answer.content.decode()
    assert (Order.objects.count(), OrderLine.objects.count()) == (1, 1)
    assert (Order.objects.get().state, Ticket.objects.count(), ledger.owed_by(Account.objects.get())) == ("confirmed", 4, 152)


def test_a_phone_order_beyond_the_quota_stays_a_draft_and_says_why(as_staff, relay):
    product = factories.ProductFactory(quota=3)
    answer = as_staff.post("/admin/tickets/order/add/", form_of(relay.company, product, 4) | {"_confirm": "1"}, follow=True)

    assert "il ne reste que 3" in answer.content.decode().replace("\xa0", " ")
    assert (Order.objects.get().state, Ticket.objects.count()) == ("draft", 0)


def test_a_part_is_cancelled_from_the_orders_page(as_staff, relay):
    factories.stock(relay.company, 5)
    order, line = Order.objects.get(), OrderLine.objects.get()
    url = f"/admin/tickets/order/{order.pk}/part/"
    assert as_staff.get(url).status_code == 200
    form = {"key": str(uuid.uuid4()), f"cancel-{line.pk}": "2", f"shown-{line.pk}": "5"}

    for _ in range(2):
        as_staff.post(url, form)
    assert Ticket.objects.standing().count() == 3
    for wrong in ("9", "-1", "x"):
        assert as_staff.post(url, form | {f"cancel-{line.pk}": wrong, f"shown-{line.pk}": "3"}).status_code == 200
    assert ledger.owed_by(Account.objects.get()) == 3 * 38
    assert Posting.objects.count() == 2


def test_the_list_has_every_channel_with_its_documents_and_asks_as_often_for_three_as_for_one(as_staff, relay):
    written_by_law()
    factories.account(relay.company, address="1, rue A, 69001 Lyon")

    def look(channel) -> tuple[str, int]:
        factories.stock(relay.company, 1, channel=channel)
        issue_due_invoices()
        with CaptureQueriesContext(connection) as queries:
            return as_staff.get("/admin/tickets/order/").content.decode(), len(queries)

    looks = [look(channel) for channel in ("phone", "box_office", "online")]

    page = looks[-1][0]
    assert page.count("bon de commande") == 3 and page.count("invoice.pdf") == 3 and "F000003" in page
    assert looks[1][1] == looks[2][1]
    assert as_staff.get(f"/admin/tickets/order/{Order.objects.first().pk}/order.pdf").content.startswith(b"%PDF")
