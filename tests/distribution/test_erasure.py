"""A person asks to be erased: nothing says any more who she was, and every ticket and movement is as it was."""

import threading
import uuid
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import actions as accounts_actions
from accounts.models import Relay, User
from distribution import steps
from distribution.actions import ask_erasure, call_off_erasure, distribute, erase_now, give_back, hand_over
from distribution.actions.distribute import lock_members
from distribution.errors import HoldsTickets, SomeoneLeft, StillActs
from distribution.models import Reminder
from members import actions as members_actions
from members.models import Access, AddressChange, Consent, Erasure, Group, Member
from outbox import actions as outbox_actions
from outbox.models import Delivery, DeliveryEvent
from tests import factories
from tests.accounts.test_retention import end
from tickets import steps as tickets_steps
from tickets.models import Movement, Ticket

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"
ADDRESS = "zoe.canari@exemple.fr"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Canari", email=ADDRESS)


@pytest.fixture
def user(zoe):
    return factories.login(zoe.email, last_seen_at=timezone.now())


def everything_in_the_database() -> str:
    with connection.cursor() as cursor:
        texts = []
        for table in connection.introspection.table_names(cursor):
            if table not in ("django_session", "cache"):
                cursor.execute(f'SELECT to_jsonb(t)::text FROM "{table}" t')
                texts += [f"{table} {row[0]}" for row in cursor.fetchall()]
    return "\n".join(texts)


def a_life_here(relay, zoe, user) -> None:
    """Zoé's name and address wherever the portal may write them; her events are over."""
    shared = {"relay": relay, "message": "Zoé Canari sera à la porte, zoe.canari@exemple.fr", "request_key": uuid.uuid4()}
    product = factories.stock(relay.company, 9)
    other = factories.MemberFactory(company=relay.company)
    distribute(product=product, gifts=[(zoe.pk, 2, ()), (other.pk, 1, ())], **shared)
    Ticket.objects.filter(member=zoe).update(shown_from=timezone.now() - timedelta(hours=1))
    kept, returned = Ticket.objects.filter(member=zoe).order_by("pk")
    with transaction.atomic():
        tickets_steps.rename(kept, first_name="Kofi", last_name="Canari", by=user)
        assert tickets_steps.check(number=kept.number, event=product.event, generation=0)
    give_back(user=user, ticket=returned.public_id, generation=0, message="Zoé Canari, de garde", request_key=uuid.uuid4())
    hand_over(relay=relay, product=product, quantity=1, names=[("Zoé", "Canari")], request_key=uuid.uuid4())
    Reminder.objects.create(product=product, member=other, actor=relay.user, request_key=uuid.uuid4(), message="Comme Zoé Canari")
    Reminder.objects.create(product=product, member=zoe, actor=relay.user, request_key=uuid.uuid4(), message="Canari, pensez-y")
    Group.objects.create(company=relay.company, name="Site").members.add(zoe, other)
    before = {"company": relay.company, "first_name": "Zoé", "last_name": "Canari", "email": "zoe.canari@ancienne.fr"}
    Member.objects.create(**before, merged_into=zoe, left_on="2026-01-01")
    Relay.objects.create(user=user, company=relay.company, first_name="Zoé", last_name="Canari", withdrawn_at=timezone.now())
    LogEntry.objects.create(
        user=relay.user, content_type=ContentType.objects.get_for_model(User), object_id=user.pk, object_repr=ADDRESS, action_flag=CHANGE
    )
    members_actions.ask_address_change(user=user, email="autre.canari@exemple.fr", members=[zoe.public_id])
    Delivery.objects.filter(recipient=ADDRESS).update(smtp_reply=f"550 {ADDRESS} unknown")
    for delivery in Delivery.objects.filter(recipient=ADDRESS):
        DeliveryEvent.objects.create(delivery=delivery, kind="failed", detail=f"550 {ADDRESS} unknown")
    UserSession.objects.create(user=user, session_key="x", ip="192.0.2.1", user_agent="Canari")
    Authenticator.objects.create(user=user, type="totp", data={"secret": "canari"})
    members_actions.answer_consent(user=user, yes=False, text="?", page="my_tickets")
    Access.objects.create(member=zoe, by=relay.user)
    end(product.event, timezone.now() - timedelta(minutes=1))


def ask_and_wait(user) -> Erasure:
    erasure = ask_erasure(user=user, keeps_tickets=False)
    Erasure.objects.filter(pk=erasure.pk).update(asked_at=timezone.now() - timedelta(days=7, minutes=1))
    return erasure


def test_nothing_in_the_database_says_who_she_was(relay, zoe, user):
    a_life_here(relay, zoe, user)
    movements = list(Movement.objects.order_by("pk").values())
    tickets = list(Ticket.objects.order_by("pk").values("number", "status", "member", "company", "generation"))
    assert everything_in_the_database().lower().count("canari") > 20
    ask_and_wait(user)

    accounts_actions.apply_retention()

    assert [line for line in everything_in_the_database().split("\n") if "canari" in line.lower()] == []
    assert list(Group.objects.get().members.all()) == [Member.objects.get(email__contains="zoe", last_name__startswith="Lef")]
    assert list(Movement.objects.order_by("pk").values()) == movements
    assert list(Ticket.objects.order_by("pk").values("number", "status", "member", "company", "generation")) == tickets


