"""Scans in batch: each once, in order; what a gate without network did is kept beside what is true."""

import os
import uuid
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from control import conflicts, limits
from control.models import Device, Scan
from distribution.actions import reclaim
from portal.templatetags.words import hour
from tests import factories
from tests.control.conftest import code_of, key, speaking
from tickets.models import Event, Movement, SigningKey, Ticket

pytestmark = pytest.mark.django_db
URL = "/api/v1/scans/batch"


def send(api, scans, sent_at=None):
    body = {"scans": scans} | ({"sent_at": sent_at.isoformat()} if sent_at else {})
    return api.post(URL, body, content_type="application/json")


def offline(code, counter, said="admitted", at=None, reason=None, scan_id=None):
    told = {"said": said, "at": (at or timezone.now()).isoformat(), "counter": counter}
    return {"scan_id": scan_id or key(), "code": code, "offline": told | ({"reason": reason} if reason else {})}


def verdicts(answer):
    assert answer.status_code == 200, answer.content
    return [(scan["verdict"], scan["reason"]) for scan in answer.json()["scans"]]


@pytest.fixture
def tickets(relay, product):
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")
    return factories.printed(factories.given(member, product, 4, by=relay.user))


def test_a_batch_answers_each_in_order_and_the_same_batch_again_the_same(api, tickets):
    other = factories.stock(factories.CompanyFactory(), 1)
    elsewhere = Ticket.objects.get(product=other)
    codes = [code_of(tickets[0]), "FAUX", code_of(tickets[1]), code_of(tickets[0]), code_of(elsewhere)]
    scans = [{"scan_id": key(), "code": code} for code in codes]

    first, again = send(api, scans), send(api, scans)

    assert verdicts(first) == [
        ("admitted", ""), ("refused", "unknown"), ("admitted", ""), ("refused", "already_checked"), ("refused", "other_event"),
    ]  # fmt: skip
    assert [scan["scan_id"] for scan in first.json()["scans"]] == [scan["scan_id"] for scan in scans]
    assert "Porte B" in first.json()["scans"][3]["sentence"] and first.json()["scans"][0]["sentence"] == ""
    assert again.json() == first.json()
    assert Scan.objects.count() == 5 and Movement.objects.filter(kind="checked").count() == 2


def test_a_reading_twice_in_one_batch_is_one(api, tickets):
    scan = {"scan_id": key(), "code": code_of(tickets[0])}
    assert verdicts(send(api, [scan, scan])) == [("admitted", "")] * 2
    assert Scan.objects.count() == 1


def test_a_scan_that_was_answered_alone_is_not_done_again(api, tickets, device):
    scan = {"scan_id": key(), "code": code_of(tickets[0])}
    api.post("/api/v1/scans", scan, content_type="application/json")

    assert verdicts(send(api, [offline(scan["code"], 1, scan_id=scan["scan_id"])])) == [("admitted", "")]
    kept = Scan.objects.get()
    assert (kept.said, kept.counter) == ("admitted", 1)
    device.refresh_from_db()
    assert device.journal == 1


def test_a_batch_of_a_gate_admits_the_tickets_of_its_entrance(api, tickets, device, product):
    product.entrance, device.gate.entrance = "B", "A"
    product.save(), device.gate.save()
    assert verdicts(send(api, [{"scan_id": key(), "code": code_of(tickets[0])}])) == [("refused", "other_gate")]
    device.gate.entrance = "B"
    device.gate.save()
    assert verdicts(send(api, [{"scan_id": key(), "code": code_of(tickets[0])}])) == [("admitted", "")]


