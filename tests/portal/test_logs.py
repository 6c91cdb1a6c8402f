"""Whatever happens, the logs and the broker hold no name, no address, no word and no secret of anyone (TRUST row 39).

The real web server and the real worker write them, at the level of production, while people with recognisable names
log in, distribute, print and scan, and while two things break that nobody foresaw.
"""

import base64
import http.cookiejar
import json
import os
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from control.actions import ask_pairing
from control.models import Scan
from control.pages import COOKIE as GATE_COOKIE
from outbox.models import Delivery
from scripts import postgres
from tests import factories
from tests.outbox.test_killed_workers import environment, wait_until
from tickets.barcode import encode, signer
from tickets.models import Ticket

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
RELAY, MEMBER, BROKEN = "relais-canari@exemple.fr", "membre-canari@exemple.fr", "panne-canari@exemple.fr"
SECRET_COOKIES = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, GATE_COOKIE)
WRONG_CODE = "CNRI-CNRI"
BROKEN_RULE = "checkviolation on broken_on_purpose"
NOTHING = '[[], {}, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]'  # a task's message: no argument at all


class Log:
    """A process and all that it has written."""

    def __init__(self, file: Path, command: list, **env: str) -> None:
        self.file = file
        self.process = subprocess.Popen(
            [str(part) for part in command], cwd=ROOT, env=os.environ | env, stdout=file.open("w"), stderr=subprocess.STDOUT
        )

    @property
    def text(self) -> str:
        return self.file.read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def portal(post, redis_url, tmp_path):
    """The web server, a worker, and all that passes through Redis, each with its log; and the portal's address."""
    port = postgres.free_port()
    env = environment(post, REDIS_URL=redis_url, LOG_LEVEL="INFO", PUBLIC_BASE_URL=f"http://127.0.0.1:{port}")
    serve = json.loads(re.search(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(), re.M)[1])  # as in production
    serve = [BIN / serve[0], *({"0.0.0.0": "127.0.0.1", "8000": str(port)}.get(part, part) for part in serve[1:])]
    work = [BIN / "celery", "-A", "portal", "worker", "-c", "1", "-Q", "celery,login", "-l", "info"]
    redis_port = urllib.parse.urlsplit(redis_url).port
    logs = {
        "redis": Log(tmp_path / "redis", ["redis-cli", "-p", redis_port, "monitor"]),
        "web": Log(tmp_path / "web", serve, **env),
        "worker": Log(tmp_path / "worker", [*work, "--without-mingle", "--without-gossip"], **env),
    }
    try:
        wait_until(lambda: answers(port) and "ready." in logs["worker"].text)
        yield f"http://127.0.0.1:{port}", logs
    finally:
        for log in logs.values():
            log.stop()


def answers(port: int) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Browser:
    """One person's browser: it keeps cookies and sends each form with the token of the page before."""

    def __init__(self, base: str) -> None:
        self.base, self.cookies, self.page = base, http.cookiejar.CookieJar(), ""
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def open(self, path: str, form: dict | None = None) -> int:
        url = path if path.startswith("http") else self.base + path
        data = None
        if form is not None:
            token = re.search(r'csrfmiddlewaretoken" value="([^"]+)"', self.page)
            data = urllib.parse.urlencode({"csrfmiddlewaretoken": token[1] if token else "", **form}).encode()
        try:
            with self.opener.open(url, data, timeout=20) as answer:
                body, status = answer.read(), answer.status
        except urllib.error.HTTPError as answer:
            body, status = answer.read(), answer.code
        self.page = body.decode(errors="replace")
        return status

    def log_in(self, address: str, post, link: str = "/login/") -> str:
        """By the code of the real email; the code."""
        before = len(post.to(address))
        self.open(link)
        self.open("/login/", {"email": address})
        wait_until(lambda: len(post.to(address)) > before)
        code = re.search(r"^ {4}(\S+)$", words_of(post.to(address)[-1]), re.M)[1]
        assert self.open("/login/code/", {"code": WRONG_CODE, "action": "verify"}) == 200
        self.open("/login/code/", {"code": code, "action": "verify"})
        assert self.open("/account/") == 200
        return code

    @property
    def secrets(self) -> list[str]:
        return [cookie.value for cookie in self.cookies if cookie.name in SECRET_COOKIES]


def words_of(letter) -> str:
    return letter.get_body(("plain",)).get_content()


