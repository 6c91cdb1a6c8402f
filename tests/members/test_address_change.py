"""Her own address, changed by a code that was sent to the new one; nobody learns whom an address belongs to."""

import csv
import io
import threading
import uuid
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from members import actions
from members import steps as members_steps
from members.errors import AddressHasLogin, AddressIsTheirs, AlreadyOnTheList, CodeIsOver, StaffAddress, TooManyCodes
from members.models import AddressChange, Consent, Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from tests import factories
from tests.accounts import test_login
from tests.portal.walk import blanked

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
OLD, NEW = "zoe@mecavia.example", "zoe@perso.example"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email=OLD)


@pytest.fixture
def user(zoe):
    return factories.login(OLD, last_seen_at=timezone.now())


@pytest.fixture
def as_zoe(client, user):
    client.force_login(user, backend=BACKEND)
    client.get("/my/")
    return client


def ask(user, *members, email=NEW) -> str:
    """The code that was sent."""
    actions.ask_address_change(user=user, email=email, members=[member.public_id for member in members])
    return Delivery.objects.filter(kind="address_code").latest("created_at").secret


def test_the_whole_login_takes_a_new_address_and_both_are_told(relay, zoe, user, as_zoe, post):
    son = factories.MemberFactory(company=relay.company, first_name="Kofi", email=OLD)
    (ticket,) = factories.printed(factories.given(zoe, factories.stock(relay.company, 1), by=relay.user))
    as_zoe.post("/my/data/address/", {"email": f" {NEW.upper()} ", "member": [str(zoe.public_id), str(son.public_id)]})
    assert NEW in as_zoe.get("/my/data/address/code/").content.decode()
    outbox_actions.send_due()
    code = post.to(NEW)[0].get_body(("plain",)).get_content().split("    ")[1].split()[0]

    as_zoe.post("/my/data/address/code/", {"code": code.lower().replace("-", " ")})
    outbox_actions.send_due()

    assert set(Member.objects.values_list("email", flat=True)) == {NEW}
    user.refresh_from_db()
    assert user.email == NEW and not User.objects.filter(email=OLD).exists()
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified) == (NEW, True)
    assert ticket.beneficiary in as_zoe.get("/my/").content.decode()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.generation) == ("printed", 0)
    assert ["vont maintenant" in letter["Subject"] for letter in post.to(OLD)] == [True]
    assert ["viennent maintenant" in letter["Subject"] for letter in post.to(NEW)][-1]
    assert list(Member.objects.of(relay.company).found_by("zoe@perso")) == [zoe, son]
    told = [letter for letter in post.to(relay.user.email) if "corrigé" in letter["Subject"]]
    assert len(told) == 1 and told[0]["Subject"].startswith("2 personnes ont corrigé")
    assert NEW in told[0].get_body(("plain",)).get_content()


def test_afterwards_the_address_is_hers_alone_to_change(zoe, user):
    actions.change_address(user=user, code=ask(user, zoe))
    zoe.refresh_from_db()

    with pytest.raises(AddressIsTheirs), transaction.atomic():
        members_steps.write_address(zoe, "relais@mecavia.example")


def test_whoever_was_merged_into_her_moves_with_her(relay, zoe, user):
    before = factories.MemberFactory(company=relay.company, first_name="Zoë", last_name="Lefevre-Diallo", email=OLD)
    Member.objects.filter(pk=before.pk).update(merged_into=zoe, left_on="2026-01-01")

    actions.change_address(user=user, code=ask(user, zoe))

    before.refresh_from_db(), user.refresh_from_db()
    assert before.email == user.email == NEW


def test_those_chosen_move_and_the_others_stay_with_the_old_address(relay, zoe, user, as_zoe):
    son = factories.MemberFactory(company=relay.company, first_name="Kofi", email=OLD)

    moved = actions.change_address(user=user, code=ask(user, son))

    zoe.refresh_from_db(), son.refresh_from_db()
    assert (zoe.email, son.email) == (OLD, NEW)
    assert moved.login.email == NEW and moved.login != user and not moved.wholly
    assert as_zoe.get("/my/data/").status_code == 200


