"""The pages of options and of the account: clear words, a constant number of queries; feeds that can be killed."""

import io
import re
import uuid
from datetime import timedelta

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from sales import actions
from sales.models import CalendarFeed, Option, Terms
from tests import factories
from tests.sales.test_orders_online import said
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(relay):
    relay.may_buy = relay.may_see_accounts = True
    relay.save()
    factories.account(relay.company, address="1, rue A, 69001 Lyon")
    Terms.objects.create(options_by_rule=True, option_limit=50)
    return relay


@pytest.fixture
def base(relay):
    return f"/c/{relay.company.public_id}/"


@pytest.fixture
def product(seller):
    return factories.listing(factories.ProductFactory(quota=40, event__starts_at=timezone.now() + timedelta(days=60))).product


def ask(client, base, product, **fields):
    form = {"quantity": "6", "wished_on": "", "note": "", "request_key": str(uuid.uuid4())} | fields
    return client.post(f"{base}buy/{product.public_id}/option/", form)


def test_she_asks_sees_the_time_left_orders_a_part_and_gives_back_the_rest(as_relay, base, product):
    assert "40 billets sont libres" in said(as_relay.get(f"{base}buy/{product.public_id}/option/"))
    page = said(as_relay.get(ask(as_relay, base, product)["Location"]))
    assert "6 billets retenus" in page and "encore 14 jours" in page
    option = Option.objects.get()
    url = f"{base}options/{option.public_id}/"
    form = {"quantity": "4", "price": "38.00", "request_key": str(uuid.uuid4())}

    for _ in range(2):
        assert as_relay.post(url, form)["Location"] == f"{base}orders/{Order.objects.get().public_id}/"
    assert Ticket.objects.count() == 4 and "2 billets retenus" in said(as_relay.get(url))
    as_relay.post(f"{url}give-back/", {"held": "2"})
    assert "4 billets commandés" in said(as_relay.get(url))
    as_relay.post(f"{url}give-back/", {"held": "2"})
    assert "a changé entre-temps" in said(as_relay.get(url))


WRONG = [
    {"quantity": "0"},
    {"quantity": "-2"},
    {"quantity": "x"},
    {"quantity": "1000000000"},
    {"quantity": "1.5"},
    {"quantity": "१"},
    {"wished_on": "x"},
    {"wished_on": "2020-01-01"},
    {"note": "\u202e"},
    {"note": "x" * 501},
    {"request_key": ""},
]


@pytest.mark.parametrize("fields", WRONG)
def test_a_wrong_request_is_kept_and_refused(as_relay, base, product, fields):
    answer = ask(as_relay, base, product, **fields)

    assert answer.status_code == 422 and 'class="error"' in said(answer)
    assert not Option.objects.exists()


@pytest.mark.parametrize("fields", [{"quantity": "7"}, {"quantity": ""}, {"price": "37.00"}, {"price": ""}, {"request_key": "x"}])
def test_a_wrong_confirmation_is_refused_and_the_option_still_holds(as_relay, base, product, fields):
    ask(as_relay, base, product)
    form = {"quantity": "4", "price": "38.00", "request_key": str(uuid.uuid4())} | fields

    answer = as_relay.post(f"{base}options/{Option.objects.get().public_id}/", form)

    assert answer.status_code == 422 and 'class="error"' in said(answer)
    assert Option.objects.get().held == 6 and not Order.objects.exists()


def test_more_time_needs_a_later_day(as_relay, base, product):
    ask(as_relay, base, product)
    option = Option.objects.for_list().get()
    url = f"{base}options/{option.public_id}/more-time/"

    for until in ("x", "", option.last_day.isoformat()):
        assert as_relay.post(url, {"until": until}).status_code == 422
    as_relay.post(url, {"until": (option.last_day + timedelta(days=3)).isoformat()})
    assert Option.objects.get().more_time_on == option.last_day + timedelta(days=3)


def test_the_feed_tells_the_deadlines_to_who_has_the_secret_until_it_is_killed(as_relay, client, relay, base, product):
    ask(as_relay, base, product)
    page = said(as_relay.post(f"{base}options/calendar/"))
    address = re.search(r"http://localhost:8000(/calendars/[\w-]+/options\.ics)", page)[1]
    assert address not in said(as_relay.get(f"{base}options/calendar/"))
    assert CalendarFeed.objects.get().token_hash not in address

    as_relay.logout()
    feed = Calendar.from_ical(client.get(address).content)
    (entry,) = feed.walk("VEVENT")
    option = Option.objects.for_list().get()
    assert entry["dtstart"].dt == option.last_day and "6 billets, Nuit Ravel" in entry["summary"]
    assert relay.last_name not in client.get(address).content.decode()
    assert client.get("/calendars/other/options.ics").status_code == 404
    actions.make_calendar_feed(relay=relay)
    assert client.get(address).status_code == 404


