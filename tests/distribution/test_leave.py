"""Who leaves the company is off the list; what she holds stays hers and valid, or comes back in the same gesture."""

import uuid
from functools import partial

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Seller
from distribution.actions import distribute, leave, merge
from distribution.actions.distribute import lock_members
from distribution.actions.members import addresses
from distribution.errors import SomeoneLeft
from distribution.models import Distribution
from members.models import Member
from outbox import actions as outbox_actions
from tests import factories
from tests.distribution.test_races import at_once
from tickets import steps as tickets_steps
from tickets.models import Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")


@pytest.fixture
def url(relay, zoe):
    return f"/c/{relay.company.public_id}/members/{zoe.public_id}/"


def said(answer) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())


def goes(client, url, reclaims, **more):
    return client.post(url + "leave/", {"reclaims": reclaims, "request_key": str(uuid.uuid4())} | more, follow=True)


def test_what_she_holds_is_shown_first_with_the_choice(as_relay, relay, url, zoe):
    (ticket,) = factories.given(zoe, factories.stock(relay.company, 1), by=relay.user)

    page = said(as_relay.get(url + "leave/"))
    undecided = as_relay.post(url + "leave/", {"request_key": str(uuid.uuid4())})

    assert str(ticket.number) in page and "Le reprendre : il est de nouveau à distribuer" in page
    assert undecided.status_code == 422 and "Choisissez l’un des deux" in said(undecided)
    zoe.refresh_from_db()
    assert zoe.left_on is None


def test_she_is_found_no_more_when_distributing_and_her_tickets_stay_good(as_relay, client, relay, url, zoe):
    product = factories.stock(relay.company, 3)
    (ticket,) = factories.given(zoe, product, by=relay.user)

    goes(as_relay, url, "no")

    zoe.refresh_from_db()
    assert zoe.left_on == timezone.localdate()
    assert "Lefèvre" not in said(as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/people/?q=zoe"))
    client.force_login(factories.login(zoe.email), backend="django.contrib.auth.backends.ModelBackend")
    assert f"Billet {ticket.number}" in said(client.get("/my/"))
    assert tickets_steps.check(number=ticket.number, event=ticket.event, generation=0)


def test_nothing_can_be_given_to_who_left(relay, zoe):
    product = factories.stock(relay.company, 3)
    draft = [(zoe.pk, 1, ())]
    leave(relay=relay, member=zoe, reclaims=False, request_key=uuid.uuid4())

    with pytest.raises(Exception, match="Choisissez au moins une personne"):
        distribute(relay=relay, product=product, gifts=draft, message="", request_key=uuid.uuid4())
    assert not Distribution.objects.exists()


def test_all_she_has_not_used_comes_back_with_one_email(as_relay, relay, url, zoe, post):
    products = [factories.stock(relay.company, 2) for _ in range(2)]
    for product in products:
        factories.given(zoe, product, 2, by=relay.user)
    used, kept = zoe.tickets.order_by("pk")[:2]
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)
    factories.printed([kept])

    answer = goes(as_relay, url, "yes")

    assert "3 billets sont de nouveau à distribuer" in said(answer)
    assert list(zoe.tickets.all()) == [used]
    assert [figures_of(relay.company, product).left for product in products] == [1, 2]
    assert sorted(Distribution.objects.values_list("kind", "quantity")) == [("reclaim", 1), ("reclaim", 2)]
    outbox_actions.send_due()
    (letter,) = post.to(zoe.email)
    assert letter["Subject"] == "3 billets ne sont plus à vous"
    text = letter.get_body(("plain",)).get_content()
    assert all(product.event.name in text for product in products)
    kept.refresh_from_db()
    assert kept.generation == 1  # what was printed is dead


def test_what_the_seller_lets_nobody_reclaim_stays_hers(as_relay, relay, url, zoe):
    Seller.objects.update(reclaim_until="printed")
    product = factories.stock(relay.company, 2)
    printed, unprinted = factories.given(zoe, product, 2, by=relay.user)
    factories.printed([printed])

    assert "Imprimé : il reste à cette personne" in said(as_relay.get(url + "leave/"))
    goes(as_relay, url, "yes")

    assert list(zoe.tickets.all()) == [printed]


