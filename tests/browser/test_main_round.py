"""The product walks: staff confirm an order, a relay distributes, a member prints, the gate checks, the figures move."""

import re

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import expect

from accounts.models import User
from control.actions import ask_pairing
from dashboard import actions as dashboard_actions
from outbox import actions as outbox_actions
from portal.workbook import read_workbook
from tests import factories
from tests.dashboard.test_seller import csv_rows

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def log_in(page, base: str, address: str, post, link: str | None = None) -> None:
    """By real clicks: the address, then the code from the real email."""
    page.goto(link or f"{base}/login/")
    if not link:
        page.get_by_label("Adresse").fill(address)
    assert page.get_by_label("Adresse").input_value() == address
    page.get_by_role("button", name="Recevoir un code").click()
    page.wait_for_url("**/login/code/**")
    outbox_actions.send_due(login_only=True)
    text = post.to(address)[-1].get_body(("plain",)).get_content()
    page.get_by_label(re.compile("^Code")).fill(re.search(r"^ {4}(\S+)$", text, re.M).group(1))
    page.get_by_role("button", name="Me connecter").click()
    page.wait_for_load_state()


def log_out(page, base: str) -> None:
    page.goto(f"{base}/logout/")
    page.get_by_role("button", name="Me déconnecter").click()


def link_in(letter) -> str:
    return re.search(r"http://\S+", letter.get_body(("plain",)).get_content()).group(0)


