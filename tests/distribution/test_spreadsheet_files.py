"""The files of the round trip: one row a ticket, no formula, and what comes back is read as it was."""

import io
import re
import uuid
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from sales import actions as sales_actions
from tests import factories
from tests.distribution.test_distribute_list import said
from tests.distribution.test_spreadsheet import exported, member, sent_back
from tickets import steps as tickets_steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 5)


@pytest.fixture
def url(relay, product):
    return f"/c/{relay.company.public_id}/products/{product.public_id}/spreadsheet/"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_sheet_has_one_row_a_ticket_with_who_has_it(as_relay, relay, product, url, kind):
    factories.given(member(relay, "Zoé", "Lefèvre", "zoe@exemple.fr"), product, 1, by=relay.user)
    rows = exported(as_relay, url, kind)

    assert [head for head in rows[0] if head != "Place"] == ["Billet", "Prénom", "Nom", "Adresse de courriel", "État", "Version"]
    assert len(rows) == 6 and "Zoé" in rows[1] and "distribué" in rows[1]


def test_what_is_cancelled_or_with_another_company_is_not_in_the_sheet(as_relay, relay, product, url):
    first, second, *others = product.tickets.order_by("number")
    sales_actions.cancel_tickets(tickets=[first.pk], by=factories.UserFactory(is_staff=True), key="k")
    tickets_steps.forward([second], to=factories.CompanyFactory(), by=relay.user, act=uuid.uuid4())

    assert [row[0] for row in exported(as_relay, url)[1:]] == [str(ticket.number) for ticket in others]


FORMULAS = ["=1+1", "+1", "-1", "@x", "＝1", " =x", "{=1+1}", "=HYPERLINK(1)", "a;=b", 'dit "la Grande"', "O’Neill", "<b>&amp;"]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_name_is_a_formula_and_each_comes_back_as_it_was(as_relay, relay, url, product, kind):
    factories.stock(relay.company, len(FORMULAS) - 5, product)
    for number, name in enumerate(FORMULAS):
        factories.given(member(relay, name, f"N{number}", f"n{number}@exemple.fr"), product, 1, by=relay.user)
    content = as_relay.get(f"{url}tickets.{kind}").content

    file = SimpleUploadedFile(f"x.{kind}", content)
    shown = said(as_relay.post(url, {"file": file, "check": "1", "request_key": str(uuid.uuid4())}))

    assert f"Rien à faire : ses {len(FORMULAS)} lignes" in shown
    if kind == "csv":
        assert not [cell for row in exported(as_relay, url) for cell in row if cell.strip().startswith(tuple("=+-@＝"))]
    else:
        sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
        assert "<f>" not in sheet and "=1+1</t>" in sheet


def test_the_version_is_out_of_sight_in_a_workbook(as_relay, url):
    content = as_relay.get(f"{url}tickets.xlsx").content

    sheet = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()

    assert re.search(r'<col min="7" max="7" [^>]*hidden="1"', sheet) and sheet.count('hidden="1"') == 1


def test_another_file_is_no_sheet_of_this_page(as_relay, url):
    answer = sent_back(as_relay, url, [["Prénom", "Nom", "Courriel"], ["Zoé", "A", "zoe@exemple.fr"]])

    assert answer.status_code == 422 and "Ce n’est pas la feuille de cette page" in said(answer)