def test_members_move_to_the_login_that_the_address_has_and_she_logs_in_with_it(relay, zoe, user, as_zoe):
    other = factories.MemberFactory(first_name="Zoé", last_name="Lefèvre", email=NEW)
    actions.answer_consent(user=user, yes=False, text="?", page="my_tickets")
    at_home = Client()
    test_login.ask(at_home, OLD)
    test_login.type_code(at_home, test_login.latest_code())
    assert at_home.get("/my/").status_code == 200
    code = ask(user, zoe)

    answer = as_zoe.post("/my/data/address/code/", {"code": code})

    zoe.refresh_from_db()
    login = User.objects.get(email=NEW)
    assert zoe.email == other.email == NEW and user.email == OLD
    assert answer["Location"].startswith("/login/?for=")
    assert as_zoe.get("/my/")["Location"].startswith("/login/")
    assert at_home.get("/my/")["Location"].startswith("/login/")
    assert "connectez-vous avec elle" in as_zoe.get(answer["Location"]).content.decode()
    assert Consent.objects.get(withdrawn_at=None).user == login
    assert EmailAddress.objects.get(user=login).verified


def test_her_answer_about_offers_does_not_replace_the_other_logins_own(zoe, user):
    other = factories.login(NEW)
    actions.answer_consent(user=other, yes=False, text="?", page="my_tickets")
    actions.answer_consent(user=user, yes=True, text="?", page="my_tickets")

    actions.change_address(user=user, code=ask(user, zoe))

    assert not Consent.objects.answer_of(other).receives
    assert Consent.objects.filter(user=other).count() == 1


def test_an_address_that_somebody_has_answers_like_one_that_nobody_has(relay, zoe, user, as_zoe):
    factories.MemberFactory(email="connue@exemple.fr")
    pages, asked = [], []
    for address in ("connue@exemple.fr", "inconnue@exemple.fr"):
        with CaptureQueriesContext(connection) as captured:
            posted = as_zoe.post("/my/data/address/", {"email": address})
        page = as_zoe.get("/my/data/address/code/")
        pages.append((posted.status_code, posted["Location"], blanked(page).replace(address.encode(), b"")))
        asked.append(len(captured))

    assert pages[0] == pages[1] and asked[0] == asked[1]
    assert Delivery.objects.filter(kind="address_code").count() == 2


def test_a_code_is_tried_three_times_and_used_once(zoe, user, as_zoe):
    code = ask(user, zoe)
    for left in (2, 1):
        wrong = as_zoe.post("/my/data/address/code/", {"code": "BBBB-BBBB"})
        assert wrong.status_code == 422 and f"Il vous reste {left} essai" in wrong.content.decode()
    assert as_zoe.post("/my/data/address/code/", {"code": "BBBB-BBBB"})["Location"] == "/my/data/address/"
    with pytest.raises(CodeIsOver):
        actions.change_address(user=user, code=code)

    code = ask(user, zoe)
    actions.change_address(user=user, code=code)
    user.refresh_from_db()
    with pytest.raises(CodeIsOver):
        actions.change_address(user=user, code=code)


def test_a_code_is_over_after_ten_minutes_and_when_another_is_asked_for(zoe, user):
    code = ask(user, zoe)
    AddressChange.objects.update(valid_until=timezone.now() - timedelta(seconds=1))
    with pytest.raises(CodeIsOver):
        actions.change_address(user=user, code=code)

    first, second = ask(user, zoe), ask(user, zoe, email="autre@perso.example")
    assert actions.change_address(user=user, code=first) is None
    assert actions.change_address(user=user, code=second).login.email == "autre@perso.example"


def test_a_code_of_another_person_is_none(relay, zoe, user):
    code = ask(user, zoe)
    other = factories.MemberFactory(company=relay.company)
    thief = factories.login(other.email)
    with pytest.raises(CodeIsOver):
        actions.change_address(user=thief, code=code)

    ask(thief, other, email="voleur@exemple.fr")
    assert actions.change_address(user=thief, code=code) is None


