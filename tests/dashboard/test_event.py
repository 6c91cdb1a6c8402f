"""After an event: the statement that the tax rules ask (TRUST 3.1), equal to what gates and sales count; its doors by the minute."""

import io
import uuid
from datetime import datetime, timedelta
from decimal import Decimal

import pypdfium2
import pytest
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from control.actions import scan_number, undo
from control.entries import entries
from control.models import Scan
from dashboard.event import statement
from portal.clock import now
from sales import actions as sales_actions
from sales.models import Entry
from tests import factories
from tests.dashboard.conftest import over
from tests.dashboard.test_seller import csv_rows, page_of
from tickets.models import Order, OrderLine, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening(relay, staff):
    """Two categories sold on two channels, a free one, one cancelled; some given, some let in and one of those taken back."""
    first = factories.stock(
        relay.company, 6, factories.ProductFactory(event__name="Nuit Ravel", category="1re catégorie"), channel="online"
    )
    event = first.event
    factories.stock(factories.CompanyFactory(), 3, first)
    second = factories.stock(relay.company, 2, factories.ProductFactory(event=event, category="2e catégorie", price=Decimal("12.50")))
    factories.stock(relay.company, 1, factories.ProductFactory(event=event, category="Invités", price=0))
    sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(product=second).last().pk], by=staff, key="k")
    given = factories.given(factories.MemberFactory(company=relay.company), first, 4, by=relay.user)
    event.valid_from = timezone.now() - timedelta(hours=1)
    event.save()
    device = factories.DeviceFactory(gate__event=event)
    scans = [scan_number(device=device, number=ticket.number, client_id=uuid.uuid4()) for ticket in [*given[:3], given[0]]]
    assert [scan.verdict for scan in scans] == ["admitted"] * 3 + ["refused"]
    undo(scan=scans[2].pk, by=staff)
    return event


def test_by_category_first_and_last_number_count_price_and_receipts(evening):
    assert statement(evening, now()).total["absent"] is None
    over(evening)
    told = statement(evening, now())

    assert [
        (c.category, c.unit_price, c.first, c.last, c.issued, c.cancelled, c.standing, c.receipts, c.distributed, c.checked, c.absent)
        for c in told.categories
    ] == [
        ("1re catégorie", Decimal("38.00"), 1, 9, 9, 0, 9, Decimal("342.00"), 4, 2, 2),
        ("2e catégorie", Decimal("12.50"), 10, 11, 2, 1, 1, Decimal("12.50"), 0, 0, 0),
        ("Invités", Decimal("0.00"), 12, 12, 1, 0, 1, Decimal("0.00"), 0, 0, 0),
    ]


def test_it_equals_what_the_gates_keep_and_what_sales_sold(evening):
    told = statement(evening, now())

    assert told.total["checked"] == told.at_the_gates == Scan.objects.of_event(evening).standing().count() == 2
    sold = OrderLine.objects.filter(product__event=evening).aggregate(n=Sum("quantity"))["n"]
    assert told.total["issued"] == sold and told.total["standing"] == sold - told.total["cancelled"] == 11
    owed = Entry.objects.filter(ledger="customer").aggregate(n=Sum("amount"))["n"]
    assert told.total["receipts"] == owed == Decimal("354.50")
    assert told.total["vat"] == -Entry.objects.filter(ledger="vat").aggregate(n=Sum("amount"))["n"] == Decimal("18.48")


def test_the_vat_of_an_order_over_two_events_is_shared_between_them_and_not_a_cent_is_made_or_lost(relay, staff):
    """Each of two categories would round up alone: 20.00 at 5.5 % has 1.0427 of VAT, 12.50 has 0.6517, both together 1.6943."""
    one = factories.ProductFactory(category="A", price=Decimal("20.00"))
    two = factories.ProductFactory(event=one.event, category="B", price=Decimal("12.50"))
    elsewhere = factories.ProductFactory(price=Decimal("9.99"))
    order = Order.objects.create(company=relay.company)
    for product, n in ((one, 1), (two, 3), (elsewhere, 1)):
        OrderLine.objects.create(order=order, product=product, quantity=n, unit_price=product.price, vat_rate=product.vat_rate)
    sales_actions.confirm_order(order=order.pk, by=staff)
    sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(product=two).last().pk], by=staff, key="k")

    shares = [line.vat for event in (one.event, elsewhere.event) for line in statement(event, now()).categories]
    assert shares == [Decimal("1.04"), Decimal("1.31"), Decimal("0.52")]
    assert sum(shares) == -Entry.objects.filter(ledger="vat").aggregate(n=Sum("amount"))["n"] == Decimal("2.87")


