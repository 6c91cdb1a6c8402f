"""A ticket taken back or given on while its holder, the gate or another relay acts on it: one winner, a true sentence for the other."""

import os
import threading
import time
import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from control.actions import scan
from distribution.actions import print_mine, reassign, reclaim, remind, remind_relays, rename
from distribution.errors import CannotReclaim, SomeoneLeft, TicketHasChanged
from distribution.models import Distribution, Reminder
from members.models import Member
from tests import factories
from tests.control.test_gate import code_of
from tests.distribution.test_races import at_once
from tickets.models import Movement, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
TIMES = 1_000 if os.environ.get("RELAIS_LONG") else 12


@pytest.fixture
def company(relay):
    return relay.company


@pytest.fixture
def zoe(company):
    return factories.MemberFactory(company=company, first_name="Zoé", last_name="Lefèvre")


def taking(relay, ticket, to=None):
    """What a relay's click would do with the page she has before her."""
    shown, key, product = factories.shown(ticket), uuid.uuid4(), ticket.product
    if to:
        return lambda: reassign(relay=relay, product=product, shown=shown, to=to, request_key=key)
    return lambda: reclaim(relay=relay, shown=shown, request_key=key)


def printing(user, ticket):
    return lambda: print_mine(user=user, shown={ticket.public_id: ticket.generation})


def naming(user, ticket):
    return lambda: rename(user=user, ticket=ticket.public_id, generation=ticket.generation, first_name="Kofi", last_name="Mensah")


@pytest.mark.parametrize("gesture", [printing, naming])
@pytest.mark.parametrize("given_on", [False, True])
def test_taking_back_against_its_holder_printing_or_naming_has_one_winner(relay, company, zoe, gesture, given_on):
    product = factories.stock(company, TIMES)
    user = factories.login(zoe.email)
    karim = factories.MemberFactory(company=company) if given_on else None
    winners = Counter()
    tickets = factories.given(zoe, product, TIMES, by=relay.user)
    for ticket in factories.printed(tickets) if gesture is naming else tickets:
        taken, done = at_once(taking(relay, ticket, karim), gesture(user, ticket))

        ticket.refresh_from_db()
        if isinstance(taken, Distribution):
            assert isinstance(done, TicketHasChanged) and ticket.member == karim
        else:
            assert isinstance(taken, CannotReclaim) and not isinstance(done, Exception), (taken, done)
            assert f"Billet {ticket.number}" in str(taken) and "Zoé Lefèvre" not in str(taken) and ticket.member == zoe
        winners[type(taken).__name__] += 1
    assert sum(winners.values()) == TIMES


@pytest.mark.parametrize("given_on", [False, True])
def test_taking_back_against_the_gate_has_one_winner_and_a_checked_ticket_never_moves(relay, company, zoe, given_on):
    product = factories.stock(company, TIMES)
    device = factories.DeviceFactory(gate__event=product.event)
    karim = factories.MemberFactory(company=company) if given_on else None
    for ticket in factories.printed(factories.given(zoe, product, TIMES, by=relay.user)):
        code = code_of(ticket)

        taken, verdict = at_once(
            taking(relay, ticket, karim), lambda code=code: scan(device=device, code=code, client_id=uuid.uuid4()).verdict
        )

        ticket.refresh_from_db()
        assert (verdict == "admitted") != isinstance(taken, Distribution), (taken, verdict)
        if verdict == "admitted":
            assert "contrôlé à l’entrée" in str(taken)
            assert ticket.movements.latest("pk").kind == "checked" and ticket.member == zoe
        else:
            assert ticket.member == karim and ticket.generation == 1


