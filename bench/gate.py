"""Measures at a gate, through the whole stack: granian with two processes, its database and its clients on one machine."""

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import Company, User
from bench.measures import CLIENTS, pgbench, prepare_pgbench, row, some_stock
from control.models import Device, Gate, Scan
from control.tokens import hashed
from members import steps as members_steps
from scripts import postgres
from tickets import steps as tickets_steps
from tickets.barcode import encode, signer
from tickets.models import Ticket

DEVICES = 64  # a device may ask twenty times a second: one alone would measure its limit
AT_ONCE = 1_000  # scans of a batch


class Door:
    """A gate with its devices, and tickets that nobody has shown there yet."""

    def __init__(self, count: int) -> None:
        product = some_stock(Company.objects.create(name="Cent mille billets"), count)
        with connection.cursor() as cursor:  # as after weeks of names changed and tickets taken back: no two lists are alike
            cursor.execute("UPDATE tickets_ticket SET generation = random() * 3 WHERE product_id = %s", [product.pk])
        self.tickets = list(Ticket.objects.filter(product=product).order_by("pk"))
        with transaction.atomic():
            member = members_steps.add(self.tickets[0].company, first_name="Zoé", last_name="N", email="")
            staff = User.objects.filter(is_staff=True).first()
            assert staff
            tickets_steps.distribute([(t, member) for t in self.tickets], by=staff, shown_from=timezone.now(), act=uuid.uuid4())
        gate = Gate.objects.create(event=product.event, name="Mesure")
        self.tokens = [uuid.uuid4().hex for _ in range(DEVICES)]
        Device.objects.bulk_create(Device(gate=gate, name=f"M{i}", token_hash=hashed(t)) for i, t in enumerate(self.tokens))
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # as the night before the doors open
        self.signed_by = signer()
        self.waiting = iter(self.tickets)

    def codes(self, count: int) -> list[str]:
        """The codes of tickets that were not shown yet."""
        return [encode(next(self.waiting), self.signed_by) for _ in range(count)]

    def singles(self, codes: list[str]) -> list[list]:
        return [[self.tokens[i % DEVICES], "/api/v1/scans", json.dumps(reading(code))] for i, code in enumerate(codes)]

    def batches(self, codes: list[str], size: int) -> list[list]:
        parts = [codes[i : i + size] for i in range(0, len(codes), size)]
        said = [json.dumps({"scans": [reading(code) for code in part]}) for part in parts]
        return [[self.tokens[i % DEVICES], "/api/v1/scans/batch", body] for i, body in enumerate(said)]


def reading(code: str) -> dict:
    return {"scan_id": str(uuid.uuid4()), "code": code}


@cache
def door(quick: bool) -> Door:
    return Door(1_000 if quick else 100_000)


@contextmanager
def served() -> Iterator[int]:
    """The portal as production serves it: its port."""
    port = postgres.free_port()
    granian = Path(sys.executable).parent / "granian"
    argv = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2", "--blocking-threads", "4"]
    server = subprocess.Popen([granian, *argv, "--no-access-log", "--log-level", "error", "portal.wsgi:application"])
    try:
        for _ in range(300):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def sent(port: int, requests: list[list], *, clients: int, rate: float = 0, cut: int = 0) -> dict:
    """What the clients at the door were answered, each request by the next of them."""
    plan = {"port": port, "rate": rate, "cut": cut, "clients": [requests[i::clients] for i in range(clients)]}
    path = Path(os.environ["VAR_DIR"]) / "door.json"
    path.write_text(json.dumps(plan))
    program = [sys.executable, str(Path(__file__).with_name("door.py")), str(path)]
    done = json.loads(subprocess.run(program, check=True, stdout=subprocess.PIPE, text=True).stdout)
    assert set(done["statuses"]) == {"200"}, done["statuses"]
    return done


