"""A relay who buys: the catalogue of her company, a basket that waits for her, an order whole or not at all."""

import io
import re
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales import actions
from sales.errors import LimitPassed, NoLongerOnSale, PriceHasChanged
from sales.models import Account, BasketLine, Entry, Listing, Terms
from sales.steps import ledger
from tests import factories
from tickets.errors import QuotaExceeded
from tickets.models import Event, Order, Product, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def relay(relay):
    """She may buy, on an account of 10,000 euros."""
    relay.may_buy = True
    relay.save()
    factories.account(relay.company)
    return relay


@pytest.fixture
def base(relay):
    return f"/c/{relay.company.public_id}/"


def said(answer) -> str:
    """The page's words, the spaces of French made plain."""
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").replace("&nbsp;", " ")


def basket_form(relay, **fields) -> dict:
    lines = BasketLine.objects.filter(relay=relay).select_related("product")
    quantities = {f"quantity-{line.product.public_id}": str(line.quantity) for line in lines}
    total = sum((line.total for line in lines), Decimal(0))
    return quantities | {"total": str(total), "request_key": str(uuid.uuid4()), "order": "1"} | fields


def test_she_sees_what_is_open_to_her_company_now_and_nothing_else(as_relay, relay, base):
    def listed(name, **fields):
        companies = fields.pop("companies", [])
        sold = factories.listing(factories.ProductFactory(event__name=name), **fields)
        sold.companies.set(companies)

    now, other = timezone.now(), factories.CompanyFactory()
    listed("Pour tous")
    listed("Pour elle", open_to_all=False, companies=[relay.company])
    listed("Pour autrui", open_to_all=False, companies=[other])
    listed("Pour personne", open_to_all=False)
    listed("Pas encore", from_at=now + timedelta(hours=1))
    listed("Trop tard", until_at=now - timedelta(seconds=1))
    listed("Passé")
    listed("Fini")
    listed("Annulé")
    Event.objects.filter(name="Passé").update(starts_at=now - timedelta(seconds=1))
    Event.objects.filter(name="Fini").update(starts_at=None, valid_from=now - timedelta(days=9), valid_until=now - timedelta(seconds=1))
    Event.objects.filter(name="Annulé").update(cancelled_at=now)
    factories.ProductFactory(event__name="Hors catalogue")

    page = said(as_relay.get(f"{base}buy/"))

    assert re.findall(r"<h2>(.*?)</h2>", page) == ["Pour tous", "Pour elle"]
    hidden = Product.objects.get(event__name="Pour autrui")
    assert as_relay.post(f"{base}buy/{hidden.public_id}/put/", {"quantity": "1"}).status_code == 404


FEAST, DERBY = "Fête de l’œuvre", "Derby"
SEARCHES = {
    "q=fete": [FEAST],
    "q=OEUVRE+theatre": [FEAST],
    "q=griffon": [FEAST],
    "kind=match": [DERBY],
    "first=2030-02-01": [DERBY],
    "last=2030-01-31": [FEAST],
    "first=2030-01-10&last=2030-01-10": [FEAST],
    "venue=999999": [],
    "kind=x&venue=x&first=x&page=-4": [FEAST, DERBY],
    "q=%00": [FEAST, DERBY],
}


@pytest.mark.parametrize("query", SEARCHES)
def test_she_finds_by_words_kind_venue_and_date(as_relay, base, query):
    house = factories.VenueFactory(name="Théâtre du Griffon")
    play = factories.EventFactory(name="Fête de l’œuvre", kind="theatre", venue=house, starts_at=datetime(2030, 1, 10, 19, 30, tzinfo=UTC))
    derby = factories.EventFactory(name="Derby", kind="match", starts_at=datetime(2030, 2, 10, 19, 30, tzinfo=UTC))
    for event in (play, derby):
        factories.listing(factories.ProductFactory(event=event))

    shown = re.findall(r"<h2>(.*?)</h2>", said(as_relay.get(f"{base}buy/?{query}")))
    assert shown == (SEARCHES[query] or ["Rien ne correspond"])


