"""A gate without network for an hour: its browser is killed, then the server while it listens; each scan counts once."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from django.db.models import Count
from playwright.sync_api import expect

from control.models import Scan
from scripts import postgres
from tests import factories
from tests.browser.gate import a_gate, become, listed, ready
from tests.outbox.test_killed_workers import environment, wait_until
from tests.portal.test_logs import answers
from tickets.barcode import encode, signer
from tickets.models import Movement, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ROOT = Path(__file__).resolve().parents[2]

READ_ALL = """async ([codes, waiting]) => {
  const form = document.querySelector('[data-code]');
  for (const code of codes) {
    form.querySelector('input[name=code]').value = code;
    form.requestSubmit();
  }
  const inQueue = () => new Promise((ok) => {
    const opened = indexedDB.open('relais-gate');
    opened.onsuccess = () => {
      const asked = opened.result.transaction('queue').objectStore('queue').count();
      asked.onsuccess = () => { opened.result.close(); ok(asked.result); };
    };
  });
  while (await inQueue() < waiting) await new Promise((ok) => setTimeout(ok, 100));
}"""


def serve(post, port: int) -> subprocess.Popen:
    """The web server as in production, with all its processes."""
    found = re.search(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(), re.M)
    command = [{"0.0.0.0": "127.0.0.1", "8000": str(port)}.get(part, part) for part in json.loads(found[1])]
    env = environment(post, PUBLIC_BASE_URL=f"http://127.0.0.1:{port}", LOG_LEVEL="CRITICAL")
    server = subprocess.Popen([Path(sys.executable).parent / command[0], *command[1:]], cwd=ROOT, env=env, start_new_session=True)
    wait_until(lambda: answers(port))
    return server


def kill(server: subprocess.Popen) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait(10)


def kill_browser(profile: Path) -> None:
    for process in psutil.process_iter(["cmdline"]):
        if any(str(profile) in part for part in process.info["cmdline"] or []):
            process.kill()
    for left in profile.glob("Singleton*"):
        left.unlink()


@pytest.mark.long
@pytest.mark.parametrize(("tickets", "again"), [(40, 20), (1_500, 500)], ids=["60", "2000"])
def test_each_scan_counts_once_whatever_is_killed(playwright, chromium, tmp_path, post, settings, tickets, again):
    port = postgres.free_port()
    base = settings.PUBLIC_BASE_URL = f"http://127.0.0.1:{port}"
    factories.SellerFactory()
    factories.signing_key()
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, tickets)
    given = factories.printed(factories.given(factories.MemberFactory(company=relay.company), product, tickets, by=relay.user))
    signed_by = signer()
    codes = [encode(ticket, signed_by) for ticket in given]
    device = factories.DeviceFactory(gate__event=product.event, gate__name="Porte B")
    server = serve(post, port)
    try:
        with a_gate(playwright, chromium, tmp_path) as (context, _camera):
            page = context.new_page()
            become(page, base, device)
            listed(page)
        # Closed as at the end of a morning: Chromium writes a new cookie to the disk within half a minute, or now.
        kill(server)
        with a_gate(playwright, chromium, tmp_path) as (context, _camera):
            page = context.new_page()
            page.goto(f"{base}/gate/")
            ready(page)
            expect(page.locator("[data-link]")).to_contain_text("Hors ligne depuis")
            page.evaluate(READ_ALL, [codes + codes[:again], tickets + again])
            assert Scan.objects.count() == 0
            kill_browser(tmp_path / "profile")

        with a_gate(playwright, chromium, tmp_path) as (context, _camera):
            page = context.new_page()
            page.goto(f"{base}/gate/")
            ready(page)
            expect(page.locator("[data-link]")).to_contain_text("à envoyer")
            server = serve(post, port)
            wait_until(lambda: Movement.objects.filter(kind="checked").exists(), 90)
            kill(server)
            time.sleep(1)
            server = serve(post, port)
            wait_until(lambda: Scan.objects.count() == tickets + again, 90)
            expect(page.locator("[data-link]")).to_be_hidden(timeout=30_000)
            count = f"{tickets:,}".replace(",", "\u202f")
            expect(page.locator("[data-figures]")).to_contain_text(f"{count} sur {count}", timeout=30_000)
    finally:
        kill(server)

    assert Ticket.objects.filter(status="checked").count() == tickets
    assert not Movement.objects.filter(kind="checked").values("ticket").annotate(n=Count("pk")).filter(n__gt=1).exists()
    assert dict(Scan.objects.values_list("reason").annotate(n=Count("pk"))) == {"": tickets, "already_checked": again}
    assert list(Scan.objects.order_by("pk").values_list("counter", flat=True)) == list(range(1, tickets + again + 1))
    assert not Scan.objects.conflicts().exists()
