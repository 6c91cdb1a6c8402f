"""Whoever tries too often waits: by address of the person, by address of the network. Nobody else waits, nothing is locked."""

import time
from types import SimpleNamespace

import pytest
from allauth.core.internal import ratelimit
from django.core.cache import cache
from django.db import connection
from django.test import Client, RequestFactory

from outbox.models import Delivery
from tests import factories
from tests.portal.test_every_answer import has_its_headers

pytestmark = pytest.mark.django_db
TOO_MANY = "Trop de tentatives de connexion échouées. Veuillez réessayer ultérieurement."
PASSWORD = "quai des orchestres 12"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The clock of the limits: it stands still unless a test lets time pass."""
    clock = SimpleNamespace(now=time.time())
    monkeypatch.setattr(ratelimit, "time", SimpleNamespace(time=lambda: clock.now, monotonic=time.monotonic, sleep=time.sleep))
    return clock


def ask(address: str, ip: str = HERE, **headers):
    return Client(REMOTE_ADDR=ip, headers=headers).post("/login/", {"email": address})


def try_password(address: str, password: str = "faux", ip: str = HERE, **headers):
    return Client(REMOTE_ADDR=ip, headers=headers).post("/login/password/", {"login": address, "password": password})


def spent(action: str, times: int, ip: str = HERE, **headers) -> None:
    """As if so many requests had come: counted by allauth itself, but without their pages, which would take five seconds."""
    for n in range(times):
        request = RequestFactory(REMOTE_ADDR=ip, headers={name: value.format(n) for name, value in headers.items()}).post("/")
        assert ratelimit.consume(request, app="allauth.account", action=action, key=f"personne{n}@ailleurs.fr")


def is_refused(answer) -> bool:
    """The page shown again, with the sentence that says to wait."""
    return answer.status_code == 200 and TOO_MANY in answer.content.decode()


def codes_sent() -> int:
    return Delivery.objects.filter(kind="login_code").count()


@pytest.fixture
def with_password(relay, settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the slow one is Django's to test
    relay.user.set_password(PASSWORD)
    relay.user.save(update_fields=["password"])
    relay.user.emailaddress_set.update(verified=True)  # she has logged in by code before
    return relay.user.email


def test_an_address_gets_six_codes_in_ten_minutes_from_wherever_they_are_asked(relay, clock):
    for n in range(6):
        assert ask(relay.user.email, ip=f"192.0.2.{n}").status_code == 302

    assert is_refused(ask(relay.user.email, ELSEWHERE))
    assert is_refused(ask(f" {relay.user.email.upper()} ", ELSEWHERE))
    assert codes_sent() == 6
    clock.now += 601
    assert ask(relay.user.email).status_code == 302


def test_an_address_gets_twenty_codes_a_day(relay, clock):
    for _ in range(20):
        assert ask(relay.user.email).status_code == 302
        clock.now += 101

    clock.now += 3600
    assert is_refused(ask(relay.user.email))
    clock.now += 24 * 3600
    assert ask(relay.user.email).status_code == 302


def test_another_address_is_not_held_back(relay):
    for _ in range(7):
        ask(relay.user.email)

    assert ask(factories.RelayFactory().user.email).status_code == 302


def test_an_unknown_address_waits_like_a_known_one(relay):
    for address in (relay.user.email, "personne@ailleurs.fr"):
        assert [ask(address).status_code for _ in range(6)] == [302] * 6
        assert is_refused(ask(address))


def test_a_network_asks_two_hundred_codes_a_minute_for_whomever_and_other_networks_are_not_held_back(relay, clock):
    spent("request_login_code", 190)
    for n in range(190, 200):
        assert ask(f"personne{n}@ailleurs.fr").status_code == 302

    assert is_refused(ask(relay.user.email))
    assert ask(relay.user.email, ELSEWHERE).status_code == 302
    clock.now += 61
    assert ask(relay.user.email).status_code == 302


def test_after_two_hundred_passwords_a_minute_a_network_gets_a_429_that_says_to_wait(seller, clock):
    spent("login", 190)
    for _ in range(10):
        assert try_password("zoe@exemple.fr", "").status_code == 200

    refused, in_english = try_password("samia@exemple.fr", ""), try_password("zoe@exemple.fr", "", accept_language="en")

    assert (refused.status_code, in_english.status_code) == (429, 429)
    assert "<h1>Trop d’essais</h1>" in refused.content.decode()
    assert "Patientez quelques minutes, puis recommencez. Votre accès n’est pas bloqué." in refused.content.decode()
    assert "Wait a few minutes, then try again. Your access is not locked." in in_english.content.decode()
    has_its_headers("429", refused)
    assert try_password("zoe@exemple.fr", "", ELSEWHERE).status_code == 200
    assert Client(REMOTE_ADDR=HERE).get("/login/password/").status_code == 200
    clock.now += 61
    assert try_password("zoe@exemple.fr", "").status_code == 200


def test_after_ten_wrong_passwords_an_address_waits_for_its_password_and_still_logs_in_by_code(with_password):
    for n in range(10):
        assert not is_refused(try_password(with_password, ip=f"192.0.2.{n}"))

    assert is_refused(try_password(with_password, PASSWORD, ELSEWHERE))
    browser = Client(REMOTE_ADDR=ELSEWHERE)
    browser.post("/login/", {"email": with_password})
    browser.post("/login/code/", {"code": Delivery.objects.get(kind="login_code").secret, "action": "verify"})
    assert browser.get("/account/").status_code == 200


def test_right_passwords_are_not_counted(with_password):
    for _ in range(12):
        assert try_password(with_password, PASSWORD)["Location"] == "/"


def test_after_sixty_wrong_passwords_a_minute_a_network_waits_whatever_the_address(with_password):
    for n in range(60):
        assert not is_refused(try_password(f"personne{n}@ailleurs.fr"))

    assert is_refused(try_password(with_password, PASSWORD))
    assert try_password(with_password, PASSWORD, ELSEWHERE).status_code == 302


def test_a_header_does_not_move_anyone_to_another_network(seller):
    spent("login", 190, x_forwarded_for="203.0.113.{}")
    for n in range(190, 200):
        assert try_password("zoe@exemple.fr", "", x_forwarded_for=f"203.0.113.{n}").status_code == 200

    assert try_password("zoe@exemple.fr", "", x_forwarded_for="203.0.113.254").status_code == 429


def test_behind_a_proxy_the_network_is_the_one_that_the_proxy_saw(seller, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    spent("login", 190, x_forwarded_for=f"203.0.113.{{}}, {HERE}")
    for n in range(190, 200):
        assert try_password("zoe@exemple.fr", "", x_forwarded_for=f"203.0.113.{n}, {HERE}").status_code == 200

    assert try_password("zoe@exemple.fr", "", x_forwarded_for=f"203.0.113.254, {HERE}").status_code == 429
    assert try_password("zoe@exemple.fr", "", x_forwarded_for=f"{HERE}, {ELSEWHERE}").status_code == 200


def test_the_limits_are_in_postgresql_and_hold_no_address(relay):
    for _ in range(6):
        ask(relay.user.email)

    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM cache")
        rows = "\n".join(row[0] for row in cursor.fetchall())
        assert "request_login_code:6/600" in rows and "@" not in rows and relay.user.email.partition("@")[0] not in rows
        assert is_refused(ask(relay.user.email))
        cursor.execute("DELETE FROM cache")
    assert ask(relay.user.email).status_code == 302


def test_many_other_limits_push_none_out(relay):
    for _ in range(6):
        ask(relay.user.email)
    for n in range(400):
        cache.set(f"another{n}", [1.0])

    assert is_refused(ask(relay.user.email))
