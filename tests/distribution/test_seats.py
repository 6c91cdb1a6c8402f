"""Numbered seats: proposed side by side, chosen row by row, and decided by the lock."""

import re
import uuid

import pytest

from distribution.actions import distribute, forward, hand_over
from distribution.errors import OnlyPairsLeft, PairParted, SeatTaken
from distribution.models import Distribution
from distribution.seats import seats_in_words
from tests import factories
from tests.distribution.test_distribute_list import said
from tests.tickets.test_seating import named, seats_of
from tickets.models import Seat, Ticket

pytestmark = pytest.mark.django_db


def hall(relay, rows: dict[str, str], block: str = ""):
    """A product whose every seat is the company's."""
    product = factories.ProductFactory(numbered=True)
    seats = seats_of(rows, block)
    for seat in seats:
        seat.pk, seat.event = None, product.event
    Seat.objects.bulk_create(seats)
    return factories.stock(relay.company, len(seats), product)


def tickets(product, *names) -> list[Ticket]:
    by_name = {named([t.seat])[0]: t for t in Ticket.objects.filter(product=product).select_related("seat")}
    return [by_name[name] for name in names]


def keys(product, *names) -> list[int]:
    return [ticket.pk for ticket in tickets(product, *names)]


def held(member) -> list[str]:
    return named(ticket.seat for ticket in member.tickets.select_related("seat"))


def give(relay, product, *gifts):
    gifts = [(member.pk, quantity, seats) for member, quantity, seats in gifts]
    return distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())


def test_whoever_gets_several_sits_together_and_so_does_each_of_several(relay):
    product = hall(relay, {"A": "ooooo", "B": "ooooo"})
    zoe, kofi, mai = factories.MemberFactory.create_batch(3, company=relay.company)

    give(relay, product, (zoe, 2, ()), (kofi, 5, ()), (mai, 3, ()))

    assert (held(zoe), held(kofi), held(mai)) == (["B4", "B5"], ["A1", "A2", "A3", "A4", "A5"], ["B1", "B2", "B3"])


def test_a_batch_of_paper_and_what_is_forwarded_are_together_too(relay):
    product = hall(relay, {"A": "oo.ooooo", "B": "ooooo"})
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))

    paper = hand_over(relay=relay, product=product, quantity=5, names=[], request_key=uuid.uuid4())
    forward(relay=relay, product=product, to=site.company, quantity=4, message="", request_key=uuid.uuid4())

    assert paper.quantity == 5
    assert named(t.seat for t in Ticket.objects.filter(status="printed")) == ["A4", "A5", "A6", "A7", "A8"]
    assert named(t.seat for t in Ticket.objects.filter(company=site.company)) == ["B1", "B2", "B3", "B4"]


def test_a_wheelchair_place_is_not_parted_from_its_companions(relay):
    product = hall(relay, {"A": "wco"})
    zoe, kofi = factories.MemberFactory.create_batch(2, company=relay.company)
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))

    with pytest.raises(PairParted):
        give(relay, product, (zoe, 1, keys(product, "A1")))
    with pytest.raises(PairParted):
        give(relay, product, (zoe, 1, keys(product, "A1")), (kofi, 1, keys(product, "A2")))
    with pytest.raises(PairParted):
        hand_over(relay=relay, product=product, quantity=1, names=[], chosen=keys(product, "A2"), request_key=uuid.uuid4())
    with pytest.raises(PairParted):
        forward(relay=relay, product=product, to=site.company, quantity=1, chosen=keys(product, "A1"), message="", request_key=uuid.uuid4())
    assert not Distribution.objects.exists()

    give(relay, product, (zoe, 2, keys(product, "A1", "A2")), (kofi, 1, ()))
    assert held(zoe) == ["A1", "A2"] and held(kofi) == ["A3"]


def test_half_a_pair_is_never_given_for_want_of_another_seat(relay):
    product = hall(relay, {"A": "wc"})
    zoe = factories.MemberFactory(company=relay.company)

    with pytest.raises(OnlyPairsLeft):
        give(relay, product, (zoe, 1, ()))

    assert held(zoe) == []


@pytest.fixture
def product(relay):
    return hall(relay, {"A": "wcoooo", "B": "oooooo"})


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")


@pytest.fixture
def url(relay, product):
    return f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"


def draft(member, quantity: int = 1, **more) -> dict:
    return {f"quantity-{member.public_id}": str(quantity), "request_key": str(uuid.uuid4()), **more}


def fields(page: str, name: str) -> list[str]:
    """The values of a form's hidden or ticked fields of this name."""
    inputs = re.findall(r"<input [^>]*>", page)
    mine = [i for i in inputs if f'name="{name}"' in i and ('type="hidden"' in i or " checked" in i)]
    return [re.search(r'value="([^"]*)"', i)[1] for i in mine]


def test_the_page_proposes_seats_and_what_was_seen_is_what_is_given(as_relay, relay, product, zoe, url):
    page = as_relay.post(url, draft(zoe, 3, refresh="")).content.decode()
    proposed = fields(page, f"proposed-{zoe.public_id}")
    assert "Proposé\xa0: rang A, places 3 à 5" in page

    as_relay.post(url, draft(zoe, 3, confirm="1", **{f"proposed-{zoe.public_id}": proposed}))

    assert sorted(str(t.public_id) for t in zoe.tickets.all()) == sorted(proposed)