def test_the_words_and_names_of_others_stay(relay, zoe, user):
    a_life_here(relay, zoe, user)
    product = factories.stock(relay.company, 2)
    other = factories.MemberFactory(company=relay.company)
    act = distribute(relay=relay, product=product, gifts=[(other.pk, 1, ())], message="Zoé sera là", request_key=uuid.uuid4())
    elsewhere = factories.MemberFactory(first_name="Zoé", last_name="Canari", email="homonyme@exemple.fr")
    ask_and_wait(user)

    accounts_actions.apply_retention()

    assert act.recipients.get().message == "Zoé sera là"
    assert str(Member.objects.get(pk=elsewhere.pk)) == "Zoé Canari"
    assert Delivery.objects.get(kind="tickets_distributed", recipient=other.email).state == "pending"


def test_the_names_on_a_checked_ticket_can_be_erased_and_nothing_else_of_it_changes(relay, zoe, user):
    a_life_here(relay, zoe, user)
    ticket = Ticket.objects.get(status="checked")

    with transaction.atomic():
        assert tickets_steps.erase_names(Ticket.objects.filter(pk=ticket.pk)) == 1

    ticket.refresh_from_db()
    assert (ticket.is_named, ticket.status) == (False, "checked")


def test_it_waits_for_the_sellers_delay_and_she_may_change_her_mind(seller, zoe, user, post):
    erasure = ask_erasure(user=user, keeps_tickets=False)
    assert ask_erasure(user=user, keeps_tickets=False) == erasure
    outbox_actions.send_due()
    assert "dans 7 jours" in post.to(ADDRESS)[0].get_body(("plain",)).get_content()
    accounts_actions.apply_retention()
    assert Member.objects.get(pk=zoe.pk).last_name == "Canari"

    Erasure.objects.update(asked_at=timezone.now() - timedelta(days=8))
    call_off_erasure(user=user)
    accounts_actions.apply_retention()
    assert Member.objects.get(pk=zoe.pk).last_name == "Canari"


def test_whoever_holds_tickets_to_come_says_that_she_keeps_them_and_is_erased_after_the_last(relay, zoe, user):
    product = factories.stock(relay.company, 1)
    factories.given(zoe, product, by=relay.user)
    with pytest.raises(HoldsTickets):
        ask_erasure(user=user, keeps_tickets=False)

    erasure = ask_erasure(user=user, keeps_tickets=True)
    Erasure.objects.update(asked_at=timezone.now() - timedelta(days=30))
    accounts_actions.apply_retention()
    assert erase_now(erasures=[erasure.pk], by=relay.user) == 0
    assert Member.objects.get(pk=zoe.pk).last_name == "Canari"

    end(product.event, timezone.now() - timedelta(minutes=1))
    accounts_actions.apply_retention()
    assert Member.objects.get(pk=zoe.pk).last_name == ""


def test_a_relay_in_force_and_the_staff_are_not_erased(relay):
    with pytest.raises(StillActs):
        ask_erasure(user=relay.user, keeps_tickets=False)
    with pytest.raises(StillActs):
        ask_erasure(user=factories.UserFactory(is_staff=True), keeps_tickets=False)

    asked = Erasure.objects.create(user=relay.user, asked_at=timezone.now() - timedelta(days=30))
    accounts_actions.apply_retention()
    assert erase_now(erasures=[asked.pk], by=relay.user) == 0
    assert Erasure.objects.get().done_at is None


def test_her_login_is_no_more_and_the_same_address_may_come_again_as_another(relay, zoe, user, client):
    client.force_login(user, backend=BACKEND)
    ask_and_wait(user)
    accounts_actions.apply_retention()

    assert client.get("/my/")["Location"].startswith("/login/")
    again = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Canari", email=ADDRESS)
    assert again.pk != zoe.pk
    assert User.objects.get(email=ADDRESS).pk != user.pk


def test_no_list_of_the_relays_has_her_any_more(relay, zoe, user, as_relay):
    ask_and_wait(user)
    assert zoe in Member.objects.ever_of(relay.company)

    accounts_actions.apply_retention()

    assert zoe not in Member.objects.ever_of(relay.company)
    assert as_relay.post(f"/c/{relay.company.public_id}/members/{zoe.public_id}/put-back/").status_code == 404


def test_who_refused_offers_is_not_asked_again_when_her_address_comes_back(relay, zoe, user, client):
    members_actions.answer_consent(user=user, yes=False, text="?", page="my_tickets")
    ask_and_wait(user)
    accounts_actions.apply_retention()
    again = factories.MemberFactory(company=relay.company, email=ADDRESS)
    client.force_login(factories.login(again.email), backend=BACKEND)

    page = client.get("/my/").content.decode()

    assert "Vous ne les recevez pas" in page and "Oui, prévenez-moi" not in page
    assert Consent.objects.get().withdrawn_at and not Consent.objects.answer_of(User.objects.get(email=ADDRESS)).receives


