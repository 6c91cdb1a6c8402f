"""The addresses of those who said yes to the seller's offers leave with their proof; of who said no since, none does."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from dashboard.models import Export
from members.models import Consent
from portal.workbook import read_workbook
from tests import factories
from tests.dashboard.test_seller import csv_rows, page_of
from tests.portal.walk import BACKEND

pytestmark = pytest.mark.django_db


def said(address: str, **answer) -> Consent:
    fields = {"text": "Recevoir les offres", "page": "account", "given_at": timezone.now()} | answer
    return Consent.objects.create(user=factories.login(address), **fields)


@pytest.fixture
def answers(seller):
    said("oui@exemple.fr")
    said("non@exemple.fr", given_at=None, declined_at=timezone.now())
    said("plus@exemple.fr", withdrawn_at=timezone.now())
    gone = said("parti@exemple.fr").user
    gone.is_active = False
    gone.save()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_who_said_yes_leaves_with_the_proof_and_nobody_else(as_staff, answers, kind):
    content = b"".join(as_staff.post(f"/dashboard/offers/addresses.{kind}").streaming_content)

    rows = read_workbook(content, most_rows=9, most_columns=9).rows if kind == "xlsx" else csv_rows(content)
    assert rows[0] == ["Adresse de courriel", "Langue", "Oui donné le", "Ce qui était demandé", "Sur la page"]
    given = timezone.localtime(Consent.objects.get(user__email="oui@exemple.fr").given_at)
    assert rows[1:] == [["oui@exemple.fr", "fr", f"{given:%Y-%m-%d %H:%M:%S}", "Recevoir les offres", "account"]]


def test_a_yes_taken_back_is_not_exported_from_that_instant(as_staff, answers):
    answer = as_staff.post("/dashboard/offers/addresses.csv")
    Consent.objects.filter(user__email="oui@exemple.fr").update(withdrawn_at=timezone.now())

    assert csv_rows(b"".join(answer.streaming_content))[1:] == []  # even of a file that has begun to leave
    assert "Personne ne reçoit vos offres" in page_of(as_staff.get("/dashboard/offers/"))


def test_who_took_it_when_and_how_many_is_written_down_and_shown(as_staff, staff, answers):
    assert as_staff.get("/dashboard/offers/addresses.csv").status_code == 405
    assert not Export.objects.exists()

    as_staff.post("/dashboard/offers/addresses.csv")

    export = Export.objects.get()
    assert (export.by, export.quantity) == (staff, 1) and timezone.now() - export.at < timedelta(minutes=1)
    assert f"{staff.email}" in page_of(as_staff.get("/dashboard/offers/"))


def test_only_staff_with_the_right_to_consents_may_see_or_take_them(client, as_relay, settings, answers):
    assert as_relay.get("/dashboard/offers/").status_code == as_relay.post("/dashboard/offers/addresses.csv").status_code == 404
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    some = factories.UserFactory(is_staff=True)
    some.user_permissions.add(Permission.objects.get(codename="view_ticket"))
    client.force_login(some, backend=BACKEND)
    assert client.get("/dashboard/offers/").status_code == client.post("/dashboard/offers/addresses.xlsx").status_code == 403
    assert not Export.objects.exists()
