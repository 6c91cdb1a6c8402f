"""Every main page on a phone and on a desktop, in both languages: no violation that axe finds, nothing overflows."""

import uuid
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from distribution.actions import distribute, forward, give_back, hand_over, reassign, render_at_once
from members.models import Member
from outbox.models import Delivery
from sales.actions import fill_basket, request_option
from sales.models import Account, Terms
from tests import factories
from tests.browser.test_main_round import log_in
from tickets.models import Event, Order, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def story(live_server, settings):
    settings.PUBLIC_BASE_URL = live_server.url
    factories.SellerFactory(email="billets@quais.example")
    factories.signing_key()
    relay = factories.RelayFactory(may_buy=True, may_see_accounts=True)
    product = factories.stock(relay.company, 35)
    sales_pages = what_she_buys(relay)
    members = factories.MemberFactory.create_batch(4, company=relay.company)
    factories.given(members[0], product, 2, by=relay.user)
    factories.printed(factories.given(members[1], product, 2, by=relay.user))
    members[3].email = ""
    members[3].save()
    gifts = [(members[2].pk, 1, ()), (members[3].pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="À demain", request_key=uuid.uuid4())
    Delivery.objects.filter(recipient=members[2].email).update(state="failed", smtp_reply="550 unknown")
    paper = hand_over(relay=relay, product=product, quantity=2, names=[], request_key=uuid.uuid4())
    many = hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())  # nobody renders it: it is prepared
    render_at_once(paper.printouts.get())
    site = factories.RelayFactory(company=factories.CompanyFactory(name="Lyon-Gerland", parent=relay.company))
    moved = forward(relay=relay, product=product, to=site.company, quantity=15, message="", request_key=uuid.uuid4())
    factories.given(factories.MemberFactory(company=site.company), product, 9, by=site.user)
    shown = factories.shown(*factories.given(members[0], product, 1, by=relay.user))
    given_on = reassign(relay=relay, product=product, shown=shown, to=members[1], farewell="Désolée", request_key=uuid.uuid4())
    lost = factories.given(members[0], product, 1, by=relay.user)[0]
    back = give_back(
        user=factories.login(members[0].email), ticket=lost.public_id, generation=0, message="Je suis de garde", request_key=uuid.uuid4()
    )
    past = factories.ProductFactory(event=factories.EventFactory(name="Jazz"))
    factories.stock(relay.company, 3, past)
    Event.objects.filter(name="Jazz").update(valid_from="2025-01-01T10:00Z", valid_until="2025-01-02T10:00Z", starts_at="2025-01-01T20:00Z")
    group = factories.GroupFactory(company=relay.company)
    group.members.add(members[0])
    factories.MemberFactory(company=relay.company, first_name=members[0].first_name, last_name=members[0].last_name, email="")
    Member.objects.filter(pk=factories.MemberFactory(company=relay.company).pk).update(left_on="2026-03-03")
    home = f"/c/{relay.company.public_id}/"
    base = f"{home}products/{product.public_id}/"
    ticket = members[0].tickets.first()
    mine = f"/my/data/members/{members[0].public_id}/"
    my_data = ["/my/data/", f"{mine}name/", f"{mine}leave/", "/my/data/address/", "/my/data/erasure/"]
    return {
        "relay": relay,
        "member": members[0],
        "public": ["/login/", "/login/password/", "/help/", "/privacy/", "/accessibility/", "/gate/", "/nowhere/"],
        "relay_pages": [
            home,
            base,
            f"{base}distribute/",
            f"{base}distribute/list/",
            f"{base}distribute/group/",
            f"{base}hand-over/",
            f"{base}reclaim/",
            f"{base}reclaim/?all=1",
            f"{home}members/{members[1].public_id}/reclaim/",
            f"{home}distributions/{act.public_id}/reclaim/",
            f"{base}reassign/?member={members[1].public_id}",
            f"{base}remind/?step=opened",
            f"{base}remind/?step=printed",
            f"{home}distributions/{given_on.public_id}/",
            f"{home}distributions/{back.public_id}/",
            f"{base}forward/",
            f"{base}reclaim-from/{site.company.public_id}/",
            f"{home}distributions/{moved.public_id}/",
            f"{base}tickets/",
            f"{home}tickets/{ticket.public_id}/",
            f"{home}history/",
            f"{home}distributions/{act.public_id}/",
            f"{home}distributions/{paper.public_id}/",
            f"{home}distributions/{many.public_id}/",
            f"{base}members/{members[2].public_id}/correct-address/",
            f"{home}members/",
            f"{home}members/?left=1",
            f"{home}members/add/",
            f"{home}members/groups/",
            f"{home}members/groups/{group.public_id}/",
            f"{home}members/import/",
            f"{home}members/duplicates/",
            f"{home}members/{members[0].public_id}/",
            f"{home}members/{members[0].public_id}/edit/",
            f"{home}members/{members[2].public_id}/address/",
            f"{home}members/{members[0].public_id}/leave/",
            f"{home}members/{members[0].public_id}/merge/",
            f"{home}members/{members[0].public_id}/merge/{members[2].public_id}/",
            *sales_pages,
            "/spaces/",
            "/account/",
            "/account/second-factor/",
            "/account/password/set/",
            "/account/sessions/",
        ],
        "member_pages": ["/my/", f"/my/tickets/{ticket.public_id}/name/", f"/my/tickets/{ticket.public_id}/give-back/", *my_data],
    }


