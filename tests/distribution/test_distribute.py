"""A relay distributes tickets to members of her company: whole, once, to who is hers."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from distribution.actions import distribute
from distribution.errors import NobodyChosen, NotEnoughTickets, SeatTaken
from distribution.models import Distribution
from tests import factories
from tickets.models import Event, Movement, Seat, Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


def give(relay, product, *gifts, message="", key=None):
    gifts = [(member.pk, quantity, ()) for member, quantity in gifts]
    return distribute(relay=relay, product=product, gifts=gifts, message=message, request_key=key or uuid.uuid4())


def test_distributed_tickets_leave_the_stock_and_leave_a_trace(relay):
    product = factories.stock(relay.company, 3)
    zoe = factories.MemberFactory(company=relay.company)

    act = give(relay, product, (zoe, 2))

    assert zoe.tickets.count() == 2
    assert figures_of(relay.company, product).left == 1
    movements = Movement.objects.filter(to_member=zoe)
    assert [(m.kind, m.actor, m.act) for m in movements] == [("distributed", relay.user, act.public_id)] * 2


def test_each_address_gets_one_email_after_the_delay_to_undo(relay):
    product = factories.stock(relay.company, 3)
    mother = factories.MemberFactory(company=relay.company, email="famille@exemple.fr")
    son = factories.MemberFactory(company=relay.company, email="famille@exemple.fr")
    alone = factories.MemberFactory(company=relay.company, email="")

    act = give(relay, product, (mother, 1), (son, 1), (alone, 1))

    letter = factories.owed().get()
    assert (letter.recipient, letter.not_before) == ("famille@exemple.fr", act.undo_until)
    assert len(letter.refs["recipients"]) == 2


def test_members_see_nothing_before_the_delay_to_undo_is_over(relay):
    product = factories.stock(relay.company, 1)
    zoe = factories.MemberFactory(company=relay.company)
    give(relay, product, (zoe, 1))
    user = factories.login(zoe.email)

    assert not Ticket.objects.given_to(user).exists()

    Ticket.objects.update(shown_from=timezone.now() - timedelta(seconds=1))
    assert Ticket.objects.given_to(user).count() == 1


def test_when_stock_is_short_nothing_moves(relay):
    product = factories.stock(relay.company, 2)
    zoe, kofi = factories.MemberFactory.create_batch(2, company=relay.company)

    with pytest.raises(NotEnoughTickets) as refusal:
        give(relay, product, (zoe, 1), (kofi, 2))

    assert refusal.value.available == 2
    assert figures_of(relay.company, product).left == 2
    assert not factories.owed().exists()


def test_the_same_request_twice_is_done_once(relay):
    product = factories.stock(relay.company, 5)
    zoe = factories.MemberFactory(company=relay.company)
    key = uuid.uuid4()

    first, second = (give(relay, product, (zoe, 2), key=key) for _ in range(2))

    assert first == second
    assert zoe.tickets.count() == 2
    assert factories.owed().count() == 1


def test_a_member_of_another_company_is_never_given_anything(relay):
    product = factories.stock(relay.company, 1)
    stranger = factories.MemberFactory()

    with pytest.raises(NobodyChosen):
        give(relay, product, (stranger, 1))


@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_below_one_is_refused(relay, quantity):
    product = factories.stock(relay.company, 1)

    with pytest.raises(NobodyChosen):
        give(relay, product, (factories.MemberFactory(company=relay.company), quantity))


def test_past_events_are_no_longer_distributed(relay):
    product = factories.stock(relay.company, 1)
    Event.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=timezone.now() - timedelta(days=1))

    with pytest.raises(NotEnoughTickets):
        give(relay, product, (factories.MemberFactory(company=relay.company), 1))

    assert figures_of(relay.company, product).unused == 1


def test_chosen_seats_go_to_whom_they_were_chosen_for(relay):
    product = factories.ProductFactory(numbered=True)
    Seat.objects.bulk_create(Seat(event=product.event, row="A", number=str(n), place_in_row=n) for n in range(1, 5))
    factories.stock(relay.company, 4, product)
    zoe, kofi = factories.MemberFactory.create_batch(2, company=relay.company)
    third = Ticket.objects.get(seat__number="3")

    gifts = [(zoe.pk, 1, (third.pk,)), (kofi.pk, 1, ())]
    distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    assert zoe.tickets.get() == third
    assert kofi.tickets.get().seat.number == "4"  # the one that leaves no lone seat

    with pytest.raises(SeatTaken):
        distribute(relay=relay, product=product, gifts=[(kofi.pk, 1, (third.pk,))], message="", request_key=uuid.uuid4())


def test_the_page_keeps_the_draft_counts_it_and_confirms_once(as_relay, relay):
    product = factories.stock(relay.company, 5)
    zoe = factories.MemberFactory(company=relay.company, first_name="Zoé")
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"
    draft = {f"quantity-{zoe.public_id}": "2", "message": "À 19 h 30 devant les grilles", "request_key": str(uuid.uuid4())}

    shown = as_relay.post(url, draft | {"more": str(zoe.public_id)}).content.decode()
    assert 'value="3"' in shown and "Envoyer 3 billets à 1 personne" in " ".join(shown.split())
    assert "À 19 h 30 devant les grilles" in shown

    answers = [as_relay.post(url, draft | {"confirm": "1"}) for _ in range(2)]
    assert answers[0].status_code == 302
    assert answers[0]["Location"] == answers[1]["Location"]
    assert zoe.tickets.count() == 2


def test_one_for_me_is_one_click(as_relay, relay):
    product = factories.stock(relay.company, 5)
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"

    page = as_relay.post(url, {"one_for_me": "1", "request_key": str(uuid.uuid4())}).content.decode()

    assert relay.user.email in page
    assert "Envoyer 1 billet à 1 personne" in " ".join(page.split())


def test_search_finds_names_and_addresses_without_accents_last_given_first(as_relay, relay):
    product = factories.stock(relay.company, 2)
    for first, last in (("Zoé", "Lefèvre"), ("ZOE", "Dupont"), ("Adjoa", "Mensah")):
        factories.MemberFactory(
            company=relay.company, first_name=first, last_name=last, email=f"{last.lower().replace('è', 'e')}@exemple.fr"
        )
    factories.MemberFactory(first_name="Zoé", last_name="Ailleurs")
    lefevre = relay.company.members.get(last_name="Lefèvre")
    give(relay, product, (lefevre, 1))
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/people/"

    def found(words):
        return [member.last_name for member in as_relay.get(url, {"q": words}).context["found"]]

    assert found("zoë") == ["Lefèvre", "Dupont"]
    assert found("lefevre@exemple") == ["Lefèvre"]
    assert found("mens adj") == ["Mensah"]
    assert found("personne") == []


def test_same_address_other_name_shows_who_has_it(as_relay, relay):
    product = factories.stock(relay.company, 2)
    factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="famille@exemple.fr")
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"
    typed = {"new": "1", "first_name": "Kofi", "last_name": "Lefèvre", "email": "Famille@Exemple.fr", "request_key": str(uuid.uuid4())}

    refused = as_relay.post(url, typed)
    assert refused.status_code == 422
    assert "Choisir Zoé Lefèvre" in refused.content.decode()
    assert 'value="Kofi"' in refused.content.decode()

    shared = as_relay.post(url, typed | {"shares_address": "on"})
    assert shared.status_code == 200
    assert relay.company.members.filter(email="famille@exemple.fr").count() == 2


def test_a_relay_without_the_right_sees_but_does_not_distribute(client, seller):
    relay = factories.RelayFactory(may_distribute=False)
    product = factories.stock(relay.company, 2)
    client.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")
    base = f"/c/{relay.company.public_id}/products/{product.public_id}/"

    assert client.get(base).status_code == 200
    assert client.get(base + "distribute/").status_code == 403
    assert not Distribution.objects.exists()