def test_her_basket_waits_for_her_and_is_hers_alone(as_relay, relay, base, client):
    product = factories.listing(factories.ProductFactory()).product
    for _ in range(2):
        as_relay.post(f"{base}buy/{product.public_id}/put/", {"quantity": "3"})
    as_relay.logout()
    as_relay.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")

    assert "3 billets dans votre panier" in said(as_relay.get(f"{base}buy/basket/"))
    colleague = factories.RelayFactory(company=relay.company, may_buy=True)
    as_relay.force_login(colleague.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "Votre panier est vide" in said(as_relay.get(f"{base}buy/basket/"))


def test_an_order_debits_issues_tells_and_empties_the_basket_once(as_relay, relay, base, post):
    colleague = factories.RelayFactory(company=relay.company)
    one, two = (factories.listing(factories.ProductFactory(price=price)).product for price in ("38.00", "12.50"))
    actions.fill_basket(relay=relay, quantities={one.pk: 2, two.pk: 4})
    form = basket_form(relay)

    for _ in range(2):
        answer = as_relay.post(f"{base}buy/basket/", form)
        assert answer["Location"] == f"{base}orders/{Order.objects.get().public_id}/"

    assert ledger.owed_by(relay.company.account) == Decimal("126.00")
    assert Ticket.objects.filter(company=relay.company, status="available").count() == 6
    assert not BasketLine.objects.exists()
    assert set(Delivery.objects.values_list("kind", "recipient")) == {
        ("order_confirmed", relay.user.email), ("tickets_ready", colleague.user.email),
    }  # fmt: skip
    outbox_actions.send_due()
    (letter,) = post.to(relay.user.email)
    assert letter["Subject"].replace("\xa0", " ") == "Commande 1 : 6 billets pour 126,00 €"
    (attached,) = letter.iter_attachments()
    words = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(attached.get_content())).pages)
    assert attached.get_filename() == "commande-1.pdf" and "Commande 1" in words and "126,00" in words


def test_screen_order_form_and_ledger_agree(as_relay, relay, base):
    one = factories.listing(factories.ProductFactory(price="0.35", vat_rate="5.50")).product
    two = factories.listing(factories.ProductFactory(price="7.77", vat_rate="20.00")).product
    actions.fill_basket(relay=relay, quantities={one.pk: 3, two.pk: 7})
    as_relay.post(f"{base}buy/basket/", basket_form(relay))
    order = Order.objects.get()

    vat = {e.vat_rate: -e.amount for e in Entry.objects.filter(ledger="vat")}
    page = said(as_relay.get(f"{base}orders/{order.public_id}/"))
    paper = pypdf.PdfReader(io.BytesIO(as_relay.get(f"{base}orders/{order.public_id}/order.pdf").content))
    words = " ".join(p.extract_text() for p in paper.pages).replace("\xa0", " ")
    for amount in (*vat.values(), Decimal("55.44"), Decimal("55.44") - sum(vat.values())):
        shown = f"{amount:.2f} €".replace(".", ",")
        assert shown in page and shown in words, shown


@pytest.mark.parametrize("fault", ["price", "quota", "limit", "off sale", "no account", "total missing"])
def test_a_refused_order_says_why_keeps_the_basket_and_leaves_nothing(as_relay, relay, base, fault):
    product = factories.listing(factories.ProductFactory(quota=5)).product
    actions.fill_basket(relay=relay, quantities={product.pk: 4})
    form = basket_form(relay)
    match fault:
        case "price":
            Product.objects.update(price=39)
        case "quota":
            Product.objects.update(quota=3)
        case "limit":
            Account.objects.update(limit=100)
        case "off sale":
            Listing.objects.update(open_to_all=False)
        case "no account":
            Account.objects.update(limit=None)
        case _:
            del form["total"]

    answer = as_relay.post(f"{base}buy/basket/", form)

    sentences = {
        "price": "Un prix a changé : le total est maintenant de 156,00 €",
        "quota": "il ne reste que 3",
        "off sale": "n’est plus en vente",
        "limit": "l’encours disponible est de 100,00 €",
        "no account": "n’a pas encore ouvert de compte",
        "total missing": "est maintenant de",
    }
    assert answer.status_code == 422 and sentences[fault] in said(answer)
    assert not Order.objects.exists() and not Entry.objects.exists()
    assert BasketLine.objects.get().quantity == 4


