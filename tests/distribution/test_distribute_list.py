"""Distributing with a list: what each row would do is said first; then all of it happens, once, or none."""

import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution.models import Distribution
from distribution.people_list import HEADINGS, judge, lines_of, totals
from members.models import Member
from members.people import guess_columns
from portal.sheets import as_text, rows_of_text
from tests import factories
from tests.distribution.workbooks import opendocument, workbook
from tickets.models import Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 20)


@pytest.fixture
def url(relay, product):
    return f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/list/"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre-Diallo", email="zoe@exemple.fr")


def judged(relay, product, text, shares=False):
    rows = rows_of_text(text)
    columns, skip = guess_columns(rows, HEADINGS, digits="quantity")
    return judge(lines_of(rows, columns, skip), relay.company, product, shares=shares)


def said(answer) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())


def send(client, url, rows, **more):
    return client.post(url, {"rows": rows, "confirm": "1", "request_key": str(uuid.uuid4()), **more})


def test_new_and_known_people_get_what_the_list_says(as_relay, relay, product, url, zoe):
    answer = send(as_relay, url, "Prénom;Nom;Courriel;Billets\nZoé;Lefèvre-Diallo;ZOE@exemple.fr;2\nKofi;Mensah;kofi@exemple.fr;3")

    assert answer.status_code == 302
    assert zoe.tickets.count() == 2
    assert Member.objects.get(email="kofi@exemple.fr").tickets.count() == 3
    assert Member.objects.count() == 2
    assert sorted(factories.owed().values_list("recipient", flat=True)) == ["kofi@exemple.fr", "zoe@exemple.fr"]


def test_the_same_list_twice_has_nothing_to_do(as_relay, relay, product, url):
    rows = "Zoé\tLefèvre\tzoe@exemple.fr\t2\nKofi\tMensah\tkofi@exemple.fr\t1"
    send(as_relay, url, rows)

    answer = as_relay.post(url, {"rows": rows, "confirm": "1", "request_key": str(uuid.uuid4())}, follow=True)

    assert "Rien à faire" in said(answer)
    assert figures_of(relay.company, product).left == 17 and Distribution.objects.count() == 1


def test_whoever_holds_some_gets_the_rest_alone(relay, product, zoe):
    factories.given(zoe, product, 1, by=relay.user)

    (line,) = judged(relay, product, "Zoé;Lefèvre-Diallo;zoe@exemple.fr;3")

    assert (line.member, line.held, line.gets) == (zoe, 1, 2)


def test_looking_at_what_will_happen_does_nothing(as_relay, relay, product, url, zoe):
    answer = as_relay.post(url, {"rows": "Kofi;Mensah;kofi@exemple.fr;2", "check": "1", "request_key": str(uuid.uuid4())})

    assert answer.status_code == 200 and "1 personne nouvelle" in said(answer)
    assert Member.objects.count() == 1 and not Distribution.objects.exists()


WRONG = {
    "Zoé;;zoe2@exemple.fr;1": "Il faut un prénom et un nom.",
    "Zoé;Martin;pas une adresse;1": "« pas une adresse » n’est pas une adresse électronique.",
    "Zoé;Martin;m@exemple.fr;0": "« 0 » n’est pas un nombre de billets.",
    "Zoé;Martin;m@exemple.fr;deux": "« deux » n’est pas un nombre de billets.",
    "Zoé;Martin;m@exemple.fr;999999999": "n’est pas un nombre de billets.",
    "Anne;Autre;zoe@exemple.fr;1": "Zoé Lefèvre-Diallo a déjà cette adresse",
    "A;B;ab@exemple.fr;1\nA;B;AB@exemple.fr;2": "Même personne qu’à la ligne 2",
    "A;B;ab@exemple.fr;1\nC;D;ab@exemple.fr;1": "Même adresse qu’à la ligne 2",
    "a\u202eb;Martin;m@exemple.fr;1": "caractères qui ne peuvent pas",
}


@pytest.mark.parametrize("rows", WRONG)
def test_a_wrong_row_says_why_and_holds_the_whole_list_back(as_relay, relay, product, url, zoe, rows):
    answer = send(as_relay, url, f"Prénom;Nom;Courriel;Billets\n{rows}\nBon;Dernier;bon@exemple.fr;1", message="À demain")

    assert answer.status_code == 422
    assert WRONG[rows] in said(answer) and "À demain" in said(answer) and "bon@exemple.fr" in said(answer)
    assert Member.objects.count() == 1 and not Distribution.objects.exists()


def test_a_family_may_share_an_address_once_the_relay_has_said_so(as_relay, relay, product, url, zoe):
    answer = send(as_relay, url, "Anne;Autre;zoe@exemple.fr;1\nZoé;Lefèvre-Diallo;zoe@exemple.fr;1", shares="on")

    assert answer.status_code == 302
    assert Member.objects.filter(email="zoe@exemple.fr").count() == 2 and factories.owed().count() == 1


def test_more_than_is_left_moves_nothing(as_relay, relay, product, url):
    answer = send(as_relay, url, "Kofi;Mensah;kofi@exemple.fr;21")

    assert answer.status_code == 422 and "1 billet de trop" in said(answer)
    assert not Member.objects.exists() and figures_of(relay.company, product).left == 20


def test_people_without_address_are_known_by_their_name(relay, product):
    paper = factories.MemberFactory(company=relay.company, first_name="Jean", last_name="Sans", email="")
    for _ in range(2):
        factories.MemberFactory(company=relay.company, first_name="Marie", last_name="Deux", email="")

    jean, marie, new = judged(relay, product, "Prénom;Nom;Billets\nJean;SANS;1\nMarie;Deux;1\nPaul;Neuf;1")

    assert jean.member == paper and marie.error and new.verdict == "new"