def test_two_relays_giving_the_same_tickets_to_different_people_get_one_winner_and_no_deadlock(relay, company, zoe):
    other = factories.RelayFactory(company=company)
    karim, lea = factories.MemberFactory.create_batch(2, company=company)
    product = factories.stock(company, 6)
    for _ in range(min(TIMES, 100)):
        several = factories.given(zoe, product, 6, by=relay.user)
        one_way, other_way = factories.shown(*several), dict(reversed(factories.shown(*several).items()))
        before = Movement.objects.filter(kind="reclaimed").count()

        results = at_once(
            lambda shown=one_way: reassign(relay=relay, product=product, shown=shown, to=karim, request_key=uuid.uuid4()),
            lambda shown=other_way: reassign(relay=other, product=product, shown=shown, to=lea, request_key=uuid.uuid4()),
        )

        assert sorted(type(result).__name__ for result in results) == ["CannotReclaim", "Distribution"], results
        winner, by = (karim, relay) if isinstance(results[0], Distribution) else (lea, other)
        loser = next(result for result in results if isinstance(result, CannotReclaim))
        assert f"distribué à {winner} par {by}" in str(loser)
        assert set(Ticket.objects.values_list("member", flat=True)) == {winner.pk}
        assert Movement.objects.filter(kind="reclaimed").count() == before + 6
        reclaim(relay=relay, shown=factories.shown(*several), request_key=uuid.uuid4())


def test_tickets_are_locked_in_the_order_of_their_keys_whatever_the_page_sends(relay, company, zoe):
    tickets = factories.given(zoe, factories.stock(company, 9), 9, by=relay.user)
    shown = dict(reversed(factories.shown(*tickets).items()))
    holds, results = threading.Event(), []

    def take():
        holds.wait(10)
        results.append(at_once(lambda: reclaim(relay=relay, shown=shown, request_key=uuid.uuid4()))[0])

    thread = threading.Thread(target=take)
    thread.start()
    with transaction.atomic():
        Ticket.objects.select_for_update().get(pk=tickets[0].pk)
        holds.set()
        time.sleep(0.5)  # the taker waits for the first: it has locked none of the others
        free = list(Ticket.objects.filter(pk__in=[t.pk for t in tickets[1:]]).select_for_update(nowait=True))
    thread.join(10)

    assert len(free) == 8
    assert isinstance(results[0], Distribution)


def test_nothing_is_given_on_to_someone_who_leaves_the_list_meanwhile(relay, company, zoe):
    karim = factories.MemberFactory(company=company)
    (ticket,) = factories.given(zoe, factories.stock(company, 1), by=relay.user)
    act, holds, results = taking(relay, ticket, karim), threading.Event(), []

    def give():
        holds.wait(10)
        results.append(at_once(act)[0])

    thread = threading.Thread(target=give)
    thread.start()
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).filter(pk=karim.pk).update(left_on=timezone.localdate())
        holds.set()
        time.sleep(0.5)  # the giver has found him on the list and waits for his row
    thread.join(10)

    assert isinstance(results[0], SomeoneLeft)
    assert ticket.movements.latest("pk").kind == "distributed" and zoe.tickets.get() == ticket


@pytest.mark.parametrize("given_on", [False, True])
def test_one_click_sent_three_times_at_once_and_again_later_happens_once(relay, company, zoe, given_on):
    karim = factories.MemberFactory(company=company) if given_on else None
    (ticket,) = factories.given(zoe, factories.stock(company, 1), by=relay.user)
    act = taking(relay, ticket, karim)

    first, second, third = at_once(act, act, act)

    assert first == second == third == act()
    assert Movement.objects.filter(kind="reclaimed").count() == 1
    assert factories.owed().count() == (2 if given_on else 1)


def test_two_relays_reminding_the_same_people_at_once_send_one_email_to_each(relay, company):
    other = factories.RelayFactory(company=company)
    product = factories.stock(company, 5)
    for member in factories.MemberFactory.create_batch(5, company=company):
        factories.given(member, product, by=relay.user)

    def click(who):
        return lambda: remind(relay=who, product=product, step="printed", message="", request_key=uuid.uuid4())

    plans = at_once(click(relay), click(other), click(relay))

    assert sorted(len(plan.reminded) for plan in plans) == [0, 0, 5]
    assert Reminder.objects.count() == factories.owed().count() == 5


def test_the_clock_running_thrice_at_once_owes_each_relay_one_reminder(relay, company):
    factories.RelayFactory(company=company)
    event = factories.EventFactory(starts_at=timezone.now() + timedelta(days=5))
    factories.stock(company, 3, factories.ProductFactory(event=event))
    factories.stock_came(timezone.now() - timedelta(days=30))

    assert sorted(at_once(remind_relays, remind_relays, remind_relays)) == [0, 0, 2]
