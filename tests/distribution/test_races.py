"""Two people acting on the last ticket: one gets it, the other a clear message, nothing is half done."""

import os
import threading
import time
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.actions import withdraw_relays
from distribution.actions import distribute, forward, hand_over, print_act, reclaim, reclaim_from
from distribution.actions.printouts import render_next
from distribution.errors import CannotReclaim, NotEnoughTickets, NothingToPrint
from distribution.models import Distribution, PrintoutFile
from tests import factories
from tickets import steps as tickets_steps
from tickets.models import Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20 if os.environ.get("RELAIS_LONG") else 1


def at_once(*acts):
    """Run these at the same instant, each in a thread and connection of its own; their results or exceptions."""
    barrier = threading.Barrier(len(acts), timeout=20)
    results: list = [None] * len(acts)

    def run(index, act):
        try:
            barrier.wait()
            results[index] = act()
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_eight_relays_distributing_the_last_hundred_tickets_give_exactly_a_hundred(seller, round_):
    company = factories.CompanyFactory()
    product = factories.stock(company, 100)
    relays = factories.RelayFactory.create_batch(8, company=company)
    members = factories.MemberFactory.create_batch(8, company=company)

    def distribute_all(relay, member):
        def act():
            gone, refused = 0, 0
            while refused < 3:
                gifts = [(member.pk, 3, ())] if refused == 0 else [(member.pk, 1, ())]
                try:
                    distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
                    gone += gifts[0][1]
                except NotEnoughTickets:
                    refused += 1
            return gone

        return act

    results = at_once(*(distribute_all(relay, member) for relay, member in zip(relays, members, strict=True)))

    assert sum(results) == 100
    assert figures_of(company, product).left == 0
    assert sorted(m.tickets.count() for m in members) == sorted(results)


def test_the_same_request_sent_twice_at_once_is_done_once(seller):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 10)
    member = factories.MemberFactory(company=relay.company)
    key = uuid.uuid4()

    def act():
        return distribute(relay=relay, product=product, gifts=[(member.pk, 2, ())], message="", request_key=key)

    first, second, third = at_once(act, act, act)

    assert first == second == third
    assert member.tickets.count() == 2


def test_two_relays_reclaiming_the_same_ticket_get_one_winner(seller):
    company = factories.CompanyFactory()
    one, other = factories.RelayFactory.create_batch(2, company=company)
    product = factories.stock(company, 1)
    (ticket,) = factories.given(factories.MemberFactory(company=company), product, by=one.user)

    shown = factories.shown(ticket)

    def act(relay):
        return lambda: reclaim(relay=relay, shown=shown, request_key=uuid.uuid4())

    results = at_once(act(one), act(other))

    assert sorted(type(result).__name__ for result in results) == ["CannotReclaim", "Distribution"]
    assert Ticket.objects.get().status == "available"


def test_a_relay_withdrawn_in_the_middle_of_three_hundred_lines_gives_all_of_them_or_none(seller):
    relay = factories.RelayFactory()
    staff = factories.UserFactory(is_staff=True)
    product = factories.stock(relay.company, 600)
    members = factories.MemberFactory.create_batch(300, company=relay.company)
    gifts = [(member.pk, 1, ()) for member in members]

    def act():
        return distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())

    result, _withdrawn = at_once(act, lambda: withdraw_relays(relays=[relay.pk], by=staff))
    again = at_once(act)[0]

    assert Ticket.objects.filter(member__isnull=False).count() == (300 if isinstance(result, Distribution) else 0)
    assert type(again).__name__ == "Http404"


