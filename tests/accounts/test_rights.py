"""The right to accounts alone: amounts and quantities, no names, on no page and in no email."""

import uuid
from itertools import product as every

import pytest
from django.utils import timezone

from accounts.models import Company, Relay
from distribution.actions import give_back
from outbox.models import Delivery
from tests import factories
from tickets.audience import audience
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
RIGHTS = ["may_distribute", "may_buy", "may_manage", "may_see_accounts"]


@pytest.fixture
def accountant(relay):
    return factories.RelayFactory(company=relay.company, may_distribute=False, may_see_accounts=True)


def test_whoever_has_any_other_right_or_none_sees_tickets():
    for rights in every([True, False], repeat=4):
        Relay.objects.all().delete()
        relay = factories.RelayFactory(**dict(zip(RIGHTS, rights, strict=True)))
        sees = rights != (False, False, False, True)
        assert (relay.sees_tickets, Relay.objects.seeing_tickets().exists()) == (sees, sees), rights


def test_who_sees_no_ticket_is_told_of_none_and_receives_none(client, relay, accountant):
    member = factories.MemberFactory(company=relay.company)
    (ticket,) = factories.given(member, factories.stock(relay.company, 2), by=relay.user)
    give_back(user=factories.login(member.email), ticket=ticket.public_id, generation=0, message="", request_key=uuid.uuid4())

    assert not Delivery.objects.filter(recipient=accountant.user.email).exists()
    assert Delivery.objects.filter(recipient=relay.user.email, kind="ticket_given_back").exists()
    assert accountant.user.email not in audience(list(Ticket.objects.select_related("member")), timezone.now())
    relay.withdrawn_at = timezone.now()
    relay.save()
    assert not Company.objects.with_relays().filter(pk=relay.company.pk).exists()
    assert Ticket.objects.stranded().count() == 2


def test_the_home_of_the_company_is_then_its_account(client, relay, accountant):
    client.force_login(accountant.user, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get("/", follow=True)

    assert page.redirect_chain[-1][0] == f"/c/{relay.company.public_id}/account/"
    assert "Mes billets" not in page.content.decode()