@contextmanager
def broken(table: str, rule: str):
    """The database refuses some rows: a bug that nobody foresaw, whose message quotes the whole row."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT broken_on_purpose CHECK ({rule}) NOT VALID")
        try:
            yield
        finally:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT broken_on_purpose")


def texts_of(logs: dict[str, Log]) -> dict[str, str]:
    """Each log in lower case; of what passed through Redis, the bodies of messages too, which are in base64."""
    texts = {name: log.text.lower() for name, log in logs.items()}
    return texts | {"messages": "\n".join(body.lower() for body in bodies(logs["redis"].text))}


def bodies(monitor: str) -> list[str]:
    pushed = re.findall(r'"LPUSH" "\w+" "(\{.*\})"$', monitor, re.M)
    return [base64.b64decode(json.loads(one.encode().decode("unicode_escape"))["body"]).decode() for one in pushed]


def test_a_full_round_and_two_faults_leave_ids_alone_in_the_logs_and_in_the_broker(portal, post, db):
    base, logs = portal
    factories.SellerFactory(undo_seconds=0)
    factories.signing_key()
    relay = factories.RelayFactory(user=factories.login(RELAY), first_name="Samia-Canari", last_name="Relais-Canari")
    product = factories.stock(relay.company, 5)
    device = factories.DeviceFactory(gate__event=product.event)
    at_work, at_home, at_the_gate = Browser(base), Browser(base), Browser(base)
    form = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"

    codes = [at_work.log_in(RELAY, post)]
    at_work.open(form)
    at_work.open(form, {"q": "zoe-canari", "search": "1"})
    at_work.open(form + "people/?q=zoe-canari")
    someone = {"new": "1", "first_name": "Zoe-Canari", "last_name": "Membre-Canari", "email": MEMBER}
    at_work.open(form)
    assert at_work.open(form, {**someone, "request_key": uuid.uuid4()}) == 200
    member = relay.company.members.get()
    gift = {f"quantity-{member.public_id}": 1, "message": "Mot-Canari pour toi", "confirm": "1", "request_key": uuid.uuid4()}
    assert at_work.open(form, gift) == 200
    wait_until(lambda: post.to(MEMBER))

    link = re.search(r"http://\S+", words_of(post.to(MEMBER)[-1]))[0]
    codes.append(at_home.log_in(MEMBER, post, link))
    ticket = Ticket.objects.get(member=member)
    bearer = {"first_name": "Kofi-Canari", "last_name": "Porteur-Canari", "generation": 0}
    at_home.open(f"/my/tickets/{ticket.public_id}/name/")
    assert at_home.open(f"/my/tickets/{ticket.public_id}/name/", bearer) == 200
    assert at_home.open("/my/print/", {"ticket": f"{ticket.public_id}:0"}) == 200
    ticket.refresh_from_db()
    assert (ticket.status, ticket.beneficiary) == ("printed", "Kofi-Canari Porteur-Canari")
    assert Browser(base).open(f"/my/tickets/{ticket.public_id}/name/", bearer) == 403  # forged

    pairing = ask_pairing(device=device.pk)
    at_the_gate.open(f"/gate/?code={pairing}")
    assert at_the_gate.open("/gate/pair/", {"code": pairing}) == 200
    assert at_the_gate.open("/gate/search/") == at_the_gate.open("/gate/search/", {"words": "kofi-canari"}) == 200
    code = encode(ticket, signer())
    for reading in (code, "code-canari"):
        at_the_gate.open("/gate/", {"code": reading, "scan_id": uuid.uuid4()})
    assert list(Scan.objects.order_by("pk").values_list("reason", flat=True)) == ["", "unknown"]

    with broken("members_member", "first_name <> 'Panne-Canari'"):
        at_work.open(form)
        someone = {"new": "1", "first_name": "Panne-Canari", "last_name": "Membre-Canari", "email": BROKEN}
        assert at_work.open(form, {**someone, "request_key": uuid.uuid4()}) == 500
    with broken("outbox_delivery", f"recipient <> '{BROKEN}' OR phase <> 'data'"):
        stranger = Browser(base)
        stranger.open("/login/")
        stranger.open("/login/", {"email": BROKEN})
        wait_until(lambda: Delivery.objects.filter(recipient=BROKEN, state="sending").exists() and "rror" in logs["worker"].text)
    Delivery.objects.filter(recipient=BROKEN).delete()

    texts = texts_of(logs)
    secrets = [pairing, WRONG_CODE, code, str(relay.company.public_id), link.rpartition("for=")[2], *codes]
    for secret in ("canari", *secrets, *at_work.secrets, *at_home.secrets, *at_the_gate.secrets):
        for name, text in texts.items():
            assert secret.lower() not in text, f"{secret} in {name}: {text[max(0, text.index(secret.lower()) - 300) :][:400]}"
    for words in ("internal server error", "c/<uuid:company_id>/products/", "members/steps.py", BROKEN_RULE):
        assert words in texts["web"]
    for words in ("outbox.tasks.send_login_codes", "outbox/actions.py", BROKEN_RULE):
        assert words in texts["worker"]
    assert bodies(logs["redis"].text) == [NOTHING] * 4
