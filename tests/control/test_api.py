"""The API beside scanning: scopes, the device's time, look-ups, undo, groups, the manifest, limits."""

import uuid
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from control import limits
from control.actions import revoke_devices
from control.models import Device, Gate, Scan, Search
from sales import actions as sales_actions
from tests import factories
from tests.control.conftest import code_of, key, speaking
from tickets.models import Event, Movement, Ticket

pytestmark = pytest.mark.django_db


def post(api, url, body=None):
    return api.post(f"/api/v1/{url}", body or {}, content_type="application/json")


def check(api, ticket):
    return post(api, "scans", {"scan_id": key(), "code": code_of(ticket)}).json()


class TestRights:
    @pytest.mark.parametrize(
        ("right", "asks"),
        [
            ("may_scan", [("post", "scans"), ("post", "scans/batch"), ("get", "manifest"), ("post", f"scans/{uuid.uuid4()}/group")]),
            ("may_search", [("get", "tickets/1"), ("post", "searches")]),
            ("may_manage", [("post", f"scans/{uuid.uuid4()}/undo")]),
        ],
    )
    def test_each_needs_its_own(self, api, device, right, asks):
        Device.objects.update(**{right: False})
        for method, url in asks:
            body = {"scan_id": key(), "code": "X", "name": "Zoé", "scans": [{"scan_id": key(), "code": "X"}]}
            answer = post(api, url, body) if method == "post" else api.get(f"/api/v1/{url}")
            assert (answer.status_code, answer.json()["code"]) == (403, "not_for_this_device"), url
            assert answer["Content-Type"] == "application/problem+json"

    def test_to_check_by_number_needs_the_right_to_search(self, api, ticket, device):
        Device.objects.update(may_search=False)
        assert post(api, "scans", {"scan_id": key(), "ticket": ticket.number}).status_code == 403

    @pytest.mark.parametrize(("hours", "status"), [((1, 5), 401), ((-5, -1), 401), ((-1, 1), 200), ((None, None), 200)])
    def test_a_device_works_within_its_time(self, api, device, hours, status):
        begins, ends = (None if h is None else timezone.now() + timedelta(hours=h) for h in hours)
        Device.objects.update(valid_from=begins, valid_until=ends)
        assert api.get("/api/v1/events").status_code == status

    @pytest.mark.parametrize(("hours", "status"), [(11, 200), (13, 401)])
    def test_a_device_without_time_of_its_own_works_until_twelve_hours_after_its_event(self, api, device, hours, status):
        ended = timezone.now() - timedelta(hours=hours)
        Event.objects.update(valid_from=ended - timedelta(days=3), valid_until=ended)
        assert api.get("/api/v1/events").status_code == status

    @pytest.mark.parametrize(("days", "status"), [(14, 200), (15, 401)])
    def test_what_was_scanned_without_network_is_taken_for_fourteen_days_after(self, api, device, days, status):
        ended = timezone.now() - timedelta(days=days)
        Event.objects.update(valid_from=ended - timedelta(hours=3), valid_until=ended)
        assert post(api, "scans/batch", {"scans": [{"scan_id": key(), "code": "X"}]}).status_code == status

    def test_a_revoked_device_tells_nothing_more(self, api, device):
        revoke_devices(devices=[device.pk])
        assert post(api, "scans/batch", {"scans": [{"scan_id": key(), "code": "X"}]}).status_code == 401


class TestLimit:
    def test_a_device_gone_wrong_is_told_to_wait_and_another_is_not(self, api, device, product, monkeypatch):
        monkeypatch.setattr(limits, "A_SECOND", 0.1)
        monkeypatch.setattr(limits, "AT_ONCE", 5)
        factories.DeviceFactory(gate=device.gate, token="autre")
        answers = [api.get("/api/v1/events") for _ in range(int(limits.AT_ONCE) + 1)]
        assert {a.status_code for a in answers[:-1]} == {200}
        assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_requests")
        assert int(answers[-1]["Retry-After"]) >= 1
        assert speaking("autre").get("/api/v1/events").status_code == 200

    def test_guessing_a_pairing_code_is_slow(self, client, seller):
        answers = [post(client, "pairings", {"code": "BCDF-GHJK"}).status_code for _ in range(8)]
        assert answers == [404] * 6 + [429] * 2


