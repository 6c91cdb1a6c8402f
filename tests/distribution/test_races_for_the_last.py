"""The last tickets, wanted at once by those who distribute, forward, or send a list: each gets all she asked for or a true sentence."""

import os
import re
import uuid
from collections import Counter

import pytest

from distribution.actions import distribute, distribute_list, forward, import_members
from distribution.errors import NotEnoughTickets
from distribution.models import Distribution
from distribution.people_list import Line
from members import import_list
from members.models import Member
from tests import factories
from tests.distribution.test_races import at_once
from tickets.models import Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db(transaction=True)
LONG = bool(os.environ.get("RELAIS_LONG"))
ROUNDS, THREADS = (200, 64) if LONG else (1, 16)


def giving(relay, product, member, quantity=1):
    key = uuid.uuid4()
    return lambda: distribute(relay=relay, product=product, gifts=[(member.pk, quantity, ())], message="", request_key=key)


def forwarding(relay, product, to, quantity=2):
    key = uuid.uuid4()
    return lambda: forward(relay=relay, product=product, to=to, quantity=quantity, message="", request_key=key)


def listing(relay, product, people, quantity=1):
    """A list of people, some of them new to the company."""
    key = uuid.uuid4()

    def act():
        lines = [Line(n, "Kofi", name, f"{name.lower()}@exemple.fr", typed=str(quantity)) for n, name in enumerate(people, 1)]
        return distribute_list(relay=relay, product=product, lines=lines, shares=False, message="", request_key=key)

    return act


def importing(relay, people):
    def act():
        lines = [import_list.Line(n, "Kofi", name, f"{name.lower()}@exemple.fr") for n, name in enumerate(people, 1)]
        return import_members(relay=relay, lines=lines, shares=False, namesakes=False, request_key=uuid.uuid4())

    return act


def assert_each_got_all_or_a_true_sentence(results, company, product):
    """What was given is what the acts say, nobody was refused while her number was left, and no other error came."""
    assert {type(result) for result in results} <= {Distribution, NotEnoughTickets}, results
    left = figures_of(company, product).left
    moved = Counter(Ticket.objects.exclude(status="available", company=company).values_list("movements__act", flat=True))
    for act in (result for result in results if isinstance(result, Distribution)):
        assert moved[act.public_id] == act.quantity
    for refusal in (result for result in results if isinstance(result, NotEnoughTickets)):
        said = re.search(r"\d+", str(refusal))
        assert left <= refusal.available == (int(said[0]) if said else 0)
    return left


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_ten_tickets_wanted_by_all_relays_at_once_go_to_ten_people(seller, round_):
    company = factories.CompanyFactory()
    product = factories.stock(company, 10)
    relays = factories.RelayFactory.create_batch(4, company=company)
    members = factories.MemberFactory.create_batch(THREADS, company=company)

    results = at_once(*(giving(relays[n % 4], product, member) for n, member in enumerate(members)))

    assert assert_each_got_all_or_a_true_sentence(results, company, product) == 0
    assert sum(isinstance(result, Distribution) for result in results) == 10
    assert Counter(Ticket.objects.values_list("member", flat=True).distinct()).total() == 10


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_forwarding_against_distributing_each_ticket_goes_one_way(seller, round_):
    company = factories.CompanyFactory()
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=company)).company
    product = factories.stock(company, 7)
    one, other = factories.RelayFactory.create_batch(2, company=company)
    members = factories.MemberFactory.create_batch(6, company=company)

    results = at_once(
        *(giving(one if n % 2 else other, product, member) for n, member in enumerate(members)),
        forwarding(one, product, site), forwarding(other, product, site),
    )  # fmt: skip

    assert assert_each_got_all_or_a_true_sentence(results, company, product) <= 1
    assert not Ticket.objects.filter(company=site, member__isnull=False).exists()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_list_against_distributing_and_importing_is_given_whole_or_not_at_all(seller, round_):
    company = factories.CompanyFactory()
    product = factories.stock(company, 8)
    one, other, third = factories.RelayFactory.create_batch(3, company=company)
    members = factories.MemberFactory.create_batch(4, company=company)
    people = ["Mensah", "Owusu", "Boateng", "Asante"]

    *results, imported = at_once(
        listing(one, product, people), listing(other, product, list(reversed(people)), quantity=2),
        *(giving(third, product, member) for member in members), importing(third, people),
    )  # fmt: skip

    assert not isinstance(imported, Exception), imported
    assert_each_got_all_or_a_true_sentence([result for result in results if result is not None], company, product)
    assert Member.objects.filter(first_name="Kofi").count() == len(people)
    held = Counter(Ticket.objects.filter(member__first_name="Kofi").values_list("member", flat=True))
    assert set(held.values()) <= {1, 2} and len(set(held.values())) <= 1