def test_who_manages_without_distributing_takes_no_ticket_back(as_relay, relay, url, zoe):
    factories.given(zoe, factories.stock(relay.company, 1), by=relay.user)
    relay.may_distribute, relay.may_manage = False, True
    relay.save()

    goes(as_relay, url, "yes")

    zoe.refresh_from_db()
    assert zoe.left_on and zoe.tickets.count() == 1


def test_leaving_twice_is_done_once_and_she_can_be_put_back(as_relay, relay, url, zoe):
    factories.given(zoe, factories.stock(relay.company, 1), by=relay.user)
    key = str(uuid.uuid4())
    for _ in range(2):
        goes(as_relay, url, "yes", request_key=key)
    assert Distribution.objects.count() == 1

    as_relay.post(url + "put-back/")

    zoe.refresh_from_db()
    assert zoe.left_on is None


def test_who_has_left_with_her_tickets_keeps_them_whatever_is_sent_later(relay, zoe):
    factories.given(zoe, factories.stock(relay.company, 1), by=relay.user)

    leave(relay=relay, member=zoe, reclaims=False, request_key=uuid.uuid4())
    leave(relay=relay, member=zoe, reclaims=True, request_key=uuid.uuid4())

    assert zoe.tickets.count() == 1 and not Distribution.objects.exists()


def test_the_address_of_who_left_is_not_offered_to_be_corrected(as_relay, relay, zoe):
    product = factories.stock(relay.company, 1)
    factories.given(zoe, product, by=relay.user)
    link = f"/members/{zoe.public_id}/correct-address/"
    home = f"/c/{relay.company.public_id}/products/{product.public_id}/"
    assert link in said(as_relay.get(home))

    leave(relay=relay, member=zoe, reclaims=False, request_key=uuid.uuid4())

    assert link not in said(as_relay.get(home))


def test_who_was_typed_anew_meanwhile_is_not_put_back_as_a_double(as_relay, relay, url, zoe):
    Member.objects.update(left_on="2026-03-03", first_name="Zoe")
    Member.objects.filter(pk=zoe.pk).update(sort_key="lefevre zoe")
    other = Member(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")
    other.save()

    assert "réunissez plutôt les deux fiches" in said(as_relay.post(url + "put-back/", follow=True))
    assert Member.objects.of(relay.company).get() == other


def test_leaving_asks_as_often_for_thirty_tickets_as_for_three(relay):
    def asked(count: int) -> int:
        member = factories.MemberFactory(company=relay.company)
        factories.given(member, factories.stock(relay.company, count), count, by=relay.user)
        with CaptureQueriesContext(connection) as captured:
            leave(relay=relay, member=member, reclaims=True, request_key=uuid.uuid4())
        assert not member.tickets.exists()
        return len(captured)

    assert asked(3) == asked(30)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("goes", ["leaves", "is merged"])
def test_whoever_goes_while_she_is_given_tickets_either_has_them_or_gets_none(seller, goes):
    company = factories.CompanyFactory()
    one, other = factories.RelayFactory.create_batch(2, company=company)
    product = factories.stock(company, 20)
    members = factories.MemberFactory.create_batch(10, company=company, email="")
    kept = factories.MemberFactory(company=company, email="")

    def go(member):
        if goes == "leaves":
            leave(relay=one, member=member, reclaims=True, request_key=uuid.uuid4())
        else:
            merge(relay=one, gone=member, kept=kept, shown=addresses(member, kept), request_key=uuid.uuid4())

    def give(member):
        return distribute(relay=other, product=product, gifts=[(member.pk, 1, ())], message="", request_key=uuid.uuid4())

    for member in members:
        _gone, given = at_once(partial(go, member), partial(give, member))
        assert type(given).__name__ in ("Distribution", "SomeoneLeft", "NobodyChosen")

    # Nobody who has left the list was given a ticket after she had: what was given before came back, or went with her.
    assert not Ticket.objects.filter(member__left_on__isnull=False).exists()


def test_who_leaves_between_the_choice_and_the_gift_is_named_as_gone(relay, zoe):
    Member.objects.update(left_on="2026-03-03")

    with pytest.raises(SomeoneLeft), transaction.atomic():
        lock_members({zoe.pk})
