"""A structure without relay: a relay above names somebody, the seller authorises or says why not, or lets her do it herself."""

import uuid

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from accounts.actions import accept_proposal, propose_relay, refuse_proposal, withdraw_relays
from accounts.errors import HasRelays
from accounts.models import Company, Relay, RelayProposal, Seller
from accounts.steps import erase_logins
from distribution.my_data import data_of
from outbox import actions as outbox_actions
from outbox.models import Delivery
from tests import factories
from tests.portal.walk import BACKEND

pytestmark = pytest.mark.django_db
INES = {"first_name": "Inès", "last_name": "Caron", "email": "ines@exemple.fr"}


@pytest.fixture
def relay(relay):
    Seller.objects.update(email="billets@quais.example")
    return relay


@pytest.fixture
def site(relay) -> Company:
    return factories.CompanyFactory(name="Lyon", parent=relay.company)


@pytest.fixture
def staff(db):
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def as_staff(client, settings, staff):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(staff, backend=BACKEND)
    return client


def propose(relay: Relay, company: Company, key=None, **person) -> RelayProposal:
    return propose_relay(relay=relay, company=company, **(INES | person), request_key=key or uuid.uuid4())


def told(kind: str) -> list[str]:
    return sorted(Delivery.objects.filter(kind=kind).values_list("recipient", flat=True))


def test_a_person_proposed_has_no_right_until_the_seller_answers(relay, site):
    proposal = propose(relay, site)

    assert (proposal.state, proposal.relay) == ("pending", None)
    assert not Relay.objects.filter(company=site).exists()
    assert told("relay_proposed") == ["billets@quais.example"] and told("relay_welcome") == []


def test_the_seller_authorises_her_to_distribute_alone_and_both_are_told(relay, site, staff):
    proposal = propose(relay, site)

    for _ in range(2):
        accept_proposal(proposal=proposal.pk, by=staff)

    new = Relay.objects.get(company=site)
    assert (new.may_distribute, new.may_buy, new.may_manage, new.may_see_accounts) == (True, False, False, False)
    assert (new.user.email, new.authorised_by) == ("ines@exemple.fr", staff)
    assert (told("relay_welcome"), told("relay_answered")) == (["ines@exemple.fr"], [relay.user.email])


def test_the_seller_refuses_her_and_the_relay_is_told_why(relay, site, staff, post):
    proposal = propose(relay, site)

    for reason in ("Elle a quitté l'entreprise", "Encore"):
        refuse_proposal(proposal=proposal.pk, reason=reason, by=staff)
    accept_proposal(proposal=proposal.pk, by=staff)
    outbox_actions.send_due()

    assert not Relay.objects.filter(company=site).exists()
    (letter,) = post.to(relay.user.email)
    assert "Elle a quitté l’entreprise" in letter.get_body(("plain",)).get_content()


def test_the_same_request_and_the_same_person_are_proposed_once(relay, site):
    key = uuid.uuid4()

    proposals = {propose(relay, site, key), propose(relay, site, key), propose(relay, site)}

    assert len(proposals) == RelayProposal.objects.count() == 1
    assert len(told("relay_proposed")) == 1


@pytest.mark.parametrize("setting", [True, False])
@pytest.mark.parametrize("manages", [True, False])
@pytest.mark.parametrize("kind", ["child", "grandchild", "partner"])
def test_at_once_only_where_the_seller_lets_a_relay_who_manages_and_for_her_own_children(relay, site, setting, manages, kind):
    Seller.objects.update(relays_authorise_below=setting)
    relay.may_manage = manages
    relay.save()
    other = {"child": site, "grandchild": factories.CompanyFactory(parent=site), "partner": factories.CompanyFactory()}[kind]
    if kind != "child":
        relay.company.partners.add(other)

    proposal = propose(relay, other)

    assert proposal.was_let == Relay.objects.filter(company=other).exists() == (setting and manages and kind == "child")
    if proposal.was_let:
        new = Relay.objects.get(company=other)
        assert (new.authorised_by, new.may_manage, new.may_buy, new.may_see_accounts) == (relay.user, False, False, False)
    assert told("relay_proposed") == ["billets@quais.example"] and told("relay_answered") == []


