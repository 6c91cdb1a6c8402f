"""One temporary PostgreSQL per run. A plugin (`-p tests.environment`): pytest-django reads the settings before any conftest."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from scripts import postgres

running: list = []


def start_database():
    if "RELAIS_TEST_DB" in os.environ:  # a worker of xdist: the first process has started it
        return
    folder = Path(tempfile.mkdtemp(prefix="relais-test-"))
    folder.chmod(0o755)
    port = postgres.free_port()
    postgres.initdb(folder / "pg")
    log = (folder / "log").open("w")
    fast = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "deadlock_timeout=200ms"]
    argv = [str(part) for part in postgres.command(folder / "pg", port, *fast)]

    def serve():
        process = subprocess.Popen(argv, stdout=log, stderr=log, **postgres.as_nobody())
        postgres.wait_until_ready(process, port)
        return process

    running.append([serve(), folder, serve])
    os.environ |= {
        "RELAIS_TEST_DB": str(port),
        "DEMO": "1",
        "DATABASE_URL": f"postgres://relais@127.0.0.1:{port}/postgres",
        "VAR_DIR": str(folder / "var"),
        "PUBLIC_BASE_URL": "http://localhost:8000",
        "LOG_LEVEL": "CRITICAL",
    }
    (folder / "var" / "static").mkdir(parents=True)
    (folder / "var" / "queue").mkdir()
    (folder / "var" / "queue-control").mkdir()


start_database()


def restart_database(away: float):
    """What an upgrade does: every connection cut in the middle of what it was doing, nobody there, then back."""
    database = running[0]
    database[0].send_signal(signal.SIGINT)
    database[0].wait(10)
    time.sleep(away)
    database[0] = database[2]()


def pytest_unconfigure(config):
    for process, folder, _ in running:
        process.send_signal(signal.SIGINT)
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)