def what_she_buys(relay) -> list[str]:
    """The pages of sales, with a basket, options in two states, an order to pay and an invoice."""
    Account.objects.filter(company=relay.company).update(limit=10_000, address="1, rue A, 69001 Lyon")
    Terms.objects.create(options_by_rule=True, option_limit=5)
    sold = factories.listing(factories.ProductFactory(quota=9, event__starts_at=timezone.now() + timedelta(days=60))).product
    asked = {"product": sold, "wished_on": None, "note": "Pour la fête"}
    held, _waits = (request_option(relay=relay, quantity=n, request_key=uuid.uuid4(), **asked) for n in (5, 9))
    fill_basket(relay=relay, quantities={sold.pk: 2})
    home = f"/c/{relay.company.public_id}/"
    order = Order.objects.get(company=relay.company)
    pages = ["buy/", "buy/basket/", f"buy/{sold.public_id}/option/", "options/", f"options/{held.public_id}/", "options/calendar/"]
    return [home + page for page in (*pages, "orders/", f"orders/{order.public_id}/", "account/")]


def check(page, url: str) -> list[str]:
    """What is wrong with the page: axe's violations, a width that scrolls sideways, a place that is out of sight."""
    page.goto(url)
    found = Axe().run(page, options={"runOnly": RULES, "resultTypes": ["violations"]})
    faults = [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found.response["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("scrolls sideways")
    if page.evaluate("[...document.querySelectorAll('.places [aria-current]')].some(e => e.getBoundingClientRect().right > innerWidth)"):
        faults.append("the place where one stands is out of sight")
    return [f"{url}: {fault}" for fault in faults]


@pytest.mark.parametrize(
    ("width", "locale", "scheme"), [(320, "fr-FR", "light"), pytest.param(1280, "en-GB", "dark", marks=pytest.mark.long)]
)
def test_no_page_has_a_fault_that_axe_finds(browser, live_server, story, post, width, locale, scheme):
    context = browser.new_context(locale=locale, viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    faults = []
    for url in story["public"]:
        faults += check(page, live_server.url + url)
    for address, pages in ((story["relay"].user.email, story["relay_pages"]), (story["member"].email, story["member_pages"])):
        context.clear_cookies()
        enter(page, live_server.url, address, post)
        for url in pages:
            faults += check(page, live_server.url + url)
    context.close()
    assert faults == [], "\n".join(faults)


def enter(page, base, address, post):
    if page.context.pages and page.evaluate("navigator.language") == "fr-FR":
        log_in(page, base, address, post)
        return
    from outbox import actions as outbox_actions

    page.goto(f"{base}/login/")
    page.get_by_label("Email address").fill(address)
    page.get_by_role("button", name="Send me a code").click()
    page.wait_for_url("**/login/code/**")
    outbox_actions.send_due(login_only=True)
    text = post.to(address)[-1].get_body(("plain",)).get_content()
    page.fill("#id_code", text.split("    ")[1].split()[0])
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state()


def test_a_distribution_is_made_and_undone_without_javascript(browser, live_server, story, post):
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    relay = story["relay"]
    log_in(page, live_server.url, relay.user.email, post)
    page.get_by_role("link", name="Distribuer Nuit Ravel").click()
    page.get_by_label("Nom, prénom ou adresse").fill(story["member"].last_name)
    page.get_by_role("button", name="Chercher").click()
    page.locator(".found .option").first.click()
    page.get_by_role("button", name="Un billet de plus").click()
    page.get_by_role("button", name="Envoyer 2 billets à 1 personne").click()
    assert "2 billets distribués" in page.locator(".said").inner_text()
    before = Ticket.objects.filter(status="available").count()
    page.get_by_role("button", name="Annuler l’envoi").click()
    assert "de nouveau à distribuer" in page.locator(".said").inner_text()
    assert Ticket.objects.filter(status="available").count() == before + 2
    context.close()


def test_what_remains_follows_the_typing_and_can_not_be_passed(browser, live_server, story, post):
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844})
    page = context.new_page()
    log_in(page, live_server.url, story["relay"].user.email, post)
    page.get_by_role("link", name="Distribuer Nuit Ravel").click()
    page.get_by_label("Nom, prénom ou adresse").type(story["member"].last_name[:5].upper())
    page.locator("[data-option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    quantity = page.locator(".stepper input")
    quantity.wait_for()
    left = int(page.locator(".sum .figure").inner_text())
    quantity.fill("5")
    expect(page.locator(".sum .figure")).to_have_text(str(left - 4))
    quantity.fill("400")
    page.get_by_text("billets de trop").wait_for()
    page.locator("button[name=confirm]").click()
    page.get_by_text("Il ne reste que").wait_for()
    assert quantity.input_value() == "400"
    context.close()


def test_a_ticket_is_given_to_someone_new_without_javascript(browser, live_server, story, post):
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, story["relay"].user.email, post)
    page.get_by_role("link", name="Nuit Ravel", exact=True).click()
    page.locator("table.people tr", has_text=str(story["member"])).get_by_role("link", name="Redonner").click()
    page.locator(".picked input").last.uncheck()
    page.get_by_label("Prénom", exact=True).fill("Karim")
    page.get_by_label("Nom", exact=True).fill("Benali")
    page.get_by_label("Adresse de courriel").fill("karim@exemple.fr")
    page.get_by_role("button", name="Ajouter").click()
    page.get_by_label("Un mot pour Karim, facultatif").fill("Bonne soirée")
    page.get_by_role("button", name="Donner 1 billet à Karim").click()
    assert "1 billet donné à quelqu’un d’autre" in page.locator(".said").inner_text()
    assert Ticket.objects.get(member__email="karim@exemple.fr").event.name == "Nuit Ravel"
    context.close()


def test_tickets_are_chosen_seen_and_taken_back_without_javascript(browser, live_server, story, post):
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    log_in(page, live_server.url, story["relay"].user.email, post)
    page.get_by_role("link", name="Nuit Ravel", exact=True).click()
    page.get_by_role("link", name="Reprendre des billets").click()
    page.locator(".picks input").nth(1).check()
    page.locator(".picks input").nth(2).check()
    page.get_by_role("button", name="Voir ce qui revient").click()
    page.get_by_label("Un mot pour qui perd un billet").fill("Changement de programme")
    page.get_by_role("button", name="Choisir d’autres billets").click()
    assert page.locator(".picks input:checked").count() == 2
    page.locator(".picks input").nth(2).uncheck()
    page.get_by_role("button", name="Voir ce qui revient").click()
    assert page.get_by_label("Un mot pour qui perd un billet").input_value() == "Changement de programme"
    page.get_by_role("button", name="Reprendre 1 billet").click()
    assert "1 billet est revenu" in page.locator(".said").inner_text()
    context.close()


def test_a_group_is_reminded_in_one_click_from_its_figure(browser, live_server, story, post):
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844})
    page = context.new_page()
    log_in(page, live_server.url, story["relay"].user.email, post)
    page.get_by_role("link", name="Nuit Ravel", exact=True).click()
    page.get_by_role("link", name="pas tout imprimé").click()
    page.get_by_role("button", name="Relancer").click()
    said = page.locator(".said").inner_text()
    assert "1 personne relancée" in said and "adresse refusée" in said and "n’est pas encore parti" in said
    context.close()
