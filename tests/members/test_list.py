"""The company's list: people found, added with an address or without, named, put in groups; constant queries."""

import threading
import unicodedata

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from members.actions import add_member, create_group
from members.models import Group, Member
from tests import factories
from tests.tickets.test_ticket_pdf import NAMES

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(relay):
    return f"/c/{relay.company.public_id}/members/"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre-Diallo", email="zoe@exemple.fr")


def said(answer) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())


def found(client, url, **query) -> list[str]:
    return [str(member) for member in client.get(url, query).context["page"]]


def test_people_are_found_without_accents_or_case_from_the_start_of_any_word(as_relay, relay, url, zoe):
    factories.MemberFactory(company=relay.company, first_name="Kofi", last_name="Mensah", email="kofi@exemple.fr")

    for words in ("ZOE", "Zoë", "lefevre", "diallo z", "zoe@ex"):
        assert found(as_relay, url, q=words) == ["Zoé Lefèvre-Diallo"], words
    assert found(as_relay, url, q="fevre") == []
    assert found(as_relay, url) == ["Zoé Lefèvre-Diallo", "Kofi Mensah"]


def test_each_name_of_the_corpus_is_found_as_it_is_and_in_capitals(relay):
    """TRUST row 27."""
    people = [factories.MemberFactory(company=relay.company, first_name="", last_name=name) for name in NAMES]

    for person in people:
        for words in (person.last_name, person.last_name.upper(), unicodedata.normalize("NFD", person.last_name)):
            assert person in Member.objects.of(relay.company).found_by(words), words


def test_a_group_and_who_left_are_filters_and_pages_keep_them(as_relay, relay, url, zoe):
    group = factories.GroupFactory(company=relay.company)
    group.members.add(zoe, *factories.MemberFactory.create_batch(60, company=relay.company))
    gone = factories.MemberFactory(company=relay.company)
    Member.objects.filter(pk=gone.pk).update(left_on="2026-03-03")

    assert "Zoé Lefèvre-Diallo" in found(as_relay, url, group=group.public_id)
    assert found(as_relay, url, left=1) == [str(gone)] and str(gone) not in found(as_relay, url, page=2)
    assert f"?group={group.public_id}&page=2" in said(as_relay.get(url, {"group": group.public_id}))
    assert len(found(as_relay, url, group=group.public_id, page=2)) == 11
    other = factories.GroupFactory()
    assert len(found(as_relay, url, group=other.public_id)) == 50  # another company's group is no filter


def test_groups_come_sites_first_then_by_name(as_relay, relay, url):
    for name, kind in (("B", "label"), ("Atelier", "department"), ("Lyon", "site"), ("a", "label"), ("Grenoble", "site")):
        factories.GroupFactory(company=relay.company, name=name, kind=kind)

    assert [group.name for group in as_relay.get(url).context["groups"]] == ["Grenoble", "Lyon", "a", "B", "Atelier"]


@pytest.mark.parametrize("page", ["", "?q=zoe", "members.csv"])
def test_the_list_asks_as_often_for_thirty_people_as_for_one(as_relay, relay, url, page):
    as_relay.get(url)

    def asked(more: int) -> int:
        members = factories.MemberFactory.create_batch(more, company=relay.company)
        factories.GroupFactory(company=relay.company).members.add(*members)
        with CaptureQueriesContext(connection) as captured:
            assert as_relay.get(url + page).status_code == 200
        return len(captured)

    assert asked(1) == asked(29)


def test_a_person_without_an_address_is_put_on_the_list(as_relay, relay, url):
    answer = as_relay.post(url + "add/", {"first_name": "Jean", "last_name": "Sans"}, follow=True)

    member = Member.objects.get()
    assert (member.company, str(member), member.email) == (relay.company, "Jean Sans", "")
    assert "Sans adresse" in said(answer) and not User.objects.filter(email="").exists()


def test_without_an_address_someone_of_the_same_name_is_asked_about_and_another_is_made_once(as_relay, relay, url):
    jean = factories.MemberFactory(company=relay.company, first_name="Jean", last_name="Sans", email="")
    form = {"first_name": "JEAN", "last_name": "Sans"}

    refused = as_relay.post(url + "add/", form)
    assert refused.status_code == 422 and str(jean.public_id) in said(refused) and Member.objects.count() == 1

    for _ in range(2):
        as_relay.post(url + "add/", form | {"namesakes": "1"})
    assert Member.objects.count() == 2


def test_an_address_of_another_company_is_taken_like_any_other(as_relay, relay, url):
    factories.MemberFactory(first_name="Zoé", last_name="Ailleurs", email="zoe@ailleurs.fr")
    answers = []
    for email in ("zoe@ailleurs.fr", "neuf@ailleurs.fr"):
        answer = as_relay.post(url + "add/", {"first_name": "Anne", "last_name": "Ici", "email": email})
        answers.append((answer.status_code, answer["Location"].replace(str(Member.objects.latest("pk").public_id), "")))

    assert answers[0] == answers[1] and answers[0][0] == 302


def test_who_left_and_is_typed_again_is_the_same_person_back(as_relay, relay, url, zoe):
    Member.objects.update(left_on="2026-03-03")

    as_relay.post(url + "add/", {"first_name": "Zoe", "last_name": "Lefevre Diallo", "email": "ZOE@exemple.fr"})

    zoe.refresh_from_db()
    assert zoe.left_on is None and Member.objects.count() == 1


