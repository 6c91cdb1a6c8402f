"""An address whose domain nobody else of the company uses is looked at twice, and nothing usual is."""

import uuid

import pytest

from accounts.models import User
from members.domains import ENOUGH, Domains, is_nearly, look_through
from members.models import Member
from members.people import Person
from tests import factories
from tests.members.test_list import said

pytestmark = pytest.mark.django_db
QUESTION = "Personne d’autre de votre liste n’a d’adresse en gmial.com. Est-ce gmail.com ?"


@pytest.fixture
def colleagues(relay):
    """As many as make a list, all at exemple.fr; the relay is at mecavia.fr."""
    User.objects.filter(pk=relay.user.pk).update(email="samia@mecavia.fr")
    return factories.MemberFactory.create_batch(ENOUGH, company=relay.company)


@pytest.fixture
def add(as_relay, relay):
    def added(email: str, **more):
        form = {"first_name": "Kofi", "last_name": "Mensah", "email": email}
        return as_relay.post(f"/c/{relay.company.public_id}/members/add/", form | more)

    return added


def test_a_stranger_s_domain_is_written_only_once_it_is_said_to_be_right(add, colleagues):
    asked = add("kofi@gmial.com")
    other = add("kofi@autre.fr", right_domain="gmial.com")
    kept = said(add("kofi@gmial.com", right_domain="gmial.com", last_name=""))
    done = add("kofi@gmial.com", right_domain="gmial.com")

    assert asked.status_code == 422 and QUESTION in said(asked)
    assert '<input type="checkbox" name="right_domain" value="gmial.com">' in said(asked)
    assert other.status_code == 422 and "Relisez-la" in said(other) and 'value="autre.fr">' in said(other)
    assert '<input type="checkbox" name="right_domain" value="gmial.com" checked>' in kept
    assert done.status_code == 302 and Member.objects.get(last_name="Mensah").email == "kofi@gmial.com"
    assert add("ama@gmial.com", first_name="Ama").status_code == 302  # somebody else has it now


@pytest.mark.parametrize("email", ["kofi@exemple.fr", "KOFI@Exemple.FR", "kofi@mecavia.fr", ""])
def test_what_the_list_or_its_relays_use_is_not_asked_about(add, colleagues, email):
    assert add(email).status_code == 302


def test_the_first_of_a_list_are_asked_about_slips_alone(add, relay):
    User.objects.filter(pk=relay.user.pk).update(email="samia@mecavia.fr")

    for n, domain in enumerate(["exemple.fr", "gmail.com", "autre.fr"]):
        assert add(f"kofi{n}@{domain}", last_name=f"Mensah{n}").status_code == 302, domain
    for domain, meant in (("hotmial.fr", "hotmail.fr"), ("mecavai.fr", "mecavia.fr"), ("exemple.com", "exemple.fr")):
        assert f"Est-ce {meant} ?" in said(add(f"kofi@{domain}")), domain


def test_another_company_s_domains_make_nothing_familiar(add, colleagues):
    factories.MemberFactory(email="zoe@gmial.com")
    factories.RelayFactory(user=factories.UserFactory(email="r@gmial.com"))

    assert add("kofi@gmial.com").status_code == 422


def test_two_providers_one_letter_apart_are_not_taken_for_each_other(relay, colleagues):
    factories.MemberFactory(company=relay.company, email="a@hotmail.fr")

    assert Domains(relay.company).doubt("b@hotmail.com") == ("hotmail.com", "")


@pytest.mark.parametrize("typed", ["gmial.com", "gmal.com", "gmaill.com", "gmail.con", "gmail.co", "gmail.fr", "hmail.com"])
def test_one_slip_is_nearly_the_same(typed):
    assert is_nearly(typed, "gmail.com")


@pytest.mark.parametrize("typed", ["mail.fr", "google.com", "gmx.com", "email.fr", "example.com"])
def test_two_are_another_domain(typed):
    assert not is_nearly(typed, "gmail.com")


