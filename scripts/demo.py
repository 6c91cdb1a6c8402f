"""`make demo`: everything on this machine. Starts, in order, PostgreSQL, the mail catcher, Celery's worker
and beat, and the web server; says where to click; on Ctrl-C stops all of it.
"""

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from scripts import postgres

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR_DIR", ROOT / "var"))
WEB, MAIL, DB = (int(os.environ.get(name, default)) for name, default in (("PORT", 8000), ("MAIL_PORT", 1025), ("DB_PORT", 5433)))
PYTHON, BIN = sys.executable, Path(sys.executable).parent
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Flag:
    """Without a lock: a signal may come while its holder is at work, even while another signal is answered."""

    up = False


processes: dict[str, subprocess.Popen] = {}
stopping, failed = Flag(), Flag()
worker_may_end = Flag()  # once: it is started again
quiet = "--verbose" not in sys.argv

PREPARE = """
import sys, django
from django.core.management import call_command
django.setup()
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
call_command("load_demo")
call_command("load_demo", say=sys.argv[1])
"""


def die_with_parent() -> None:
    if LIBC:
        LIBC.prctl(1, signal.SIGTERM)


def start(name: str, argv: list, **more) -> subprocess.Popen:
    """Start a program whose end, unless we are stopping, ends the demo. Its own session: Ctrl-C reaches only us."""
    process = processes[name] = subprocess.Popen(
        [str(part) for part in argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        start_new_session=True, preexec_fn=die_with_parent, **more,
    )  # fmt: skip
    threading.Thread(target=pump, args=(name, process), daemon=True).start()
    return process


def pump(name: str, process: subprocess.Popen) -> None:
    log = (VAR / "log" / f"{name}.log").open("a")
    for line in process.stdout or []:
        log.write(line)
        log.flush()
        if not quiet:
            print(f"{name:7} {line}", end="")
    process.wait()
    if stopping.up or (name == "worker" and worker_may_end.up):
        return
    print(f"{name} ended by itself: see {VAR / 'log' / name}.log", file=sys.stderr)
    failed.up = stopping.up = True


def prepare_data() -> str:
    """The tables and the story, by one process: four of them would take seconds more. Answers where to click."""
    argv = [PYTHON, "-c", PREPARE, f"http://localhost:{WEB}"]
    done = subprocess.run(argv, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True, preexec_fn=die_with_parent)
    return done.stdout


def watch() -> None:
    """Until Ctrl-C, or until something ends. The main thread starts the worker again: it dies with the thread that did."""
    while not stopping.up:
        if worker_may_end.up and processes["worker"].poll() is not None:
            print("The worker ended: it is started again, once.")
            start_worker()
            worker_may_end.up = False
        time.sleep(0.2)


def start_worker() -> None:
    start(
        "worker",
        [
            BIN / "celery",
            "-A",
            "portal",
            "worker",
            "-c",
            "2",
            "-Q",
            "celery,login,print",
            "--without-mingle",
            "--without-gossip",
            "-l",
            "warning",
        ],
        cwd=ROOT,
    )


def stop_all() -> None:
    stopping.up = True
    for name, process in processes.items():
        if name != "db" and process.poll() is None:
            process.terminate()
    for name, process in reversed(processes.items()):  # the database was started first, so it ends last
        if name == "db" and process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def require_free(port: int, until: float) -> None:
    while True:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                return s.bind(("127.0.0.1", port))
            except OSError:
                if time.monotonic() > until:
                    names = {WEB: "PORT", MAIL: "MAIL_PORT", DB: "DB_PORT"}
                    sys.exit(f"Port {port} is taken. Choose another: {names[port]}={port + 1000} make demo")
        time.sleep(0.2)


def wait_for(port: int, name: str) -> None:
    deadline = time.monotonic() + 60
    while not stopping.up:
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        if processes[name].poll() is not None or time.monotonic() > deadline:
            sys.exit(f"{name} did not start: see {VAR / 'log' / name}.log")
        time.sleep(0.05)


def prepare_folders() -> None:
    if "--reset" in sys.argv or not (VAR / "log").exists():  # in a new folder, root's database is of one deleted since
        for folder in (database_folder(VAR), VAR / "mail"):
            shutil.rmtree(folder, ignore_errors=True)
    for name in ("queue", "queue-control"):  # messages of an earlier run would be executed now
        shutil.rmtree(VAR / name, ignore_errors=True)
    for name in ("log", "queue", "queue-control", "static"):
        (VAR / name).mkdir(parents=True, exist_ok=True)
    for old in VAR.glob("beat*"):
        old.unlink()


def database_folder(var: Path) -> Path:
    """Root's database is run by nobody, who must reach it through folders that only root may enter."""
    if os.getuid() == 0:
        return Path("/var/tmp") / f"relais-demo-{var.stat().st_ino}" / "pg"  # noqa: S108
    return var / "pg"


def start_database() -> None:
    folder = database_folder(VAR)
    folder.parent.mkdir(exist_ok=True)
    if os.getuid() == 0:
        folder.parent.chmod(0o755)
    if not (folder / "PG_VERSION").exists():
        shutil.rmtree(folder, ignore_errors=True)
        postgres.initdb(folder)
    postgres.wait_for_a_dead_one(folder)
    who = postgres.as_nobody()
    postgres.wait_until_ready(start("db", postgres.command(folder, DB), **who), DB)
    postgres.createdb(DB, "relais")


def main() -> int:
    VAR.mkdir(parents=True, exist_ok=True)
    lock = (VAR / "demo.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("The demo already runs in this folder.")
    lock.seek(0)
    killed = bool(lock.read())  # the last start could not stop what it had started: that ends by itself, in some seconds
    for port in (WEB, MAIL, DB):
        require_free(port, until=time.monotonic() + (12 if killed else 0))
    lock.write("running")
    lock.flush()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: setattr(stopping, "up", True))
    os.environ |= {
        "DEMO": "1",
        "STAFF_NEEDS_SECOND_FACTOR": "0",
        "DATABASE_URL": f"postgres://relais@127.0.0.1:{DB}/relais",
        "EMAIL_URL": f"smtp://127.0.0.1:{MAIL}",
        "REDIS_URL": "filesystem://localhost//",  # without a host kombu warns at each start
        "PUBLIC_BASE_URL": f"http://localhost:{WEB}",
        "VAR_DIR": str(VAR),
        "PYTHONWARNINGS": "ignore",
    }
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    prepare_folders()
    try:
        start_database()
        words = prepare_data()
        if stopping.up:
            return 0
        worker_may_end.up = True
        start("mail", [PYTHON, "-m", "demo.mail_server", str(MAIL), str(VAR / "mail")], cwd=ROOT)
        start_worker()
        start("beat", [BIN / "celery", "-A", "portal", "beat", "-s", VAR / "beat", "--pidfile=", "-l", "warning"], cwd=ROOT)
        start(
            "web",
            [BIN / "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", WEB, "--workers", 1]
            + ["--blocking-threads", 8, "--no-access-log", "portal.wsgi:application"],
            cwd=ROOT,
        )
        wait_for(MAIL, "mail")
        wait_for(WEB, "web")
        with contextlib.suppress(OSError):  # its end is told by pump
            urllib.request.urlopen(f"http://127.0.0.1:{WEB}/healthz", timeout=60).close()  # noqa: S310
        if not stopping.up:
            print(words, flush=True)
        watch()
    except subprocess.CalledProcessError:
        failed.up = True
    finally:
        stop_all()
        lock.truncate(0)
    return int(failed.up)


if __name__ == "__main__":
    sys.exit(main())
