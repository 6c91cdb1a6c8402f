"""What production starts with: a fault stops it with one line a fault, and the cookies are what browsers protect best."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings as here
from django.test import Client

from outbox.models import Delivery
from portal import environment
from tests import factories

GOOD = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "SIGNING_KEY": "9wF1s0b0l1Vb0mXo0sIhX4pM7b4m1Kq0l9cT2r3e5uY=",
    "PUBLIC_BASE_URL": "https://billets.example",
    "ALLOWED_HOSTS": "billets.example",
    "DATABASE_URL": "postgres://relais:motdepasse@127.0.0.1:1/relais",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "EMAIL_URL": "smtp://127.0.0.1:1",
    "DEFAULT_FROM_EMAIL": "billets@billets.example",
}


def manage(*argv: str, without: str = "", **changes: str) -> subprocess.CompletedProcess:
    """manage.py as a server starts it: with these variables of the environment and no other."""
    environ = {"PATH": os.environ["PATH"], **GOOD, **changes}
    environ.pop(without, None)
    return subprocess.run([sys.executable, "manage.py", *argv], cwd=here.BASE_DIR, env=environ, capture_output=True, text=True)


# Faults of different variables: one start tells them all.
WRONG = [
    {"SECRET_KEY": "dev", "SIGNING_KEY": environment.DEMO_SIGNING_KEY, "DEBUG": "1", "SECURE_COOKIES": "flase", "LOG_LEVEL": "LOUD",
     "REDIS_URL": "filesystem://", "PUBLIC_BASE_URL": "http://billets.example", "ALLOWED_HOSTS": "billets.example,*"},
    {"SECRET_KEY": "a" * 60, "SIGNING_KEY": "abc", "DEBUG": "oui", "STAFF_NEEDS_SECOND_FACTOR": "0", "BEHIND_PROXIES": "-1",
     "ALLOWED_HOSTS": "billets.example,.example", "EMAIL_URL": "nowhere", "DEFAULT_FROM_EMAIL": "Relais"},
    {"SECRET_KEY": environment.DEMO_SECRET_KEY, "ALLOWED_HOSTS": "autre.example", "DATABASE_URL": "sqlite:///motdepasse"},
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_variables_stop_the_start_with_a_line_each_that_names_it(wrong):
    done = manage("check", **wrong)

    assert done.returncode == 2 and not done.stdout
    assert sorted(line.partition(": ")[0] for line in done.stderr.splitlines()) == sorted(wrong)
    assert "motdepasse" not in done.stderr and not any(value in done.stderr for value in wrong.values() if len(value) >= 40)


def test_several_faults_have_a_line_each(tmp_path):
    done = manage("check", without="DATABASE_URL", SECRET_KEY_FILE=str(tmp_path / "nowhere"), DEBUG="1", BEHIND_PROXIES="-1")

    assert done.returncode == 2
    assert sorted(line.partition(":")[0] for line in done.stderr.splitlines()) == ["BEHIND_PROXIES", "DATABASE_URL", "DEBUG", "SECRET_KEY"]


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "secret").write_text(GOOD["SECRET_KEY"] + "\n")

    done = manage("check", without="SECRET_KEY", SECRET_KEY_FILE=str(tmp_path / "secret"))

    assert (done.returncode, done.stderr) == (0, "System check identified no issues (0 silenced).\n") or not done.stderr


@pytest.fixture(scope="module")
def production() -> dict:
    """The settings of a production start, as JSON, and its answer to `check --deploy`."""
    names = ["SESSION_COOKIE_SECURE", "SESSION_COOKIE_NAME", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_DOMAIN",
             "SESSION_COOKIE_PATH", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_NAME", "CSRF_COOKIE_HTTPONLY", "CSRF_COOKIE_SAMESITE",
             "LANGUAGE_COOKIE_SECURE", "LANGUAGE_COOKIE_NAME", "SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS", "USE_X_FORWARDED_HOST",
             "ALLOWED_HOSTS", "DEBUG", "INSTALLED_APPS", "CONTENT_SECURITY_POLICY", "STAFF_NEEDS_SECOND_FACTOR"]  # fmt: skip
    code = (
        "import json; from django.core.management import call_command; from django.conf import settings; from control import views;"
        "call_command('check', deploy=True, fail_level='WARNING');"
        f"print(json.dumps({{n: getattr(settings, n) for n in {names!r}}} | {{'gate': views.COOKIE}}))"
    )
    done = manage("shell", "--no-imports", "-c", code)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_production_passes_djangos_own_check_and_has_no_demo(production):
    assert "demo" not in production["INSTALLED_APPS"] and not production["DEBUG"]
    assert production["STAFF_NEEDS_SECOND_FACTOR"] is True
    assert production["USE_X_FORWARDED_HOST"] is False
    assert production["SECURE_HSTS_SECONDS"] >= 365 * 24 * 3600
    assert "unsafe" not in json.dumps(production["CONTENT_SECURITY_POLICY"])
    assert "http" not in json.dumps(production["CONTENT_SECURITY_POLICY"])


@pytest.mark.django_db
def test_the_cookies_of_production_are_secure_httponly_lax_and_of_this_host_alone(production, settings, seller):
    for name, value in production.items():
        if "COOKIE" in name or name in ("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS"):
            setattr(settings, name, value)
    browser = Client()
    user = factories.UserFactory()

    assert browser.get("/login/").status_code == 301  # to https
    browser.get("/login/", secure=True)
    browser.post("/language/", {"language": "en"}, secure=True)
    browser.post("/login/", {"email": user.email}, secure=True)
    code = Delivery.objects.get(kind="login_code").secret
    browser.post("/login/code/", {"code": code}, secure=True)

    assert browser.get("/account/", secure=True).status_code == 200
    assert {"__Host-session", "__Host-csrf", "__Host-language"} <= set(browser.cookies)
    for name, cookie in browser.cookies.items():
        if cookie.value:
            assert name.startswith("__Host-") or name == "messages"
            attributes = (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"])
            assert attributes == (True, True, "Lax", "/", ""), name
    assert production["gate"] == "__Host-gate"
