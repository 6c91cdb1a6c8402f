"""What a variable of the environment must be; each fault is one sentence."""

import base64
import re
from urllib.parse import urlsplit

import environs
from marshmallow import ValidationError

DEMO_SECRET_KEY = "only-for-the-demo-and-never-where-real-people-are"  # noqa: S105  (public on purpose: refused elsewhere)
DEMO_SIGNING_KEY = "ZGVtby1vbmx5LWRlbW8tb25seS1kZW1vLW9ubHktISE="


class Env(environs.FileAwareEnv):
    """Reads SECRET_KEY, or the file that SECRET_KEY_FILE names. Faults are collected, not raised."""

    def __init__(self) -> None:
        super().__init__(eager=False, strip_whitespace=True)

    def _get_value(self, env_key, default):
        try:
            return super()._get_value(env_key, default)
        except (ValueError, OSError):  # also a file that is no text
            self._errors[env_key].append(f"{env_key}_FILE names no file that can be read.")
            return default


def is_a_secret(text: str) -> None:
    """Long, varied, and not the demo's, which everybody can read."""
    if len(text) < 40 or len(set(text)) < 10 or text == DEMO_SECRET_KEY:
        raise ValidationError("Must be 40 random characters or more: openssl rand -base64 48")


def is_a_seed(text: str) -> None:
    """The private seed of an Ed25519 key: 32 bytes in base64, and not the demo's."""
    try:
        fits = len(base64.b64decode(text, validate=True)) == 32
    except ValueError:
        fits = False
    if not fits or text == DEMO_SIGNING_KEY:
        raise ValidationError("Must be 32 random bytes in base64: openssl rand -base64 32")


def are_exact_hosts(hosts: list[str]) -> None:
    """Names without wildcard: a link or a cookie for another host is never made."""
    if not hosts or any(not host or host.startswith(".") or "*" in host or "/" in host for host in hosts):
        raise ValidationError("Must be exact host names, separated by commas.")


def is_redis(url: str) -> None:
    if not url.startswith(("redis://", "rediss://")):
        raise ValidationError("Must name a Redis server (redis://): the demo's folder loses messages.")


def is_false(value: bool) -> None:
    if value:
        raise ValidationError("May only be true in the demo.")


def is_true(value: bool) -> None:
    if not value:
        raise ValidationError("May only be false in the demo.")


def wrong_together(database, email, base_url, hosts, sender) -> dict[str, str]:
    """What only several parts of a value, or several values, can show. None is a value that already has its fault."""
    faults = {}
    if database is not None and ("postgresql" not in database.get("ENGINE", "") or not database.get("NAME")):
        faults["DATABASE_URL"] = "Must be postgres://user:password@host:5432/name"
    if email is not None and not (email.get("EMAIL_HOST") and "smtp" in (email.get("EMAIL_BACKEND") or "")):
        faults["EMAIL_URL"] = "Must name an SMTP server: smtp://user:password@host:25"
    if base_url and hosts and urlsplit(base_url).hostname not in hosts:
        faults["ALLOWED_HOSTS"] = "Must hold the host of PUBLIC_BASE_URL."
    if sender is not None and not re.fullmatch(r"[^@<>\s]+@[^@<>\s]+", sender):
        faults["DEFAULT_FROM_EMAIL"] = "Must be an email address, without a name."
    return faults