def shown(client, url, member) -> str:
    return client.get(f"{url}{member.public_id}/edit/").context["form"].initial["shown"]


def test_names_and_groups_are_written_and_the_address_is_not(as_relay, relay, url, zoe):
    old, new = factories.GroupFactory.create_batch(2, company=relay.company)
    old.members.add(zoe)
    form = {"first_name": "Zoë", "last_name": "Diallo", "groups": [new.public_id], "shown": shown(as_relay, url, zoe), "email": "x@y.fr"}

    assert as_relay.post(f"{url}{zoe.public_id}/edit/", form).status_code == 302

    zoe.refresh_from_db()
    assert (str(zoe), zoe.sort_key, zoe.email, list(zoe.groups.all())) == ("Zoë Diallo", "diallo zoe", "zoe@exemple.fr", [new])


def test_an_edit_from_an_old_page_changes_nothing(as_relay, relay, url, zoe):
    before = shown(as_relay, url, zoe)
    factories.GroupFactory(company=relay.company).members.add(zoe)

    answer = as_relay.post(f"{url}{zoe.public_id}/edit/", {"first_name": "A", "last_name": "B", "shown": before}, follow=True)

    zoe.refresh_from_db()
    assert str(zoe) == "Zoé Lefèvre-Diallo" and zoe.groups.count() == 1 and "a changé depuis" in said(answer)


def test_a_name_that_makes_two_people_one_is_refused(as_relay, relay, url, zoe):
    twin = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Autre", email="zoe@exemple.fr")
    form = {"first_name": "Zoe", "last_name": "Lefèvre Diallo", "shown": shown(as_relay, url, twin)}

    answer = as_relay.post(f"{url}{twin.public_id}/edit/", form)

    assert answer.status_code == 422 and "réunissez plutôt les deux fiches" in said(answer)


def test_groups_are_made_once_renamed_and_deleted_without_their_people(as_relay, relay, url, zoe):
    for name in ("Atelier", "ATELIER"):
        as_relay.post(url + "groups/", {"name": name, "kind": "department"})
    group = Group.objects.get()
    group.members.add(zoe)
    factories.GroupFactory(company=relay.company, name="Expédition")

    taken = as_relay.post(f"{url}groups/{group.public_id}/", {"name": "expedition", "kind": "site"})
    assert taken.status_code == 422 and "déjà l’un de vos groupes" in said(taken)
    as_relay.post(f"{url}groups/{group.public_id}/", {"name": "Chorale", "kind": "label"})
    group.refresh_from_db()
    assert (group.name, group.key, group.kind) == ("Chorale", "chorale", "label")
    as_relay.post(f"{url}groups/{group.public_id}/delete/")
    assert not Group.objects.filter(name="Chorale").exists() and Member.objects.of(relay.company).count() == 1


@pytest.mark.parametrize("name", ["", " ", "a,b", "a;b", "a|b", "???", "x" * 81, "Zoé\x00", "a\u202eb"])
def test_a_name_that_is_no_groups_is_refused_with_a_sentence(as_relay, url, name):
    answer = as_relay.post(url + "groups/", {"name": name, "kind": "label"})

    assert answer.status_code == 422 and 'class="error"' in said(answer) and not Group.objects.exists()


def test_people_ticked_or_all_those_found_are_put_in_a_group_and_taken_out(as_relay, relay, url, zoe):
    group = factories.GroupFactory(company=relay.company)
    others = factories.MemberFactory.create_batch(60, company=relay.company)
    stranger = factories.MemberFactory()

    as_relay.post(url + "groups/fill/", {"into": group.public_id, "member": [zoe.public_id, stranger.public_id], "in": "1"})
    assert list(group.members.all()) == [zoe]
    answer = as_relay.post(url + "groups/fill/", {"into": group.public_id, "everyone": "1", "q": "lefevre", "in": "1"}, follow=True)
    assert group.members.count() == 61 and "61 personnes sont dans" in said(answer) and 'value="lefevre"' in said(answer)
    as_relay.post(url + "groups/fill/", {"into": group.public_id, "member": [m.public_id for m in others[:59]], "out": "1"})
    assert group.members.count() == 2


@pytest.mark.parametrize("form", [{}, {"into": "x"}, {"into": "7d0a1f34-5c7b-4b86-9a53-0e7d5a8f2c11", "member": "no"}, {"member": "\x00"}])
def test_filling_nothing_says_so(as_relay, relay, url, form):
    assert 'role="alert"' in said(as_relay.post(url + "groups/fill/", form, follow=True))


def test_another_companys_group_is_not_filled(as_relay, url, zoe):
    group = factories.GroupFactory()

    as_relay.post(url + "groups/fill/", {"into": group.public_id, "member": [zoe.public_id], "in": "1"})

    assert not group.members.exists()


@pytest.mark.django_db(transaction=True)
def test_two_relays_who_add_the_same_person_at_once_add_her_once(seller):
    company = factories.CompanyFactory()
    relays = factories.RelayFactory.create_batch(6, company=company)
    barrier, results = threading.Barrier(6, timeout=20), []

    def add(relay):
        try:
            barrier.wait()
            results.append(add_member(relay=relay, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr"))
            results.append(create_group(relay=relay, name="Atelier", kind="site"))
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(relay,)) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert len(results) == 12 and Member.objects.count() == 1 and Group.objects.count() == 1
