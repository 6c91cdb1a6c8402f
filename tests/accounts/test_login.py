"""Login by code: only the pre-authorised, the same page for everybody, a code that works once."""

import re
import threading
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Relay, User
from outbox.models import Delivery
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_limits(settings):
    """Most tests ask for more codes in a second than a person does in ten minutes."""
    settings.ACCOUNT_RATE_LIMITS = {}


def ask(client, address: str, **more):
    return client.post("/login/", {"email": address, **more})


def latest_code() -> str:
    return Delivery.objects.filter(kind="login_code").order_by("-created_at").first().secret


def type_code(client, code: str):
    return client.post("/login/code/", {"code": code, "action": "verify"})


def is_in(client) -> bool:
    return client.get("/account/").status_code == 200


def test_a_code_logs_in_once(client, relay):
    ask(client, relay.user.email)
    code = latest_code()

    assert type_code(client, code).status_code == 302
    assert is_in(client)

    client.post("/logout/")
    assert not is_in(client)
    type_code(client, code)
    assert not is_in(client)


def test_unknown_withdrawn_and_known_addresses_get_the_same_page_and_the_same_work(client, relay):
    withdrawn = factories.RelayFactory(withdrawn_at=timezone.now())
    pages, queries, owed = [], [], []
    for address in (relay.user.email, withdrawn.user.email, "personne@ailleurs.fr"):
        browser = Client()
        before = Delivery.objects.count()
        with CaptureQueriesContext(connection) as captured:
            first = ask(browser, address)
        second = browser.get("/login/code/")
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", second.content.decode()).replace(address, "ADDRESS")
        pages.append((first.status_code, first["Location"], second.status_code, page))
        queries.append(len(captured))
        owed.append(Delivery.objects.count() - before)

    assert len(set(pages)) == 1
    assert owed == [1, 1, 1]
    assert len(set(queries)) == 1


def test_nobody_signs_up(client, db):
    answer = client.post("/signup/", {"email": "nouveau@ailleurs.fr", "password1": "tres-long-mot-de-passe"})

    assert "On ne s’inscrit pas ici" in answer.content.decode()
    assert not User.objects.exists()


def test_the_third_wrong_code_ends_it_and_the_right_one_comes_too_late(client, relay):
    ask(client, relay.user.email)
    code = latest_code()
    for _ in range(3):
        type_code(client, "XXXX-XXXX")

    type_code(client, code)

    assert not is_in(client)


def test_a_code_dies_after_ten_minutes(client, relay, monkeypatch):
    ask(client, relay.user.email)
    code = latest_code()
    from allauth.account.internal.flows import code_verification

    later = timezone.now().timestamp() + 601
    monkeypatch.setattr(code_verification.time, "time", lambda: later)
    type_code(client, code)
    monkeypatch.undo()

    assert not is_in(client)


def test_a_code_works_only_in_the_browser_that_asked(client, relay):
    ask(client, relay.user.email)
    stranger = Client()
    ask(stranger, relay.user.email)
    mine = Delivery.objects.filter(kind="login_code").order_by("created_at").first().secret

    type_code(stranger, mine)
    assert not is_in(stranger)
    type_code(client, mine)  # the stranger's request did not void it
    assert is_in(client)


def test_a_new_request_of_the_same_browser_voids_the_previous_code(client, relay):
    ask(client, relay.user.email)
    first = latest_code()
    ask(client, relay.user.email)

    type_code(client, first)

    assert not is_in(client)


def test_links_never_log_in_and_fill_the_address_in_only_when_signed(client, relay):
    from outbox.letters import login_link

    link = login_link(relay.user.email, "/my/").replace(django_settings.PUBLIC_BASE_URL, "")
    assert relay.user.email not in link
    for _ in range(3):
        client.head(link)
        page = client.get(link).content.decode()
    assert f'value="{relay.user.email}"' in page
    assert not is_in(client)
    assert not Delivery.objects.exists()
    forged = client.get("/login/?email=zoe@exemple.fr&for=zoe@exemple.fr").content.decode()
    assert 'value="zoe@exemple.fr"' not in forged


@pytest.mark.parametrize(
    "payload",
    ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example", "///evil.example", "javascript:alert(1)",
     "%2f%2fevil.example", "/%5cevil.example", "http:///evil.example", "https://localhost@evil.example", "\t//evil.example",
     "/\t/evil.example", "data:text/html,x", "//evil.example/%2e%2e", "https://testserver.evil.example", "\r\nLocation: //evil.example",
     "//xn--vil-joa.example", "http:evil.example", "ftp://evil.example", "//testserver@evil.example",
     "/\\/evil.example", "\\\\evil.example"],
)  # fmt: skip
def test_the_way_back_stays_here(client, relay, payload):
    ask(client, relay.user.email, next=payload)
    answer = client.post("/login/code/", {"code": latest_code(), "next": payload, "action": "verify"})

    assert re.match(r"^(/(?![/\\])|%2f)", answer["Location"]), answer["Location"]
    chosen = client.post("/language/", {"language": "en", "next": payload})
    assert re.match(r"^(/(?![/\\])|%2f)", chosen["Location"]), chosen["Location"]


def test_the_sessions_key_changes_at_login_and_is_dead_after_logout(client, relay):
    ask(client, relay.user.email)
    before = client.cookies["session"].value
    type_code(client, latest_code())
    inside = client.cookies["session"].value
    assert before != inside

    client.post("/logout/")
    thief = Client()
    thief.cookies["session"] = inside
    assert not is_in(thief)


