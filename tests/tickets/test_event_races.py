"""An event cancelled at the very moment when relays distribute, staff sell and doors admit: one order of things, whole."""

import os
import uuid

import pytest

from control.actions import scan, undo
from control.errors import CheckStays
from control.models import Scan
from distribution.actions import distribute
from distribution.errors import NotEnoughTickets
from distribution.models import Distribution
from outbox.models import Delivery
from sales import actions
from tests import factories
from tests.distribution.test_races import at_once
from tickets.barcode import encode, signer
from tickets.errors import EventIsCancelled
from tickets.models import EventChange, Movement, Order, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 100 if os.environ.get("RELAIS_LONG") else 2


@pytest.fixture
def staff(seller):
    factories.signing_key()
    return factories.UserFactory(is_staff=True)


def cancelling(product, staff, key=None):
    return lambda: actions.cancel_event(event=product.event_id, by=staff, advice="", request_key=key or uuid.uuid4())


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_what_is_distributed_while_the_event_is_cancelled_is_cancelled_too(staff, round_):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 12)
    members = factories.MemberFactory.create_batch(4, company=relay.company)

    def giving(member):
        return lambda: distribute(relay=relay, product=product, gifts=[(member.pk, 3, ())], message="", request_key=uuid.uuid4())

    *gifts, change = at_once(*(giving(member) for member in members), cancelling(product, staff))

    assert isinstance(change, EventChange)
    assert {type(gift) for gift in gifts} <= {Distribution, NotEnoughTickets}
    assert set(Ticket.objects.values_list("status", flat=True)) == {"cancelled"}
    assert Ticket.objects.filter(member__isnull=False).count() == 3 * sum(isinstance(gift, Distribution) for gift in gifts)
    assert Movement.objects.filter(act=change.public_id).count() == 12


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_ticket_is_checked_or_cancelled_and_never_both(staff, round_):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 8)
    tickets = factories.printed(factories.given(factories.MemberFactory(company=relay.company), product, 8, by=relay.user))
    device = factories.DeviceFactory(gate__event=product.event)
    codes = [encode(ticket, signer()) for ticket in tickets]

    def reading(code):
        return lambda: scan(device=device, code=code, client_id=uuid.uuid4())

    *scans, change = at_once(*(reading(code) for code in codes), cancelling(product, staff))

    assert isinstance(change, EventChange)
    admitted = {s.ticket_id for s in scans if isinstance(s, Scan) and s.verdict == "admitted"}
    assert {s.reason for s in scans} <= {"", "cancelled"}
    assert set(Ticket.objects.filter(status="checked").values_list("pk", flat=True)) == admitted
    assert Ticket.objects.filter(status="cancelled").count() == 8 - len(admitted)
    assert Movement.objects.filter(act=change.public_id).count() == 8 - len(admitted)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_no_check_taken_back_meanwhile_leaves_a_valid_ticket(staff, round_):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 4)
    tickets = factories.printed(factories.given(factories.MemberFactory(company=relay.company), product, 4, by=relay.user))
    device = factories.DeviceFactory(gate__event=product.event)
    scans = [scan(device=device, code=encode(ticket, signer()), client_id=uuid.uuid4()) for ticket in tickets]

    def taking_back(found):
        return lambda: undo(scan=found.pk, device=device)

    *undone, change = at_once(*(taking_back(found) for found in scans), cancelling(product, staff))

    assert isinstance(change, EventChange) and {type(answer) for answer in undone} <= {Scan, CheckStays}
    stayed = sum(isinstance(answer, CheckStays) for answer in undone)
    assert (Ticket.objects.filter(status="checked").count(), Ticket.objects.filter(status="cancelled").count()) == (stayed, 4 - stayed)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_order_confirmed_meanwhile_is_cancelled_whole_or_refused(staff, round_):
    product = factories.stock(factories.CompanyFactory(), 2)
    draft = factories.order(factories.CompanyFactory(), product, 5)  # of a company that has ordered none before

    order, change = at_once(lambda: actions.confirm_order(order=draft.pk, by=None), cancelling(product, staff))

    assert isinstance(change, EventChange)
    assert isinstance(order, (Order, EventIsCancelled))
    assert Ticket.objects.count() == (7 if isinstance(order, Order) else 2)
    assert set(Ticket.objects.values_list("status", flat=True)) == {"cancelled"}


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_tickets_are_cancelled_while_they_are_distributed_without_a_deadlock(staff, round_):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 6)
    keys = list(Ticket.objects.values_list("pk", flat=True))
    members = factories.MemberFactory.create_batch(3, company=relay.company)

    def giving(member):
        return lambda: distribute(relay=relay, product=product, gifts=[(member.pk, 2, ())], message="", request_key=uuid.uuid4())

    *gifts, count = at_once(*(giving(member) for member in members), lambda: actions.cancel_tickets(tickets=keys, by=staff, key="k"))

    assert count == 6 and set(Ticket.objects.values_list("status", flat=True)) == {"cancelled"}
    assert {type(gift) for gift in gifts} <= {Distribution, NotEnoughTickets}


def test_the_same_request_and_another_at_once_cancel_once(staff):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 3)
    key, second = uuid.uuid4(), factories.UserFactory(is_staff=True)

    answers = at_once(cancelling(product, staff, key), cancelling(product, staff, key), cancelling(product, second))

    assert len({answer.pk for answer in answers}) == 1
    assert Delivery.objects.filter(kind="event_cancelled").count() == 1