class TestLookUp:
    def test_a_ticket_of_the_devices_event_alone(self, api, ticket):
        factories.stock(factories.CompanyFactory(), 1)
        other = Ticket.objects.exclude(event=ticket.event).get()
        found = api.get(f"/api/v1/tickets/{ticket.number}").json()
        assert (found["beneficiary"], found["status"], found["copy_number"], found["scan_id"]) == ("Zoé Lefèvre", "printed", 1, None)
        for number in (other.number, 2**47):
            assert api.get(f"/api/v1/tickets/{number}").status_code == 404
        by_hand = post(api, "scans", {"scan_id": key(), "ticket": other.number}).json()
        assert (by_hand["reason"], by_hand["ticket"]) == ("unknown", None)

    @pytest.mark.parametrize(("words", "found"), [("zoe", 1), ("LEFEVRE zo", 1), ("lef", 1), ("fevre", 0), ("  -- ", 0), ("Kofi", 0)])
    def test_a_name_without_case_or_accents_and_the_search_leaves_its_trace(self, api, ticket, device, words, found):
        answer = post(api, "searches", {"name": words})
        assert [t["number"] for t in answer.json()["tickets"]] == [ticket.number] * found
        trace = Search.objects.get()
        assert (trace.device, trace.tickets) == (device, [ticket.pk] * found)

    def test_the_name_written_on_the_ticket_is_the_one_that_counts(self, api, ticket):
        Ticket.objects.filter(pk=ticket.pk).update(beneficiary_first_name="Étienne", beneficiary_last_name="Dûment-Roux")
        names = {"etienne": 1, "roux": 1, "Zoé": 0}
        assert {name: len(post(api, "searches", {"name": name}).json()["tickets"]) for name in names} == names

    def test_a_cancelled_ticket_and_one_of_another_event_are_not_found(self, api, relay, product, ticket):
        sales_actions.cancel_tickets(tickets=[ticket.pk], by=factories.UserFactory(is_staff=True), key="k")
        factories.given(ticket.member, factories.stock(relay.company, 1), by=relay.user)
        assert post(api, "searches", {"name": "Zoé"}).json() == {"tickets": []}

    def test_until_a_name_is_written_the_members_counts(self, api, relay, product):
        factories.given(factories.MemberFactory(company=relay.company, last_name="Okonkwo"), product, by=relay.user)
        assert len(post(api, "searches", {"name": "okonkwo"}).json()["tickets"]) == 1

    def test_twenty_are_shown_and_no_more(self, api, relay, device):
        more = factories.stock(relay.company, 21)
        Gate.objects.filter(pk=device.gate_id).update(event=more.event)
        factories.given(factories.MemberFactory(company=relay.company, last_name="Lefèvre"), more, 21, by=relay.user)
        assert len(post(api, "searches", {"name": "lefevre"}).json()["tickets"]) == 20

    def test_a_distributed_ticket_found_by_name_may_come_in_and_the_scan_says_so(self, api, product, relay):
        member = factories.MemberFactory(company=relay.company)
        (ticket,) = factories.given(member, product, by=relay.user)
        answer = post(api, "scans", {"scan_id": key(), "ticket": ticket.number}).json()
        assert answer["verdict"] == "admitted" and Scan.objects.get().by_hand
        assert post(api, "scans", {"scan_id": key(), "ticket": ticket.number}).json()["reason"] == "already_checked"