def test_logging_out_everywhere_ends_every_browser(relay):
    browsers = [Client(), Client()]
    for browser in browsers:
        ask(browser, relay.user.email)
        type_code(browser, latest_code())
    assert all(is_in(browser) for browser in browsers)

    browsers[0].post("/account/log-out-everywhere/")

    assert not any(is_in(browser) for browser in browsers)


def test_withdrawing_a_relay_ends_her_open_session_at_once(client, relay):
    from accounts.actions import withdraw_relays

    ask(client, relay.user.email)
    type_code(client, latest_code())
    product = factories.stock(relay.company, 2)
    form = f"/c/{relay.company.public_id}/products/{product.public_id}/hand-over/"
    assert client.get(form).status_code == 200

    withdraw_relays(relays=[relay.pk], by=factories.UserFactory(is_staff=True))

    answer = client.post(form, {"quantity": "1", "names": "", "request_key": "0" * 32})
    assert answer.status_code == 302 and answer["Location"].startswith("/login/")
    assert product.tickets.filter(status="available").count() == 2


def test_limits_by_address_hold_and_lock_nobody(client, relay, settings):
    settings.ACCOUNT_RATE_LIMITS = django_settings.ACCOUNT_RATE_LIMITS or {"request_login_code": "200/m/ip,6/10m/key"}
    settings.ACCOUNT_RATE_LIMITS = {"request_login_code": "200/m/ip,6/10m/key"}
    ask(client, relay.user.email)
    code = latest_code()
    stranger = Client()
    for _ in range(8):
        answer = ask(stranger, relay.user.email.upper())

    assert Delivery.objects.count() <= 6
    assert answer.status_code == 200 and "id_email_error" in answer.content.decode()
    type_code(client, code)
    assert is_in(client)


def test_guessing_a_code_stays_hopeless():
    """TRUST section 4: codes a day x tries / alphabet^length, per address; the bar is 10^-8."""
    from allauth.account.adapter import get_adapter

    code = get_adapter().generate_login_code().replace("-", "")
    alphabet = 20
    a_day = 20 * django_settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS
    assert django_settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT <= 600
    assert a_day / alphabet ** len(code) < 1e-8


def test_one_login_acts_for_two_companies_and_sees_only_the_one_in_the_address(client, relay):
    second = factories.RelayFactory(user=relay.user, company=factories.CompanyFactory(name="Canari SA"))
    factories.MemberFactory(company=factories.CompanyFactory(), email=relay.user.email)
    member = factories.MemberFactory(company=second.company, last_name="Canaripersonne")
    product = factories.stock(second.company, 3)
    factories.given(member, product, by=relay.user)
    mine = factories.stock(relay.company, 2, product)
    client.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/")["Location"] == "/spaces/"

    base = f"/c/{relay.company.public_id}/"
    products = f"{base}products/{mine.public_id}/"
    urls = [base, f"{base}history/", products]
    urls += [products + end for end in ("", "tickets/", "figures.csv", "distribute/people/?q=canari", "reclaim/")]
    for url in urls:
        assert "Canari" not in client.get(url).content.decode(), url


def test_a_member_known_elsewhere_is_added_exactly_as_an_unknown_one(as_relay, relay):
    factories.MemberFactory(email="connue@exemple.fr", first_name="Autre", last_name="Ailleurs")
    product = factories.stock(relay.company, 2)
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"
    pages = []
    for address in ("connue@exemple.fr", "nouvelle@exemple.fr"):
        form = {"new": "1", "first_name": "Zoé", "last_name": "L", "email": address, "request_key": "0" * 32}
        page = as_relay.post(url, form).content.decode().replace(address, "ADDRESS")
        page = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
        pages.append(re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", page))
        relay.company.members.all().delete()

    assert pages[0] == pages[1]


def test_staff_without_a_second_factor_reach_only_its_enrolment(client, seller, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = True
    staff = factories.UserFactory(is_staff=True, is_superuser=True)
    client.force_login(staff, backend="django.contrib.auth.backends.ModelBackend")

    answer = client.get("/admin/accounts/relay/", follow=True)
    assert answer.redirect_chain[-1][0] == "/account/second-factor/"

    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={"secret": "x"})
    assert client.get("/admin/accounts/relay/").status_code == 200


def test_the_admins_own_login_is_never_shown(client, seller):
    assert client.get("/admin/login/?next=/admin/")["Location"].startswith("/login/?next=/admin/")


def test_the_language_chosen_is_kept_for_pages_and_emails(client, relay):
    client.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")

    client.post("/language/", {"language": "en", "next": "/account/"})

    assert "Log out everywhere" in client.get("/account/").content.decode()
    assert User.objects.get(pk=relay.user.pk).language == "en"
    assert client.post("/language/", {"language": "xx"}).status_code == 404


def test_a_relay_is_authorised_until_her_last_day(relay):
    today = timezone.localdate()
    Relay.objects.update(until=today)
    assert Relay.objects.authorised().exists()
    Relay.objects.update(until=today - timedelta(days=1))
    assert not Relay.objects.authorised().exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_posts_of_one_code_from_one_browser_one_logs_in(seller):
    user = factories.UserFactory()
    browser = Client()
    ask(browser, user.email)
    code, cookie = latest_code(), browser.cookies["session"].value
    outcomes = []

    def post():
        try:
            client = Client()
            client.cookies["session"] = cookie
            answer = type_code(client, code)
            outcomes.append(client.cookies["session"].value if answer["Location"] == "/" else None)
        finally:
            connection.close()

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len([key for key in outcomes if key]) == 1