def test_the_database_and_the_email_once_sent_do_not_hold_the_code(zoe, user, post):
    code = ask(user, zoe)
    outbox_actions.send_due()

    assert AddressChange.objects.get().code_hash != code
    assert Delivery.objects.get(kind="address_code").secret == ""


def test_she_asks_five_codes_a_day_and_an_address_receives_five(zoe, user):
    for n in range(5):
        ask(user, zoe, email=f"zoe{n}@perso.example")
    with pytest.raises(TooManyCodes):
        ask(user, zoe)
    AddressChange.objects.update(asked_at=timezone.now() - timedelta(hours=25))
    ask(user, zoe)

    for _ in range(4):
        ask(factories.UserFactory())
    with pytest.raises(TooManyCodes):
        ask(factories.UserFactory())


def test_only_her_own_members_move(relay, zoe, user, as_zoe):
    other = factories.MemberFactory(company=relay.company)
    code = ask(user, zoe, other)
    assert AddressChange.objects.get().members == [zoe.pk]

    actions.change_address(user=user, code=code)

    assert Member.objects.get(pk=other.pk).email == other.email != NEW
    factories.MemberFactory(company=relay.company, first_name="Kofi", email=NEW)
    as_zoe.force_login(User.objects.get(email=NEW), backend=BACKEND)
    refused = as_zoe.post("/my/data/address/", {"email": "x@y.fr", "member": str(other.public_id)})
    assert refused.status_code == 422 and "Choisissez des personnes qui ont votre adresse" in refused.content.decode()


def test_a_list_that_has_her_there_already_is_said_and_nothing_moves(relay, zoe, user):
    factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email=NEW)

    with pytest.raises(AlreadyOnTheList):
        actions.change_address(user=user, code=ask(user, zoe))

    zoe.refresh_from_db()
    assert zoe.email == OLD


def test_a_relay_without_members_does_not_take_an_address_that_has_a_login(relay):
    factories.login(NEW)
    with pytest.raises(AddressHasLogin):
        actions.change_address(user=relay.user, code=ask(relay.user))

    moved = actions.change_address(user=relay.user, code=ask(relay.user, email="samia@perso.example"))
    assert moved.login == relay.user
    relay.user.refresh_from_db()
    assert relay.user.email == "samia@perso.example"


def test_a_relay_whose_members_move_keeps_her_login_and_her_rights(relay):
    me = factories.MemberFactory(company=relay.company, email=relay.user.email)
    factories.login(NEW)

    moved = actions.change_address(user=relay.user, code=ask(relay.user, me))

    assert not moved.wholly
    assert type(relay).objects.authorised().filter(user=relay.user).exists()


def test_the_staff_do_not_change_theirs_so(seller):
    with pytest.raises(StaffAddress):
        ask(factories.UserFactory(is_staff=True))


@pytest.mark.parametrize("email", ["", "zoe", "zoe@", "x" * 400 + "@exemple.fr", "zoe@exemple.fr\nBcc: a@b.fr", OLD, OLD.upper()])
def test_a_wrong_address_gets_a_sentence(zoe, as_zoe, email):
    answer = as_zoe.post("/my/data/address/", {"email": email})

    assert answer.status_code == 422 and 'class="error"' in answer.content.decode()
    assert not AddressChange.objects.exists()


def test_the_code_page_without_a_code_on_its_way_leads_back(as_zoe):
    assert as_zoe.get("/my/data/address/code/")["Location"] == "/my/data/address/"
    assert as_zoe.post("/my/data/address/code/", {"code": ""})["Location"] == "/my/data/address/"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("members", [0, 1])