@pytest.mark.parametrize("typed", ["-1", "1.5", "x", "१", "99999", "1e3", ""])
def test_a_wrong_quantity_is_kept_and_refused(as_relay, relay, base, typed):
    product = factories.listing(factories.ProductFactory()).product
    as_relay.post(f"{base}buy/{product.public_id}/put/", {"quantity": typed})
    assert not BasketLine.objects.exists()
    actions.fill_basket(relay=relay, quantities={product.pk: 2})

    answer = as_relay.post(f"{base}buy/basket/", basket_form(relay, **{f"quantity-{product.public_id}": typed}))

    assert answer.status_code == 422 and 'class="error"' in said(answer)
    assert not Order.objects.exists() and BasketLine.objects.get().quantity == 2


def test_fields_that_the_form_does_not_have_change_nothing(as_relay, relay, base):
    product = factories.listing(factories.ProductFactory()).product
    actions.fill_basket(relay=relay, quantities={product.pk: 2})
    extra = {"company": "1", "price": "0", "unit_price": "0", "channel": "phone", "state": "confirmed", "confirmed_by": "1"}

    as_relay.post(f"{base}buy/basket/", basket_form(relay, **extra))

    order = Order.objects.get()
    assert (order.company, order.channel, order.lines.get().unit_price) == (relay.company, "online", 38)


def test_above_the_sellers_threshold_tickets_wait_for_the_payment_and_hold_the_quota(relay, seller):
    Terms.objects.create(paid_first_from=114)
    product = factories.listing(factories.ProductFactory(quota=4)).product
    actions.fill_basket(relay=relay, quantities={product.pk: 3})

    order = actions.place_order(relay=relay, total=Decimal(114), request_key=uuid.uuid4())
    assert (order.state, Ticket.objects.count(), ledger.owed_by(relay.company.account)) == ("awaiting", 0, 114)
    with pytest.raises(QuotaExceeded, match="il ne reste que 1"):
        factories.stock(relay.company, 2, product)
    factories.pay(relay.company, 113)
    assert Ticket.objects.count() == 0
    factories.pay(relay.company, 1)

    order.refresh_from_db()
    assert (order.state, Ticket.objects.count()) == ("confirmed", 3)
    assert Delivery.objects.filter(kind="tickets_ready").count() == 1
    actions.fill_basket(relay=relay, quantities={product.pk: 1})
    assert actions.place_order(relay=relay, total=Decimal(38), request_key=uuid.uuid4()).state == "confirmed"


def test_an_order_that_waited_is_cancelled_like_another(relay, seller):
    Terms.objects.create(paid_first_from=0)
    product = factories.listing(factories.ProductFactory(quota=4)).product
    actions.fill_basket(relay=relay, quantities={product.pk: 3})
    order = actions.place_order(relay=relay, total=Decimal(114), request_key=uuid.uuid4())

    assert actions.cancel_order(order=order.pk, by=factories.UserFactory(is_staff=True)) == 3

    assert ledger.owed_by(relay.company.account) == 0
    factories.stock(relay.company, 4, product)