def test_the_relay_says_which_column_is_which(as_relay, relay, product, url):
    columns = {"column-0": "quantity", "column-1": "last_name", "column-2": "first_name", "column-3": "email"}

    send(as_relay, url, "2;Mensah;Kofi;kofi@exemple.fr", **columns)

    kofi = Member.objects.get()
    assert (kofi.first_name, kofi.last_name, kofi.tickets.count()) == ("Kofi", "Mensah", 2)


def test_who_left_gets_nothing_from_an_old_list(as_relay, relay, product, url, zoe):
    paper = factories.MemberFactory(company=relay.company, first_name="Jean", last_name="Sans", email="")
    Member.objects.update(left_on="2026-03-03")

    answer = send(as_relay, url, "Prénom;Nom;Courriel\nZoé;Lefèvre-Diallo;zoe@exemple.fr\nJean;Sans;")

    assert answer.status_code == 422
    assert "Zoé Lefèvre-Diallo a quitté la structure le mardi 3 mars 2026" in said(answer) and "Jean Sans a quitté" in said(answer)
    assert not paper.tickets.exists() and Member.objects.count() == 2


def test_a_member_of_another_company_is_no_one_here(relay, product):
    other = factories.MemberFactory(first_name="Zoé", last_name="Ailleurs", email="zoe@ailleurs.fr")

    (line,) = judged(relay, product, "Zoé;Ailleurs;zoe@ailleurs.fr;1")

    assert line.verdict == "new" and line.member != other


PEOPLE = [["Zoé", "Lefèvre", "zoe@exemple.fr", "2"], ["Đorđe", "O’Neill", "d@exemple.fr", "1"]]
TABLE = "Prénom;Nom;Courriel;Nombre\n" + "\n".join(";".join(row) for row in PEOPLE)
FILES = {
    "utf-8": TABLE.encode(),
    "utf-8 with a mark": TABLE.encode("utf-8-sig"),
    "utf-16": TABLE.encode("utf-16"),
    "commas": TABLE.replace(";", ",").encode(),
    "tabs": TABLE.replace(";", "\t").encode(),
    "letters apart from their accents": __import__("unicodedata").normalize("NFD", TABLE).encode(),
    "a title above": b"Billets de decembre;;;\n;;;\n" + TABLE.encode(),
    "other columns": TABLE.replace("Prénom", "Matricule;Prénom").replace("\n", "\n007;").encode(),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_whoever_wrote_it(as_relay, url, kind):
    file = SimpleUploadedFile("liste.csv", FILES[kind])

    shown = said(as_relay.post(url, {"file": file, "check": "1", "request_key": str(uuid.uuid4())}))

    assert "2 personnes nouvelles" in shown and "aucune refusée" in shown
    assert "Zoé Lefèvre" in shown and "Đorđe O’Neill" in shown and '<b class="figure">3</b>' in shown


def test_windows_western_letters_are_read(as_relay, url):
    file = SimpleUploadedFile("liste.csv", "Prénom;Nom;Courriel\nZoé;Lefèvre;zoe@exemple.fr".encode("cp1252"))

    assert "Zoé Lefèvre" in said(as_relay.post(url, {"file": file, "check": "1", "request_key": str(uuid.uuid4())}))


@pytest.mark.parametrize(("name", "made"), [("liste.xlsx", workbook), ("liste.ods", opendocument)])
def test_a_workbook_is_read(as_relay, url, name, made):
    file = SimpleUploadedFile(name, made([["Prénom", "Nom", "Courriel", "Billets"], *PEOPLE]))

    shown = said(as_relay.post(url, {"file": file, "check": "1", "request_key": str(uuid.uuid4())}))

    assert "2 personnes nouvelles" in shown and "Đorđe O’Neill" in shown and '<b class="figure">3</b>' in shown


def test_what_is_shown_to_be_corrected_is_read_as_the_same():
    rows = [["Zoé", 'dit "la Grande"', "zoe@exemple.fr"], ["", "", ""], ["a;b;c;d;e;f", "c,d,e,f,g,h", "=1+1"]]

    assert rows_of_text(as_text(rows)) == rows
    assert rows_of_text(as_text([["a;b"], ["c;d;e"]])) == [["a;b"], ["c;d;e"]]


def test_three_hundred_rows_ask_as_often_as_three(as_relay, relay):
    as_relay.get("/spaces/")

    def asked(count: int) -> int:
        product = factories.stock(relay.company, count)
        url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/list/"
        rows = "\n".join(f"Zoé;N{count}-{i};n{count}-{i}@exemple.fr;1" for i in range(count))
        with CaptureQueriesContext(connection) as captured:
            assert send(as_relay, url, rows).status_code == 302
        assert Ticket.objects.filter(product=product, member__isnull=False).count() == count
        return len(captured)

    assert asked(3) == asked(300)


def test_totals_say_what_leaves(relay, product, zoe):
    factories.given(zoe, product, 1, by=relay.user)
    lines = judged(relay, product, "Zoé;Lefèvre-Diallo;zoe@exemple.fr;1\nKofi;Mensah;k@exemple.fr;2\nX;;x@exemple.fr;1")

    assert totals(lines) == {"new": 1, "known": 0, "changed": 0, "unchanged": 1, "without": 0, "refused": 1, "gets": 2, "corrected": 0}