def test_a_code_sent_many_times_at_once_is_used_once(members):
    factories.SellerFactory()
    mine = factories.MemberFactory.create_batch(members, email=OLD)
    user = factories.login(OLD)
    code, answers = ask(user, *mine), []

    def change():
        try:
            answers.append(bool(actions.change_address(user=User.objects.get(pk=user.pk), code=code)))
        except CodeIsOver:
            answers.append(None)
        finally:
            connection.close()

    threads = [threading.Thread(target=change) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers, key=str) == [None] * 7 + [True]
    assert Delivery.objects.filter(kind="address_changed").count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_who_want_each_others_address_do_not_block_each_other():
    factories.SellerFactory()
    members = [factories.MemberFactory(email=address) for address in (OLD, NEW)]
    users = [factories.login(address) for address in (OLD, NEW)]
    codes = [ask(users[0], members[0], email=NEW), ask(users[1], members[1], email=OLD)]
    faults = []

    def change(n):
        try:
            actions.change_address(user=User.objects.get(pk=users[n].pk), code=codes[n])
        except CodeIsOver:
            pass
        except Exception as fault:  # noqa: BLE001
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=[n]) for n in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert faults == []


def test_a_relay_can_not_take_the_address_over_by_this_way(relay, zoe, user):
    """TRUST: she has logged in, so that nobody but she moves her tickets, and from her own login alone."""
    browser = Client()
    browser.force_login(relay.user, backend=BACKEND)
    browser.post("/my/data/address/", {"email": "relais@perso.example", "member": str(zoe.public_id)})

    change = AddressChange.objects.get()
    assert change.members == []
    zoe.refresh_from_db()
    assert zoe.email == OLD


def test_whatever_a_relay_or_the_staff_try_her_login_keeps_its_address_and_no_code_leaves_for_another(relay, zoe, user, settings):
    """TRUST row 6: by form, by import, by the admin."""
    product = factories.stock(relay.company, 1)
    (ticket,) = factories.given(zoe, product, by=relay.user)
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    browser, staff = Client(), Client()
    browser.force_login(relay.user, backend=BACKEND)
    staff.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    base, admins = f"/c/{relay.company.public_id}", [f"/admin/accounts/user/{user.pk}/change/", f"/admin/members/member/{zoe.pk}/change/"]
    hers, of = f"{base}/members/{zoe.public_id}", f"{base}/products/{product.public_id}"
    form = {"email": NEW, "first_name": "Zoé", "last_name": "Lefèvre", "company": relay.company.pk}
    said_yes = {"shares": "on", "right_domain": NEW, "confirm": "1"}
    sheet = list(csv.reader(io.StringIO(browser.get(f"{of}/spreadsheet/tickets.csv").content.decode("utf-8-sig")), delimiter=";"))
    cells = ";".join(NEW if cell == OLD else cell for cell in sheet[1])
    edited = browser.get(f"{hers}/edit/").context["form"].initial["shown"]

    tries = [
        (browser, f"{hers}/address/", form | {"shown": OLD}),
        (browser, f"{of}/members/{zoe.public_id}/correct-address/", form | {"shown": OLD}),
        (browser, f"{hers}/edit/", form | {"shown": edited}),
        (browser, f"{base}/members/import/", {"rows": f"Prénom;Nom;Courriel\nZoé;Lefèvre;{NEW}"}),
        (browser, f"{of}/distribute/list/", {"rows": f"Prénom;Nom;Courriel;Nombre\nZoé;Lefèvre;{NEW};1"}),
        (browser, f"{of}/spreadsheet/", {"rows": f"{';'.join(sheet[0])}\n{cells}"}),
        *[(who, url, form | {"is_active": "on", "is_staff": "on"}) for who in (browser, staff) for url in admins],
    ]
    answers = [who.post(url, said_yes | {"request_key": str(uuid.uuid4())} | sent) for who, url, sent in tries]
    test_login.ask(Client(), NEW)

    zoe.refresh_from_db(), user.refresh_from_db(), ticket.refresh_from_db()
    assert [answer.status_code for answer in answers] == [422, 422, 302, 302, 422, 422, 302, 302, 302, 403]
    assert all("connecté avec" in answers[refused].content.decode() for refused in (0, 1, 4, 5))
    assert user.is_staff  # the administrator's form is saved, without the address
    assert (zoe.email, user.email, ticket.member) == (OLD, OLD, zoe)
    assert not EmailAddress.objects.filter(email=NEW).exists()
    assert [delivery.kind for delivery in Delivery.objects.filter(recipient=NEW)] == ["login_unknown"]
