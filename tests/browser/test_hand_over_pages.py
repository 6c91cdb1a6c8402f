"""Handing over many tickets as a relay meets it: the page follows the work by itself, and without JavaScript by a link."""

import pypdfium2
import pytest
from playwright.sync_api import expect

from distribution.actions.printouts import render_next
from tests import factories
from tests.browser.test_main_round import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MANY = 101  # one more than is rendered before the answer


@pytest.fixture
def relay(live_server, settings):
    settings.PUBLIC_BASE_URL = live_server.url
    factories.SellerFactory()
    factories.signing_key()
    relay = factories.RelayFactory()
    factories.stock(relay.company, MANY + 20)
    return relay


def hand_many_over(page, base: str, relay, post) -> None:
    log_in(page, base, relay.user.email, post)
    page.get_by_role("link", name="Nuit Ravel", exact=True).click()
    page.get_by_role("link", name="Remettre sur papier").click()
    page.get_by_label("Noms à imprimer").fill("\n".join(f"Prénom{n}\tNom" for n in range(MANY)))
    page.get_by_label("Quatre billets par page").check()
    page.get_by_role("button", name="Préparer les billets").click()
    expect(page.get_by_role("heading", name=f"{MANY} billets se préparent")).to_be_visible()
    expect(page.locator(".progress")).to_contain_text(f"0 billets sur {MANY}")


def test_the_page_follows_the_work_by_itself_and_gives_the_tickets(phone, live_server, relay, post):
    page = phone.new_page()
    hand_many_over(page, live_server.url, relay, post)
    page.reload()

    render_next()

    expect(page.get_by_role("heading", name=f"{MANY} billets, prêts à imprimer")).to_be_visible()
    assert page.locator("#prepared").inner_text() == "Les billets sont prêts à imprimer."
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Ouvrir le PDF de {MANY} billets").click()
    assert len(pypdfium2.PdfDocument(download.value.path())) == 26
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF Feuille d’émargement").click()
    assert download.value.suggested_filename == "feuille-demargement-nuit-ravel.pdf"


def test_without_javascript_a_link_says_how_far_it_has_come_and_the_work_can_be_stopped(browser, live_server, relay, post):
    context = browser.new_context(locale="fr-FR", viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    hand_many_over(page, live_server.url, relay, post)

    page.get_by_role("link", name="Voir où cela en est").click()
    expect(page.get_by_role("heading", name=f"{MANY} billets se préparent")).to_be_visible()
    page.get_by_role("button", name="Arrêter la préparation").click()

    expect(page.locator(".said").first).to_contain_text("La préparation est arrêtée")
    assert not render_next()
    context.close()
