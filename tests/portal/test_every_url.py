"""A walk over every URL that the resolver knows: what is not yours answers like what does not exist."""

import re
import uuid

import pytest
from django.apps import apps
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from distribution.actions import distribute, hand_over
from tests import factories
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"

# Who may see a page: everyone; whoever is signed in; a relay of the company; the member who holds the ticket.
MATRIX = {
    "account_request_login_code": "public", "account_confirm_login_code": "public", "account_login": "public",
    "account_logout": "public", "account_signup": "public", "account_inactive": "public",
    "account_email_verification_sent": "public", "mfa_authenticate": "public", "mfa_login_webauthn": "public",
    "account_reauthenticate": "signed in", "mfa_trust": "public",
    "house": "public", "logo": "public", "help": "public", "privacy": "public", "accessibility": "public", "health": "public",
    "choose_language": "public", "inbox": "public", "inbox_email": "public", "inbox_page": "public",
    "gate": "public", "gate_pair": "public", "gate_leave": "public",
    "api:openapi-json": "public", "api:api-root": "public", "api:create_scan": "device",
    "home": "signed in", "spaces": "signed in", "account": "signed in", "log_out_everywhere": "signed in",
    "account_change_password": "signed in", "account_email": "signed in", "account_set_password": "signed in",
    "distribution:my_tickets": "signed in", "distribution:print_mine": "signed in", "distribution:offers": "signed in",
    "distribution:name": "member", "distribution:show": "member", "distribution:calendar": "member",
    "distribution:home": "relay", "distribution:history": "relay", "distribution:product": "relay",
    "distribution:distribute": "relay", "distribution:people": "relay", "distribution:hand_over": "relay",
    "distribution:reclaim": "relay", "distribution:tickets": "relay", "distribution:print_for_members": "relay",
    "distribution:ticket": "relay", "distribution:distribution": "relay", "distribution:undo": "relay",
    "distribution:handed_over": "relay", "distribution:send_again": "relay", "distribution:correct_address": "relay",
    "dashboard:figures": "relay",
}  # fmt: skip
SIGNED_IN_PREFIXES = ("mfa_", "usersessions_")


def every_url(patterns=None, prefix="", namespace=""):
    """(name, path with its converters) of every pattern but the admin's, which has its own walk."""
    for pattern in patterns or get_resolver().url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from every_url(pattern.url_patterns, path, inner)
        elif isinstance(pattern, URLPattern):
            yield f"{namespace}{pattern.name}", path


def who_may(name: str) -> str:
    return MATRIX.get(name) or ("signed in" if name.startswith(SIGNED_IN_PREFIXES) else "undeclared")


def fill(path: str, ids: dict[str, str]) -> str:
    """The path with these ids; random ones where none is given."""
    path = re.sub(r"<(?:uuid|slug|int|str):(\w+)>", lambda m: str(ids.get(m[1]) or (1 if ":pk" in m[0] else uuid.uuid4())), path)
    return "/" + path.replace("^", "").replace("$", "")


def blanked(response) -> bytes:
    """The answer without what differs at every request, the page's own address among it."""
    content = re.sub(rb'name="csrfmiddlewaretoken" value="[^"]+"', b"", response.content)
    return re.sub(rb'name="next" value="[^"]*"', b"", content)


