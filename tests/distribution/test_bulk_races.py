"""Lists and sheets against other acts on the same tickets: each ticket once, nothing by halves, nobody waits for ever."""

import threading
import time
import uuid
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from distribution.actions import distribute, distribute_list, forward, hand_over, import_tickets, reclaim
from distribution.errors import CannotReclaim, ListHasFaults, NotEnoughTickets, PreviewIsOld, SeatTaken
from distribution.models import Distribution
from distribution.people_list import Line
from distribution.round_trip import Edit, as_shown, judge, sheet_of
from members.models import Member
from tests import factories
from tests.distribution.test_races import ROUNDS, at_once
from tickets.models import Seat, Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = max(ROUNDS, 3)


def sheet_with(relay, product, names: dict[int, str]) -> list[Edit]:
    """The product's sheet, the rows of these indexes with another name."""
    rows = list(sheet_of(relay, product))[1:]
    return [
        Edit(at + 2, str(rows[at][0]), *((name, "Neuf", f"{name.lower()}@exemple.fr") if name else ("", "", "")), rows[at][6])
        for at, name in names.items()
    ]


def importing(relay, product, edits) -> Callable[[], Distribution | None]:
    shown = as_shown(judge(edits, relay, product, shares=False))
    values = {"shares": False, "message": "", "shown": shown}
    return lambda: import_tickets(relay=relay, product=product, edits=edits, request_key=uuid.uuid4(), **values)


def states(results) -> list[str]:
    return sorted(type(result).__name__ for result in results)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_sheet_and_a_distribution_of_the_same_tickets_have_one_winner(seller, round_):
    one, other = factories.RelayFactory.create_batch(2, company=factories.CompanyFactory())
    product = factories.stock(one.company, 6)
    member = factories.MemberFactory(company=one.company)
    act = importing(one, product, sheet_with(one, product, {0: "Ana", 2: "Bea", 4: "Cleo"}))

    def give():
        return distribute(relay=other, product=product, gifts=[(member.pk, 6, ())], message="", request_key=uuid.uuid4())

    results = at_once(act, give)

    assert states(results) in (["Distribution", "PreviewIsOld"], ["Distribution", "NotEnoughTickets"])
    given = Ticket.objects.filter(member__isnull=False).count()
    assert given == sum(r.quantity for r in results if isinstance(r, Distribution)) and figures_of(one.company, product).left == 6 - given
    assert Member.objects.count() == (4 if given == 3 else 1)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_a_sheet_that_gives_on_and_a_reclaim_of_the_same_tickets_have_one_winner(seller, round_):
    one, other = factories.RelayFactory.create_batch(2, company=factories.CompanyFactory())
    product = factories.stock(one.company, 4)
    tickets = factories.given(factories.MemberFactory(company=one.company), product, 2, by=one.user)
    act = importing(one, product, sheet_with(one, product, {0: "Ana", 1: "", 2: "Bea"}))
    faces = {t.public_id: t.face for t in tickets}

    results = at_once(act, lambda: reclaim(relay=other, shown=faces, request_key=uuid.uuid4()))

    assert sum(isinstance(r, Distribution) for r in results) == 1
    assert {type(r) for r in results} <= {Distribution, PreviewIsOld, CannotReclaim}
    names = sorted(t.member.first_name for t in Ticket.objects.filter(member__isnull=False).select_related("member"))
    assert names in (["Ana", "Bea"], [])


def test_the_same_sheet_brought_twice_at_once_is_done_once(seller):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 3)
    acts = [importing(relay, product, sheet_with(relay, product, {0: "Ana", 1: "Bea"})) for _ in range(3)]

    results = at_once(*acts)

    assert states(results) == ["Distribution", "PreviewIsOld", "PreviewIsOld"]
    assert Member.objects.count() == 2 and Ticket.objects.filter(member__isnull=False).count() == 2


