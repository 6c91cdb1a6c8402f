"""What is counted every minute is what the tickets say: by company, product, channel and holder."""

from collections import Counter
from contextlib import closing

import pytest
from django.db import connection
from django.utils import timezone

from dashboard.actions import count
from dashboard.models import Counted, Tally
from dashboard.tasks import count as task
from sales import actions as sales_actions
from tests import factories
from tests.dashboard.conftest import over
from tickets import steps as tickets_steps
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def tallied() -> dict:
    return {
        (t.event_id, t.product_id, t.bought_by_id, t.held_by_id, t.channel): (t.n_bought, t.n_distributed, t.n_printed, t.n_checked)
        for t in Tally.objects.all()
    }


def counted_one_by_one() -> dict:
    """The same, from every ticket as the states are defined."""
    numbers: dict[tuple, Counter] = {}
    for ticket in Ticket.objects.select_related("order_line__order").exclude(status="cancelled"):
        key = (ticket.event_id, ticket.product_id, ticket.bought_by_id, ticket.company_id, ticket.order_line.order.channel)
        of = numbers.setdefault(key, Counter())
        of["bought"] += 1
        of["distributed"] += ticket.status != "available"
        of["printed"] += ticket.printed_generation is not None
        of["checked"] += ticket.status == "checked"
    return {key: (of["bought"], of["distributed"], of["printed"], of["checked"]) for key, of in numbers.items()}


def check(*tickets: Ticket) -> None:
    for ticket in tickets:
        assert tickets_steps.check(number=ticket.number, event=ticket.event, generation=ticket.generation)


@pytest.fixture
def world(relay, staff):
    """Two products, three companies, two channels, and tickets in every state."""
    product = factories.stock(relay.company, 9, channel="online")
    factories.stock(relay.company, 4, product, channel="phone")
    other = factories.RelayFactory()
    factories.stock(other.company, 3, product)
    second = factories.stock(other.company, 2)
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    tickets_steps.forward(list(Ticket.objects.filter(company=relay.company).order_by("pk")[:2]), to=site.company, by=relay.user, act=None)
    member = factories.MemberFactory(company=relay.company)
    given = factories.given(member, product, 5, by=relay.user)
    check(*factories.printed(given[:3])[:1], given[4])
    sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(company=other.company).first().pk], by=staff, key="k")
    return {"product": product, "second": second, "site": site, "relay": relay, "member": member, "other": other}


def test_the_tallies_are_the_live_count_whatever_happens_in_between(world, staff):
    for happens in (
        lambda: None,
        lambda: factories.printed(factories.given(world["member"], world["product"], 1, by=world["relay"].user)),
        lambda: sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(status="distributed").first().pk], by=staff, key="l"),
        lambda: factories.stock(world["site"].company, 6, world["second"], channel="box_office"),
        lambda: sales_actions.cancel_tickets(
            tickets=list(Ticket.objects.filter(bought_by=world["site"].company).values_list("pk", flat=True)), by=staff, key="m"
        ),
    ):
        happens()
        count()
        assert tallied() == counted_one_by_one()
    assert sum(n_bought for n_bought, *_ in tallied().values()) == Ticket.objects.exclude(status="cancelled").count() == 16


def test_it_says_of_when_it_is_and_counts_by_the_clock_of_the_worker(world):
    assert not Counted.objects.exists()
    before = timezone.now()

    task()
    task()

    assert before <= Counted.objects.get().at <= timezone.now()


def test_an_event_that_ends_is_over_at_the_next_count(world):
    count()
    assert not Tally.objects.filter(over=True).exists()
    over(world["product"].event)

    count()

    assert set(Tally.objects.filter(over=True).values_list("product", flat=True)) == {world["product"].pk}


def test_nothing_is_written_where_nothing_has_changed(world):
    count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, xmin::text FROM dashboard_tally ORDER BY id")
        before = cursor.fetchall()
        count()
        cursor.execute("SELECT id, xmin::text FROM dashboard_tally ORDER BY id")
        assert cursor.fetchall() == before


def test_of_two_counts_at_once_the_second_leaves_it_to_the_first(world):
    with closing(connection.copy()) as elsewhere, elsewhere.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('dashboard.count'))")
        count()
        assert not Tally.objects.exists()
        cursor.execute("SELECT pg_advisory_unlock(hashtext('dashboard.count'))")
    count()

    assert tallied() == counted_one_by_one()