@pytest.mark.parametrize("page", ["distribute/", "reassign/?all=1"])
def test_somebody_new_is_asked_about_where_tickets_are_given(as_relay, relay, colleagues, page):
    product = factories.stock(relay.company, 2)
    factories.given(colleagues[0], product, 1, by=relay.user)
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/{page}"
    form = {"first_name": "Kofi", "last_name": "Mensah", "email": "kofi@gmial.com", "new": "1", "request_key": str(uuid.uuid4())}

    asked = as_relay.post(url, form)
    done = as_relay.post(url, form | {"right_domain": "gmial.com"})

    assert asked.status_code == 422 and QUESTION in said(asked) and 'name="right_domain" value="gmial.com"' in said(asked)
    assert done.status_code == 200 and "kofi@gmial.com" in said(done) and Member.objects.filter(email="kofi@gmial.com").exists()


def test_a_corrected_address_is_looked_at_twice_and_the_old_one_makes_nothing_familiar(as_relay, relay, colleagues):
    kofi = factories.MemberFactory(company=relay.company, email="kofi@gmial.com")
    url = f"/c/{relay.company.public_id}/members/{kofi.public_id}/address/"
    form = {"email": "kofi.mensah@gmial.com", "shown": "kofi@gmial.com", "request_key": str(uuid.uuid4())}

    asked = as_relay.post(url, form)
    done = as_relay.post(url, form | {"right_domain": "gmial.com"})

    assert asked.status_code == 422 and QUESTION in said(asked)
    assert done.status_code == 302 and Member.objects.get(pk=kofi.pk).email == "kofi.mensah@gmial.com"


ROWS = ["Kofi\tMensah\tkofi@gmial.com", "Ama\tMensah\tama@autre.fr", "Yao\tMensah\tyao@autre.fr", "Efua\tMensah\tefua@seule.fr"]


@pytest.mark.parametrize("page", ["members/import/", "products/{}/distribute/list/"])
def test_a_list_says_which_domains_are_unknown_and_refuses_nothing(as_relay, relay, colleagues, page):
    product = factories.stock(relay.company, 9)
    url = f"/c/{relay.company.public_id}/{page.format(product.public_id)}"
    rows = "Prénom\tNom\tCourriel\n" + "\n".join([*ROWS, f"Zoé\t{colleagues[0].last_name}\t{colleagues[0].email}"])
    form = {"rows": rows, "request_key": str(uuid.uuid4())}

    shown = said(as_relay.post(url, form | {"check": "1"}))
    done = as_relay.post(url, form | {"confirm": "1"})

    assert shown.count("domaine inconnu de votre liste") == 2 and "2 de domaines inconnus de votre liste" in shown
    assert "inconnu de votre liste : gmial.com, peut-être gmail.com</b>" in shown and "inconnu de votre liste : seule.fr</b>" in shown
    assert done.status_code == 302 and Member.objects.filter(email="kofi@gmial.com").exists()


def test_a_first_list_says_what_is_alone_in_it(as_relay, relay):
    rows = "\n".join(f"Kofi{n}\tMensah\tkofi{n}@exemple.fr" for n in range(ENOUGH)) + "\nAma\tMensah\tama@seule.fr"

    form = {"rows": rows, "check": "1", "request_key": str(uuid.uuid4())}
    shown = said(as_relay.post(f"/c/{relay.company.public_id}/members/import/", form))

    assert shown.count("domaine inconnu de votre liste : ") == 1 and "1 d’un domaine inconnu de votre liste" in shown


def test_who_is_on_the_list_already_makes_it_no_longer(relay):
    known = factories.MemberFactory.create_batch(ENOUGH - 2, company=relay.company)
    again = [Person(number=1, first_name=m.first_name, last_name=m.last_name, email=m.email, member=m) for m in known]

    assert look_through([*again, Person(number=1, first_name="Kofi", last_name="Mensah", email="kofi@seule.fr")], relay.company) == 0


def test_a_row_that_is_refused_makes_no_domain_familiar(relay, colleagues):
    kofi = Person(number=1, first_name="Kofi", last_name="Mensah", email="kofi@seule.fr")

    assert look_through([kofi, Person(number=1, first_name="", last_name="", email="ama@seule.fr", error="?")], relay.company) == 1
