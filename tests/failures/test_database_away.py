"""The database restarts under load (TRUST F6): a page that can be tried again, no act lost, halved or doubled."""

import http.client
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from scripts import postgres
from tests import environment, factories
from tickets.models import Movement, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.alone]
ROOT = Path(__file__).resolve().parents[2]
TOKEN = "a" * 32


@pytest.fixture
def web():
    """The real web server, the connections that it keeps included; its port."""
    port = postgres.free_port()
    database = connection.settings_dict
    process = subprocess.Popen(
        [Path(sys.executable).parent / "granian", "--interface", "wsgi", "--port", str(port), "--workers", "1"]
        + ["--blocking-threads", "8", "--no-access-log", "portal.wsgi:application"],
        cwd=ROOT,
        env=os.environ
        | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
        | {"DATABASE_URL": f"postgres://relais@127.0.0.1:{database['PORT']}/{database['NAME']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(10)


class Browser:
    """A relay's browser, which tries again what a 503 offers to try again."""

    def __init__(self, port: int, relay) -> None:
        client = Client()
        client.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookies = f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={TOKEN}"
        self.headers = {"Host": "localhost", "Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        self.port, self.seen = port, []

    def post(self, path: str, form: dict) -> None:
        body = urlencode(form | {"csrfmiddlewaretoken": TOKEN})
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            wire = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            wire.request("POST", path, body, self.headers)
            answer = wire.getresponse()
            page = answer.read().decode()
            self.seen.append((time.monotonic(), answer.status, answer.headers, page))
            if answer.status != 503:
                return
            time.sleep(0.05)


def test_a_restart_under_load_loses_halves_and_doubles_nothing(relay, web):
    product = factories.stock(relay.company, 200)
    members = factories.MemberFactory.create_batch(160, company=relay.company)
    path = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"
    browsers = [Browser(web, relay) for _ in range(4)]
    browsers[0].post(path, {"quantity-" + str(members[0].public_id): 1, "confirm": 1, "request_key": uuid.uuid4()})
    assert browsers[0].seen[0][1] == 302

    def distribute_to(browser, people):
        for member in people:
            browser.post(path, {"quantity-" + str(member.public_id): 1, "confirm": 1, "request_key": uuid.uuid4()})

    threads = [threading.Thread(target=distribute_to, args=(b, members[1 + i :: 4])) for i, b in enumerate(browsers)]
    for thread in threads:
        thread.start()
    time.sleep(0.4)
    connection.close()
    environment.restart_database(away=0.5)
    back = time.monotonic()
    for thread in threads:
        thread.join()

    answers = [answer for browser in browsers for answer in browser.seen]
    assert {status for _, status, _, _ in answers} == {302, 503}
    away = [(at, headers, page) for at, status, headers, page in answers if status == 503]
    assert all(headers["Retry-After"] and "Le portail redémarre" in page and 'name="request_key"' in page for _, headers, page in away)
    assert all(headers["Content-Security-Policy"] for _, headers, _ in away)
    assert max(at for at, _, _ in away) - back < 10
    for member in members:
        assert Ticket.objects.filter(member=member).count() == 1
    assert Movement.objects.filter(kind="distributed").count() == len(members)


def test_a_device_is_told_to_send_its_scan_again(relay, web):
    factories.stock(relay.company, 1)
    device = factories.DeviceFactory(gate=factories.GateFactory(event=Ticket.objects.get().event), token="porte")
    connection.close()
    environment.running[0][0].terminate()
    environment.running[0][0].wait(10)
    try:
        wire = http.client.HTTPConnection("127.0.0.1", web, timeout=15)
        headers = {"Host": "localhost", "Authorization": "Bearer porte", "Content-Type": "application/json"}
        wire.request("POST", "/api/v1/scans", f'{{"code": "X", "scan_id": "{uuid.uuid4()}"}}', headers)
        answer = wire.getresponse()
        problem = answer.read().decode()
    finally:
        environment.restart_database(away=0)
    assert (answer.status, answer.headers["Content-Type"]) == (503, "application/problem+json"), problem
    assert answer.headers["Retry-After"] == "5"
    assert device.gate.name not in problem


def test_once_it_is_back_nobody_meets_a_connection_that_it_cut(relay, web):
    def health() -> int:
        wire = http.client.HTTPConnection("127.0.0.1", web, timeout=10)
        wire.request("GET", "/healthz", headers={"Host": "localhost"})
        return wire.getresponse().status

    assert health() == 200
    connection.close()
    environment.restart_database(away=0)
    assert [health() for _ in range(8)] == [200] * 8
