"""Bringing the list up to date with another: said row by row, then done; what is exported changes nothing when imported."""

import csv
import io
import uuid

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from distribution.actions import distribute
from members.import_list import HEADINGS, judge, lines_of, totals
from members.models import Group, Member
from members.people import guess_columns
from portal.sheets import plain, rows_of_text, safe
from tests import factories
from tests.dashboard.test_csv import NAMES, STARTS_A_FORMULA
from tests.distribution.test_distribute_list import opendocument, workbook

pytestmark = pytest.mark.django_db
LIST = """Prénom;Nom;Courriel;Site;Service;Étiquettes
Zoé;Lefèvre;zoe@exemple.fr;Lyon;Atelier;Chorale, Photo
Jean;Sans;;Lyon;;"""


@pytest.fixture
def url(relay):
    return f"/c/{relay.company.public_id}/members/import/"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")


def said(answer) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())


def judged(company, text, shares=False, namesakes=False):
    rows = rows_of_text(text)
    columns, skip = guess_columns(rows, HEADINGS)
    return judge(lines_of(rows, columns, skip), company, shares=shares, namesakes=namesakes)


def send(client, url, rows, **more):
    return client.post(url, {"rows": rows, "confirm": "1", "request_key": str(uuid.uuid4()), **more}, follow=True)


def groups_of(member) -> set[str]:
    return {f"{group.name} ({group.kind})" for group in member.groups.all()}


def test_people_and_their_groups_are_put_on_the_list(as_relay, relay, url):
    answer = send(as_relay, url, LIST)

    zoe, jean = Member.objects.get(email="zoe@exemple.fr"), Member.objects.get(email="")
    assert groups_of(zoe) == {"Lyon (site)", "Atelier (department)", "Chorale (label)", "Photo (label)"}
    assert (jean.company, groups_of(jean)) == (relay.company, {"Lyon (site)"})
    assert "2 personnes nouvelles" in said(answer) and Group.objects.count() == 4


def test_looking_changes_nothing_and_says_each_row(as_relay, relay, url, zoe):
    bare = factories.MemberFactory(company=relay.company, first_name="Paul", last_name="Petit", email="")
    left = factories.MemberFactory(company=relay.company, first_name="Anne", last_name="Partie", email="anne@exemple.fr")
    Member.objects.filter(pk=left.pk).update(left_on="2026-03-03")
    rows = LIST + "\nPaul;Petit;paul@exemple.fr;;;\nAnne;Partie;anne@exemple.fr;;;\nMal;Écrite;pas une adresse;;;"

    page = said(as_relay.post(url, {"rows": rows, "check": "1", "request_key": str(uuid.uuid4())}))

    assert '1 personne nouvelle · 2 modifiées · 0 inchangée · <b class="error">2 refusées, laissées de côté</b>' in page
    for words in (
        "entre dans Lyon, Atelier, Chorale, Photo",
        "reçoit cette adresse",
        "Anne Partie a quitté la structure",
        "n’est pas une adresse",
    ):
        assert words in page, words
    bare.refresh_from_db()
    assert bare.email == "" and Member.objects.count() == 3 and not Group.objects.exists()


def test_the_same_list_twice_has_nothing_to_do(as_relay, relay, url):
    send(as_relay, url, LIST)
    before = list(Member.objects.values()), list(Group.members.through.objects.values())

    answer = send(as_relay, url, LIST)

    assert "rien à faire" in said(answer)
    assert (list(Member.objects.values()), list(Group.members.through.objects.values())) == before


def test_a_refused_row_is_left_aside_and_the_others_are_done(as_relay, relay, url):
    answer = send(as_relay, url, "Prénom;Nom;Courriel\nZoé;;z@exemple.fr\nKofi;Mensah;kofi@exemple.fr")

    assert "1 personne nouvelle, 1 ligne laissée de côté" in said(answer)
    assert str(Member.objects.get()) == "Kofi Mensah"


def test_names_in_capitals_without_accents_do_not_spoil_those_of_the_list(as_relay, relay, url, zoe):
    send(as_relay, url, "Prénom;Nom;Courriel\nZOE;LEFEVRE;ZOE@EXEMPLE.FR")

    zoe.refresh_from_db()
    assert str(zoe) == "Zoé Lefèvre" and Member.objects.count() == 1


def test_no_address_is_ever_replaced(as_relay, relay, url, zoe):
    """TRUST row 6: an import writes no other address on whoever has one, be it hers by login or not yet."""
    users = User.objects.count()
    for seen in (None, timezone.now()):
        User.objects.filter(email=zoe.email).update(last_seen_at=seen)
        page = said(as_relay.post(url, {"rows": "Zoé;Lefèvre;samia@exemple.fr", "check": "1", "request_key": str(uuid.uuid4())}))
        assert "Zoé Lefèvre (zoe@exemple.fr) est déjà dans votre liste : corrigez l’adresse sur sa fiche" in page
        send(as_relay, url, "Zoé;Lefèvre;samia@exemple.fr")

    zoe.refresh_from_db()
    assert zoe.email == "zoe@exemple.fr" and Member.objects.count() == 1 and User.objects.count() == users


def test_two_people_of_one_name_are_two_once_the_relay_says_so(as_relay, relay, url, zoe):
    send(as_relay, url, "Zoé;Lefèvre;autre@exemple.fr", namesakes="on")

    assert Member.objects.filter(sort_key=zoe.sort_key).count() == 2