@pytest.mark.parametrize("how", ["revoked", "no right", "withdrawn"])
def test_a_killed_feed_answers_like_none(client, relay, how):
    address = f"/calendars/{actions.make_calendar_feed(relay=relay)}/options.ics"
    assert client.get(address).status_code == 200
    if how == "revoked":
        actions.revoke_calendar_feed(relay=relay)
    elif how == "no right":
        relay.may_buy = False
        relay.save()
    else:
        relay.withdrawn_at = timezone.now()
        relay.save()
    assert client.get(address).status_code == 404


def test_the_statement_says_the_same_on_screen_and_on_paper(as_relay, relay, base, product):
    factories.stock(relay.company, 3, product)
    factories.pay(relay.company, "50.00")
    actions.cancel_tickets(tickets=[Ticket.objects.first().pk], by=factories.UserFactory(is_staff=True), key="k")

    page = said(as_relay.get(f"{base}account/"))
    paper = pypdf.PdfReader(io.BytesIO(as_relay.get(f"{base}account/statement.pdf").content))
    words = " ".join(p.extract_text() for p in paper.pages).replace("\xa0", " ")

    for amount in ("114,00 €", "50,00 €", "38,00 €", "26,00 €", "88,00 €"):
        assert amount in page and amount in words, amount
    assert "26,00 € à payer" in page
    earlier = said(as_relay.get(f"{base}account/?first=2020-01-01&last=2020-12-31"))
    assert "114,00 €" not in earlier


@pytest.mark.parametrize("query", ["first=x", "last=0001-01-01", "first=9999-12-31", "first=2030-01-01&last=2020-01-01"])
def test_a_wrong_period_never_breaks_the_statement(as_relay, base, query):
    assert as_relay.get(f"{base}account/?{query}").status_code == 200
    assert as_relay.get(f"{base}buy/?{query}").status_code == 200


def test_the_account_is_shown_to_who_sees_accounts_and_has_no_name(as_relay, relay, base, product):
    factories.stock(relay.company, 2, product)
    member = factories.MemberFactory(company=relay.company)
    factories.given(member, product, 2, by=relay.user)
    assert member.last_name not in said(as_relay.get(f"{base}account/")) + said(as_relay.get(f"{base}orders/"))
    relay.may_see_accounts = False
    relay.save()
    assert as_relay.get(f"{base}account/").status_code == 403
    assert "Compte<" not in said(as_relay.get(base))


def test_a_company_that_bought_nothing_yet_has_an_empty_account(as_relay, relay, base):
    relay.company.account.delete()
    assert "Rien à payer" in said(as_relay.get(f"{base}account/"))
    assert as_relay.get(f"{base}account/statement.pdf").status_code == 200


@pytest.mark.parametrize("path", ["options/", "account/", "orders/"])
def test_a_page_asks_as_often_for_three_rows_as_for_one(as_relay, relay, base, path):
    def look(more: int) -> int:
        for _ in range(more):
            sold = factories.listing(factories.ProductFactory(event__starts_at=timezone.now() + timedelta(days=60))).product
            ask(as_relay, base, sold, quantity="2")
            factories.stock(relay.company, 1, sold)
            Order.objects.update(confirmed_at="2026-01-02T10:00Z")
        with CaptureQueriesContext(connection) as queries:
            assert as_relay.get(base + path).status_code == 200
        return len(queries)

    as_relay.get(base)
    assert look(1) == look(2)


def test_staff_answer_requests_and_see_options_by_day_and_by_product(client, settings, relay, product):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    Terms.objects.update(options_by_rule=False)
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    asked = [
        actions.request_option(relay=relay, product=product, quantity=n, wished_on=None, note="", request_key=uuid.uuid4()) for n in (5, 7)
    ]
    urls = [f"/admin/sales/option/{option.pk}/answer/" for option in asked]
    last_day = (timezone.localdate() + timedelta(days=9)).isoformat()
    assert "40 sont libres" in said(client.get(urls[0]))

    assert "Dites pourquoi" in said(client.post(urls[0], {"quantity": "5", "last_day": last_day, "reason": "", "refuse": "1"}))
    assert "il ne reste que 40" in said(client.post(urls[0], {"quantity": "50", "last_day": last_day, "accept": "1"}))
    assert client.post(urls[0], {"quantity": "4", "last_day": last_day, "accept": "1"}).status_code == 302
    assert client.post(urls[1], {"quantity": "7", "last_day": last_day, "reason": "Complet", "refuse": "1"}).status_code == 302

    assert list(Option.objects.order_by("pk").values_list("state", "held")) == [("live", 4), ("refused", 0)]
    assert "4 × Nuit Ravel" in said(client.get(f"/admin/sales/option/calendar/?month={last_day[:7]}"))
    assert client.get("/admin/sales/option/calendar/?month=x").status_code == 404
    assert "<td>36</td>" in said(client.get("/admin/sales/option/products/"))
    assert said(client.get("/admin/sales/option/?answer=yes")).count("Nuit Ravel") < 3
