"""The scanner with a real camera's film of tickets really printed: with network, without, and back."""

import uuid

import pytest
from playwright.sync_api import expect

from control.models import Scan
from distribution.actions import reclaim
from tests import factories
from tests.browser.gate import a_gate, become, film, listed, photographed, ready, show, type_code, verdict
from tests.control.conftest import code_of
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def relay(live_server, settings):
    settings.PUBLIC_BASE_URL = live_server.url
    factories.SellerFactory()
    factories.signing_key()
    return factories.RelayFactory()


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 6)


@pytest.fixture
def device(product):
    return factories.DeviceFactory(gate__event=product.event, gate__name="Porte B", may_manage=True)


def given(relay, product, count=1):
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")
    return factories.printed(factories.given(member, product, count, by=relay.user))


def test_a_print_is_admitted_once_then_replaced_by_the_new_one(playwright, chromium, live_server, tmp_path, relay, product, device):
    (ticket,) = given(relay, product)
    with a_gate(playwright, chromium, tmp_path) as (context, camera):
        page = context.new_page()
        faults = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        film(camera, photographed(ticket))
        become(page, live_server.url, device)
        page.get_by_role("button", name="Ouvrir la caméra").click()
        assert "Zoé Lefèvre" in verdict(page, "Admis")
        page.wait_for_timeout(3000)  # the same print stays in view: it is one scan
        assert Scan.objects.count() == 1

        for waits in ("Ouvrir la caméra", "Lampe", "Admettre"):  # shown only when there is something to do
            expect(page.get_by_role("button", name=waits)).to_be_hidden()

        show(page, camera, photographed(ticket))
        assert "Porte B" in verdict(page, "Déjà contrôlé")
        expect(page.locator("[data-verdict] svg")).to_be_in_viewport(ratio=1)
        page.get_by_role("button", name="Annuler ce contrôle").wait_for(state="hidden")
        page.get_by_role("button", name="Billet suivant").click()
        expect(page.locator("[data-verdict] h1")).to_have_text("Prêt")

        (second,) = given(relay, product)
        old = photographed(second)
        reclaim(relay=relay, shown=factories.shown(second), request_key=uuid.uuid4())
        show(page, camera, old)
        assert "par le relais de la structure" in verdict(page, "Remplacé")
        member = factories.MemberFactory(company=relay.company, first_name="Kofi", last_name="Mensah")
        again = factories.printed(factories.given(member, product, 5, by=relay.user))
        show(page, camera, photographed(next(t for t in again if t.pk == second.pk)))
        assert "Kofi Mensah" in verdict(page, "Admis")
        expect(page.locator("[data-figures]")).to_contain_text("2 sur 6", timeout=20_000)
        assert faults == []
    assert Ticket.objects.filter(status="checked").count() == 2
    assert [scan.reason for scan in Scan.objects.order_by("pk")] == ["", "already_checked", "replaced", ""]


def test_all_of_it_again_without_network_and_nothing_is_lost(playwright, chromium, live_server, tmp_path, relay, product, device):
    first, second = given(relay, product, 2)
    old = photographed(second)
    reclaim(relay=relay, shown=factories.shown(second), request_key=uuid.uuid4())
    member = factories.MemberFactory(company=relay.company, first_name="Kofi", last_name="Mensah")
    again = factories.printed(factories.given(member, product, 5, by=relay.user))
    new = next(t for t in again if t.pk == second.pk)
    with a_gate(playwright, chromium, tmp_path) as (context, camera):
        page = context.new_page()
        film(camera, photographed(first))
        become(page, live_server.url, device)
        listed(page)
        context.set_offline(True)
        page.reload()  # the page itself is on the device
        ready(page)
        expect(page.locator("[data-link]")).to_contain_text("Hors ligne depuis")
        page.get_by_role("button", name="Ouvrir la caméra").click()
        assert "jamais vu à cette porte" in verdict(page, "Admis hors ligne")
        show(page, camera, photographed(first))
        assert "ici, Porte B" in verdict(page, "Déjà contrôlé")
        show(page, camera, old)
        assert "plus récent" in verdict(page, "Remplacé")
        show(page, camera, photographed(new))
        verdict(page, "Admis hors ligne")
        type_code(page, code_of(first)[:-2] + "00")
        assert "pas un des nôtres" in verdict(page, "Inconnu")
        expect(page.locator("[data-link]")).to_contain_text("5 à envoyer")
        assert Scan.objects.count() == 0 and Ticket.objects.filter(status="checked").count() == 0

        context.set_offline(False)
        expect(page.locator("[data-link]")).to_be_hidden(timeout=30_000)
        expect(page.locator("[data-figures]")).to_contain_text("2 sur 6", timeout=30_000)
    kept = list(Scan.objects.order_by("counter"))
    assert [(s.said, s.verdict, s.reason) for s in kept] == [
        ("admitted", "admitted", ""), ("refused", "refused", "already_checked"), ("refused", "refused", "replaced"),
        ("admitted", "admitted", ""), ("refused", "refused", "unknown"),
    ]  # fmt: skip
    assert {t.pk for t in Ticket.objects.filter(status="checked")} == {first.pk, second.pk}
