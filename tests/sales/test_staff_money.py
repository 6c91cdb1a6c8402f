"""Staff record payments, undo them, see who is late."""

import uuid

import pytest
from django.utils import timezone

from sales.models import Account, Payment, Posting
from sales.steps import ledger
from tests import factories
from tickets.models import Order

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_staff(client, settings, seller):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def form_of(account, **fields) -> dict:
    today = timezone.localdate().isoformat()
    return {"account": account.pk, "method": "transfer", "amount": "38", "received_on": today, "key": str(uuid.uuid4())} | fields


def test_a_payment_sent_twice_is_recorded_once_and_matched_with_the_order_it_names(as_staff, seller):
    company = factories.CompanyFactory()
    for _ in range(2):
        factories.stock(company, 1)
    account = Account.objects.get()
    form = form_of(account, order="2", reference="VIR 12")
    assert as_staff.get("/admin/sales/payment/add/").status_code == 200

    for _ in range(2):
        assert as_staff.post("/admin/sales/payment/add/", form).status_code == 302

    assert (Payment.objects.get().settlements.get().order.number, ledger.owed_by(account)) == (2, 38)
    page = as_staff.get(f"/admin/sales/payment/{Payment.objects.get().pk}/change/").content.decode()
    assert "commande 2 : 38,00" in page.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("amount", "0", "0.01"), ("order", "7", "Aucune commande"), ("order", "other", "autre structure"), ("received_on", "x", "date")],
)
def test_a_wrong_payment_is_refused_in_words(as_staff, seller, field, value, sentence):
    factories.stock(factories.CompanyFactory(), 1)
    account = Account.objects.get()
    if value == "other":
        factories.stock(factories.CompanyFactory(), 1)
        value = "2"

    answer = as_staff.post("/admin/sales/payment/add/", form_of(account, **{field: value}))

    assert answer.status_code == 200 and sentence in answer.content.decode()
    assert not Payment.objects.exists()


def test_a_payment_is_undone_from_the_list(as_staff, seller):
    factories.stock(factories.CompanyFactory(), 1)
    as_staff.post("/admin/sales/payment/add/", form_of(Account.objects.get()))

    as_staff.post("/admin/sales/payment/", {"action": "reverse", "_selected_action": [Payment.objects.get().pk]})

    assert list(Posting.objects.order_by("pk").values_list("kind", flat=True)) == ["sale", "payment", "reversal"]
    assert "annulé" in as_staff.get("/admin/sales/payment/").content.decode()


def test_who_is_late_is_listed_with_what_is_left_to_pay(as_staff, seller):
    factories.stock(factories.CompanyFactory(name="CSE Lent"), 1)
    assert "Personne" in as_staff.get("/admin/sales/account/late/").content.decode()
    Order.objects.update(confirmed_at="2026-01-01T10:00Z")

    page = as_staff.get("/admin/sales/account/late/").content.decode()

    assert "CSE Lent" in page and "38,00" in page