def test_what_a_cancellation_frees_pays_an_order_that_waited_and_the_clock_issues_its_tickets(relay, seller):
    Terms.objects.create(paid_first_from=0)
    product = factories.listing(factories.ProductFactory()).product
    factories.stock(relay.company, 2, product)
    paid = Order.objects.get()
    factories.pay(relay.company, 76)
    actions.fill_basket(relay=relay, quantities={product.pk: 2})
    order = actions.place_order(relay=relay, total=Decimal(76), request_key=uuid.uuid4())
    assert (order.state, actions.issue_paid_orders()) == ("awaiting", 0)

    actions.cancel_order(order=paid.pk, by=factories.UserFactory(is_staff=True))

    assert [actions.issue_paid_orders() for _ in range(2)] == [1, 0]
    assert Ticket.objects.standing().filter(order_line__order=order).count() == 2


def test_a_deposit_pays_at_once_even_above_the_threshold(relay, seller):
    Terms.objects.create(paid_first_from=0)
    Account.objects.update(kind="prepaid", limit=0)
    product = factories.listing(factories.ProductFactory()).product
    actions.fill_basket(relay=relay, quantities={product.pk: 2})
    with pytest.raises(LimitPassed):
        actions.place_order(relay=relay, total=Decimal(76), request_key=uuid.uuid4())
    factories.pay(relay.company, 80)

    assert actions.place_order(relay=relay, total=Decimal(76), request_key=uuid.uuid4()).state == "confirmed"
    assert Ticket.objects.count() == 2


def test_without_the_right_to_buy_she_can_neither_look_nor_order(as_relay, relay, base):
    product = factories.listing(factories.ProductFactory()).product
    actions.fill_basket(relay=relay, quantities={product.pk: 2})
    form = basket_form(relay)
    relay.may_buy = False
    relay.save()

    assert as_relay.get(f"{base}buy/").status_code == as_relay.post(f"{base}buy/basket/", form).status_code == 403
    assert "Acheter" not in said(as_relay.get(base))
    from accounts.errors import MayNot

    with pytest.raises(MayNot):
        actions.place_order(relay=relay, total=Decimal(76), request_key=uuid.uuid4())
    assert not Order.objects.exists()


def test_a_price_is_read_again_under_the_lock(relay):
    product = factories.listing(factories.ProductFactory()).product
    actions.fill_basket(relay=relay, quantities={product.pk: 2})
    Product.objects.update(price=40)
    with pytest.raises(PriceHasChanged, match="80,00"):
        actions.place_order(relay=relay, total=Decimal(76), request_key=uuid.uuid4())
    Listing.objects.all().delete()
    with pytest.raises(NoLongerOnSale):
        actions.place_order(relay=relay, total=Decimal(80), request_key=uuid.uuid4())


def test_orders_of_every_channel_are_in_one_list_for_who_buys_or_sees_accounts(as_relay, relay, base):
    for channel in ("phone", "box_office", "online"):
        factories.stock(relay.company, 1, channel=channel)
    factories.stock(factories.CompanyFactory(), 1)

    page = said(as_relay.get(f"{base}orders/"))
    assert re.findall(r"N° (\d)", page) == ["3", "2", "1"]
    assert re.findall(r"N° (\d)", said(as_relay.get(f"{base}orders/?channel=phone"))) == ["1"]
    relay.may_buy, relay.may_see_accounts = False, True
    relay.save()
    assert as_relay.get(f"{base}orders/").status_code == 200
    relay.may_see_accounts = False
    relay.save()
    assert as_relay.get(f"{base}orders/").status_code == 403


@pytest.mark.parametrize("path", ["buy/", "buy/basket/", "orders/"])
def test_a_page_asks_as_often_for_three_products_as_for_one(as_relay, relay, base, path):
    def look(more: int) -> int:
        for _ in range(more):
            product = factories.listing(factories.ProductFactory()).product
            factories.stock(relay.company, 1, product)
            actions.fill_basket(relay=relay, quantities={product.pk: 2})
        with CaptureQueriesContext(connection) as queries:
            assert as_relay.get(base + path).status_code == 200
        return len(queries)

    as_relay.get(base)
    assert look(1) == look(2)