def test_the_page_the_spreadsheet_and_the_pdf_say_the_same(as_staff, evening):
    page = page_of(as_staff.get(f"/dashboard/events/{evening.public_id}/"))
    assert "n° 1 à 9" in page and "342,00" in page and "354,50" in page and "n’est pas terminée" in page
    assert "Les portes gardent 2 entrées" in page
    over(evening)
    assert "n’est pas terminée" not in page_of(as_staff.get(f"/dashboard/events/{evening.public_id}/"))

    rows = csv_rows(b"".join(as_staff.get(f"/dashboard/events/{evening.public_id}/statement.csv").streaming_content))
    assert rows[5] == ["1re catégorie", "38.00", "5.50", "1", "9", "9", "0", "9", "342.00", "17.83", "4", "2", "2"]
    assert rows[-1] == ["En tout", "", "", "", "", "12", "1", "11", "354.50", "18.48", "4", "2", "2"]
    pdf = as_staff.get(f"/dashboard/events/{evening.public_id}/statement.pdf").content
    text = " ".join(pypdfium2.PdfDocument(io.BytesIO(pdf))[0].get_textpage().get_text_range().split())
    assert "Nuit Ravel" in text and "1–9" in text and "354,50" in text.replace("\xa0", " ")


def came(event, *minutes: int) -> None:
    """As if one had come in at each of these minutes after eight."""
    device = factories.DeviceFactory(gate__event=event)
    eight = datetime(2026, 11, 27, 20, 0, 30, tzinfo=timezone.get_current_timezone())
    for minute in minutes:
        Scan.objects.create(device=device, client_id=uuid.uuid4(), verdict="admitted", at=eight + timedelta(minutes=minute))


def counts(event) -> list[tuple[str, int]]:
    return [(f"{timezone.localtime(at):%H:%M}", n) for at, n in entries(event)]


def test_entries_by_the_minute_and_by_more_minutes_when_they_are_many(seller):
    event = factories.EventFactory()
    assert counts(event) == []
    came(event, 2, 2, 4)
    assert counts(event) == [("20:02", 2), ("20:03", 0), ("20:04", 1)]
    came(event, 63)
    assert counts(event)[0] == ("20:00", 3) and counts(event)[-1] == ("21:00", 1) and len(counts(event)) == 13


def test_what_a_gate_without_network_let_in_counts_when_it_came_and_what_was_taken_back_does_not(seller):
    event = factories.EventFactory()
    came(event, 2, 3)
    first, second = Scan.objects.order_by("pk")
    Scan.objects.filter(pk=first.pk).update(said="admitted", said_at=first.at - timedelta(minutes=1))
    Scan.objects.filter(pk=second.pk).update(undone_at=timezone.now())

    assert counts(event) == [("20:01", 1)]


def test_the_curve_is_sent_again_only_when_somebody_has_come(as_staff, evening):
    url = f"/dashboard/events/{evening.public_id}/door/"
    first = as_staff.get(url)
    assert first.status_code == 200 and 'role="img"' in first.content.decode()

    assert as_staff.get(url, headers={"if-none-match": first["ETag"]}).status_code == 304
    Scan.objects.filter(verdict="admitted").update(undone_at=timezone.now())
    assert as_staff.get(url, headers={"if-none-match": first["ETag"]}).status_code == 200


def test_as_many_queries_for_many_categories_as_for_few(as_staff, evening):
    def asked(more: int) -> int:
        for _ in range(more):
            factories.stock(factories.CompanyFactory(), 1, factories.ProductFactory(event=evening, category=f"{uuid.uuid4()}"[:30]))
        with CaptureQueriesContext(connection) as captured:
            as_staff.get(f"/dashboard/events/{evening.public_id}/")
        return len(captured)

    assert asked(1) == asked(5)