def manifest(port: int, quick: bool) -> dict[str, dict]:
    """What a gate loads before doors open."""
    client = Client(headers={"host": "localhost", "authorization": f"Bearer {door(quick).tokens[0]}", "accept-encoding": "gzip"})
    times = []
    for _ in range(1 if quick else 3):
        began = time.perf_counter()
        answer = client.get("/api/v1/manifest")
        times.append(time.perf_counter() - began)
    assert answer.status_code == 200
    note = f"{len(door(quick).tickets):,} tickets"
    return {
        "manifest_100k_s": row(statistics.median(times), "s", None if quick else 2, note),
        "manifest_100k_kb": row(len(answer.content) / 1000, "kB", None if quick else 100, f"{note}, gzip"),
    }


def scans(port: int, quick: bool) -> dict[str, dict]:
    """Scans of every kind, by one server."""
    here = door(quick)
    with served() as web:
        sent(web, here.singles(here.codes(160)), clients=CLIENTS)
        return singles(web, here, port, quick) | batches(web, here, quick) | doubles(web, here, quick)


def singles(web: int, here: Door, port: int, quick: bool) -> dict[str, dict]:
    """Scans one by one, as many as the machine can, in turn with pgbench -N on the same cluster; then half as many."""
    count, rounds = (64, 1) if quick else (2_000, 5)
    seconds, limits = 0.0, []
    prepare_pgbench(port, quick)
    for _ in range(rounds):
        limits.append(pgbench(port, quick))
        done = sent(web, here.singles(here.codes(count)), clients=CLIENTS)
        assert done["admitted"] == count
        seconds += done["seconds"]
    per_second, limit = rounds * count / seconds, statistics.mean(limits)
    paced = sent(web, here.singles(here.codes(count)), clients=CLIENTS, rate=per_second / 2)
    p99 = paced["ms"][int(len(paced["ms"]) * 0.99)]
    note = f"{rounds} × {count:,} scans over HTTP, {CLIENTS} connections, everything on one machine"
    return {
        "scan_per_s": row(per_second, "scans/s", None, note),
        "scan_p99_ms": row(p99, "ms", None if quick else 50, "at half of that"),
        "pgbench_per_s": row(limit, "tx/s", None, "pgbench -N -s 50, 8 clients, same cluster, fsync on, in turn with the scans"),
        "scan_ratio": row(per_second / limit, "ratio", None if quick else 0.25, "scans / pgbench"),
    }


def batches(web: int, here: Door, quick: bool) -> dict[str, dict]:
    """What gates send that were without network."""
    count = 200 if quick else 40_000
    done = sent(web, here.batches(here.codes(count), AT_ONCE), clients=4)
    assert done["admitted"] == count
    note = f"{count:,} scans over HTTP in batches of {AT_ONCE:,}, 4 connections"
    return {"scan_batch_per_s": row(count / done["seconds"], "scans/s", None if quick else 20_000, note)}


def doubles(web: int, here: Door, quick: bool) -> dict[str, dict]:
    """The same tickets again and again at many gates, whose connections break: who came in twice."""
    count, copies, clients = 40 if quick else 20_000, 5, 4 if quick else 16
    shown = here.codes(count) * copies
    random.Random(1).shuffle(shown)  # noqa: S311
    alone = shown[: len(shown) // 20]
    before = Scan.objects.latest("pk").pk
    sent(web, here.singles(alone), clients=clients, cut=20)
    sent(web, here.batches(shown[len(alone) :], 100), clients=clients, cut=20)
    found = Scan.objects.filter(pk__gt=before)
    admitted = list(found.filter(verdict="admitted").values_list("ticket", flat=True))
    assert found.count() == len(shown) and len(set(admitted)) == count
    note = f"{len(shown):,} scans of {count:,} tickets by {clients} clients, whose connection breaks every 20 requests"
    return {"scan_double_admissions": row(len(admitted) - count, "tickets", 0, note)}


ALL = [manifest, scans]
