import email
import email.policy
import signal
import subprocess
import time
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox

from demo.views import arrived
from scripts import postgres
from tests import factories


class Post:
    """A real SMTP server, its inbox, and the domains it refuses."""

    def __init__(self, folder: Path) -> None:
        self.handler = Handler(str(folder))
        self.controller = Controller(self.handler, hostname="127.0.0.1", port=postgres.free_port())

    @property
    def letters(self):
        """The emails that arrived, oldest first."""
        box = self.handler.mailbox
        keys = sorted(box.keys(), key=arrived)
        return [email.message_from_bytes(box.get_bytes(key), policy=email.policy.default) for key in keys]

    def to(self, address: str):
        return [letter for letter in self.letters if letter["To"] == address]


class Handler(Mailbox):
    def __init__(self, folder):
        super().__init__(folder)
        self.answers: dict[str, str] = {}
        self.before_reply = lambda: None

    async def handle_RCPT(self, server, session, envelope, address, options):
        if answer := self.answers.get(address) or self.answers.get(address.rpartition("@")[2]):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = await super().handle_DATA(server, session, envelope)
        self.before_reply()
        return answer


@pytest.fixture
def post(tmp_path, settings):
    """The mail server that the outbox really speaks to."""
    server = Post(tmp_path / "mail")
    server.controller.start()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.controller.port
    yield server
    server.controller.stop()


@pytest.fixture(scope="session")
def redis_url():
    """A real Redis, empty, gone after the tests."""
    port = postgres.free_port()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True).returncode and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"redis://127.0.0.1:{port}/0"
    process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture
def seller(db):
    return factories.SellerFactory()


@pytest.fixture
def signing_key(db):
    return factories.signing_key()


@pytest.fixture
def relay(seller, signing_key):
    return factories.RelayFactory()


@pytest.fixture
def as_relay(client, relay):
    client.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture(autouse=True)
def french():
    from django.utils import translation

    with translation.override("fr"):
        yield


@pytest.fixture(autouse=True)
def everything_is_conserved(request):
    """Invariants 1, 4 and 5 after every test that used the database: replaying the movements gives today's tickets, nothing is
    oversold, and the money sums to zero."""
    yield
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        factories.assert_conserved()
        factories.assert_within_quotas()
        factories.assert_balanced()