def test_a_batch_costs_the_same_for_one_and_for_many(api, tickets, relay):
    more = factories.stock(relay.company, 40, tickets[0].product)
    member = factories.MemberFactory(company=relay.company)
    others = factories.printed(factories.given(member, more, 40, by=relay.user))
    counts = []
    api.get("/api/v1/events")  # what this device is was read once
    for some in ([tickets[0]], others[:30]):
        scans = [{"scan_id": key(), "code": code_of(ticket)} for ticket in some]
        scans += [{"scan_id": key(), "code": scan["code"]} for scan in scans] + [{"scan_id": key(), "code": "FAUX"}]
        with CaptureQueriesContext(connection) as queries:
            assert Counter(v for v, _ in verdicts(send(api, scans))) == {"admitted": len(some), "refused": len(some) + 1}
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 16


class TestOffline:
    def test_who_was_refused_without_network_did_not_come_in(self, api, tickets):
        answer = send(api, [offline(code_of(tickets[0]), 1, "refused", reason="not_distributed")])
        assert verdicts(answer) == [("refused", "not_distributed")]
        tickets[0].refresh_from_db()
        assert tickets[0].status == "printed" and not Scan.objects.conflicts().exists()

    def test_what_is_told_after_the_event_still_counts(self, api, tickets, device):
        opens = timezone.now() - timedelta(days=2)
        Event.objects.filter(pk=device.gate.event_id).update(valid_from=opens, valid_until=opens + timedelta(hours=5))
        live = send(api, [{"scan_id": key(), "code": code_of(tickets[0])}])
        assert verdicts(live) == [("refused", "too_late")]
        assert verdicts(send(api, [offline(code_of(tickets[0]), 1)])) == [("admitted", "")]
        assert api.get("/api/v1/events").status_code == 401  # its time is over for all else

    def test_nobody_came_in_before_the_gates_open(self, api, tickets, device):
        Event.objects.filter(pk=device.gate.event_id).update(valid_from=timezone.now() + timedelta(hours=1))
        assert verdicts(send(api, [offline(code_of(tickets[0]), 1)])) == [("refused", "too_early")]

    def test_the_same_ticket_at_two_gates_is_counted_once_and_shown_first_by_time(self, api, tickets, device):
        speaking_a = factories.DeviceFactory(gate__event=device.gate.event, gate__name="Porte A", token="a")
        now = timezone.now()
        code = code_of(tickets[0])
        assert verdicts(send(speaking("a"), [offline(code, 1, at=now - timedelta(minutes=10))], now)) == [("admitted", "")]
        assert verdicts(send(api, [offline(code, 1, at=now - timedelta(minutes=30))], now)) == [("refused", "already_checked")]

        (conflict,) = conflicts.of(device.gate.event)
        assert conflict.ticket == tickets[0]
        assert [(passage.gate, passage.offline) for passage in conflict.passages] == [("Porte B", True), ("Porte A", True)]
        assert Ticket.objects.filter(status="checked").count() == 1
        assert Scan.objects.get(device=speaking_a).verdict == "admitted"  # what was stored first is not overwritten
        assert api.get("/api/v1/events").json()["conflicts"] == 1
        again = api.post("/api/v1/scans", {"scan_id": key(), "code": code}, content_type="application/json").json()
        assert hour(now - timedelta(minutes=10), "Europe/Paris") in again["sentence"]  # when the bearer came in, not when it was told

    def test_a_ticket_reclaimed_after_the_list_was_read_is_a_conflict(self, api, tickets, relay, device):
        code = code_of(tickets[0])
        reclaim(relay=relay, shown=factories.shown(tickets[0]), request_key=uuid.uuid4())
        assert verdicts(send(api, [offline(code, 1)])) == [("refused", "replaced")]
        assert [c.passages[0].title for c in conflicts.of(device.gate.event)] == ["Remplacé"]

    @pytest.mark.parametrize("clock", [timedelta(hours=2), timedelta(hours=-2), datetime(1970, 1, 1, tzinfo=UTC) - timezone.now()])
    def test_a_wrong_clock_changes_nothing(self, api, tickets, clock):
        now = timezone.now()
        scans = [offline(code_of(t), n, at=now + clock - timedelta(minutes=20 - n)) for n, t in enumerate(tickets, 1)]

        assert verdicts(send(api, scans[::-1], now + clock)) == [("admitted", "")] * 4

        kept = list(Scan.objects.order_by("counter"))
        for n, scan in enumerate(kept, 1):
            assert abs(scan.said_at - (now - timedelta(minutes=20 - n))) < timedelta(seconds=30)
            assert abs(scan.at - now) < timedelta(seconds=30)
        assert [scan.ticket for scan in kept] == tickets

    def test_a_key_that_was_revoked_admits_nobody(self, api, tickets):
        code = code_of(tickets[0])
        SigningKey.objects.update(revoked_at=timezone.now())
        assert verdicts(send(api, [offline(code, 1)])) == [("refused", "unknown")]


