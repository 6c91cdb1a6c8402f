"""Tickets go to other structures, which distribute them themselves; what nobody used comes back level by level."""

import uuid

import pytest

from accounts.models import Company, Seller
from distribution.actions import forward, reclaim_from
from distribution.errors import CannotForward, CannotReclaim, NotEnoughTickets
from outbox.models import Delivery
from tests import factories
from tickets.models import Forward, Movement, Ticket
from tickets.stock import figures_of, tree

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(relay):
    """The relay of a site below."""
    return factories.RelayFactory(company=factories.CompanyFactory(name="Lyon", parent=relay.company), first_name="Thomas")


@pytest.fixture
def workshop(site):
    """The relay of a workshop of the site: two levels below."""
    return factories.RelayFactory(company=factories.CompanyFactory(name="Atelier", parent=site.company), first_name="Inès")


def confide(relay, product, to, quantity, message="", key=None):
    return forward(relay=relay, product=product, to=to.company, quantity=quantity, message=message, request_key=key or uuid.uuid4())


def take_back(relay, product, other, quantity, key=None):
    return reclaim_from(relay=relay, product=product, other=other.company, quantity=quantity, request_key=key or uuid.uuid4())


def give(relay, product, quantity=1):
    member = factories.MemberFactory(company=relay.company)
    factories.given(member, product, quantity, by=relay.user)
    return member


def test_forwarded_tickets_are_the_other_companys_to_distribute(relay, site):
    product = factories.stock(relay.company, 35)

    act = confide(relay, product, site, 15)

    here, there = figures_of(relay.company, product), figures_of(site.company, product)
    assert (here.bought, here.left, here.away) == (35, 20, 15)
    assert (there.bought, there.received, there.left) == (0, 15, 15)
    assert Movement.objects.filter(kind="forwarded", act=act.public_id, actor=relay.user).count() == 15


def test_each_relay_of_the_other_company_gets_one_email_and_nobody_else(relay, site, post):
    second = factories.RelayFactory(company=site.company)
    factories.RelayFactory(company=site.company, withdrawn_at="2026-01-01T00:00Z")
    product = factories.stock(relay.company, 3)

    confide(relay, product, site, 3, message="Pour l'équipe du matin")

    owed = Delivery.objects.filter(kind="tickets_forwarded")
    assert sorted(owed.values_list("recipient", flat=True)) == sorted([site.user.email, second.user.email])


def test_it_goes_further_down_and_each_level_sees_its_own_tree(relay, site, workshop):
    product = factories.stock(relay.company, 35)
    give(relay, product, 8)
    confide(relay, product, site, 15)
    give(site, product, 4)
    confide(site, product, workshop, 5)
    give(workshop, product, 2)

    (lyon,) = tree(relay.company, product)
    (atelier,) = lyon.branches

    assert (lyon.company, lyon.total, lyon.waiting, lyon.given) == (site.company, 15, 6, 4)
    assert (atelier.company, atelier.total, atelier.waiting, atelier.given) == (workshop.company, 5, 3, 2)
    assert [(branch.company, branch.total) for branch in tree(site.company, product)] == [(workshop.company, 5)]
    assert tree(workshop.company, product) == []
    here = figures_of(relay.company, product)
    assert (here.total, here.left, here.distributed, here.away) == (35, 12, 14, 9)


def test_what_nobody_down_there_has_distributed_comes_back_from_any_depth(relay, site, workshop):
    product = factories.stock(relay.company, 10)
    confide(relay, product, site, 10)
    confide(site, product, workshop, 6)
    kept = give(workshop, product, 2)

    take_back(relay, product, workshop, 4)

    assert figures_of(relay.company, product).left == 4
    assert figures_of(site.company, product).total == 6
    assert kept.tickets.count() == 2
    assert not Forward.objects.filter(ticket__company=relay.company).exists()
    with pytest.raises(CannotReclaim, match="Atelier"):
        take_back(relay, product, workshop, 1)


def test_a_level_in_between_takes_back_to_itself_only(relay, site, workshop):
    product = factories.stock(relay.company, 4)
    confide(relay, product, site, 4)
    confide(site, product, workshop, 4)

    take_back(site, product, workshop, 3)

    assert figures_of(site.company, product).left == 3
    assert Ticket.objects.filter(company=site.company).count() == 3
    assert Forward.objects.filter(ticket__company=site.company).count() == 3
    assert figures_of(relay.company, product).left == 0


def test_what_was_distributed_comes_back_only_where_the_seller_allows_it(relay, site):
    product = factories.stock(relay.company, 3)
    confide(relay, product, site, 3)
    member = give(site, product, 2)

    with pytest.raises(CannotReclaim):
        take_back(relay, product, site, 2)
    assert figures_of(relay.company, product).left == 0

    Seller.objects.update(reclaims_below=True)
    take_back(relay, product, site, 3)
    assert figures_of(relay.company, product).left == 3
    assert Delivery.objects.filter(kind="tickets_reclaimed", recipient=member.email).count() == 1
    assert Delivery.objects.filter(kind="forward_reclaimed", recipient=site.user.email).count() == 1


def test_what_was_checked_never_comes_back(relay, site):
    Seller.objects.update(reclaims_below=True)
    product = factories.stock(relay.company, 1)
    confide(relay, product, site, 1)
    give(site, product)
    Ticket.objects.update(status="checked")
    Movement.objects.create(ticket=Ticket.objects.get(), kind="checked", generation=0)

    with pytest.raises(CannotReclaim):
        take_back(relay, product, site, 1)


def test_a_ticket_never_returns_to_a_company_of_its_chain_by_forwarding(relay, site):
    relay.company.partners.add(site.company)
    product = factories.stock(relay.company, 2)
    confide(relay, product, site, 2)

    with pytest.raises(NotEnoughTickets):
        confide(site, product, relay, 1)


def test_only_children_and_partners_receive_and_only_where_somebody_can_act(relay, site):
    product = factories.stock(relay.company, 2)
    stranger = factories.RelayFactory()
    nobody = factories.CompanyFactory(name="Sans relais", parent=relay.company)

    for to in (stranger.company, nobody, relay.company):
        with pytest.raises(CannotForward):
            forward(relay=relay, product=product, to=to, quantity=1, message="", request_key=uuid.uuid4())

    relay.company.partners.add(stranger.company)
    confide(relay, product, stranger, 1)
    assert list(Company.objects.receiving_from(stranger.company)) == [relay.company]


def test_the_same_request_twice_moves_once(relay, site):
    product = factories.stock(relay.company, 4)
    key, back = uuid.uuid4(), uuid.uuid4()

    assert confide(relay, product, site, 2, key=key) == confide(relay, product, site, 2, key=key)
    assert figures_of(site.company, product).left == 2
    assert take_back(relay, product, site, 1, key=back) == take_back(relay, product, site, 1, key=back)
    assert figures_of(site.company, product).left == 1
