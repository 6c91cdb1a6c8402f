"""Whatever people write is shown as text: no page of any role runs it, nor even tries to (TRUST row 28)."""

import uuid
from urllib.parse import quote

import pytest
from django.apps import apps
from django.conf import settings as configured
from django.contrib import admin
from django.db import models
from django.test import Client
from django.urls import reverse
from playwright.sync_api import expect

from control.views import COOKIE
from demo.views import letters, slug
from distribution.actions import distribute, hand_over
from distribution.models import Distribution
from members.models import Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales.actions import fill_basket, request_option
from sales.models import Option, Terms
from tests import factories
from tests.portal.walk import BACKEND
from tickets.barcode import encode, signer
from tickets.models import Order, Seat, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MARKUP = [
    "\"'></script></title></textarea></style><script>alert(1)</script><img src=x onerror=alert(1)><xss>",
    "\"'><img src=x onerror=alert(1)><xss>",
    "<xss onclick=1>",
    "<xss>",
]
LINKS = ["javascript:alert(1)//", "x"]
ROOMS = ["accounts", "members", "tickets", "sales", "distribution", "control", "outbox"]
# What the portal writes itself and reads again: everything else is somebody's words.
NOT_WORDS = {
    "password", "language", "accent", "zone", "search_key", "sort_key", "token_hash", "kind", "dedupe_key", "phase", "worker",
    "message_id", "secret", "mark", "code_hash", "currency",
}  # fmt: skip
# Not to be missed, should a field be renamed or its row no longer be made here.
WORDS = {
    "accounts.Company.name", "accounts.Relay.last_name", "accounts.Seller.name", "accounts.Seller.conditions", "members.Member.last_name",
    "tickets.Event.name", "tickets.Product.category", "tickets.Venue.address", "tickets.Seat.number", "outbox.Delivery.smtp_reply",
    "tickets.Ticket.beneficiary_last_name", "distribution.Recipient.message", "control.Gate.name", "control.Device.name",
    "sales.Account.legal_name", "sales.Terms.bank", "sales.Option.note", "sales.Option.reason",
}  # fmt: skip
REPORT = """
addEventListener("securitypolicyviolation", (e) => console.error(`refused ${e.effectiveDirective} on ${location.pathname}`));
"""
INJECTED = """document.querySelectorAll('xss, img[src="x"], [href^="javascript:"], [src^="javascript:"], [action^="javascript:"]').length"""


def fitting(payloads: list[str], length: int | None) -> str:
    return next(payload for payload in payloads if not length or len(payload) <= length)


def words_of(model) -> list[models.Field]:
    """Its fields that hold somebody's words. An address is who somebody is: one is written apart."""
    texts = [f for f in model._meta.get_fields() if isinstance(f, models.CharField | models.TextField) and not f.choices]
    return [f for f in texts if not isinstance(f, models.EmailField) and not f.unique and f.name not in NOT_WORDS]


def spoil(payloads: list[str]) -> set[str]:
    """Write a payload in every field of words of every row, straight into the tables; the fields written."""
    written = set()
    for model in (model for room in ROOMS for model in apps.get_app_config(room).get_models()):
        for field in words_of(model):
            rows = model._base_manager.all()
            if field.name.startswith("beneficiary"):
                rows = rows.exclude(member=None)
            if rows.update(**{field.name: fitting(payloads, field.max_length)}):
                written.add(f"{model._meta.label}.{field.name}")
    return written


