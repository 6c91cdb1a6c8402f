"""Workers killed in the middle of a printout of four files, over Redis and over the demo's folder: every file is rendered, once each."""

import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from distribution.actions import hand_over
from distribution.models import PrintoutFile
from tests import factories
from tests.distribution.test_hand_over import numbers_in
from tests.outbox.test_killed_workers import environment, wait_until
from tickets.models import Movement

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
QUIET = ["--without-mingle", "--without-gossip", "-l", "error"]


@pytest.fixture
def where(post, tmp_path):
    """The environment of workers that share this test's database, and a folder of their own."""
    (tmp_path / "queue").mkdir()
    (tmp_path / "queue-control").mkdir()
    return environment(post, VAR_DIR=str(tmp_path))


def worker(where: dict) -> subprocess.Popen:
    """A real Celery worker of the printing queue, in a session of its own."""
    argv = [sys.executable, "-m", "celery", "-A", "portal", "worker", "-c", "1", "-Q", "print", *QUIET]
    return subprocess.Popen(argv, cwd=ROOT, env=where, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def kill(process: subprocess.Popen) -> None:
    """The worker and the child that renders, at once: neither can tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def ring(where: dict, task: str) -> None:
    script = f"import django; django.setup(); from distribution import tasks; tasks.{task}.apply_async()"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=where, check=True)


def ready() -> int:
    return PrintoutFile.objects.exclude(rendered_at=None).count()


def held() -> int:
    return PrintoutFile.objects.filter(rendered_at=None, lease_until__gt=timezone.now()).count()


def a_printout(relay, tickets: int):
    product = factories.stock(relay.company, tickets)
    act = hand_over(relay=relay, product=product, quantity=tickets, names=[], request_key=uuid.uuid4())
    return act.printouts.get()


def test_a_printout_goes_on_after_its_worker_is_killed_while_it_renders(relay, where, redis_url, monkeypatch):
    monkeypatch.setattr("distribution.actions.printouts.MOST_IN_A_FILE", 100)  # files of 300 are killed no other way, and take longer
    where |= {"REDIS_URL": redis_url}
    printout = a_printout(relay, 400)
    victim = worker(where)
    try:
        ring(where, "render_printouts")
        wait_until(lambda: ready() >= 1 and held() == 1, 60)
    finally:
        kill(victim)
    assert 1 <= ready() < 4 and held() == 1
    # Nobody waits a minute in a test: the lease of the dead one ends now, and beat's next sweep rings.
    PrintoutFile.objects.filter(rendered_at=None).exclude(lease_until=None).update(lease_until=timezone.now() - timedelta(seconds=1))
    heir = worker(where)
    try:
        ring(where, "sweep_printouts")
        wait_until(lambda: ready() == 4, 60)
    finally:
        kill(heir)

    files = list(printout.files.order_by("number"))
    assert [number for file in files for number in numbers_in(bytes(file.content))] == list(range(1, 401))
    assert sorted(file.attempts for file in files) == [1, 1, 1, 2]
    assert Movement.objects.exclude(kind="issued").count() == 400


def test_without_redis_the_sweep_over_the_demos_folder_renders_what_is_owed(relay, where):
    where |= {"REDIS_URL": "filesystem://localhost//"}
    printout = a_printout(relay, 150)
    running = worker(where)
    try:
        ring(where, "sweep_printouts")
        wait_until(lambda: ready() == 1, 60)
    finally:
        kill(running)

    assert len(numbers_in(bytes(printout.files.get().content))) == 150