def test_nobody_is_named_where_somebody_acts_already_nor_for_a_stranger(relay, site):
    factories.RelayFactory(company=site)

    with pytest.raises(HasRelays):
        propose(relay, site)
    with pytest.raises(Company.DoesNotExist):
        propose(relay, factories.CompanyFactory())
    assert not RelayProposal.objects.exists()


def test_a_relay_whose_last_day_is_past_may_be_named_again(relay, site, staff):
    old = factories.RelayFactory(company=site, user=factories.login("ines@exemple.fr"), until="2026-01-01")

    accept_proposal(proposal=propose(relay, site).pk, by=staff)

    old.refresh_from_db()
    assert old.withdrawn_at
    assert Relay.objects.authorised().get(company=site).until is None


def test_a_relay_withdrawn_meanwhile_is_not_told_the_answer(relay, site, staff, post):
    proposal = propose(relay, site)
    withdraw_relays(relays=[relay.pk], by=staff)

    accept_proposal(proposal=proposal.pk, by=staff)
    outbox_actions.send_due()

    assert post.to(relay.user.email) == [] and len(post.to("ines@exemple.fr")) == 1


def test_the_page_proposes_and_the_forward_page_says_who_waits(as_relay, relay, site):
    product = factories.stock(relay.company, 3)
    forward = reverse("distribution:forward", args=[relay.company.public_id, product.public_id])
    page = reverse("distribution:propose_relay", args=[relay.company.public_id, product.public_id, site.public_id])
    assert page in as_relay.get(forward).content.decode()
    wrong = as_relay.post(page, INES | {"email": "ines", "request_key": str(uuid.uuid4())})
    assert wrong.status_code == 422 and "Caron" in wrong.content.decode()

    answer = as_relay.post(page, INES | {"request_key": str(uuid.uuid4())}, follow=True).content.decode()

    assert "Vous avez proposé Inès Caron" in answer and "n’a pas encore répondu" in answer
    other = factories.RelayFactory(company=factories.CompanyFactory())
    other.company.partners.add(site)
    as_relay.force_login(other.user, backend=BACKEND)
    theirs = as_relay.get(reverse("distribution:forward", args=[other.company.public_id, factories.stock(other.company, 1).public_id]))
    assert "Inès" not in theirs.content.decode()


def test_an_address_known_elsewhere_is_answered_like_an_unknown_one(as_relay, relay, site):
    product = factories.stock(relay.company, 3)
    page = reverse("distribution:propose_relay", args=[relay.company.public_id, product.public_id, site.public_id])
    factories.RelayFactory(user=factories.login("connue@exemple.fr"))

    answers = [
        as_relay.post(page, INES | {"email": f"{who}@exemple.fr", "request_key": str(uuid.uuid4())}) for who in ("connue", "inconnue")
    ]

    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, answers[0]["Location"])}


def test_staff_answer_from_the_proposals_page(as_staff, relay, site):
    proposal = propose(relay, site)
    page = reverse("admin:accounts_relayproposal_change", args=[proposal.pk])
    answer = reverse("admin:accounts_relayproposal_answer", args=[proposal.pk])
    assert "Autoriser à distribuer" in as_staff.get(page).content.decode()
    as_staff.get(answer)
    assert "Dites pourquoi" in as_staff.post(answer, {"reason": " "}, follow=True).content.decode()
    proposal.refresh_from_db()
    assert proposal.state == "pending"

    said = as_staff.post(answer, {"accept": "1"}, follow=True).content.decode()

    assert "Inès Caron est relais de la structure Lyon" in said and "Autoriser à distribuer" not in said


def test_staff_without_the_right_to_authorise_relays_do_not_answer(client, settings, relay, site):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True), backend=BACKEND)
    proposal = propose(relay, site)

    assert client.post(reverse("admin:accounts_relayproposal_answer", args=[proposal.pk]), {"accept": "1"}).status_code == 403
    assert not Relay.objects.filter(company=site).exists()


def test_who_was_proposed_sees_it_and_it_goes_with_her(relay, site):
    ines = factories.login(INES["email"])
    propose(relay, site)
    at = timezone.now()
    assert [(row["company"], row["first_name"]) for row in data_of(ines, at)["proposed"]] == [("Lyon", "Inès")]

    with transaction.atomic():
        erase_logins([ines], at=at)

    assert not RelayProposal.objects.exists()
