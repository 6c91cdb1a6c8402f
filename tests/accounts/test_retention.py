"""What is past its date is gone after the night, what is younger is untouched; the page tells what the night does."""

import uuid
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import actions, retention
from accounts.models import RelayProposal, Seller, User
from accounts.tasks import apply_retention
from control.models import Scan
from distribution.actions import ask_erasure, distribute, hand_over
from distribution.models import Distribution, Printout, PrintoutFile, Reminder
from members.models import Access, AddressChange, Consent, Member
from outbox import steps as outbox_steps
from outbox.models import Delivery, DeliveryEvent
from tests import factories
from tests.portal.walk import counted
from tickets import steps as tickets_steps
from tickets.models import Event, Ticket

pytestmark = pytest.mark.django_db


def a_session(relay, at):
    user, key = factories.UserFactory(last_seen_at=timezone.now()), uuid.uuid4().hex
    Session.objects.create(session_key=key, expire_date=at + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    UserSession.objects.create(user=user, session_key=key, ip="192.0.2.1", user_agent="Canari", created_at=at)
    return lambda: UserSession.objects.filter(session_key=key).exists() or Session.objects.filter(session_key=key).exists()


def an_email(relay, at):
    with transaction.atomic():
        letter = outbox_steps.letter("login_code", to="zoe@exemple.fr", language="fr", refs={}, key=str(uuid.uuid4()), not_before=at)
        outbox_steps.owe([letter])
    DeliveryEvent.objects.create(delivery=letter, kind="failed", detail="550 zoe@exemple.fr unknown")
    row = Delivery.objects.filter(pk=letter.pk)
    row.update(state="failed", created_at=at, smtp_reply="550 zoe@exemple.fr unknown")
    return lambda: bool(row.get().recipient or row.get().smtp_reply or letter.events.exclude(detail="").exists())


def a_proposal(relay, at):
    person = {"first_name": "Zoé", "last_name": "Lefèvre", "email": "zoe@exemple.fr", "request_key": uuid.uuid4()}
    proposal = RelayProposal.objects.create(company=factories.CompanyFactory(), proposed_by=relay, at=at, **person)
    return RelayProposal.objects.filter(pk=proposal.pk).exists


def an_answer(relay, at):
    answer = Consent.objects.create(user=relay.user, text="?", page="my_tickets", given_at=at, withdrawn_at=at)
    return Consent.objects.filter(pk=answer.pk).exists


def an_access(relay, at):
    access = Access.objects.create(member=factories.MemberFactory(company=relay.company), by=relay.user, at=at)
    return Access.objects.filter(pk=access.pk).exists


def an_unproven_address(relay, at):
    typed = {"email": "zoe@exemple.fr", "members": [], "code_hash": "x", "valid_until": at}
    change = AddressChange.objects.create(user=relay.user, asked_at=at, **typed)
    return AddressChange.objects.filter(pk=change.pk).exists


def a_checked_ticket(relay):
    """Named, checked, its event not over yet."""
    product = factories.stock(relay.company, 1)
    member = factories.MemberFactory(company=relay.company)
    (ticket,) = factories.given(member, product, by=relay.user)
    with transaction.atomic():
        tickets_steps.rename(ticket, first_name="Kofi", last_name="Mensah", by=relay.user)
        assert tickets_steps.check(number=ticket.number, event=product.event, generation=0)
    return ticket


def end(event: Event, at) -> None:
    Event.objects.filter(pk=event.pk).update(valid_from=at - timedelta(days=1), valid_until=at)


def a_name(relay, at):
    ticket = a_checked_ticket(relay)
    end(ticket.event, at)
    return lambda: Ticket.objects.get(pk=ticket.pk).is_named


def a_scan(relay, at):
    ticket = a_checked_ticket(relay)
    device = factories.DeviceFactory(gate__event=ticket.event)
    scan = Scan.objects.create(device=device, client_id=uuid.uuid4(), verdict="admitted", ticket=ticket)
    end(ticket.event, at)
    return lambda: Scan.objects.get(pk=scan.pk).ticket_id is not None


def words(relay, at):
    product = factories.stock(relay.company, 1)
    gifts = [(factories.MemberFactory(company=relay.company).pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="Zoé, à demain", request_key=uuid.uuid4())
    Distribution.objects.filter(pk=act.pk).update(at=at, message="De garde ce soir-là")
    reminded = {"product": product, "member": act.recipients.get().member, "actor": relay.user, "request_key": uuid.uuid4()}
    reminder = Reminder.objects.create(**reminded, message="Pensez-y", at=at)
    left = [Distribution.objects.filter(pk=act.pk), act.recipients.all(), Reminder.objects.filter(pk=reminder.pk)]
    return lambda: any(rows.exclude(message="").exists() for rows in left)


def a_file(relay, at):
    product = factories.stock(relay.company, 1)
    act = hand_over(relay=relay, product=product, quantity=1, names=[("Zoé", "Lefèvre")], request_key=uuid.uuid4())
    files = PrintoutFile.objects.filter(printout__act=act)
    Printout.objects.filter(act=act).update(at=at)
    assert files.exists()
    return files.exists


def a_login(relay, at):
    """Not seen since then, and warned more than 30 days ago."""
    member = factories.MemberFactory(company=relay.company)
    Member.objects.filter(pk=member.pk).update(bears_address_since=at, created_at=at)
    user = factories.login(member.email, created_at=at, last_seen_at=at, warned_at=timezone.now() - timedelta(days=30, minutes=1))
    return lambda: User.objects.get(pk=user.pk).email == member.email or Member.objects.get(pk=member.pk).email != ""


def a_member_without_address(relay, at):
    member = factories.MemberFactory(company=relay.company, email="")
    Member.objects.filter(pk=member.pk).update(created_at=at, last_given_at=at)
    return lambda: Member.objects.get(pk=member.pk).last_name != ""


def who_asked(relay, at):
    member = factories.MemberFactory(company=relay.company)
    erasure = ask_erasure(user=factories.login(member.email), keeps_tickets=False)
    type(erasure).objects.filter(pk=erasure.pk).update(asked_at=at)
    return lambda: Member.objects.get(pk=member.pk).last_name != ""


# Of each line of the table: a row that was over at an instant, and whether it is still there.
KEPT = {
    "sessions": a_session,
    "emails": an_email,
    "proposals": a_proposal,
    "consents": an_answer,
    "accesses": an_access,
    "addresses": an_unproven_address,
    "names": a_name,
    "words": words,
    "files": a_file,
    "logins": a_login,
    "members": a_member_without_address,
    "erasures": who_asked,
    "scans": a_scan,
}


def test_every_line_of_the_table_is_tried_here_and_told_on_the_page(client, seller):
    assert set(KEPT) == set(retention.table())

    page = " ".join(client.get("/privacy/").content.decode().split())

    for words_of_a_line in (
        "Les noms sur les billets",
        "3 mois après la séance",
        "24 mois après votre dernière venue",
        "30 jours après la connexion",
    ):
        assert words_of_a_line in page
    Seller.objects.update(names_months=5)
    assert "5 mois après la séance" in client.get("/privacy/").content.decode()


@pytest.mark.parametrize("name", KEPT)
def test_what_is_past_its_date_is_erased_and_what_is_younger_is_not(relay, name):
    line = retention.table()[name]
    past = [KEPT[name](relay, line.before(Seller.objects.current()) - timedelta(minutes=1)) for _ in range(3)]
    young = KEPT[name](relay, line.before(Seller.objects.current()) + timedelta(hours=1))
    assert all(left() for left in past) and young()

    apply_retention()

    assert [left() for left in past] == [False] * 3
    assert young()


@pytest.mark.parametrize("name", [name for name in KEPT if name not in ("sessions", "addresses", "files")])  # these are fixed
def test_the_sellers_own_duration_is_the_one_applied(relay, name):
    line = retention.table()[name]
    left = KEPT[name](relay, line.before(Seller.objects.current()) - timedelta(minutes=1))
    Seller.objects.update(**{line.column: getattr(Seller.objects.current(), line.column) + 1})

    apply_retention()

    assert left()


def everything(relay) -> None:
    for name, make in KEPT.items():
        make(relay, retention.table()[name].before(Seller.objects.current()) - timedelta(minutes=1))


def test_applied_again_or_late_it_does_nothing_more(relay):
    everything(relay)
    assert actions.apply_retention()
    before = counted()

    assert actions.apply_retention() == 0

    assert counted() == before


def test_the_night_asks_as_often_for_three_of_each_as_for_one(relay):
    actions.apply_retention()

    def night(of_each: int) -> int:
        for _ in range(of_each):
            everything(relay)
        with CaptureQueriesContext(connection) as captured:
            actions.apply_retention()
        return len(captured)

    assert night(1) == night(3)


def test_more_than_a_batch_is_erased_in_one_night(relay, monkeypatch):
    monkeypatch.setattr(actions, "BATCH", 2)
    line = retention.table()["emails"]
    rows = [an_email(relay, line.before(Seller.objects.current()) - timedelta(days=1)) for _ in range(5)]

    actions.apply_retention()

    assert not any(left() for left in rows)


def test_an_email_that_is_still_owed_keeps_its_address(relay):
    an_email(relay, timezone.now() - timedelta(days=900))
    Delivery.objects.filter(kind="login_code").update(state="pending")

    actions.apply_retention()

    assert Delivery.objects.get(kind="login_code").recipient == "zoe@exemple.fr"