class Watched:
    """A page, and whatever ran or tried to run in it."""

    def __init__(self, browser, base: str) -> None:
        self.context = browser.new_context(locale="fr-FR", viewport={"width": 1000, "height": 900})
        self.context.set_default_timeout(10_000)
        self.context.add_init_script(REPORT)
        self.base, self.faults, self.seen = base, [], 0
        self.page = self.context.new_page()
        self.page.on("dialog", self.ran)
        self.page.on("console", self.said)
        self.page.on("pageerror", lambda error: self.faults.append(f"{self.page.url}: {error}"))

    def ran(self, dialog) -> None:
        self.faults.append(f"{self.page.url}: a script ran")
        dialog.dismiss()

    def said(self, message) -> None:
        if "refused script" in message.text or "Blocked script execution" in message.text:
            self.faults.append(f"{self.page.url}: {message.text}")

    def sign_in(self, user) -> None:
        client = Client()
        client.force_login(user, backend=BACKEND)
        self.keep(configured.SESSION_COOKIE_NAME, client.cookies[configured.SESSION_COOKIE_NAME].value)

    def keep(self, cookie: str, value: str) -> None:
        self.context.clear_cookies()
        self.context.add_cookies([{"name": cookie, "value": value, "url": self.base}])

    def open(self, *paths: str) -> None:
        for path in paths:
            answer = self.page.goto(self.base + path)
            assert answer.status == 200, (path, answer.status)
            self.look()

    def look(self) -> None:
        """Nothing of a payload became an element or a link."""
        self.seen += 1
        if found := self.page.evaluate(INJECTED):
            self.faults.append(f"{self.page.url}: {found} elements of a payload")


