"""Workers killed in the middle of a mailing (TRUST F1), and a broker that is late, deaf or away (F3, F4)."""

import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from outbox import actions, kinds, steps
from outbox.kinds import Letter
from outbox.models import Delivery, DeliveryEvent

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[2]
KIND = """
from outbox import kinds
from outbox.kinds import Letter
kinds.register("test", lambda refs, language, secret: Letter("Bonjour", "Bonjour", "<p>Bonjour</p>", "Quais"), lambda refs: True)
"""
WORKER = f"""
import django
django.setup()
{KIND}
from outbox import actions
import time
while True:
    actions.take_up_what_was_left()
    actions.send_due()
    time.sleep(0.05)
"""


def register():
    kinds.register("test", lambda refs, language, secret: Letter("Bonjour", "Bonjour", "<p>Bonjour</p>", "Quais"), lambda refs: True)


def owe(count: int, kind: str = "test") -> None:
    at = timezone.now()
    with transaction.atomic():
        steps.owe(
            steps.letter(kind, to=f"n{i}@exemple.fr", language="fr", refs={}, key=str(uuid.uuid4()), not_before=at) for i in range(count)
        )


def environment(post, **more) -> dict[str, str]:
    settings = connection.settings_dict
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "DATABASE_URL": f"postgres://relais@127.0.0.1:{settings['PORT']}/{settings['NAME']}",
        "EMAIL_URL": f"smtp://127.0.0.1:{post.controller.port}",
        "PYTHONWARNINGS": "ignore",
        **more,
    }


def start_worker(post) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=environment(post))


def stop(*processes: subprocess.Popen) -> None:
    for process in processes:
        process.kill()
        process.wait(10)


def the_dead_are_dead() -> None:
    """Leases end now: nobody waits a minute in a test. What the living hold they renew or finish."""
    past = timezone.now() - timedelta(seconds=1)
    Delivery.objects.filter(state="sending").update(lease_until=past)
    actions.take_up_what_was_left()
    Delivery.objects.filter(state="unknown").update(lease_until=past - actions.UNKNOWN_WAITS)
    actions.take_up_what_was_left()


def wait_until(true, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("emails", "workers", "kills"), [(80, 2, 1), pytest.param(2000, 4, 10, marks=pytest.mark.long)], ids=["80", "2000"]
)
def test_killed_workers_lose_no_email_and_double_only_what_was_perhaps_sent(post, emails, workers, kills):
    register()
    owe(emails)
    chance = random.Random(emails)
    running = [start_worker(post) for _ in range(workers)]
    try:
        for kill in range(kills):
            wait_until(lambda at=(kill + 1) * emails // (kills + 2): Delivery.objects.filter(state="sent").count() >= at, 60)
            victim = running.pop(chance.randrange(len(running)))
            os.kill(victim.pid, signal.SIGKILL)
            victim.wait(10)
            running.append(start_worker(post))
        wait_until(lambda: not Delivery.objects.filter(state="pending").exists(), 60)
    finally:
        stop(*running)
    the_dead_are_dead()
    actions.send_due()

    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": emails}
    received = Counter(letter["Message-ID"] for letter in post.letters)
    assert len(received) == emails
    doubled = {message for message, times in received.items() if times > 1}
    doubtful = set(DeliveryEvent.objects.filter(kind="unknown").values_list("delivery__message_id", flat=True))
    assert doubled <= doubtful
    assert len(doubled) <= kills + workers


@pytest.mark.long
def test_a_worker_frozen_past_its_lease_sends_nothing_when_it_wakes(post):
    register()
    owe(300)
    frozen = start_worker(post)
    wait_until(lambda: len(post.handler.mailbox) >= 20)
    os.kill(frozen.pid, signal.SIGSTOP)
    held = set(Delivery.objects.filter(state="sending", phase="claimed").values_list("message_id", flat=True))
    the_dead_are_dead()
    actions.send_due()
    os.kill(frozen.pid, signal.SIGCONT)
    time.sleep(2)
    stop(frozen)

    received = Counter(letter["Message-ID"] for letter in post.letters)
    assert len(received) == 300
    assert all(received[message] == 1 for message in held)


def celery(post, redis_url, *argv) -> subprocess.Popen:
    command = [sys.executable, "-m", "celery", "-A", "portal", *argv]
    log = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=ROOT, env=environment(post, REDIS_URL=redis_url), stdout=log, stderr=log)


def test_the_bell_rung_at_commit_sends_a_login_code_over_redis_without_any_sweep(post, redis_url):
    script = """
import django
django.setup()
from accounts import actions
actions.send_login_code(address="zoe@exemple.fr", code="QX7PBCDF")
"""
    worker = celery(post, redis_url, "worker", "-c", "1", "-Q", "login,celery", "--without-mingle", "--without-gossip", "-l", "error")
    try:
        subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment(post, REDIS_URL=redis_url), check=True)
        wait_until(lambda: Delivery.objects.filter(state="sent").exists())
    finally:
        worker.terminate()
        worker.wait(20)

    assert post.letters[0]["To"] == "zoe@exemple.fr"


def test_without_redis_an_email_is_owed_at_once_and_the_sweep_sends_it(post):
    script = """
import time
import django
django.setup()
from accounts import actions
began = time.monotonic()
actions.send_login_code(address="zoe@exemple.fr", code="QX7PBCDF")
assert time.monotonic() - began < 10
"""
    away = environment(post, REDIS_URL="redis://127.0.0.1:9/0", LOG_LEVEL="CRITICAL")
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=away, check=True)
    assert Delivery.objects.get().state == "pending"

    actions.take_up_what_was_left()
    actions.send_due()

    assert Delivery.objects.get().state == "sent"


def test_messages_dropped_or_doubled_lead_to_the_same_state(post):
    register()
    owe(20)
    from outbox.tasks import send_due, send_login_codes, sweep

    for task in (send_login_codes, send_due, send_due, sweep, sweep):
        task()

    assert Counter(Delivery.objects.values_list("state", flat=True)) == {"sent": 20}
    assert len(post.letters) == 20
