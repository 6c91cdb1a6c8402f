"""A process killed in the middle of a distribution of 300: all of it happened or none, and the same request then does it once."""

import os
import signal
import uuid

import pytest
from django.db import connection, transaction

from distribution.actions import distribute
from distribution.models import Distribution
from members import steps as members_steps
from outbox.models import Delivery
from tests import factories
from tickets.models import Movement, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 300


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_at(statement: int | None, act) -> None:
    """Do it in a process of its own that is killed instead of its nth statement, or just after its commit."""
    connection.close()
    if child := os.fork():
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        return
    asked = 0

    def count(execute, sql, params, many, context):
        nonlocal asked
        asked += 1
        if asked == statement:
            die()
        return execute(sql, params, many, context)

    try:
        with connection.execute_wrapper(count):
            act()
    finally:
        die()


def statements_of(act) -> int:
    asked = []
    with connection.execute_wrapper(lambda execute, sql, *rest: (asked.append(sql), execute(sql, *rest))[1]):
        act()
    return len(asked)


def test_killed_at_any_point_it_gave_all_or_nothing_and_the_same_request_gives_it_once(seller):
    relay = factories.RelayFactory()
    with transaction.atomic():
        members = members_steps.add_many(relay.company, [("Zoé", f"N{n}", f"zoe{n}@exemple.fr") for n in range(MANY)])

    def giving(product, key):
        gifts = [(member.pk, 1, ()) for member in members]
        return lambda: distribute(relay=relay, product=product, gifts=gifts, message="", request_key=key)

    last = statements_of(giving(factories.stock(relay.company, MANY), uuid.uuid4()))
    points = range(1, last + 1) if os.environ.get("RELAIS_LONG") else (2, last // 2, last)
    product, key = factories.stock(relay.company, MANY), uuid.uuid4()
    before = Movement.objects.count(), Delivery.objects.count()
    for point in points:
        killed_at(point, giving(product, key))
        assert not Ticket.objects.filter(product=product, member__isnull=False).exists()
        assert (Movement.objects.count(), Delivery.objects.count()) == before

    killed_at(None, giving(product, key))
    again = giving(product, key)()

    assert Ticket.objects.filter(product=product, status="distributed").count() == MANY
    assert Movement.objects.count() == before[0] + MANY and Delivery.objects.count() == before[1] + MANY
    assert Distribution.objects.get(request_key=key) == again
