"""A page of another site can make nobody act: no POST without its token, no exemption but the API's."""

import re
from itertools import cycle
from pathlib import Path

import pytest
from django.conf import settings as here
from django.test import Client
from django.urls import get_resolver

from tests import factories
from tests.portal.walk import BACKEND, admin_ids, counted, every_url, fill, who_may

pytestmark = pytest.mark.django_db
FORGED = ({}, {"origin": "https://evil.example"}, {"origin": "null"}, {"referer": "https://evil.example/"})
ROOMS = ("accounts", "control", "dashboard", "demo", "distribution", "members", "outbox", "portal", "tickets", "templates", "static/js")
# Where markup may be trusted, and why it can be.
TRUSTED_MARKUP = {
    ("static/js/relais.js", 'field.insertAdjacentHTML("afterend"'),  # an empty sentence beside a field of ours, named after its id
    ("templates/distribution/_printouts_part.html", 'hx-swap-oob="innerHTML"'),  # htmx puts our own sentence in its place
    ("templates/control/service.js", "files|safe"),  # the addresses of our own files, as JSON
    ("control/admin.py", "mark_safe(picture"),  # a QR code drawn here: shapes alone
    ("control/admin.py", "format_html('<a href"),  # escaped
    ("templates/components/field.html", "field.help_text|safe"),  # written by us, with allauth's links
    ("portal/templatetags/words.py", "mark_safe(re.sub("),  # escaped the line before
    ("portal/templatetags/words.py", 'mark_safe("".join(pieces))'),  # each piece is escaped
    ("portal/templatetags/words.py", 'format_html("<mark>{}</mark>{}"'),
    ("portal/templatetags/words.py", 'SafeString("?" + values.urlencode())'),  # percent-encoded
}


def callbacks(patterns=None):
    for pattern in patterns or get_resolver().url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from callbacks(pattern.url_patterns)
        else:
            yield pattern


def lines_with(words: str) -> list[tuple[str, str]]:
    """(file, line) of each line of ours, imports aside, that has these words."""
    found = []
    for room in ROOMS:
        for file in Path(here.BASE_DIR, room).rglob("*"):
            if file.suffix in (".py", ".html", ".txt", ".svg", ".js"):
                for line in file.read_text().splitlines():
                    if re.search(words, line) and not line.lstrip().startswith(("from ", "import ")):
                        found.append((str(file.relative_to(here.BASE_DIR)), line))
    return found


@pytest.mark.parametrize("who", ["visitor", "relay", "member", "staff"])
def test_every_post_without_its_token_is_refused_and_does_nothing(story, who, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client = Client(enforce_csrf_checks=True)
    if who != "visitor":
        users = {"relay": story["relay"].user, "member": factories.login(story["member"].email)}
        client.force_login(users.get(who) or factories.UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    client.get("/help/")
    before = counted()

    for (name, path), forged in zip(every_url(), cycle(FORGED), strict=False):
        if who_may(name) == "device" or (who_may(name) == "staff" and who != "staff"):
            continue
        status = client.post(fill(path, story["ids"] | admin_ids(name)), {"quantity": "1", "confirm": "1"}, headers=forged).status_code
        assert status in (403, 405) or name in ("api:openapi-json", "api:api-root", "api:create_pairing"), (name, status)

    assert counted() == before


def test_a_token_of_another_session_or_another_site_does_not_pass(story):
    client = Client(enforce_csrf_checks=True)
    client.force_login(story["relay"].user, backend=BACKEND)
    client.get("/account/")
    theirs = Client()
    theirs.get("/login/")
    token = theirs.cookies[here.CSRF_COOKIE_NAME].value

    assert client.post("/account/log-out-everywhere/", {"csrfmiddlewaretoken": token}).status_code == 403
    mine = client.cookies[here.CSRF_COOKIE_NAME].value
    refused = client.post("/account/log-out-everywhere/", {"csrfmiddlewaretoken": mine}, headers={"origin": "https://evil.example"})
    assert refused.status_code == 403
    assert client.post("/account/log-out-everywhere/", {"csrfmiddlewaretoken": mine}).status_code == 302


def test_only_the_api_is_exempt_and_a_cookie_alone_does_not_speak_there(client, story):
    exempt = {p.name for p in callbacks() if getattr(p.callback, "csrf_exempt", False)}

    assert exempt == {name.removeprefix("api:") for name, _ in every_url() if name.startswith("api:")} - {"openapi-json", "api-root"}
    assert lines_with("csrf_exempt") == []
    device = factories.DeviceFactory(token="jeton")
    client.cookies["gate"] = "jeton"
    assert client.post("/api/v1/scans", {"code": "x", "scan_id": story["paper"]}, content_type="application/json").status_code == 401
    assert not device.scans.exists()


def test_every_form_of_a_page_holds_its_token(client, story):
    client.force_login(story["relay"].user, backend=BACKEND)
    for name, path in every_url():
        if who_may(name) != "staff":
            answer = client.get(fill(path, story["ids"]))
            if answer["Content-Type"].startswith("text/html"):
                for form in re.findall(rb'<form[^>]*method="post".*?</form>', answer.content, re.S | re.I):
                    assert b"csrfmiddlewaretoken" in form, name


def test_markup_is_trusted_only_where_it_is_ours():
    found = lines_with(
        r"\|\s*safe\b|autoescape off|mark_safe\(|SafeString\(|format_html\(|\bsafeseq\b|innerHTML|insertAdjacentHTML|\beval\("
    )

    assert [(file, line) for file, line in found if not any(file == f and words in line for f, words in TRUSTED_MARKUP)] == []
    assert len(found) == len(TRUSTED_MARKUP)
