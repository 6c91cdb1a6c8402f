"""A row that knows somebody otherwise than the company's list does: said, old beside new, and never a second person."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from distribution.actions import distribute
from distribution.models import Distribution, Recipient
from members.models import Member
from outbox.models import Delivery
from tests import factories
from tests.distribution.test_distribute_list import judged, said, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 20)


@pytest.fixture
def url(relay, product):
    return f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/list/"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")


def check(client, url, rows, **more):
    return client.post(url, {"rows": rows, "check": "1", "request_key": str(uuid.uuid4()), **more})


def test_another_spelling_is_the_same_person_whose_name_stays(as_relay, relay, product, url, zoe):
    rows = "ZOE;LEFEVRE;zoe@exemple.fr;1"

    shown = said(check(as_relay, url, rows))
    send(as_relay, url, rows)

    assert "1 autrement sur votre liste" in shown and "votre liste écrit Zoé Lefèvre, qui ne change pas" in shown
    assert str(Member.objects.get()) == "Zoé Lefèvre" and zoe.tickets.count() == 1


def test_another_address_is_shown_old_beside_new_then_corrected(as_relay, relay, product, url, zoe):
    rows = "Zoé;Lefèvre;zoe@mecavia.fr;1"

    shown = said(check(as_relay, url, rows))
    assert "adresse corrigée : zoe@exemple.fr devient zoe@mecavia.fr" in shown
    assert Member.objects.get().email == "zoe@exemple.fr"
    send(as_relay, url, rows)

    assert Member.objects.get().email == "zoe@mecavia.fr" and zoe.tickets.count() == 1
    assert [letter.recipient for letter in factories.owed()] == ["zoe@mecavia.fr"]
    assert User.objects.filter(email="zoe@mecavia.fr").exists()


def test_an_address_is_added_to_who_had_none(as_relay, relay, product, url):
    factories.MemberFactory(company=relay.company, first_name="Jean", last_name="Sans", email="")

    assert "n’avait pas d’adresse" in said(check(as_relay, url, "Jean;Sans;jean@exemple.fr;1"))
    send(as_relay, url, "Jean;Sans;jean@exemple.fr;1")

    assert Member.objects.get().email == "jean@exemple.fr"


def test_what_goes_with_a_correction_goes_with_it_here_too(as_relay, relay, product, url, zoe):
    other = factories.stock(relay.company, 2)
    act = distribute(relay=relay, product=other, gifts=[(zoe.pk, 1, ())], message="", request_key=uuid.uuid4())
    factories.printed(list(zoe.tickets.all()))

    send(as_relay, url, "Zoé;Lefèvre;zoe@mecavia.fr;1")

    ticket = zoe.tickets.get(product=other)
    assert (ticket.status, ticket.generation) == ("distributed", 1)
    assert sorted(Delivery.objects.filter(kind="tickets_distributed").values_list("recipient", "state")) == [
        ("zoe@exemple.fr", "cancelled"),
        ("zoe@mecavia.fr", "pending"),
        ("zoe@mecavia.fr", "pending"),
    ]
    assert Recipient.objects.get(distribution=act).delivery.recipient == "zoe@mecavia.fr"


def test_an_address_with_which_someone_has_logged_in_is_not_changed(as_relay, relay, product, url, zoe):
    User.objects.filter(email=zoe.email).update(last_seen_at=timezone.now())

    answer = send(as_relay, url, "Zoé;Lefèvre;zoe@mecavia.fr;1")

    assert answer.status_code == 422 and "Zoé Lefèvre s’est connecté avec zoe@exemple.fr" in said(answer)
    assert Member.objects.get().email == "zoe@exemple.fr" and not Distribution.objects.exists()


def test_a_namesake_is_a_second_person_only_once_the_relay_says_so(as_relay, relay, product, url, zoe):
    rows = "Zoé;Lefèvre;autre@exemple.fr;1"
    assert 'name="another" value="autre@exemple.fr"' in said(check(as_relay, url, rows))

    answer = send(as_relay, url, rows, another="AUTRE@exemple.fr")

    assert answer.status_code == 302
    assert sorted(Member.objects.values_list("email", "tickets__status")) == [("autre@exemple.fr", "distributed"), ("zoe@exemple.fr", None)]


def test_what_the_relay_has_said_of_a_namesake_stays_ticked(as_relay, url, zoe):
    shown = said(check(as_relay, url, "Zoé;Lefèvre;autre@exemple.fr;1", another="autre@exemple.fr"))

    assert 'value="autre@exemple.fr" checked' in shown and "1 personne nouvelle" in shown


def test_two_new_rows_of_one_name_are_two_people_only_once_said(as_relay, relay, product, url):
    rows = "Marie;Martin;m1@exemple.fr;1\nMARIE;Martin;m2@exemple.fr;1"

    refused = send(as_relay, url, rows)
    done = send(as_relay, url, rows, another="m2@exemple.fr")

    assert "Même nom qu’à la ligne 1" in said(refused) and done.status_code == 302
    assert Member.objects.count() == 2


def test_a_new_row_without_address_is_no_twin_of_one_that_has_it(relay, product):
    _, second = judged(relay, product, "Marie;Martin;m1@exemple.fr;1\nMarie;Martin;;1")

    assert "donnez une adresse à chacune" in second.error


def test_of_several_namesakes_none_is_chosen(relay, product, zoe):
    factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe2@exemple.fr")

    (line,) = judged(relay, product, "Zoé;Lefèvre;zoe3@exemple.fr;1")

    assert "Plusieurs collègues portent ce nom" in line.error and line.namesake == "zoe@exemple.fr, zoe2@exemple.fr"


def test_a_list_that_gives_nothing_still_corrects_addresses_and_says_so(as_relay, relay, product, url, zoe):
    factories.given(zoe, product, 1, by=relay.user)

    answer = as_relay.post(url, {"rows": "Zoé;Lefèvre;zoe@mecavia.fr;1", "confirm": "1", "request_key": str(uuid.uuid4())}, follow=True)

    assert "1 adresse corrigée." in said(answer) and Member.objects.get().email == "zoe@mecavia.fr"


def test_correcting_thirty_addresses_asks_as_often_as_three(as_relay, relay):
    as_relay.get("/spaces/")

    def asked(count: int) -> int:
        product = factories.stock(relay.company, 2 * count)
        members = factories.MemberFactory.create_batch(count, company=relay.company)
        gifts = [(member.pk, 1, ()) for member in members]
        distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
        rows = "\n".join(f"{m.first_name};{m.last_name};{uuid.uuid4().hex}@exemple.fr;2" for m in members)
        url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/list/"
        with CaptureQueriesContext(connection) as captured:
            assert send(as_relay, url, rows).status_code == 302
        return len(captured)

    assert asked(3) == asked(30)