@pytest.fixture
def watched(browser, live_server, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    settings.PUBLIC_BASE_URL = live_server.url
    watched = Watched(browser, live_server.url)
    yield watched
    watched.context.close()


@pytest.fixture
def story(live_server, post, settings, tmp_path):
    """Two companies, members, tickets in every state, two acts, a refused email, a gate: then the demo's inbox is filled."""
    settings.MAILBOX_DIR = tmp_path / "mail"
    factories.SellerFactory(undo_seconds=0)
    factories.signing_key()
    relay = factories.RelayFactory(may_buy=True, may_see_accounts=True)
    factories.RelayFactory(user=relay.user)
    factories.account(relay.company)
    product = factories.listing(factories.stock(relay.company, 12)).product
    zoe, other, refused = factories.MemberFactory.create_batch(3, company=relay.company)
    tickets = factories.given(zoe, product, 3, by=relay.user)
    factories.printed(tickets[:1])
    Ticket.objects.filter(pk=tickets[0].pk).update(seat=Seat.objects.create(event=product.event, number="1"))
    device = factories.DeviceFactory(gate__event=product.event, token="porte")
    return {"relay": relay, "product": product, "zoe": zoe, "other": other, "refused": refused, "tickets": tickets, "device": device}


def acts(story) -> None:
    """What a relay does, with words of hers."""
    relay, product = story["relay"], story["product"]
    gifts = [(story["other"].pk, 1, ()), (story["refused"].pk, 1, ())]
    distribute(relay=relay, product=product, gifts=gifts, message="À demain", request_key=uuid.uuid4())
    hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    Terms.objects.create(options_by_rule=True)
    fill_basket(relay=relay, quantities={product.pk: 2})
    request_option(relay=relay, product=product, quantity=2, wished_on=None, note="", request_key=uuid.uuid4())
    outbox_actions.send_due()
    Delivery.objects.filter(recipient=story["refused"].email).update(state="failed")


def spoiled(story, payloads: list[str]) -> None:
    """All words replaced, then the emails about them sent, then the words that only sending wrote."""
    spoil(payloads)
    Delivery.objects.update(state="pending", not_before="2026-01-01T00:00Z", smtp_reply="", attempts=0)
    outbox_actions.send_due()
    written = spoil(payloads)
    assert written >= WORDS
    Member.objects.filter(pk=story["refused"].pk).update(email=f"{fitting(payloads, 40)}@exemple.fr".lower())


def relays_pages(watched: Watched, story, payload: str) -> None:
    home = f"/c/{story['relay'].company.public_id}/"
    base = f"{home}products/{story['product'].public_id}/"
    watched.sign_in(story["relay"].user)
    watched.open(home, f"{home}history/", base, f"{base}tickets/", f"{base}tickets/?q={quote(payload)}", f"{base}hand-over/")
    watched.open(f"{base}reclaim/", "/spaces/", "/account/", "/account/sessions/")
    watched.open(*(f"{home}tickets/{ticket.public_id}/" for ticket in Ticket.objects.exclude(status="available")))
    watched.open(*(f"{home}distributions/{act.public_id}/" for act in Distribution.objects.all()))
    watched.open(f"{base}members/{story['refused'].public_id}/correct-address/")
    watched.open(*(f"{home}{path}" for path in ("buy/", f"buy/?q={quote(payload)}", "buy/basket/", "options/", "orders/", "account/")))
    watched.open(f"{home}buy/{story['product'].public_id}/option/", f"{home}options/{Option.objects.get().public_id}/")
    watched.open(f"{home}orders/{Order.objects.filter(company=story['relay'].company).get().public_id}/")
    # She chooses someone, writes a word, and looks at the email that would leave; then adds someone whose address is wrong.
    watched.open(f"{base}distribute/")
    page = watched.page
    page.get_by_label("Nom, prénom ou adresse").press_sequentially("lef")
    page.locator("[data-option]").first.wait_for()
    watched.look()
    page.locator("[data-option]").first.click()
    page.locator(".stepper input").wait_for()
    page.locator("textarea[name=message]").fill(payload)
    page.get_by_role("button", name="Un billet de plus").click()
    expect(page.locator(".stepper input")).to_have_value("2")
    watched.look()
    page.get_by_label("Prénom", exact=True).fill(payload[:80])
    page.get_by_label("Nom", exact=True).fill(payload[:80])
    page.get_by_label("Adresse de courriel").fill(payload[:40])
    page.get_by_role("button", name="Ajouter").click()
    page.locator(".error").first.wait_for()
    watched.look()


def members_pages(watched: Watched, story, payload: str) -> None:
    watched.sign_in(factories.login(story["zoe"].email))
    mine = f"/my/data/members/{story['zoe'].public_id}/"
    watched.open("/my/data/", "/my/data/address/", "/my/data/erasure/", f"{mine}name/", f"{mine}leave/")
    watched.open("/my/", f"/my/tickets/{story['tickets'][1].public_id}/name/")
    page = watched.page
    page.get_by_label("Prénom", exact=True).fill(payload[:80])
    page.get_by_label("Nom", exact=True).fill(payload[:80])
    page.get_by_role("button", name="Écrire ce nom").click()
    page.wait_for_url("**/my/")
    expect(page.locator(".bearer").nth(1)).to_contain_text(payload[:80])
    watched.look()
    page.get_by_role("button", name="Afficher").or_(page.get_by_role("button", name="Montrer")).first.click()
    page.wait_for_url("**/show/")
    watched.look()


def the_gate(watched: Watched, story) -> None:
    watched.keep(COOKIE, "porte")
    watched.open("/gate/")
    ticket = Ticket.objects.get(pk=story["tickets"][0].pk)
    for wait, title in ((0, "Admis"), (2_600, "Déjà contrôlé")):
        watched.page.wait_for_timeout(wait)  # sooner, the same code is the same reading
        watched.page.get_by_label("Code du billet").fill(encode(ticket, signer()))
        watched.page.keyboard.press("Enter")
        expect(watched.page.locator("h1")).to_have_text(title)
        watched.look()


def staffs_pages(watched: Watched, payload: str) -> None:
    watched.sign_in(factories.login("accueil@quais.example", is_staff=True, is_superuser=True))
    watched.open("/admin/")
    for model, model_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        watched.open(reverse(f"{name}_changelist"))
        if model_admin.search_fields:
            watched.open(f"{reverse(f'{name}_changelist')}?q={quote(payload)}")
        if row := model.objects.first():
            watched.open(reverse(f"{name}_change", args=[row.pk]), reverse(f"{name}_history", args=[row.pk]))


def the_demos_inbox(watched: Watched) -> None:
    watched.open("/inbox/")
    keys = [slug(key) for key in letters().keys()]  # noqa: SIM118  (a mailbox is not a mapping)
    assert len(keys) >= 6
    for key in keys:
        watched.open(f"/inbox/{key}/", f"/inbox/{key}/html/")


@pytest.mark.parametrize("payloads", [MARKUP, pytest.param(LINKS, marks=pytest.mark.long)], ids=["markup", "javascript links"])
def test_no_page_of_any_role_runs_what_people_wrote(watched, story, payloads):
    acts(story)
    spoiled(story, payloads)

    relays_pages(watched, story, payloads[0])
    members_pages(watched, story, payloads[0])
    the_gate(watched, story)
    staffs_pages(watched, payloads[0])
    the_demos_inbox(watched)

    assert watched.faults == []
    assert watched.seen > 80