class TestUndo:
    @pytest.mark.parametrize("was", ["distributed", "printed"])
    def test_the_ticket_is_what_it_was_and_may_come_in_again(self, api, product, relay, device, was):
        (ticket,) = factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user)
        if was == "printed":
            factories.printed([ticket])
        scan_id = key()
        post(api, "scans", {"scan_id": scan_id, "ticket": ticket.number})

        first, again = post(api, f"scans/{scan_id}/undo"), post(api, f"scans/{scan_id}/undo")

        assert first.json()["title"] == "Contrôle annulé" and first.json() == again.json()
        assert "peut entrer de nouveau" in first.json()["sentence"]
        ticket.refresh_from_db()
        assert ticket.status == was
        assert [m.kind for m in ticket.movements.all()][-2:] == ["checked", "unchecked"]
        assert Scan.objects.get().undone_by == device
        assert check(api, ticket)["verdict"] == "admitted"

    def test_a_late_repeat_does_not_take_back_the_next_check(self, api, ticket):
        first = check(api, ticket)["scan_id"]
        post(api, f"scans/{first}/undo")
        check(api, ticket)
        post(api, f"scans/{first}/undo")
        ticket.refresh_from_db()
        assert ticket.status == "checked"

    def test_at_a_cancelled_event_nothing_is_taken_back_and_no_ticket_is_valid_again(self, api, ticket):
        scan = check(api, ticket)["scan_id"]
        staff = factories.UserFactory(is_staff=True)
        sales_actions.cancel_event(event=ticket.event_id, by=staff, advice="", request_key=uuid.uuid4())

        answer = post(api, f"scans/{scan}/undo")

        assert (answer.status_code, answer.json()["code"]) == (409, "check_stays")
        ticket.refresh_from_db()
        assert ticket.status == "checked" and Scan.objects.get().undone_at is None

    def test_another_events_or_a_refused_scan_does_not_exist(self, api, ticket, relay):
        scan = check(api, ticket)
        refused = check(api, ticket)
        factories.DeviceFactory(token="ailleurs", may_manage=True)
        assert post(speaking("ailleurs"), f"scans/{scan['scan_id']}/undo").status_code == 404
        for scan_id in (refused["scan_id"], key()):
            assert post(api, f"scans/{scan_id}/undo").status_code == 404
        assert Movement.objects.filter(kind="unchecked").count() == 0

    def test_the_database_lets_a_checked_ticket_go_only_with_that_movement(self, api, ticket):
        check(api, ticket)
        for change in ({"status": "printed"}, {"status": "available"}, {"status": "cancelled"}):
            with pytest.raises(DatabaseError, match="never moves again"), transaction.atomic():
                Ticket.objects.filter(pk=ticket.pk).update(**change)
        for change in ({"status": "printed", "company": factories.CompanyFactory()}, {"status": "cancelled"}, {"generation": 4}):
            with pytest.raises(DatabaseError, match="never moves again"), transaction.atomic():
                Movement.objects.create(ticket=ticket, kind="unchecked", generation=0)
                Ticket.objects.filter(pk=ticket.pk).update(**change)


class TestGroup:
    @pytest.fixture
    def family(self, relay, product, device):
        device.gate.admits_groups = True
        device.gate.save()
        return factories.printed(factories.given(factories.MemberFactory(company=relay.company), product, 3, by=relay.user))

    def test_the_others_of_one_person_come_in_together_once(self, api, family):
        first = check(api, family[0])
        assert first["group"] == 2
        answers = [post(api, f"scans/{first['scan_id']}/group").json()["scans"] for _ in range(2)]
        assert [s["verdict"] for s in answers[0]] == ["admitted", "admitted"] and answers[1] == []
        assert Ticket.objects.filter(status="checked").count() == 3 == Scan.objects.count()

    def test_only_where_the_gate_admits_groups(self, api, family, device):
        device.gate.admits_groups = False
        device.gate.save()
        first = check(api, family[0])
        assert first["group"] == 0
        assert post(api, f"scans/{first['scan_id']}/group").json()["scans"] == []
        assert Ticket.objects.filter(status="checked").count() == 1

    def test_of_the_event_and_of_the_gates_entrance_alone(self, api, family, relay, device):
        elsewhere = factories.stock(relay.company, 2)
        factories.given(family[0].member, elsewhere, by=relay.user)
        door = factories.ProductFactory(event=device.gate.event, category="Balcon", entrance="Z")
        factories.given(family[0].member, factories.stock(relay.company, 1, door), by=relay.user)
        Gate.objects.update(entrance="A")
        first = check(api, family[0])
        assert first["group"] == 2
        assert len(post(api, f"scans/{first['scan_id']}/group").json()["scans"]) == 2


