"""`make demo` as a person meets it: it says where to click, Ctrl-C ends all of it, and it starts again with its data."""

import os
import re
import shutil
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from scripts.demo import database_folder
from scripts.postgres import free_port

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """One start of the demo, and what it has printed."""

    def __init__(self, folder: Path, ports: dict[str, str]) -> None:
        self.ports = ports
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}  # not the variables of the tests
        self.process = subprocess.Popen(
            [sys.executable, "-m", "scripts.demo"], cwd=ROOT, env=kept | ports | {"VAR_DIR": str(folder)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if "/gate/" in line:
                break

    def family(self) -> list[psutil.Process]:
        """The processes that this start has started, and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> float:
        """Ctrl-C, as often as an impatient person presses it; answers the seconds until it has ended."""
        began = time.monotonic()
        for _ in range(2):
            self.process.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert "Traceback" not in self.process.communicate(timeout=30)[1]
        return time.monotonic() - began

    def page(self, path: str) -> str:
        with urllib.request.urlopen(f"http://localhost:{self.ports['PORT']}{path}", timeout=30) as answer:
            assert answer.status == 200
            return answer.read().decode()


def is_free(port: str) -> bool:
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", int(port))) != 0


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    yield folder, {name: str(free_port()) for name in ("PORT", "MAIL_PORT", "DB_PORT")}
    shutil.rmtree(database_folder(folder).parent, ignore_errors=True)


@pytest.fixture(scope="module")
def demo(place):
    """One start for all these tests, in their order: the last but one stops it."""
    running = Demo(*place)
    yield running
    if running.process.poll() is None:
        running.stop()


def test_it_says_where_to_click_and_how_each_role_logs_in(demo):
    for name in ("/login/", "/inbox/", "/gate/"):
        assert f"http://localhost:{demo.ports['PORT']}{name}" in demo.said
        demo.page(name)
    assert re.findall(r"^    (a relay|a member|the seller's staff) +\S+@\S+", demo.said, re.M) == [
        "a relay",
        "a member",
        "the seller's staff",
    ]
    assert "Ctrl-C" in demo.said and re.search(r"once each: [A-Z]{4}-[A-Z]{4}", demo.said)


def test_its_mail_server_really_refuses_a_domain(demo):
    with smtplib.SMTP("127.0.0.1", int(demo.ports["MAIL_PORT"])) as server, pytest.raises(smtplib.SMTPRecipientsRefused) as refusal:
        server.sendmail("billets@relais.example", ["camille.roux@mecavai.example"], "Subject: no\n\n")
    assert refusal.value.recipients["camille.roux@mecavai.example"][0] == 550


def test_an_email_of_the_story_arrives_in_the_inbox(demo):
    wait_for_the_email(demo)


def wait_for_the_email(demo):
    deadline = time.monotonic() + 40
    while "zoe.lefevre-diallo@mecavia.example" not in demo.page("/inbox/"):
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("same_folder", [True, False])
def test_a_second_one_beside_it_ends_with_one_clear_line(demo, place, tmp_path, same_folder):
    folder, ports = place if same_folder else (tmp_path, {**place[1], "MAIL_PORT": str(free_port()), "DB_PORT": str(free_port())})

    second = Demo(folder, ports)

    said, complaint = second.process.communicate(timeout=30)
    expected = "The demo already runs in this folder." if same_folder else f"Port {ports['PORT']} is taken. Choose another: PORT="
    assert second.said + said == ""
    assert complaint.startswith(expected) and len(complaint.splitlines()) == 1
    assert second.process.returncode == 1
    demo.page("/login/")


def test_ctrl_c_ends_everything_and_a_second_start_keeps_the_data(demo, place):
    wait_for_the_email(demo)  # this test may run without the one above
    family = demo.family()
    assert len(family) >= 10

    assert demo.stop() < 15

    assert demo.process.returncode == 0
    assert [p for p in family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE] == []
    assert all(is_free(port) for port in demo.ports.values())

    began = time.monotonic()
    again = Demo(*place)
    assert time.monotonic() - began < 20
    try:
        assert again.said == demo.said
        assert "zoe.lefevre-diallo@mecavia.example" in again.page("/inbox/")
    finally:
        again.stop()