def test_a_proposed_seat_that_is_gone_is_not_replaced_silently(as_relay, relay, product, zoe, url):
    proposed = fields(as_relay.post(url, draft(zoe, 2, refresh="")).content.decode(), f"proposed-{zoe.public_id}")
    give(relay, product, (factories.MemberFactory(company=relay.company), 1, [Ticket.objects.get(public_id=proposed[0]).pk]))

    answer = as_relay.post(url, draft(zoe, 2, confirm="1", **{f"proposed-{zoe.public_id}": proposed}))

    assert answer.status_code == 422 and "vient d’être donnée" in said(answer)
    again = fields(answer.content.decode(), f"proposed-{zoe.public_id}")
    assert not zoe.tickets.exists() and len(again) == 2 and proposed[0] not in again


def test_another_number_typed_since_leaves_the_choice_to_the_portal(as_relay, product, zoe, url):
    proposed = fields(as_relay.post(url, draft(zoe, 3, refresh="")).content.decode(), f"proposed-{zoe.public_id}")

    as_relay.post(url, draft(zoe, 2, confirm="1", **{f"proposed-{zoe.public_id}": proposed}))

    assert held(zoe) == ["A3", "A4"]


def test_seats_are_chosen_in_rows_with_what_is_free_and_a_pair_is_one_box(as_relay, product, zoe, url):
    page = said(as_relay.post(url, draft(zoe, 1, seats_of=str(zoe.public_id))))

    assert "<b>Rang A</b>" in page and "6 libres" in page and "1 et 2, fauteuil et accompagnant" in page
    assert page.count(f'name="seat-{zoe.public_id}"') == 11


def test_ticking_a_wheelchair_place_takes_its_companions_too(as_relay, product, zoe, url):
    (wheelchair,) = tickets(product, "A1")

    as_relay.post(url, draft(zoe, 1, confirm="1", **{f"seat-{zoe.public_id}": str(wheelchair.public_id)}))

    assert held(zoe) == ["A1", "A2"]


def test_the_seats_of_one_are_not_offered_to_another(as_relay, relay, product, zoe, url):
    kofi = factories.MemberFactory(company=relay.company)
    (seat,) = tickets(product, "A3")
    form = draft(zoe, 1, seats_of=str(kofi.public_id), **{f"seat-{zoe.public_id}": str(seat.public_id)})

    page = as_relay.post(url, form | {f"quantity-{kofi.public_id}": "1"}).content.decode()

    assert fields(page, f"seat-{zoe.public_id}") == [str(seat.public_id)]
    assert f'name="seat-{kofi.public_id}" value="{seat.public_id}"' not in page


def test_a_chosen_seat_that_is_gone_is_said_and_the_others_stay_chosen(as_relay, relay, product, zoe, url):
    gone, kept = tickets(product, "A3", "A4")
    give(relay, product, (factories.MemberFactory(company=relay.company), 1, [gone.pk]))
    field = f"seat-{zoe.public_id}"

    answer = as_relay.post(url, draft(zoe, 2, confirm="1", **{field: [str(gone.public_id), str(kept.public_id)]}))

    assert answer.status_code == 422 and "vient d’être donnée" in said(answer)
    assert fields(answer.content.decode(), field) == [str(kept.public_id)] and not zoe.tickets.exists()


@pytest.mark.parametrize("page", ["hand-over/", "forward/"])
def test_a_batch_is_proposed_first_and_nothing_is_done(as_relay, relay, product, page):
    factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/{page}"

    answer = as_relay.post(url, {"quantity": "4", "propose": "1", "request_key": str(uuid.uuid4())})

    assert answer.status_code == 200 and len(fields(answer.content.decode(), "seat")) == 4 and "Rang A, places 3 à 6" in said(answer)
    assert not Distribution.objects.exists()


def test_a_proposal_says_when_nobody_can_sit_together(as_relay, relay, product):
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/hand-over/"

    shown = said(as_relay.post(url, {"quantity": "8", "propose": "1", "request_key": str(uuid.uuid4())}))

    assert "Aucun rang n’en a autant côte à côte" in shown and "8 places en 2 groupes" in shown


def test_a_batch_whose_chosen_seat_is_gone_is_refused(as_relay, relay, product):
    gone, other = tickets(product, "B1", "B2")
    give(relay, product, (factories.MemberFactory(company=relay.company), 1, [gone.pk]))
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/hand-over/"

    form = {"quantity": "2", "seat": [str(gone.public_id), str(other.public_id)], "request_key": str(uuid.uuid4())}
    answer = as_relay.post(url, form)

    assert answer.status_code == 422 and Distribution.objects.count() == 1


def test_a_seat_given_meanwhile_is_taken(relay, product):
    (seat,) = keys(product, "B1")
    one, other = factories.MemberFactory.create_batch(2, company=relay.company)
    give(relay, product, (one, 1, [seat]))

    with pytest.raises(SeatTaken):
        give(relay, product, (other, 1, [seat]))


def test_seats_in_words():
    seats = seats_of({"A": "ooo.o", "B": "oo"}, "Tribune Ouest")

    assert seats_in_words(seats).replace("\u202f", " ") == "Tribune Ouest, rang A, places 1 à 3 ; rang A, place 5 ; rang B, places 1 à 2"