@pytest.mark.parametrize("round_", range(max(ROUNDS, 3)))
def test_taking_back_from_a_structure_that_distributes_meanwhile_has_one_winner_a_ticket(seller, round_):
    relay = factories.RelayFactory()
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    product = factories.stock(relay.company, 6)
    members = factories.MemberFactory.create_batch(6, company=site.company)
    forward(relay=relay, product=product, to=site.company, quantity=6, message="", request_key=uuid.uuid4())

    def give(member):
        return lambda: distribute(relay=site, product=product, gifts=[(member.pk, 1, ())], message="", request_key=uuid.uuid4())

    def take():
        return reclaim_from(relay=relay, product=product, other=site.company, quantity=4, request_key=uuid.uuid4())

    results = at_once(*(give(member) for member in members), take, take, take)

    given, back = (Ticket.objects.filter(**state).count() for state in ({"member__isnull": False}, {"company": relay.company}))
    assert given == sum(isinstance(r, Distribution) and r.kind == "distribute" for r in results)
    assert back == sum(r.quantity for r in results if isinstance(r, Distribution) and r.kind == "reclaim")
    assert {type(r).__name__ for r in results} <= {"Distribution", "CannotReclaim", "NotEnoughTickets"}
    assert given + back >= 3


def test_what_is_given_while_its_taking_back_waits_stays_given(seller):
    relay = factories.RelayFactory()
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    product = factories.stock(relay.company, 1)
    member = factories.MemberFactory(company=site.company)
    forward(relay=relay, product=product, to=site.company, quantity=1, message="", request_key=uuid.uuid4())
    holds, result = threading.Event(), []

    def take():
        holds.wait(10)
        try:
            result.append(reclaim_from(relay=relay, product=product, other=site.company, quantity=1, request_key=uuid.uuid4()))
        except CannotReclaim as refusal:
            result.append(refusal)
        finally:
            connection.close()

    thread = threading.Thread(target=take)
    thread.start()
    with transaction.atomic():
        tickets = list(Ticket.objects.select_for_update())
        tickets_steps.distribute([(tickets[0], member)], by=site.user, shown_from=timezone.now(), act=uuid.uuid4())
        holds.set()
        time.sleep(0.5)  # the taker has found the ticket available and waits for its lock
    thread.join(10)

    assert isinstance(result[0], CannotReclaim)
    assert member.tickets.count() == 1


def test_what_another_act_gives_while_its_printing_waits_is_not_printed_for_the_first(seller, signing_key):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 1)
    first, second = factories.MemberFactory.create_batch(2, company=relay.company)
    act = distribute(relay=relay, product=product, gifts=[(first.pk, 1, ())], message="", request_key=uuid.uuid4())
    holds, result = threading.Event(), []

    def print_it():
        holds.wait(10)
        try:
            result.append(print_act(relay=relay, act=act, without_email=False, per_page=1, language="fr", request_key=uuid.uuid4()))
        except NothingToPrint as refusal:
            result.append(refusal)
        finally:
            connection.close()

    thread = threading.Thread(target=print_it)
    thread.start()
    with transaction.atomic():
        tickets = list(Ticket.objects.select_for_update())
        tickets_steps.reclaim(tickets, by=relay.user, act=None)
        tickets_steps.distribute([(tickets[0], second)], by=relay.user, shown_from=timezone.now(), act=uuid.uuid4())
        holds.set()
        time.sleep(0.5)  # the printer has found the ticket in the first one's hands and waits for its lock
    thread.join(10)

    assert isinstance(result[0], NothingToPrint)
    ticket = Ticket.objects.get()
    assert (ticket.member, ticket.status) == (second, "distributed")


def test_a_printout_asked_twice_at_once_is_made_once_and_its_files_are_rendered_once(seller, signing_key):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 3)
    act = hand_over(relay=relay, product=product, quantity=3, names=[], request_key=uuid.uuid4())
    key = uuid.uuid4()

    def print_it():
        return print_act(relay=relay, act=act, without_email=False, per_page=1, language="fr", request_key=key)

    first, second = at_once(print_it, print_it)
    at_once(render_next, render_next, render_next, render_next)

    assert first == second and act.printouts.count() == 2
    assert set(PrintoutFile.objects.values_list("attempts", flat=True)) == {1}
    assert not PrintoutFile.objects.filter(rendered_at=None).exists()
