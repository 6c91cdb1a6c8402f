"""Whoever has not come for long is warned a month before, and erased unless she comes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import actions
from accounts.models import User
from members.models import Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from tests import factories
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(days=3 * 365)


@pytest.fixture
def zoe(relay):
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")
    return absent(member)


def absent(member: Member, for_days: timedelta = LONG_AGO) -> Member:
    at = timezone.now() - for_days
    Member.objects.filter(pk=member.pk).update(bears_address_since=at, created_at=at, last_given_at=None)
    User.objects.filter(email=member.email).update(created_at=at, last_seen_at=None, warned_at=None)
    member.refresh_from_db()
    return member


def warned_since(member: Member, days: int) -> None:
    User.objects.filter(email=member.email).update(warned_at=timezone.now() - timedelta(days=days))


def is_known(member: Member) -> bool:
    return Member.objects.get(pk=member.pk).last_name != ""


def warnings() -> int:
    return Delivery.objects.filter(kind="idle").count()


def test_nobody_is_erased_before_an_email_and_thirty_days(zoe, post):
    actions.apply_retention()
    actions.apply_retention()
    outbox_actions.send_due()

    assert is_known(zoe) and warnings() == 1
    (letter,) = post.to(zoe.email)
    assert "Dans 30 jours" in letter.get_body(("plain",)).get_content()

    warned_since(zoe, 29)
    actions.apply_retention()
    assert is_known(zoe)
    warned_since(zoe, 31)
    actions.apply_retention()
    assert not is_known(zoe) and warnings() == 1


def test_whoever_comes_after_the_warning_stays_and_is_warned_again_when_she_is_away_again(zoe):
    warned_since(zoe, 31)
    User.objects.filter(email=zoe.email).update(last_seen_at=timezone.now() - timedelta(days=2))
    actions.apply_retention()
    assert is_known(zoe) and warnings() == 0

    User.objects.filter(email=zoe.email).update(
        warned_at=timezone.now() - LONG_AGO, last_seen_at=timezone.now() - LONG_AGO + timedelta(days=9)
    )
    actions.apply_retention()
    assert is_known(zoe) and warnings() == 1


def test_the_warning_is_not_sent_to_whom_came_meanwhile(zoe, post):
    actions.apply_retention()
    User.objects.filter(email=zoe.email).update(last_seen_at=timezone.now())

    outbox_actions.send_due()

    assert post.to(zoe.email) == []


@pytest.mark.parametrize("kept_by", ["a ticket to come", "an authorisation as relay", "the staff", "a ticket given lately"])
def test_what_holds_a_person_back(zoe, relay, kept_by):
    warned_since(zoe, 31)
    user = factories.login(zoe.email)
    match kept_by:
        case "a ticket to come":
            factories.given(zoe, factories.stock(relay.company, 1), by=relay.user)
            Member.objects.filter(pk=zoe.pk).update(last_given_at=None)
        case "an authorisation as relay":
            factories.RelayFactory(user=user)
        case "the staff":
            User.objects.filter(pk=user.pk).update(is_staff=True)
        case _:
            Member.objects.filter(pk=zoe.pk).update(last_given_at=timezone.now() - timedelta(days=60))

    actions.apply_retention()
    assert is_known(zoe)

    User.objects.filter(pk=user.pk).update(warned_at=None)
    actions.apply_retention()
    assert warnings() == 0


def test_a_withdrawn_relay_who_has_long_gone_is_erased(zoe, relay):
    past = factories.RelayFactory(user=factories.login(zoe.email), last_name="Lefèvre")
    past.withdrawn_at = timezone.now() - timedelta(days=800)
    past.save()
    warned_since(zoe, 31)

    actions.apply_retention()

    past.refresh_from_db()
    assert (past.first_name, past.last_name, str(past)) == ("", "", "personne effacée")
    assert not is_known(zoe)


def test_who_left_a_list_long_ago_is_erased_there_alone(relay):
    member = factories.MemberFactory(company=relay.company)
    elsewhere = factories.MemberFactory(email=member.email)
    Member.objects.filter(pk=member.pk).update(left_on=timezone.localdate() - timedelta(days=900))

    actions.apply_retention()

    assert not is_known(member) and is_known(elsewhere)
    assert User.objects.filter(email=elsewhere.email).exists()


def test_a_member_without_address_who_holds_a_ticket_to_come_stays(relay):
    member = factories.MemberFactory(company=relay.company, email="")
    factories.given(member, factories.stock(relay.company, 1), by=relay.user)
    Member.objects.filter(pk=member.pk).update(created_at=timezone.now() - LONG_AGO, last_given_at=None)

    actions.apply_retention()

    assert is_known(member)
    assert Ticket.objects.get(member=member).status == "distributed"
