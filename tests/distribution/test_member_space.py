"""The member's space: what she holds, whose name is on it, what leaves the system when she prints."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from distribution.actions import give_back, print_mine, rename
from distribution.errors import NamesAreClosed, NothingToPrint, TicketHasChanged
from members.models import Consent
from tests import factories
from tests.distribution.test_undo_and_reclaim import take_back
from tickets import steps as tickets_steps
from tickets.models import Event, Movement
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")


@pytest.fixture
def user(zoe):
    return factories.login(zoe.email)


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 3)


@pytest.fixture
def ticket(relay, zoe, product):
    return factories.given(zoe, product, by=relay.user)[0]


@pytest.fixture
def as_member(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_whoever_proves_an_address_sees_the_tickets_of_every_member_who_bears_it(relay, product, ticket, user, as_member):
    son = factories.MemberFactory(company=relay.company, first_name="Kofi", last_name="Lefèvre", email=user.email)
    factories.given(son, product, by=relay.user)

    page = as_member.get("/my/").content.decode()

    assert "Zoé Lefèvre" in page and "Kofi Lefèvre" in page


def test_naming_an_unprinted_ticket_keeps_its_generation(ticket, user):
    rename(user=user, ticket=ticket.public_id, generation=0, first_name="Kofi", last_name="Mensah")

    ticket.refresh_from_db()
    assert (ticket.beneficiary, ticket.generation, ticket.status) == ("Kofi Mensah", 0, "distributed")


def test_renaming_a_printed_ticket_kills_the_old_print(ticket, user):
    factories.printed([ticket])

    rename(user=user, ticket=ticket.public_id, generation=0, first_name="Kofi", last_name="Mensah")

    ticket.refresh_from_db()
    assert (ticket.generation, ticket.printed_generation, ticket.status) == (1, None, "distributed")


def test_the_same_name_again_changes_nothing(ticket, user):
    for _ in range(2):
        rename(user=user, ticket=ticket.public_id, generation=0, first_name="Kofi", last_name="Mensah")

    assert Movement.objects.filter(kind="renamed").count() == 1


def test_names_close_at_the_events_deadline(ticket, user, as_member):
    Event.objects.update(names_until=timezone.now() - timedelta(seconds=1))

    with pytest.raises(NamesAreClosed):
        rename(user=user, ticket=ticket.public_id, generation=0, first_name="Kofi", last_name="Mensah")
    assert "Les noms pouvaient être écrits" in as_member.get(f"/my/tickets/{ticket.public_id}/name/").content.decode()


def test_a_page_that_shows_an_older_generation_does_nothing(ticket, user, as_member):
    factories.printed([ticket])
    rename(user=user, ticket=ticket.public_id, generation=0, first_name="Kofi", last_name="Mensah")

    with pytest.raises(TicketHasChanged):
        rename(user=user, ticket=ticket.public_id, generation=0, first_name="Adjoa", last_name="Mensah")
    with pytest.raises(TicketHasChanged):
        print_mine(user=user, shown={ticket.public_id: 0})
    answer = as_member.post("/my/print/", {"ticket": f"{ticket.public_id}:0"}, follow=True)
    assert "Ce billet a changé" in answer.content.decode()


def test_printing_writes_the_members_name_where_there_is_no_other(ticket, user, as_member):
    answer = as_member.post("/my/print/", {"ticket": f"{ticket.public_id}:0"})

    ticket.refresh_from_db()
    assert answer["Content-Type"] == "application/pdf"
    assert (ticket.status, ticket.printed_generation, ticket.beneficiary_last_name) == ("printed", 0, "Lefèvre")


def test_showing_on_the_phone_is_a_print(ticket, as_member):
    page = as_member.post(f"/my/tickets/{ticket.public_id}/show/", {"ticket": f"{ticket.public_id}:0"})

    ticket.refresh_from_db()
    assert "data:image/png" in page.content.decode()
    assert ticket.status == "printed"


def test_a_ticket_given_back_is_the_companys_again_and_its_relays_are_told(relay, product, ticket, user, as_member):
    factories.printed([ticket])
    url, key = f"/my/tickets/{ticket.public_id}/give-back/", str(uuid.uuid4())
    form = {"message": "De garde ce soir-là", "generation": "0", "request_key": key}

    for _twice in range(2):
        answer = as_member.post(url, form, follow=True)

    assert "peut donner ce billet" in answer.content.decode() or "Vous avez rendu" in answer.content.decode()
    ticket.refresh_from_db()
    assert (ticket.status, ticket.member, ticket.generation, ticket.company) == ("available", None, 1, relay.company)
    movement = Movement.objects.get(kind="given_back")
    assert (movement.actor, movement.from_member.email) == (user, user.email)
    assert factories.owed().get(kind="ticket_given_back").recipient == relay.user.email
    assert figures_of(relay.company, product).left == 3
    again = give_back(user=user, ticket=ticket.public_id, generation=0, message="", request_key=uuid.UUID(key))
    assert again.message == "De garde ce soir-là"


def test_giving_back_from_an_old_page_or_after_the_gate_does_nothing(ticket, user):
    give = {"user": user, "ticket": ticket.public_id, "message": ""}
    with pytest.raises(TicketHasChanged):
        give_back(**give, generation=3, request_key=uuid.uuid4())
    with transaction.atomic():
        assert tickets_steps.check(number=ticket.number, event=ticket.event, generation=0)
    with pytest.raises(TicketHasChanged):
        give_back(**give, generation=0, request_key=uuid.uuid4())


def test_what_is_over_is_not_given_back(ticket, user):
    ago = timezone.now() - timedelta(days=2)
    Event.objects.filter(pk=ticket.event_id).update(valid_from=ago, starts_at=ago, valid_until=ago + timedelta(days=1))
    with pytest.raises(TicketHasChanged):
        give_back(user=user, ticket=ticket.public_id, generation=0, message="", request_key=uuid.uuid4())


def test_nothing_chosen_is_nothing_printed(user):
    with pytest.raises(NothingToPrint):
        print_mine(user=user, shown={})


def test_someone_elses_ticket_is_not_hers(relay, product, ticket, as_member):
    (other,) = factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user)

    assert as_member.get(f"/my/tickets/{other.public_id}/name/").status_code == 404
    as_member.post("/my/print/", {"ticket": f"{other.public_id}:0"})
    other.refresh_from_db()
    assert other.status == "distributed"


def test_a_reclaimed_ticket_says_so(relay, product, ticket, as_member):
    take_back(relay, product, ticket)

    page = as_member.get("/my/").content.decode()

    assert f"a repris le billet {ticket.number}" in page


def test_the_event_goes_into_her_calendar(ticket, as_member):
    answer = as_member.get(f"/my/events/{ticket.event.public_id}/calendar.ics")

    assert "SUMMARY:Nuit Ravel" in answer.content.decode()
    assert answer["Content-Type"].startswith("text/calendar")


def test_consent_is_asked_unticked_kept_and_withdrawn(ticket, user, as_member):
    assert "Les offres de" in as_member.get("/my/").content.decode()
    assert not Consent.objects.exists()

    as_member.post("/my/offers/", {"answer": "yes"})
    as_member.post("/my/offers/", {"answer": "yes"})
    given = Consent.objects.get()
    assert given.given_at and given.text.startswith("Je souhaite recevoir")

    as_member.post("/my/offers/", {"answer": "no"})
    given.refresh_from_db()
    assert given.withdrawn_at
    assert Consent.objects.get(withdrawn_at=None).declined_at
