"""The scanner with a real camera's film of tickets really printed: with network, without, and back."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.templatetags.static import static
from django.utils import timezone
from playwright.sync_api import expect

from control.models import Scan
from distribution.actions import reclaim
from tests import factories
from tests.browser.gate import a_gate, become, film, listed, photographed, ready, show, type_code, verdict
from tests.control.conftest import code_of
from tickets.models import Event, Ticket

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


# A device whose clock is so many milliseconds ahead.
WRONG_CLOCK = """(() => {
  const Right = Date, now = Date.now.bind(Date), wrong = () => now() + %d;
  window.Date = class extends Right {
    constructor(...parts) { super(...(parts.length ? parts : [wrong()])); }
    static now() { return wrong(); }
  };
})()"""
# What differs from a ticket that comes in, and the reason for which it then does not: without network nothing else is asked.
CASES = {
    "as it should be": ("", ""),
    "not one of ours": ("it.claim = null", "unknown"),
    "no list on the device": ("it.list = null", "unknown"),
    "of another event": ("it.claim.event = 2", "other_event"),
    "before the gates open": ("it.at = Date.parse('2026-01-01T17:59:59Z')", "too_early"),
    "after they close": ("it.at = Date.parse('2026-01-01T23:00:01Z')", "too_late"),
    "not on the list": ("it.ticket = null", "unknown"),
    "cancelled": ("it.ticket.state = 'cancelled'", "cancelled"),
    "of an earlier copy": ("it.claim.generation = 0", "replaced"),
    "of an earlier copy than this device admitted": ("it.used.set(7, { at: 1, generation: 2 })", "replaced"),
    "seen here": ("it.used.set(7, { at: 1, generation: 1 })", "already_checked"),
    "seen elsewhere": ("it.ticket.state = 'checked'", "already_checked"),
    "given to nobody": ("it.ticket.state = 'waiting'", "not_distributed"),
    "for another entrance": ("it.ticket.entrance = 'A'", "other_gate"),
    "for any entrance": ("it.ticket.entrance = ''", ""),
}
JUDGED = """async (module) => {
  const { judge } = await import(module);
  const asked = (change) => {
    const it = {
      claim: { event: 1, number: 7, generation: 1 },
      ticket: { state: "admissible", generation: 1, category: "", entrance: "B" },
      list: { manifest: { event: 1, entrance: "B", valid_from: "2026-01-01T18:00Z", valid_until: "2026-01-01T23:00Z" } },
      used: new Map(),
      at: Date.parse("2026-01-01T20:00Z"),
    };
    change(it);
    if (it.list) it.list.find = () => it.ticket;
    return judge(it).reason;
  };
  return {TABLE};
}""".replace("TABLE", ", ".join(f"{what!r}: asked((it) => {{ {change} }})" for what, (change, _) in CASES.items()))
WRONG = "l’horloge de cet appareil est fausse"
CLOCKS = {"+2 h": timedelta(hours=2), "-2 h": timedelta(hours=-2), "1970": datetime(1970, 1, 2, tzinfo=UTC) - timezone.now()}


@pytest.mark.parametrize("clock", ["+2 h", pytest.param("-2 h", marks=pytest.mark.long), pytest.param("1970", marks=pytest.mark.long)])
def test_all_of_it_again_without_network_and_a_wrong_clock_and_nothing_is_lost(
    playwright, chromium, live_server, tmp_path, relay, product, device, clock
):
    hour = timedelta(hours=1)
    Event.objects.update(starts_at=timezone.now(), valid_from=timezone.now() - hour, valid_until=timezone.now() + hour)
    first, second = given(relay, product, 2)
    old = photographed(second)
    reclaim(relay=relay, shown=factories.shown(second), request_key=uuid.uuid4())
    member = factories.MemberFactory(company=relay.company, first_name="Kofi", last_name="Mensah")
    again = factories.printed(factories.given(member, product, 5, by=relay.user))
    new = next(t for t in again if t.pk == second.pk)
    with a_gate(playwright, chromium, tmp_path) as (context, camera):
        context.add_init_script(WRONG_CLOCK % (CLOCKS[clock] / timedelta(milliseconds=1)))
        page = context.new_page()
        film(camera, photographed(first))
        become(page, live_server.url, device)
        expect(page.locator("[data-link]")).to_have_text(WRONG)
        listed(page)
        assert page.evaluate(JUDGED, static("js/gate/judge.js")) == {what: reason for what, (_, reason) in CASES.items()}
        context.set_offline(True)
        page.reload()  # the page itself is on the device
        ready(page)
        expect(page.locator("[data-link]")).to_contain_text("Hors ligne depuis")
        page.get_by_role("button", name="Ouvrir la caméra").click()
        assert "jamais vu à cette porte" in verdict(page, "Admis hors ligne")
        expect(page.locator("[data-verdict] sup")).to_have_text("re")  # 1re catégorie
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
        expect(page.locator("[data-link]")).to_have_text(WRONG, timeout=30_000)
        expect(page.locator("[data-figures]")).to_contain_text("2 sur 6", timeout=30_000)
    kept = list(Scan.objects.order_by("counter"))
    assert [(s.said, s.verdict, s.reason) for s in kept] == [
        ("admitted", "admitted", ""), ("refused", "refused", "already_checked"), ("refused", "refused", "replaced"),
        ("admitted", "admitted", ""), ("refused", "refused", "unknown"),
    ]  # fmt: skip
    assert all(abs(scan.said_at - scan.at) < timedelta(minutes=3) for scan in kept)
    assert {t.pk for t in Ticket.objects.filter(status="checked")} == {first.pk, second.pk}
