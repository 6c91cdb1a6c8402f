"""A queue waits: a scan by a device that is known is one question to the database, which asks as ever whether it still may."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from control import access, limits
from control.actions import revoke_devices
from control.models import Device, Gate, Scan
from tests import factories
from tests.control.conftest import code_of, key
from tickets.models import Event, Product

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(relay, product):
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")
    return factories.printed(factories.given(member, product, 4, by=relay.user))


@pytest.fixture
def known(api, tickets):
    """The device has just admitted the first ticket, so its token is known here."""
    access.devices.clear()
    assert check(api, tickets[0])["verdict"] == "admitted"
    assert access.devices
    return tickets[1]


def ask(api, ticket, scan_id=None):
    body = {"scan_id": scan_id or key(), "code": code_of(ticket)}
    return api.post("/api/v1/scans", body, content_type="application/json")


def check(api, ticket):
    return ask(api, ticket).json()


def executed() -> int:
    """How many prepared statements this connection has executed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(generic_plans + custom_plans) FROM pg_prepared_statements")
        return cursor.fetchone()[0]


def test_an_admission_is_one_statement(api, known):
    body, before = {"scan_id": key(), "code": code_of(known)}, executed()
    with CaptureQueriesContext(connection) as others:
        answer = api.post("/api/v1/scans", body, content_type="application/json")
    assert answer.json()["verdict"] == "admitted"
    assert (executed() - before, len(others)) == (1, 0)


def test_a_device_that_was_revoked_admits_nobody(api, device, known):
    revoke_devices(devices=[device.pk])
    assert ask(api, known).status_code == 401
    known.refresh_from_db()
    assert known.status == "printed" and Scan.objects.count() == 1


def test_a_device_whose_time_is_over_admits_nobody(api, known):
    Device.objects.update(valid_until=timezone.now() + timedelta(milliseconds=1))
    assert ask(api, known).status_code == 401


def test_a_device_that_may_not_scan_any_more(api, known):
    Device.objects.update(may_scan=False)
    assert [ask(api, known).json()["code"] for _ in range(2)] == ["not_for_this_device"] * 2


def test_a_device_moved_to_another_gate_scans_for_that_one(api, device, known):
    Product.objects.update(entrance="Est")
    west = Gate.objects.create(event=device.gate.event, name="Porte Ouest", entrance="Ouest")
    Device.objects.update(gate=west)
    assert check(api, known)["reason"] == "other_gate"
    Gate.objects.filter(pk=west.pk).update(entrance="Est")
    said = check(api, known)
    assert (said["verdict"], said["gate"]) == ("admitted", "Porte Ouest")


def test_an_event_that_was_moved_is_asked_for_its_hours(api, known):
    Event.objects.update(valid_from=timezone.now() + timedelta(hours=1), valid_until=timezone.now() + timedelta(hours=5))
    assert check(api, known)["reason"] == "too_early"


def test_a_gate_that_admits_groups_says_who_may_follow(api, known, tickets):
    Gate.objects.update(admits_groups=True)
    assert [check(api, ticket)["group"] for ticket in tickets[1:]] == [2, 1, 0]


@pytest.mark.parametrize("used", [False, True])
def test_a_reading_counts_once_for_the_limit_admitted_or_not(api, known, tickets, monkeypatch, used):
    monkeypatch.setattr(limits, "A_SECOND", 0.001)
    monkeypatch.setattr(limits, "AT_ONCE", 2)
    limits.left.clear()
    asked = [tickets[0]] * 3 if used else tickets[1:]
    assert [ask(api, ticket).status_code for ticket in asked] == [200, 200, 429]


def test_the_first_reading_counts_for_the_limit_too(api, known, monkeypatch):
    monkeypatch.setattr(limits, "A_SECOND", 0.001)
    monkeypatch.setattr(limits, "AT_ONCE", 1)
    limits.left.clear()
    access.devices.clear()
    assert [ask(api, known).status_code for _ in range(2)] == [200, 429]


@pytest.mark.django_db(transaction=True)
def test_a_reading_repeated_after_its_check_was_taken_back_admits_nobody(api, known):
    reading = key()
    assert ask(api, known, reading).json()["verdict"] == "admitted"
    assert api.post(f"/api/v1/scans/{reading}/undo").status_code == 200
    assert ask(api, known, reading).json()["title"] == "Contrôle annulé"
    known.refresh_from_db()
    assert known.status == "printed"
