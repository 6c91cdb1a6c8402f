"""Undo within the delay, of which nobody hears; reclaim later, of which the holder is told."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Seller
from distribution.actions import distribute, reclaim, undo
from distribution.errors import CannotReclaim, UndoTooLate
from distribution.models import Distribution
from outbox import actions as outbox_actions
from outbox.models import Delivery
from tests import factories
from tickets import steps as tickets_steps
from tickets.models import Movement
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


def give(relay, product, member, quantity=1):
    gifts = [(member.pk, quantity, ())]
    return distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())


def take_back(relay, *tickets, key=None):
    return reclaim(relay=relay, shown=factories.shown(*tickets), request_key=key or uuid.uuid4())


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé")


def test_undo_brings_everything_back_and_calls_the_emails_off(relay, zoe, post):
    product = factories.stock(relay.company, 3)
    act = give(relay, product, zoe, 2)

    undo(relay=relay, distribution=act)

    assert figures_of(relay.company, product).left == 3
    assert factories.owed().get().state == "cancelled"
    assert [m.kind for m in Movement.objects.filter(from_member=zoe)] == ["undone", "undone"]
    Distribution.objects.update(undo_until=timezone.now() - timedelta(seconds=1))
    assert undo(relay=relay, distribution=act).undone_at is not None  # again, and later: nothing more
    Delivery.objects.update(not_before=timezone.now())
    outbox_actions.send_due()
    assert post.to(zoe.email) == []


def test_undo_leaves_what_was_taken_back_and_given_again_meanwhile(relay, zoe):
    product = factories.stock(relay.company, 1)
    act = give(relay, product, zoe)
    take_back(relay, zoe.tickets.get())
    give(relay, product, zoe)

    undo(relay=relay, distribution=act)

    assert zoe.tickets.count() == 1


def test_undo_after_the_delay_is_refused(relay, zoe):
    product = factories.stock(relay.company, 1)
    act = give(relay, product, zoe)
    Distribution.objects.update(undo_until=timezone.now() - timedelta(seconds=1))

    with pytest.raises(UndoTooLate):
        undo(relay=relay, distribution=act)

    assert zoe.tickets.count() == 1


def test_a_reclaimed_ticket_is_available_again_and_its_holder_is_told_once(relay, zoe, post):
    product = factories.stock(relay.company, 2)
    tickets = factories.given(zoe, product, 2, by=relay.user)
    key = uuid.uuid4()

    for _ in range(2):
        take_back(relay, *tickets, key=key)

    assert figures_of(relay.company, product).left == 2
    outbox_actions.send_due()
    (letter,) = post.to(zoe.email)
    assert "ne sont plus à vous" in letter["Subject"]


def test_a_print_dies_with_the_reclaim_and_an_unprinted_ticket_keeps_its_generation(relay, zoe):
    product = factories.stock(relay.company, 2)
    printed, unprinted = factories.given(zoe, product, 2, by=relay.user)
    factories.printed([printed])

    take_back(relay, printed, unprinted)

    printed.refresh_from_db()
    unprinted.refresh_from_db()
    assert (printed.generation, printed.printed_generation) == (1, None)
    assert unprinted.generation == 0


def test_a_holder_who_has_not_been_shown_a_ticket_never_hears_of_it(relay, zoe):
    product = factories.stock(relay.company, 1)
    give(relay, product, zoe)

    take_back(relay, zoe.tickets.get())

    assert Movement.objects.get(from_member=zoe).kind == "undone"
    assert [d.state for d in factories.owed().all()] == ["cancelled"]


def test_what_was_checked_is_not_reclaimed_and_nothing_else_either(relay, zoe):
    product = factories.stock(relay.company, 2)
    used, unused = factories.given(zoe, product, 2, by=relay.user)
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)

    with pytest.raises(CannotReclaim, match=f"Le billet {used.number} a été contrôlé"):
        take_back(relay, used, unused)

    assert zoe.tickets.count() == 2


def test_the_seller_may_stop_reclaims_at_the_print(relay, zoe):
    Seller.objects.update(reclaim_until="printed")
    product = factories.stock(relay.company, 2)
    printed, unprinted = factories.given(zoe, product, 2, by=relay.user)
    factories.printed([printed])

    with pytest.raises(CannotReclaim):
        take_back(relay, printed)
    take_back(relay, unprinted)


def test_tickets_of_another_company_are_not_reclaimed(relay, zoe):
    other = factories.RelayFactory()
    product = factories.stock(relay.company, 1)
    factories.stock(other.company, 1, product)
    (ticket,) = factories.given(zoe, product, by=relay.user)

    with pytest.raises(CannotReclaim):
        take_back(other, ticket)
    with pytest.raises(CannotReclaim, match="Choisissez"):
        take_back(relay)