def test_the_same_request_twice_has_one_answer(seller):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 3)
    edits = sheet_with(relay, product, {0: "Ana", 1: "Bea"})
    values = {"shares": False, "message": "", "shown": as_shown(judge(edits, relay, product, shares=False)), "request_key": uuid.uuid4()}

    first, second = (import_tickets(relay=relay, product=product, edits=edits, **values) for _ in range(2))

    assert first == second and Distribution.objects.get() == first


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_two_sheets_with_the_same_new_person_make_her_once(seller, round_):
    one, other = factories.RelayFactory.create_batch(2, company=factories.CompanyFactory())
    product = factories.stock(one.company, 4)
    acts = [importing(relay, product, sheet_with(relay, product, {at: "Ana"})) for at, relay in enumerate([one, other])]

    assert states(at_once(*acts)) == ["Distribution", "PreviewIsOld"]
    assert Member.objects.count() == 1 and Ticket.objects.filter(member__isnull=False).count() == 1


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_forwarding_and_distributing_the_last_tickets_have_one_winner(seller, round_):
    one, other = factories.RelayFactory.create_batch(2, company=factories.CompanyFactory())
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=one.company))
    product = factories.stock(one.company, 5)
    member = factories.MemberFactory(company=one.company)

    def give():
        return distribute(relay=other, product=product, gifts=[(member.pk, 3, ())], message="", request_key=uuid.uuid4())

    results = at_once(lambda: forward(relay=one, product=product, to=site.company, quantity=3, message="", request_key=uuid.uuid4()), give)

    assert states(results) == ["Distribution", "NotEnoughTickets"]
    assert member.tickets.count() + Ticket.objects.filter(company=site.company).count() == 3


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_of_the_same_seats_chosen_by_three_one_gets_them(seller, round_):
    one, two, three = factories.RelayFactory.create_batch(3, company=factories.CompanyFactory())
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=one.company))
    product = seated(one, 8)
    member = factories.MemberFactory(company=one.company)
    pks = list(Ticket.objects.order_by("pk").values_list("pk", flat=True))

    results = at_once(
        lambda: forward(relay=one, product=product, to=site.company, quantity=2, chosen=pks[2:4], message="", request_key=uuid.uuid4()),
        lambda: distribute(relay=two, product=product, gifts=[(member.pk, 3, pks[3:5])], message="", request_key=uuid.uuid4()),
        lambda: hand_over(relay=three, product=product, quantity=2, names=[], chosen=pks[2:4], request_key=uuid.uuid4()),
    )

    assert {type(r) for r in results} <= {Distribution, SeatTaken} and sum(isinstance(r, Distribution) for r in results) == 1


def seated(relay, count: int):
    product = factories.ProductFactory(numbered=True)
    Seat.objects.bulk_create(Seat(event=product.event, row="A", number=str(n), place_in_row=n) for n in range(1, count + 1))
    return factories.stock(relay.company, count, product)


def waits_without_holding(act, *, first: int, later: int) -> bool:
    """Whether the act, which needs both tickets, waits for the one with the lower key while the other is still free."""
    done: list = []

    def run():
        try:
            done.append(act())
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            done.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    with transaction.atomic():
        Ticket.objects.select_for_update().get(pk=first)
        thread.start()
        time.sleep(0.7)
        assert not done
        free = Ticket.objects.select_for_update(skip_locked=True).filter(pk=later).exists()
    thread.join(20)
    assert isinstance(done[0], Distribution), done
    return free


def test_a_list_locks_what_it_gives_and_what_it_renews_in_one_order(seller):
    relay = factories.RelayFactory()
    zoe = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")
    product = factories.stock(relay.company, 4)
    tickets = list(Ticket.objects.order_by("pk"))
    distribute_the_last(relay, zoe, tickets[3])
    lines = [Line(1, "Zoé", "Lefèvre", "zoe@mecavia.fr", typed="2")]

    def act():
        return distribute_list(relay=relay, product=product, lines=lines, shares=False, message="", request_key=uuid.uuid4())

    assert waits_without_holding(act, first=tickets[0].pk, later=tickets[3].pk)


def distribute_the_last(relay, member, ticket):
    distribute(relay=relay, product=ticket.product, gifts=[(member.pk, 1, [ticket.pk])], message="", request_key=uuid.uuid4())


def test_chosen_seats_and_the_best_beside_them_are_locked_in_one_order(seller):
    relay = factories.RelayFactory()
    product = seated(relay, 4)
    member = factories.MemberFactory(company=relay.company)
    pks = list(Ticket.objects.order_by("pk").values_list("pk", flat=True))

    def act():
        return distribute(relay=relay, product=product, gifts=[(member.pk, 2, [pks[3]])], message="", request_key=uuid.uuid4())

    assert waits_without_holding(act, first=pks[0], later=pks[3])


def test_a_sheet_locks_all_its_tickets_in_one_order(seller):
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 4)
    zoe = factories.MemberFactory(company=relay.company)
    tickets = list(Ticket.objects.order_by("pk"))
    distribute_the_last(relay, zoe, tickets[3])
    act = importing(relay, product, sheet_with(relay, product, {0: "Ana", 3: "Bea"}))

    assert waits_without_holding(act, first=tickets[0].pk, later=tickets[3].pk)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_two_lists_of_the_same_new_people_make_each_once(seller, round_):
    one, other = factories.RelayFactory.create_batch(2, company=factories.CompanyFactory())
    product = factories.stock(one.company, 40)

    def act(relay):
        lines = [Line(n, "Zoé", f"N{n}", f"n{n}@exemple.fr", typed="1") for n in range(1, 21)]
        return lambda: distribute_list(relay=relay, product=product, lines=lines, shares=False, message="", request_key=uuid.uuid4())

    results = at_once(act(one), act(other))

    assert {type(r) for r in results} <= {Distribution, type(None), ListHasFaults, NotEnoughTickets}
    assert Member.objects.count() == 20 and Ticket.objects.filter(member__isnull=False).count() == 20