class TestJournal:
    def test_a_journal_sent_three_times_is_kept_once(self, api, tickets):
        codes = [code_of(ticket) for ticket in tickets]
        scans = [offline(code, n) for n, code in enumerate(codes, 7)]
        scans += [offline(codes[n % 4], n, "refused", reason="already_checked") for n in range(11, 507)]
        answers = {tuple(verdicts(send(api, scans))) for _ in range(3)}
        assert answers == {(("admitted", ""),) * 4 + (("refused", "already_checked"),) * 496}
        assert Scan.objects.count() == 500 and Movement.objects.filter(kind="checked").count() == 4

    def test_a_journal_with_a_line_taken_out_is_refused(self, api, tickets, device):
        scans = [offline(code_of(ticket), n) for n, ticket in enumerate(tickets, 1)]
        send(api, scans[:1])

        answer = send(api, scans[2:])
        assert (answer.status_code, answer.json()["code"]) == (409, "hole_in_journal")
        assert "le contrôle 2 était attendu" in answer.json()["detail"]
        assert Scan.objects.count() == 1 and Movement.objects.filter(kind="checked").count() == 1
        assert verdicts(send(api, scans[1:])) == [("admitted", "")] * 3

    def test_staff_who_pair_the_device_again_start_its_journal_again(self, api, tickets, device, client):
        send(api, [offline(code_of(tickets[0]), 1)])
        from control.actions import ask_pairing, pair

        _, token = pair(code=ask_pairing(device=device.pk))
        assert send(api, [offline(code_of(tickets[1]), 9)]).status_code == 401
        assert verdicts(send(speaking(token), [offline(code_of(tickets[1]), 9)])) == [("admitted", "")]
        assert Device.objects.get(pk=device.pk).journal == 9


@pytest.mark.django_db(transaction=True)
def test_four_gates_without_network_and_their_duplicates(relay, seller, signing_key):
    """All is found when they tell; nothing stored is overwritten."""
    count, twice = (20_000, 200) if os.environ.get("RELAIS_LONG") else (120, 20)
    product = factories.stock(relay.company, count, factories.ProductFactory(quota=count))
    member = factories.MemberFactory(company=relay.company)
    codes = [code_of(ticket) for ticket in factories.printed(factories.given(member, product, count, by=relay.user))]
    gates = [factories.DeviceFactory(gate__event=product.event, token=f"t{n}") for n in range(4)]
    share = [codes[n::4] for n in range(4)]
    for n in range(twice):  # a copy goes in at the next gate too
        share[(n + 1) % 4].append(share[n % 4][n // 4])

    for n in range(4):
        scans = [offline(code, i) for i, code in enumerate(share[n], 1)]
        for first in range(0, len(scans), 1_000):
            limits.left.clear()
            assert send(speaking(f"t{n}"), scans[first : first + 1_000]).status_code == 200

    assert Ticket.objects.filter(status="checked").count() == count
    assert Scan.objects.conflicts().count() == twice == len(conflicts.of(product.event))
    assert Scan.objects.count() == count + twice
    assert {gate.scans.count() for gate in gates} == {(count + twice) // 4}
