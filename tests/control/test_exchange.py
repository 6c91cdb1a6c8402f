"""Gates of other systems: the event's valid codes go out as CSV, their scans come in as CSV."""

import csv
import io
import re
import uuid
from datetime import timedelta
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from control import conflicts
from control.models import Scan
from distribution.actions import reclaim
from tests import factories
from tests.control.conftest import code_of
from tickets.models import Product, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_second_factor(settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False


@pytest.fixture
def staff(client, seller):
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def listed(staff, gate):
    answer = staff.get(f"/admin/control/gate/{gate.pk}/codes.csv")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def brought(staff, device, content: str):
    """What the page says of a file, and what it does once confirmed."""
    url = f"/admin/control/device/{device.pk}/scans/"
    seen = staff.post(url, {"file": SimpleUploadedFile("scans.csv", content.encode())})
    assert seen.status_code == 200, seen.content.decode()
    page = seen.content.decode()
    text = unescape(re.search(r'<textarea name="text" hidden>\n(.*?)</textarea>', page, re.DOTALL)[1])
    return page, lambda: staff.post(url, {"text": text, "confirm": "1"}, follow=True).content.decode()


class TestValidCodes:
    def test_the_present_code_of_each_ticket_that_may_come_in(self, staff, device, ticket, product, relay):
        old = code_of(ticket)
        reclaim(relay=relay, shown=factories.shown(ticket), request_key=uuid.uuid4())
        tickets = factories.printed(factories.given(factories.MemberFactory(company=relay.company), product, 2, by=relay.user))
        Product.objects.update(category="=1+1")
        rows = listed(staff, device.gate)
        assert {row["Category"] for row in rows} == {"'=1+1"}
        assert {int(row["Number"]): row["Code"] for row in rows} == {ticket.number: code_of(ticket) for ticket in tickets}
        assert len(rows) == 2 and old not in [row["Code"] for row in rows]

    def test_only_for_who_runs_gates(self, client, seller, device, ticket):
        client.force_login(factories.UserFactory(is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
        for url in (f"/admin/control/gate/{device.gate.pk}/codes.csv", f"/admin/control/device/{device.pk}/scans/"):
            assert client.get(url).status_code == 403


class TestScansOfAnotherSystem:
    def test_a_file_is_shown_before_and_counts_once(self, staff, device, ticket):
        at = timezone.now() - timedelta(hours=1)
        code = code_of(ticket)
        later = at + timedelta(minutes=5)
        file = "\r\n".join(["le;code", *(f"{when.isoformat()};{read}" for when, read in ((at, code), (later, code), (at, "FAUX"))), ""])
        page, confirm = brought(staff, device, file)
        assert "3 scans in this file; 2 have an authentic code" in page and not Scan.objects.exists()
        assert "Admitted: 1. Refused, and kept with their reason: 2." in confirm()
        assert "Admitted: 1." in confirm()
        assert Scan.objects.count() == 3 and Ticket.objects.filter(status="checked").count() == 1
        assert [conflict.ticket for conflict in conflicts.of(device.gate.event)].count(ticket) == 1

    def test_a_time_without_zone_is_the_venues_and_none_is_in_the_future(self, staff, device, ticket):
        at = timezone.now().replace(microsecond=0) - timedelta(hours=1)
        other = factories.stock(ticket.company, 1)
        (away,) = factories.printed(factories.given(ticket.member, other, by=factories.UserFactory()))
        rows = ["code;at", f"{code_of(ticket)};{timezone.localtime(at):%Y-%m-%d %H:%M:%S}", f"{code_of(away)};2999-01-01"]
        page, confirm = brought(staff, device, "\n".join(rows))
        assert "2 scans in this file; 1 have an authentic code of this event" in page
        confirm()
        first, second = Scan.objects.order_by("said_at")
        assert first.said_at == at and second.said_at <= timezone.now() and second.reason == "other_event"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("", "is empty"),
            ("nom;prénom\nA;B", "one called code and one called at"),
            ("code;at\n", "between 1 and 10,000"),
            ("code;at\n" + "X;2026-01-01\n" * 10_001, "between 1 and 10,000"),
            ("code;at\nX;hier", "Row 2"),
            ("code;at\nX", "Row 2"),
            ("code;at\nX;0001-01-01", "Row 2"),
            ("\x00PK\x03", "one called code"),
            ('code;at\n"' + "x" * 140_000, "not a CSV file"),
        ],
    )
    def test_another_file_is_refused_with_a_sentence(self, staff, device, content, said):
        answer = staff.post(f"/admin/control/device/{device.pk}/scans/", {"file": SimpleUploadedFile("s.csv", content.encode())})
        assert answer.status_code == 422 and said in answer.content.decode()
        assert not Scan.objects.exists()