def codes_in(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(pdf)
    return [zxingcpp.read_barcodes(page.render(scale=150 / 72).to_pil())[0].text for page in document]


def figures(page) -> dict[str, int]:
    rows = page.locator(".stock dl > div").all()
    return {row.locator("dt").inner_text().rstrip("s"): int(row.locator("dd").inner_text()) for row in rows}


def test_the_main_round(phone, live_server, post, settings):
    settings.PUBLIC_BASE_URL = base = live_server.url
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    factories.SellerFactory(undo_seconds=0)
    factories.signing_key()
    company = factories.CompanyFactory(name="CSE Mécavia")
    product = factories.ProductFactory()
    device = factories.DeviceFactory(gate__event=product.event, gate__name="Porte B")
    staff = factories.login("accueil@quais.example", is_staff=True, is_superuser=True)
    page = phone.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None)
    page.on("response", lambda answer: errors.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None)

    # Staff authorise a relay and confirm a phone order of 35 tickets.
    log_in(page, base, staff.email, post)
    page.goto(f"{base}/admin/accounts/relay/add/")
    page.select_option("#id_company", str(company.pk)) if page.locator("select#id_company:not(.admin-autocomplete)").count() else choose(
        page, "company", "Mécavia"
    )
    page.fill("#id_email", "Samia@Mecavia.example")
    page.fill("#id_first_name", "Samia")
    page.fill("#id_last_name", "Belkacem")
    page.click("input[name=_save]")
    assert User.objects.get(email="samia@mecavia.example").relays.count() == 1
    page.goto(f"{base}/admin/tickets/order/add/")
    choose(page, "company", "Mécavia")
    choose(page, "lines-0-product", "Ravel")
    page.fill("#id_lines-0-quantity", "35")
    page.click("input[name=_continue]")
    page.get_by_role("button", name="Confirmer et émettre").click()
    page.wait_for_selector(".messagelist .success")
    log_out(page, base)

    # The relay has her two emails, and sees "35 to distribute".
    outbox_actions.send_due()
    subjects = [letter["Subject"] for letter in post.to("samia@mecavia.example")]
    assert subjects == ["Vous pouvez distribuer les billets de CSE Mécavia", "35 billets sont prêts à distribuer"]
    log_in(page, base, "samia@mecavia.example", post, link_in(post.to("samia@mecavia.example")[-1]))
    assert page.locator(".figure-line").inner_text().split() == ["35", "à", "distribuer", "sur", "35"]
    assert figures(page) == {"contrôlé": 0, "imprimé": 0, "distribué": 0, "acheté": 35}

    # She gives two tickets to someone new.
    page.get_by_role("link", name="Distribuer Nuit Ravel").click()
    page.get_by_label("Prénom", exact=True).fill("Zoé")
    page.get_by_label("Nom", exact=True).fill("Lefèvre-Diallo")
    page.get_by_label("Adresse de courriel").fill("zoe@mecavia.example")
    page.get_by_role("button", name="Ajouter").click()
    page.get_by_role("button", name="Un billet de plus pour Zoé Lefèvre-Diallo").click()
    page.get_by_role("button", name="Envoyer 2 billets à 1 personne").click()
    page.wait_for_url("**/distributions/**")
    assert "Il en reste 33" in page.locator("h1").inner_text()
    home = f"{base}/c/{company.public_id}/"
    log_out(page, base)

    # The member opens the email, logs in, names a ticket, prints both.
    outbox_actions.send_due()
    letter = post.to("zoe@mecavia.example")[-1]
    assert letter["Subject"].startswith("Samia Belkacem vous offre 2 billets")
    log_in(page, base, "zoe@mecavia.example", post, link_in(letter))
    page.get_by_role("link", name="Changer le nom").first.click()
    page.get_by_label("Prénom", exact=True).fill("Kofi")
    page.get_by_label("Nom", exact=True).fill("Mensah")
    page.get_by_role("button", name="Écrire ce nom").click()
    assert page.locator(".bearer").all_inner_texts() == ["Kofi Mensah", "Zoé Lefèvre-Diallo"]
    page.get_by_text("Imprimer plusieurs billets").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Imprimer les billets choisis").click()
    codes = codes_in(download.value.path().read_bytes())
    assert len(set(codes)) == 2

    # The gate admits each once.
    page.goto(f"{base}/gate/")
    page.get_by_label("Code montré").fill(ask_pairing(device=device.pk))
    page.get_by_role("button", name="Ouvrir la porte").click()
    apart = 2_600  # sooner, the same code is the same reading
    for wait, code, verdict in ((0, codes[0], "Admis"), (apart, codes[0], "Déjà contrôlé"), (0, codes[1], "Admis"), (0, "faux", "Inconnu")):
        page.wait_for_timeout(wait)
        page.get_by_label("Code du billet").fill(code)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(verdict)
    assert device.scans.count() == 4

    # The relay's four figures have moved.
    log_out(page, base)
    log_in(page, base, "samia@mecavia.example", post)
    page.goto(home)
    assert figures(page) == {"contrôlé": 2, "imprimé": 2, "distribué": 2, "acheté": 35}

    # So have her table and both its files; a number leads to its tickets.
    page.get_by_role("link", name="Chiffres").click()
    assert numbers(page) == [["35", "2", "33", "2", "2", "–"]]
    expect(page.locator("figure.bars svg")).to_be_visible()
    assert [row[3:-1] for row in both_files(page)[1:]] == [row[:-1] for row in numbers(page)]
    page.locator(".figures td a", has_text="Contrôlés").click()
    assert page.locator("table.people tbody tr").count() == 2

    # The seller sees the same of every company, as the address filters; the address alone is the view.
    log_out(page, base)
    dashboard_actions.count()
    log_in(page, base, staff.email, post)
    page.goto(f"{base}/dashboard/")
    page.get_by_role("link", name="Par structure").click()
    page.get_by_role("searchbox").fill("mecavia")
    page.select_option("#channel", "phone")
    page.get_by_role("button", name="Afficher").click()
    page.wait_for_url("**/dashboard/?*channel=phone*")
    view, filtered = page.url, numbers(page)
    assert filtered == [["35", "2", "33", "2", "2", "0"]]
    assert [row[1:] for row in both_files(page)[1:]] == filtered
    page.goto(view.replace("phone", "online"))
    assert page.locator(".figures").count() == 0
    page.goto(view)
    assert numbers(page) == filtered

    # The event's page has who came in, and its statement as its file says it.
    page.locator(".figures tbody th a").first.click()
    page.get_by_role("link", name="Nuit Ravel").first.click()
    page.get_by_role("link", name="Relevé et entrées").click()
    expect(page.locator("#door figure.bars svg")).to_be_visible()
    line, whole = numbers(page)
    assert line[:3] == ["35", "0", "35"] and line[-3:] == ["2", "2", "–"] and line == whole
    assert [row[5:8] for row in both_files(page)[4:]] == [line[:3], whole[:3]]
    assert not [error for error in errors if "favicon" not in error]


def numbers(page) -> list[list[str]]:
    """The figures of the page's table, a line each."""
    rows = page.locator("table.figures tbody tr").all()
    return [[re.match(r"[\d,.]+|–", cell.inner_text().replace("\u202f", ""))[0] for cell in row.locator("td").all()] for row in rows]


def both_files(page) -> list[list[str]]:
    """The rows of the page's table as CSV, which are those of its workbook."""
    found = []
    for name in ("Ce tableau en CSV", "Ce tableau pour Excel"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        found.append(download.value.path().read_bytes())
    rows, workbook = [row for row in csv_rows(found[0]) if any(row)], read_workbook(found[1], most_rows=99, most_columns=20).rows
    # "1330.00" is 1330 in a cell of a workbook, whose rows end with their last cell.
    bare = [[re.sub(r"\.?0+$", "", cell) if "." in cell else cell for cell in row if cell] for row in rows]
    assert [[cell for cell in row if cell] for row in workbook if any(row)] == bare
    return rows


def choose(page, field: str, words: str) -> None:
    """The admin's own search field."""
    page.locator(f"#id_{field} + .select2").click()
    page.locator(".select2-search__field").fill(words)
    page.locator(".select2-results__option", has_text=words).first.click()
