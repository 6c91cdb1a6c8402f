"""`make demo`: everything on this machine. Starts, in order, PostgreSQL, the mail catcher, Celery's worker
and beat, and the web server; says where to click; on Ctrl-C stops all of it.
"""

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
from pathlib import Path

from scripts import postgres

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("VAR_DIR", ROOT / "var"))
WEB, MAIL, DB = (int(os.environ.get(name, default)) for name, default in (("PORT", 8000), ("MAIL_PORT", 1025), ("DB_PORT", 5433)))
PYTHON, BIN = sys.executable, Path(sys.executable).parent
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None

processes: dict[str, subprocess.Popen] = {}
stopping = threading.Event()
failed = threading.Event()
quiet = "--verbose" not in sys.argv


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
    if not stopping.is_set():
        if name == "worker" and not getattr(pump, "restarted", False):
            pump.restarted = True  # type: ignore[attr-defined]
            print("The worker ended: it is started again, once.")
            start_worker()
            return
        print(f"{name} ended by itself: see {VAR / 'log' / name}.log", file=sys.stderr)
        failed.set()
        stopping.set()


def run(*argv) -> None:
    subprocess.run([PYTHON, *argv], check=True, cwd=ROOT)


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
            "celery,login",
            "--without-mingle",
            "--without-gossip",
            "-l",
            "warning",
        ],
        cwd=ROOT,
    )


def stop_all() -> None:
    stopping.set()
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


def require_free(port: int) -> None:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            names = {WEB: "PORT", MAIL: "MAIL_PORT", DB: "DB_PORT"}
            sys.exit(f"Port {port} is taken. Choose another: {names[port]}={port + 1000} make demo")


def wait_for(port: int, name: str) -> None:
    deadline = time.monotonic() + 60
    while not stopping.is_set():
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
    lock = (VAR / "demo.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit("The demo already runs in this folder.")
    for port in (WEB, MAIL, DB):
        require_free(port)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.set())
    os.environ |= {
        "DEMO": "1",
        "STAFF_NEEDS_SECOND_FACTOR": "0",
        "DATABASE_URL": f"postgres://relais@127.0.0.1:{DB}/relais",
        "EMAIL_URL": f"smtp://127.0.0.1:{MAIL}",
        "PUBLIC_BASE_URL": f"http://localhost:{WEB}",
        "VAR_DIR": str(VAR),
        "PYTHONWARNINGS": "ignore",
    }
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    prepare_folders()
    try:
        start_database()
        run("manage.py", "migrate", "-v", "0")
        run("manage.py", "createcachetable")
        run("manage.py", "load_demo")
        start("mail", [PYTHON, "-m", "demo.mail_server", str(MAIL), str(VAR / "mail")], cwd=ROOT)
        start_worker()
        start("beat", [BIN / "celery", "-A", "portal", "beat", "-s", VAR / "beat", "--pidfile=", "-l", "warning"], cwd=ROOT)
        start(
            "web",
            [BIN / "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", WEB, "--workers", 1]
            + ["--blocking-threads", 8, "--no-access-log", "portal.wsgi:application"],
            cwd=ROOT,
            env=os.environ | {"WEB_THREADS": "8"},
        )
        wait_for(MAIL, "mail")
        wait_for(WEB, "web")
        if not stopping.is_set():
            run("manage.py", "load_demo", "--say", f"http://localhost:{WEB}")
        stopping.wait()
    except subprocess.CalledProcessError:
        failed.set()
    finally:
        stop_all()
    return int(failed.is_set())


if __name__ == "__main__":
    sys.exit(main())