@pytest.fixture
def story(seller, signing_key):
    """A company with a relay, a member who holds a ticket, two acts; and another company with its own."""
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 9)
    member = factories.MemberFactory(company=relay.company)
    (ticket,) = factories.given(member, product, by=relay.user)
    gifts = [(factories.MemberFactory(company=relay.company).pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    paper = hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    other = factories.RelayFactory()
    factories.stock(other.company, 2)
    ids = {
        "company_id": relay.company.public_id,
        "product_id": product.public_id,
        "ticket_id": ticket.public_id,
        "distribution_id": act.public_id,
        "recipient_id": act.recipients.get().public_id,
        "member_id": member.public_id,
        "event_id": product.event.public_id,
    }
    return {"relay": relay, "member": member, "other": other, "ids": ids, "paper": paper.public_id}


def test_every_url_says_who_may_see_it():
    assert [name for name, _ in every_url() if who_may(name) == "undeclared"] == []


def test_a_visitor_is_sent_to_the_login_and_a_device_without_token_is_told_so(client, story):
    for name, path in every_url():
        answer = client.get(fill(path, story["ids"]))
        if who_may(name) == "device":
            answer = client.post(fill(path, {}), {}, content_type="application/json")
            assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json"), name
        elif who_may(name) != "public":
            assert answer.status_code == 302 and answer["Location"].startswith("/login/"), name


@pytest.mark.parametrize("stranger", ["relay of another company", "member", "withdrawn relay", "relay whose time is over"])
def test_what_is_not_yours_answers_like_what_does_not_exist(client, story, stranger):
    relay = story["relay"]
    match stranger:
        case "relay of another company":
            user = story["other"].user
        case "member":
            user = factories.login(story["member"].email)
        case "withdrawn relay":
            user = relay.user
            relay.withdrawn_at = "2026-01-01T00:00Z"
            relay.save()
        case _:
            user = relay.user
            relay.until = "2026-01-01"
            relay.save()
    client.force_login(user, backend=BACKEND)
    for name, path in every_url():
        if who_may(name) == "relay" or (who_may(name) == "member" and stranger != "member"):
            for method in (client.get, client.post):
                theirs, nothing = method(fill(path, story["ids"])), method(fill(path, {}))
                assert theirs.status_code == nothing.status_code, (name, theirs.status_code, nothing.status_code)
                assert theirs.status_code in (404, 405, 302) and (theirs.status_code != 302 or name == "distribution:show"), name
                assert blanked(theirs) == blanked(nothing), name
                client.get("/help/")  # shows what a redirect has left to say


def test_in_the_address_of_ones_own_company_the_ids_of_another_do_not_exist(client, story):
    other = story["other"]
    client.force_login(other.user, backend=BACKEND)
    ids = story["ids"] | {"company_id": other.company.public_id}
    for name, path in every_url():
        if who_may(name) == "relay" and path.count("<uuid") > 1:
            for method in (client.get, client.post):
                theirs = method(fill(path, ids))
                nothing = method(fill(path, {"company_id": other.company.public_id}))
                assert theirs.status_code == nothing.status_code and theirs.status_code in (404, 405), name
                assert blanked(theirs) == blanked(nothing), name


def test_whom_it_belongs_to_sees_it(client, story):
    client.force_login(story["relay"].user, backend=BACKEND)
    for name, path in every_url():
        if who_may(name) == "relay":
            ids = story["ids"] | ({"distribution_id": story["paper"]} if name == "distribution:handed_over" else {})
            assert client.get(fill(path, ids)).status_code in (200, 405), name
    client.force_login(factories.login(story["member"].email), backend=BACKEND)
    for name, path in every_url():
        if who_may(name) in ("member", "signed in"):
            allowed = (200, 302, 403, 405) if name.endswith("_reauthenticate") else (200, 302, 405)
            assert client.get(fill(path, story["ids"])).status_code in allowed, name


def counted() -> dict[str, tuple]:
    """Every table's rows, as a sum of their text: what a GET must leave alone."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if table in ("django_session", "usersessions_usersession", "cache"):
                continue
            hide = " - 'last_seen_at' - 'last_login'" if table == "accounts_user" else ""
            cursor.execute(f'SELECT count(*), sum(hashtext((to_jsonb(t){hide})::text)) FROM "{table}" t')
            found[table] = cursor.fetchone()
    return found


@pytest.mark.parametrize("who", ["visitor", "relay", "member"])
def test_get_and_head_change_nothing(client, story, who):
    if who == "relay":
        client.force_login(story["relay"].user, backend=BACKEND)
    elif who == "member":
        client.force_login(factories.login(story["member"].email), backend=BACKEND)
    before = counted()
    for _name, path in every_url():
        for method in (client.get, client.head):
            assert method(fill(path, story["ids"])).status_code < 500, path
    assert counted() == before


def test_every_answer_has_the_headers_that_keep_it_safe(client, story):
    client.force_login(story["relay"].user, backend=BACKEND)
    for name, path in every_url():
        ids = story["ids"] | ({"distribution_id": story["paper"]} if name == "distribution:handed_over" else {})
        answer = client.get(fill(path, ids))
        policy = answer["Content-Security-Policy"]
        assert name == "inbox_page" or ("unsafe" not in policy and "frame-ancestors 'none'" in policy), name
        assert name == "inbox_page" or answer["X-Frame-Options"] == "DENY", name
        assert answer["X-Content-Type-Options"] == "nosniff", name
        assert answer["Referrer-Policy"] == "same-origin", name
        assert "camera=()" in answer["Permissions-Policy"], name
        if who_may(name) != "public":
            assert {"private", "no-store"} <= set(re.split(r",\s*", answer["Cache-Control"])), (name, answer["Cache-Control"])
        if answer["Content-Type"].startswith("text/html"):
            assert not re.search(rb'(?:src|href|action)="(?:https?:)?//', answer.content), name


def test_every_post_without_its_csrf_token_is_refused_and_does_nothing(story):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(story["relay"].user, backend=BACKEND)
    before = counted()
    for name, path in every_url():
        if who_may(name) != "device" and name != "api:openapi-json":
            for origin in ({}, {"HTTP_ORIGIN": "https://evil.example"}):
                status = client.post(fill(path, story["ids"]), **origin).status_code
                assert status in (403, 405), (name, status)
    assert counted() == before
    assert Ticket.objects.filter(status="available").exists()