def test_who_gains_an_address_is_told_there_what_she_holds_and_her_prints_stay_good(as_relay, relay, url):
    jean = factories.MemberFactory(company=relay.company, first_name="Jean", last_name="Sans", email="")
    product = factories.stock(relay.company, 1)
    distribute(relay=relay, product=product, gifts=[(jean.pk, 1, ())], message="", request_key=uuid.uuid4())
    factories.printed(list(jean.tickets.all()))

    send(as_relay, url, "Prénom;Nom;Courriel\nJean;Sans;jean@exemple.fr")

    jean.refresh_from_db()
    assert jean.email == "jean@exemple.fr" and User.objects.filter(email=jean.email).exists()
    assert list(factories.owed().values_list("kind", "recipient")) == [("tickets_distributed", "jean@exemple.fr")]
    assert (jean.tickets.get().status, jean.tickets.get().generation) == ("printed", 0)


def test_a_column_of_sites_moves_people_between_sites_and_leaves_the_rest_alone(as_relay, relay, url, zoe):
    lyon, grenoble = (factories.GroupFactory(company=relay.company, name=name, kind="site") for name in ("Lyon", "Grenoble"))
    choir = factories.GroupFactory(company=relay.company, name="Chorale")
    zoe.groups.add(lyon, choir)

    send(as_relay, url, "Prénom;Nom;Courriel;Site\nZoé;Lefèvre;zoe@exemple.fr;GRENOBLE")

    assert groups_of(zoe) == {"Grenoble (site)", "Chorale (label)"} and Group.objects.count() == 3
    send(as_relay, url, "Prénom;Nom;Courriel\nZoé;Lefèvre;zoe@exemple.fr")
    assert groups_of(zoe) == {"Grenoble (site)", "Chorale (label)"}


def test_people_and_groups_of_another_company_are_no_one_here(as_relay, relay, url):
    other = factories.MemberFactory(first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")
    factories.GroupFactory(company=other.company, name="Lyon", kind="site").members.add(other)

    send(as_relay, url, LIST)

    assert Member.objects.get(email="zoe@exemple.fr", company=relay.company) != other
    assert groups_of(other) == {"Lyon (site)"} and Group.objects.of(relay.company).filter(name="Lyon").exists()


ENGLISH = "First name,Last name,Email address,Sites,Departments,Labels\nZoé,Lefèvre,zoe@exemple.fr,Lyon,Atelier,Chorale\n"


@pytest.mark.parametrize("kind", ["csv", "xlsx", "ods"])
def test_a_file_of_any_kind_with_english_headings_is_read(as_relay, relay, url, kind):
    rows = list(csv.reader(io.StringIO(ENGLISH)))
    content = {"csv": ENGLISH.encode(), "xlsx": workbook(rows), "ods": opendocument(rows)}[kind]

    page = said(as_relay.post(url, {"file": SimpleUploadedFile(f"x.{kind}", content), "check": "1", "request_key": str(uuid.uuid4())}))

    assert "1 personne nouvelle" in page and "3 groupes nouveaux : Lyon, Atelier, Chorale" in page


def exported(client, relay) -> str:
    answer = client.get(f"/c/{relay.company.public_id}/members/members.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8" and "attachment" in answer["Content-Disposition"]
    return answer.content.decode("utf-8-sig")


@pytest.mark.parametrize("name", NAMES)
def test_what_is_exported_is_no_formula_and_imports_again_without_change(as_relay, relay, name):
    group = factories.GroupFactory(company=relay.company, name="-Atelier")
    member = Member(company=relay.company, first_name=name, last_name=f"{name}é", email="+zoe@exemple.fr")
    member.save()
    group.members.add(member, factories.MemberFactory(company=relay.company, email=""))
    factories.GroupFactory(company=relay.company, name="=Lyon", kind="site").members.add(member)

    text = exported(as_relay, relay)

    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=";") for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" \u00a0").startswith(STARTS_A_FORMULA)]
    lines = judged(relay.company, text)
    assert totals(lines) == {"new": 0, "changed": 0, "unchanged": 2, "refused": 0}, [line.error for line in lines]


@pytest.mark.parametrize("name", NAMES)
def test_the_apostrophes_of_an_export_are_taken_off_again(name):
    assert plain(safe(name)) == (name if not name.startswith("'") else name.removeprefix("'"))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_heading_of_an_export_is_read_in_either_language(as_relay, relay, settings, language):
    as_relay.cookies[settings.LANGUAGE_COOKIE_NAME] = language

    columns, skip = guess_columns(rows_of_text(exported(as_relay, relay) + "a;b;c;d;e;f"), HEADINGS)

    assert (columns, skip) == (list(HEADINGS), 1)


def test_an_export_in_english_is_read_by_a_relay_in_french(as_relay, relay, settings, zoe):
    factories.GroupFactory(company=relay.company, kind="department").members.add(zoe)
    as_relay.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"

    text = exported(as_relay, relay)

    assert text.startswith("First name;Last name;Email address;Sites;Departments;Labels")
    assert totals(judged(relay.company, text))["unchanged"] == 1


def test_three_hundred_rows_ask_as_often_as_three(as_relay, relay, url):
    as_relay.get("/spaces/")

    def asked(count: int) -> int:
        rows = "\n".join(f"Zoé;N{count}-{i};n{count}-{i}@exemple.fr;Lyon{count};Atelier;" for i in range(count))
        with CaptureQueriesContext(connection) as captured:
            form = {"rows": f"Prénom;Nom;Courriel;Site;Service;Étiquettes\n{rows}", "confirm": "1", "request_key": str(uuid.uuid4())}
            assert as_relay.post(url, form).status_code == 302
        assert Member.objects.filter(groups__name=f"Lyon{count}").count() == count
        return len(captured)

    assert asked(3) == asked(300)
