"""What every answer has, whoever asks: the headers that keep it safe, no other host in it, and no change made by a GET."""

import re
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings as here
from django.test import Client
from django.urls import path as url

from portal import urls as portal_urls
from portal import views
from tests import factories
from tests.portal.walk import BACKEND, MAY_BE_KEPT, admin_ids, counted, every_url, fill, who_may

pytestmark = pytest.mark.django_db
WITH_CAMERA = ("gate", "gate_pair", "gate_service")


def fails(request):
    raise RuntimeError("broken on purpose")


# The portal's own URLs and one that fails: ROOT_URLCONF of a test below.
urlpatterns = [*portal_urls.urlpatterns, url("fails/", views.login_not_required(fails))]
handler500 = portal_urls.handler500


def has_its_headers(name: str, answer) -> None:
    policy = answer["Content-Security-Policy"]
    if name == "inbox_page":  # the demo's alone: an email in a frame, with its inline style and no script
        assert "default-src 'none'" in policy and "frame-ancestors 'self'" in policy and "script" not in policy
        assert answer["X-Frame-Options"] == "SAMEORIGIN"
    else:
        policy = policy.replace("'wasm-unsafe-eval'", "") if name == "gate_decoder" else policy  # a worker obeys its own response
        assert "unsafe" not in policy and "frame-ancestors 'none'" in policy and "http" not in policy, name
        shows_nothing = name.startswith("api:") and name != "api:api-root"  # that one is a page: not found
        allowed = "default-src 'none'; frame-ancestors 'none'" if shows_nothing else "script-src 'self'"
        assert "default-src 'none'" in policy and allowed in policy, name
        assert answer["X-Frame-Options"] == "DENY", name
    assert answer["X-Content-Type-Options"] == "nosniff", name
    assert answer["Referrer-Policy"] == "same-origin", name
    camera = "camera=(self)" if name in WITH_CAMERA and answer.status_code == 200 else "camera=()"
    assert camera in answer["Permissions-Policy"], name
    if name not in MAY_BE_KEPT:
        assert {"private", "no-store"} <= set(re.split(r",\s*", answer["Cache-Control"])), (name, answer["Cache-Control"])
    if answer["Content-Type"].startswith("text/html"):
        assert not re.search(rb"""(?:src|href|action|srcset|data)=["']?\s*(?:https?:)?//""", answer.content), name
        assert name == "inbox_page" or not re.search(
            rb"<script(?![^>]*\ssrc=)(?![^>]*application/json)|\son\w+=|\sstyle=", answer.content
        ), name


def signed_in(client: Client, story: dict, who: str) -> Client:
    match who:
        case "relay":
            client.force_login(story["relay"].user, backend=BACKEND)
        case "member":
            client.force_login(factories.login(story["member"].email), backend=BACKEND)
        case "staff":
            client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    return client


@pytest.fixture
def letter(settings, tmp_path):
    """One email in the demo's inbox; the name of its page."""
    settings.MAILBOX_DIR = tmp_path / "mail"
    for folder in ("cur", "new", "tmp"):
        (settings.MAILBOX_DIR / folder).mkdir(parents=True)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@b.fr", "c@d.fr", "Bonjour"
    message.set_content("Bonjour")
    message.add_alternative("<p style='color:red'>Bonjour</p>", subtype="html")
    (settings.MAILBOX_DIR / "new" / "1700000000.M1P1.host").write_bytes(bytes(message))
    return "1700000000-M1P1-host"


@pytest.mark.parametrize("who", ["visitor", "relay", "member", "staff"])
def test_get_and_head_change_nothing_and_every_answer_is_safe(client, story, who, settings, letter):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    signed_in(client, story, who)
    client.get("/help/")  # writes when the person was seen
    before = counted()

    for name, path in every_url():
        if who_may(name) == "staff" and who in ("relay", "member"):
            continue
        ids = story["ids"] | admin_ids(name) | ({"key": letter} if name.startswith("inbox") else {})
        answer = client.get(fill(path, ids))
        assert answer.status_code < 500, name
        has_its_headers(name, answer)
        if who != "staff":  # no page is theirs alone but the admin's, whose HEAD is Django's
            assert client.head(fill(path, ids)).status_code in (answer.status_code, 405), name

    assert counted() == before


def test_what_a_post_answers_is_as_safe(client, story):
    signed_in(client, story, "relay")
    base = f"/c/{story['ids']['company_id']}/products/{story['ids']['product_id']}/"
    ticket = story["member"].tickets.get()

    pdf = client.post(f"{base}print/", {"ticket": f"{ticket.public_id}:{ticket.generation}"})
    refused = client.post(f"{base}hand-over/", {"quantity": "many"})
    signed_in(client, story, "member")
    ticket.refresh_from_db()
    shown = client.post(f"/my/tickets/{ticket.public_id}/show/", {"ticket": f"{ticket.public_id}:{ticket.generation}"})

    assert (pdf.status_code, pdf["Content-Type"], refused.status_code, shown.status_code) == (200, "application/pdf", 422, 200)
    for answer in (pdf, refused, shown):
        has_its_headers("post", answer)


def test_a_failure_is_as_safe_and_says_nothing_of_itself(client, story, settings):
    settings.ROOT_URLCONF = "tests.portal.test_every_answer"
    client.raise_request_exception = False
    signed_in(client, story, "relay")
    failed = client.get("/fails/")
    lost = client.get("/nowhere/")
    stranger = client.get("/login/", headers={"host": "evil.example"})
    forged = signed_in(Client(enforce_csrf_checks=True), story, "relay").post("/my/print/")

    assert [answer.status_code for answer in (failed, lost, stranger, forged)] == [500, 404, 400, 403]
    for answer in (failed, lost, stranger, forged):
        answer.headers.setdefault("Cache-Control", "private, no-store") if answer is stranger else None  # it holds nothing
        has_its_headers("failure", answer)
    assert b"broken on purpose" not in failed.content and b"Traceback" not in failed.content


def test_static_files_name_no_other_host():
    for file in Path(here.BASE_DIR, "static").rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", file.read_text()), file
    for file in Path(here.BASE_DIR, "static", "js").rglob("*.js"):
        assert "://" not in re.sub(r"//.*", "", file.read_text()).replace("://www.w3.org", ""), file