def test_emails_that_wait_are_called_off(relay, zoe, user, post):
    product = factories.stock(relay.company, 1)
    distribute(relay=relay, product=product, gifts=[(zoe.pk, 1, ())], message="", request_key=uuid.uuid4())
    end(product.event, timezone.now() - timedelta(minutes=1))
    Delivery.objects.update(not_before=timezone.now() - timedelta(minutes=1))
    ask_and_wait(user)
    accounts_actions.apply_retention()

    outbox_actions.send_due()

    assert post.to(ADDRESS) == [] and not Delivery.objects.filter(recipient=ADDRESS).exists()
    assert Delivery.objects.get(kind="tickets_distributed").state == "cancelled"


def test_staff_carry_out_a_request_at_once_and_are_told_who_waits(relay, zoe, user, client, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    staff = factories.UserFactory(is_staff=True, is_superuser=True)
    client.force_login(staff, backend=BACKEND)
    holder = factories.MemberFactory(company=relay.company)
    factories.given(holder, factories.stock(relay.company, 1), by=relay.user)
    waiting = ask_erasure(user=factories.login(holder.email), keeps_tickets=True)
    erasure = ask_erasure(user=user, keeps_tickets=False)

    form = {"action": "erase_now", "_selected_action": [erasure.pk, waiting.pk]}
    page = client.post("/admin/members/erasure/", form, follow=True).content.decode()

    assert "1 personne est effacée." in page and "1 personne attend" in page
    erasure.refresh_from_db()
    assert erasure.done_by == staff and Member.objects.get(pk=zoe.pk).last_name == ""
    assert AddressChange.objects.count() == 0


def test_staff_without_the_right_see_requests_and_carry_out_none(relay, user, client, settings):
    from django.contrib.auth.models import Permission

    settings.STAFF_NEEDS_SECOND_FACTOR = False
    staff = factories.UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_erasure"))
    client.force_login(staff, backend=BACKEND)
    erasure = ask_erasure(user=user, keeps_tickets=False)

    client.post("/admin/members/erasure/", {"action": "erase_now", "_selected_action": [erasure.pk]})

    erasure.refresh_from_db()
    assert erasure.done_at is None


def test_erasing_thirty_people_asks_as_often_as_three(relay):
    def erase(count: int) -> int:
        members = factories.MemberFactory.create_batch(count, company=relay.company)
        users = [factories.login(member.email) for member in members]
        with CaptureQueriesContext(connection) as captured, transaction.atomic():
            steps.erase_people(users, members, at=timezone.now())
        assert not Member.objects.filter(pk__in=[m.pk for m in members]).exclude(last_name="").exists()
        return len(captured)

    assert erase(3) == erase(30)


@pytest.mark.django_db(transaction=True)
def test_a_ticket_given_while_she_is_erased_is_not_given_to_nobody():
    """Either she has the ticket and stays, or she is erased and the relay is told: never a ticket that nobody can see."""
    factories.SellerFactory()
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 1)
    zoe = factories.MemberFactory(company=relay.company)
    user = factories.login(zoe.email)
    refused, begun = [], threading.Event()

    def give():
        try:
            begun.set()
            distribute(relay=relay, product=product, gifts=[(zoe.pk, 1, ())], message="", request_key=uuid.uuid4())
        except SomeoneLeft:
            refused.append(True)
        finally:
            connection.close()

    giver = threading.Thread(target=give)
    with transaction.atomic():
        free, members = steps.lock_free([user])
        giver.start()
        begun.wait()
        wait_until_someone_waits()
        steps.erase_people(free, members, at=timezone.now())
    giver.join()

    assert refused == [True]
    assert Ticket.objects.get().status == "available"


@pytest.mark.django_db(transaction=True)
def test_who_is_being_given_a_ticket_is_not_erased():
    factories.SellerFactory()
    relay = factories.RelayFactory()
    product = factories.stock(relay.company, 1)
    zoe = factories.MemberFactory(company=relay.company)
    erasure = ask_erasure(user=factories.login(zoe.email), keeps_tickets=False)
    done = []

    def erase():
        try:
            done.append(erase_now(erasures=[erasure.pk], by=relay.user))
        finally:
            connection.close()

    eraser = threading.Thread(target=erase)
    with transaction.atomic():
        give_without_committing(zoe, product, relay)
        eraser.start()
        wait_until_someone_waits()
    eraser.join()

    assert done == [0]
    assert Member.objects.get(pk=zoe.pk).last_name != ""


def give_without_committing(member, product, relay) -> None:
    """As the action does."""
    lock_members([member.pk])
    ticket = Ticket.objects.select_for_update().get(product=product)
    tickets_steps.distribute([(ticket, member)], by=relay.user, shown_from=timezone.now(), act=uuid.uuid4())


def wait_until_someone_waits() -> None:
    """Until another connection waits for a lock."""
    deadline = timezone.now() + timedelta(seconds=10)
    while timezone.now() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waited")