def test_a_gate_admits_the_tickets_of_its_entrance(api, ticket, device, product):
    product.entrance, device.gate.entrance = "B", "A"
    product.save(), device.gate.save()
    answer = check(api, ticket)
    assert (answer["reason"], answer["sentence"]) == ("other_gate", "Ce billet entre par l’accès B.")
    device.gate.entrance = "B"
    device.gate.save()
    assert check(api, ticket)["verdict"] == "admitted"


def test_a_check_that_was_taken_back_is_in_no_figure(api, ticket, device):
    scan = check(api, ticket)["scan_id"]
    post(api, f"scans/{scan}/undo")
    (event,) = api.get("/api/v1/events").json()["events"]
    assert (event["admitted"], [gate["admitted"] for gate in event["gates"]]) == (0, [0])


def test_conflicts_are_told_to_the_door_manager_alone(api, ticket, device):
    Scan.objects.create(device=device, client_id=key(), ticket=ticket, verdict="refused", reason="already_checked", said="admitted")
    told = [api.get("/api/v1/events").json()["conflicts"]]
    Device.objects.update(may_manage=False)
    assert [*told, api.get("/api/v1/events").json()["conflicts"]] == [1, 0]


def test_the_events_figures_are_by_gate_and_in_all(api, ticket, device, product, relay):
    factories.GateFactory(event=product.event, name="Porte A", entrance="Z")
    factories.given(factories.MemberFactory(company=relay.company), product, 2, by=relay.user)
    check(api, ticket)
    (event,) = api.get("/api/v1/events").json()["events"]
    assert (event["admitted"], event["expected"]) == (1, 3)
    assert event["gates"] == [{"name": "Porte A", "admitted": 0, "expected": 3}, {"name": "Porte B", "admitted": 1, "expected": 3}]


def test_a_cookie_speaks_for_the_page_alone(client, device, ticket):
    from tests.control.conftest import paired

    paired(client, device)
    assert client.get("/api/v1/events").status_code == 401
    assert client.get("/api/v1/events", headers={"X-Gate": "1"}).status_code == 200


class TestPairing:
    def test_a_code_pairs_once_within_its_minutes(self, client, device):
        from control.actions import ask_pairing

        code = ask_pairing(device=device.pk)
        answer = post(client, "pairings", {"code": code.lower()})
        assert answer.status_code == 200 and answer.json()["gate"] == "Porte B"
        assert speaking(answer.json()["token"]).get("/api/v1/events").status_code == 200
        assert speaking("jeton").get("/api/v1/events").status_code == 401  # what was paired before is out
        assert post(client, "pairings", {"code": code}).status_code == 404

        late = ask_pairing(device=device.pk)
        Device.objects.update(pairing_until=timezone.now() - timedelta(seconds=1))
        assert post(client, "pairings", {"code": late}).status_code == 404

    def test_a_new_code_kills_the_one_before_and_a_revoked_device_is_never_paired(self, client, device):
        from control.actions import ask_pairing

        first, second = ask_pairing(device=device.pk), ask_pairing(device=device.pk)
        assert post(client, "pairings", {"code": first}).status_code == 404
        revoke_devices(devices=[device.pk])
        assert post(client, "pairings", {"code": second}).status_code == 404

    def test_what_is_kept_opens_nothing(self, device):
        from control.actions import ask_pairing

        code = ask_pairing(device=device.pk)
        device.refresh_from_db()
        row = str(Device.objects.filter(pk=device.pk).values().get())
        assert code not in row and code.replace("-", "") not in row and "jeton" not in row
