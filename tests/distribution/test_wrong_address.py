"""A distribution typed to a wrong address: whoever reads it learns no other name, the relay hears of it, and takes it back."""

import io
import re
import sys
import types
import uuid

import pytest
from django.core.management import call_command

from distribution.actions import distribute, reclaim
from outbox import actions as outbox_actions
from outbox.models import Delivery
from tests import factories
from tests.distribution.test_truth import shown
from tests.portal.walk import BACKEND

pytestmark = pytest.mark.django_db
WORDS = "550 5.1.1 <zoe@mecavai.fr> unknown user"
REPORT = """From: MAILER-DAEMON@mx.mecavai.fr
To: {to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.mecavai.fr

Final-Recipient: rfc822; zoe@mecavai.fr
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; {words}

--b--
"""


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@mecavai.fr")


@pytest.fixture
def product(relay, zoe, post):
    """Given to Zoé at an address that is somebody else's, and to Karim; told."""
    product = factories.stock(relay.company, 4)
    karim = factories.MemberFactory(company=relay.company, first_name="Karim", last_name="Benali")
    gifts = [(zoe.pk, 1, ()), (karim.pk, 2, ())]
    distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    shown()
    outbox_actions.send_due()
    return product


def bounced(monkeypatch, to: str, action: str = "failed") -> None:
    report = REPORT.format(to=to, action=action, words=WORDS).encode()
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(report)))
    call_command("take_bounce", to)


def envelope_sender(address: str) -> str:
    return "bounce+" + Delivery.objects.get(recipient=address).message_id.strip("<>")


def test_whoever_reads_it_sees_no_other_name_and_once_taken_back_its_links_are_like_any_unknown_one(client, relay, product, zoe, post):
    client.force_login(factories.login(zoe.email), backend=BACKEND)
    (letter,) = post.to(zoe.email)
    ticket = zoe.tickets.get()
    keys = [ticket.public_id, uuid.uuid4()]
    links = [f"/my/tickets/{key}/name/" for key in keys]
    pages = [client.get(url).content.decode() for url in ("/my/", links[0])]
    for text in [letter.get_body(("plain",)).get_content(), letter.get_body(("html",)).get_content(), *pages]:
        assert "Zoé" in text and "Benali" not in text and "Karim" not in text

    reclaim(relay=relay, shown=factories.shown(ticket), request_key=uuid.uuid4())

    old, unknown = (client.get(link) for link in links)
    assert old.status_code == unknown.status_code == 404
    assert blank(old, keys[0]) == blank(unknown, keys[1])


def blank(answer, key: uuid.UUID) -> str:
    return re.sub(r'value="[^"]{64}"|nonce="[^"]+"', "", answer.content.decode()).replace(str(key), "")


def test_what_the_mail_server_refuses_later_is_shown_at_once_and_not_sent_again(as_relay, relay, product, zoe, post, monkeypatch):
    bounced(monkeypatch, envelope_sender(zoe.email))

    assert "1 courriel n’est pas arrivé" in as_relay.get(f"/c/{relay.company.public_id}/").content.decode()
    page = as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/").content.decode()
    assert "Adresse refusée" in page and "unknown user" in page
    assert [event.kind for event in Delivery.objects.get(recipient=zoe.email).events.all()][-1] == "bounced"
    assert outbox_actions.send_due() == 0


@pytest.mark.parametrize("wrong", ["a delay", "another mark", "no report"])
def test_nothing_else_that_comes_there_is_a_refusal(relay, product, zoe, monkeypatch, wrong):
    to = envelope_sender(zoe.email)
    if wrong == "no report":
        assert not outbox_actions.take_bounce(to=to, content=b"Subject: Absente\n\nJe reviens lundi.")
    else:
        bounced(monkeypatch, to.replace(".", ".0", 1) if wrong == "another mark" else to, "delayed" if wrong == "a delay" else "failed")

    assert set(Delivery.objects.filter(kind="tickets_distributed").values_list("state", flat=True)) == {"sent"}
