"""The statement of an event once closed: signed, kept as it was, with who and when; equal to what gates and sales counted then."""

import io
import json
from decimal import Decimal

import pypdfium2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.contrib.auth.models import Permission
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone

from dashboard.actions import close_statement
from dashboard.closing import statement_of
from dashboard.errors import EventNotOver
from dashboard.event import statement
from dashboard.models import ClosedStatement
from portal.clock import now
from sales import actions as sales_actions
from sales.models import Entry
from tests import factories
from tests.dashboard.conftest import over
from tests.dashboard.test_event import evening  # noqa: F401
from tests.dashboard.test_seller import csv_rows, page_of
from tests.portal.walk import BACKEND
from tickets.models import Event, SigningKey, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(evening, staff) -> ClosedStatement:  # noqa: F811
    over(evening)
    return close_statement(event=evening.pk, by=staff)


def verify(closed: ClosedStatement, text: str) -> None:
    Ed25519PublicKey.from_public_bytes(bytes(closed.key.public_key)).verify(bytes(closed.signature), text.encode())


def test_before_the_event_is_over_nothing_is_closed(evening, staff):  # noqa: F811
    with pytest.raises(EventNotOver):
        close_statement(event=evening.pk, by=staff)
    assert not ClosedStatement.objects.exists()


def test_it_says_what_gates_and_sales_counted_with_who_and_when_and_is_signed(closed, staff):
    told = statement_of(closed)

    assert told.categories == statement(closed.event, now()).categories
    assert told.total["checked"] == told.at_the_gates == 2
    sold = {name: abs(sum(Entry.objects.filter(ledger=name).values_list("amount", flat=True))) for name in ("customer", "vat")}
    assert (told.total["receipts"], told.total["vat"]) == (sold["customer"], sold["vat"]) == (Decimal("354.50"), Decimal("18.48"))
    assert (closed.said["closed_by"], closed.said["closed_at"]) == (staff.pk, closed.at.isoformat())
    verify(closed, closed.text)
    with pytest.raises(InvalidSignature):
        verify(closed, closed.text.replace("354.50", "354.51").replace("342.00", "342.01") + " ")


def test_closed_twice_it_is_one_and_what_changes_later_is_told_by_another_beside_it(closed, staff):
    assert close_statement(event=closed.event_id, by=staff) == closed

    sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(status="available").first().pk], by=staff, key="later")
    second = close_statement(event=closed.event_id, by=staff)

    assert list(closed.event.closed_statements.all()) == [second, closed]
    assert (statement_of(closed).total["standing"], statement_of(second).total["standing"]) == (11, 10)


def test_it_stays_as_it_was_whatever_becomes_of_the_event(closed):
    Event.objects.filter(pk=closed.event_id).update(name="Autre nom")

    assert statement_of(ClosedStatement.objects.get()).event.name == "Nuit Ravel"


@pytest.mark.parametrize("change", [lambda rows: rows.update(text="{}"), lambda rows: rows.delete()])
def test_the_database_refuses_to_change_or_delete_it(closed, change):
    with pytest.raises(IntegrityError, match="never changed or deleted"), transaction.atomic():
        change(ClosedStatement.objects.filter(pk=closed.pk))


def test_who_changes_it_behind_the_back_of_the_database_is_found_out(as_staff, closed):
    page = f"/dashboard/events/{closed.event.public_id}/"
    SigningKey.objects.update(revoked_at=timezone.now())  # a key revoked since signed what it signed
    assert closed.is_authentic and "signature vérifiée" in page_of(as_staff.get(page))

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE dashboard_closedstatement DISABLE TRIGGER USER")
        cursor.execute("UPDATE dashboard_closedstatement SET text = replace(text, '12.50', '12.60')")
        cursor.execute("ALTER TABLE dashboard_closedstatement ENABLE TRIGGER USER")

    assert not ClosedStatement.objects.get().is_authentic
    assert "sa signature n’est pas celle de ce texte" in page_of(as_staff.get(page))
    assert "modifié après" in pdf_of(as_staff, closed)


def pdf_of(as_staff, closed) -> str:
    content = as_staff.get(f"/dashboard/statements/{closed.public_id}.pdf").content
    return " ".join(pypdfium2.PdfDocument(io.BytesIO(content))[0].get_textpage().get_text_range().replace("\xa0", " ").split())


def test_the_page_closes_it_and_gives_it_as_pdf_csv_and_the_text_that_was_signed(as_staff, evening):  # noqa: F811
    url = f"/dashboard/events/{evening.public_id}/"
    assert "Arrêter le relevé" not in page_of(as_staff.get(url))
    over(evening)
    assert "Pas encore arrêté" in page_of(as_staff.get(url))

    page = page_of(as_staff.post(url + "close/", follow=True))

    closed = ClosedStatement.objects.get()
    assert "Arrêté et signé" in page and f"par {closed.by}" in page and "Arrêter le relevé" not in page
    rows = csv_rows(b"".join(as_staff.get(f"/dashboard/statements/{closed.public_id}.csv").streaming_content))
    assert rows[5][:3] == ["1re catégorie", "38.00", "5.50"] and rows[8][8:10] == ["354.50", "18.48"]
    signature, public = closed.proof  # after a word: a cell that begins with a plus would be a formula
    assert rows[-3:] == [["Arrêté par", closed.by.email], ["Signature", f"base64:{signature}"], ["Clé publique", f"base64:{public}"]]
    text = pdf_of(as_staff, closed)
    assert f"par {closed.by.email}" in text and "18,48" in text and "vérifiée" in text and closed.proof[1] in text.replace(" ", "")
    signed = as_staff.get(f"/dashboard/statements/{closed.public_id}.json").content.decode()
    verify(closed, signed)
    assert json.loads(signed)["figures"]["at_the_gates"] == 2


def test_only_who_has_the_right_closes(client, closed, settings):
    clerk = factories.UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_ticket"))
    client.force_login(clerk, backend=BACKEND)
    sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(status="available").first().pk], by=closed.by, key="later")
    url = f"/dashboard/events/{closed.event.public_id}/"

    page = page_of(client.get(url))
    assert "ont changé depuis" in page and "Arrêter le relevé" not in page
    assert client.post(url + "close/").status_code == 403
