"""A purchase walks without a phone call: option, reminder, a part ordered on account, tickets given out, and the papers agree."""

import re

import pypdfium2
import pytest
from django.utils import timezone

from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales import actions
from sales.models import Option
from tests import factories
from tests.browser.test_main_round import link_in, log_in
from tests.sales.test_invoices import written_by_law

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def words_in(download) -> str:
    """The words of a PDF that the browser saved."""
    text = " ".join(page.get_textpage().get_text_bounded() for page in pypdfium2.PdfDocument(download.value.path().read_bytes()))
    return re.sub(r"\s+", " ", text)


def letter(post, kind: str, relay):
    """The email of this kind that has just left to her."""
    outbox_actions.send_due()
    sent = Delivery.objects.get(kind=kind, recipient=relay.user.email, state="sent")
    return next(found for found in post.to(relay.user.email) if found["Message-ID"] == sent.message_id)


def test_from_an_option_to_the_papers(phone, live_server, post, settings):
    settings.PUBLIC_BASE_URL = base = live_server.url
    factories.SellerFactory(undo_seconds=0)
    factories.signing_key()
    written_by_law()
    relay = factories.RelayFactory(may_buy=True, may_see_accounts=True)
    factories.account(relay.company, address="3, rue des Ateliers, 69100 Villeurbanne")
    event = factories.EventFactory(starts_at=timezone.now() + timezone.timedelta(days=60))
    factories.listing(factories.ProductFactory(event=event, quota=12))
    staff = factories.UserFactory(is_staff=True)
    page = phone.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    # She asks for ten; staff hold them for nine days.
    log_in(page, base, relay.user.email, post)
    page.get_by_role("link", name="Acheter").click()
    page.get_by_role("link", name="Mettre une option").click()
    page.get_by_label("Combien de billets").fill("10")
    page.get_by_role("button", name="Demander l’option").click()
    option = Option.objects.get()
    actions.accept_option(option=option.pk, quantity=10, last_day=timezone.localdate() + timezone.timedelta(days=9), by=staff)
    assert "10 billets" in letter(post, "option_live", relay)["Subject"]

    # Days later the reminder arrives; its link leads to the option, of which she orders six.
    Delivery.objects.filter(kind="option_reminder").update(not_before=timezone.now())
    page.goto(link_in(letter(post, "option_reminder", relay)))
    assert page.locator("h1").inner_text() == "10 billets retenus"
    page.get_by_label("Combien de billets").fill("6")
    page.get_by_role("button", name="Commander ces billets").click()
    assert "228,00" in page.locator(".sums .total").inner_text()
    assert "commande-1.pdf" in [a.get_filename() for a in letter(post, "order_confirmed", relay).iter_attachments()]

    # Two of the six go to a colleague.
    page.get_by_role("link", name="Suivre les billets").click()
    page.get_by_role("link", name="Distribuer").first.click()
    page.get_by_label("Prénom", exact=True).fill("Zoé")
    page.get_by_label("Nom", exact=True).fill("Lefèvre-Diallo")
    page.get_by_label("Adresse de courriel").fill("zoe@mecavia.example")
    page.get_by_role("button", name="Ajouter").click()
    page.get_by_role("button", name="Un billet de plus pour Zoé Lefèvre-Diallo").click()
    page.get_by_role("button", name="Envoyer 2 billets à 1 personne").click()
    page.wait_for_url("**/distributions/**")
    assert "Il en reste 4" in page.locator("h1").inner_text()

    # The four that she did not order are still held, until she gives them back.
    page.goto(f"{base}/c/{relay.company.public_id}/options/{option.public_id}/")
    page.get_by_role("button", name="Rendre les 4 billets").click()
    assert Option.objects.get().state == "confirmed"

    # The account, the statement and the invoice say the same.
    actions.issue_due_invoices()
    page.get_by_role("link", name="Compte").click()
    assert page.locator("h1").inner_text().replace("\xa0", " ") == "228,00 € à payer"
    for name, words in (("Relevé en PDF", "228,00 €"), ("Facture F000001", "Total TTC 228,00 €")):
        with page.expect_download() as download:
            page.get_by_role("link", name=name).click()
        assert words in words_in(download), name
    assert not errors
