"""The seats that the portal proposes, against every way there is to choose them in small halls."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import factories
from tickets.models import Seat
from tickets.seating import Hall, front, groups, natural, parted, partners_of, propose

KINDS = {"o": Seat.Kind.ORDINARY, "w": Seat.Kind.WHEELCHAIR, "c": Seat.Kind.COMPANION}


def seats_of(rows: dict[str, str], block: str = "") -> list[Seat]:
    """One letter a place: o, w, c, or anything else for a place that is not there."""
    made = [(row, place, kind) for row, kinds in rows.items() for place, kind in enumerate(kinds, 1) if kind in KINDS]
    return [
        Seat(pk=pk, block=block, row=row, number=str(place), place_in_row=place, kind=KINDS[kind])
        for pk, (row, place, kind) in enumerate(made, 1)
    ]


def hall_of(seats: list[Seat]) -> Hall:
    places: dict[tuple, list[int]] = {}
    for seat in seats:
        places.setdefault((seat.block, seat.row), []).append(seat.place_in_row)
    special = sorted((seat for seat in seats if seat.kind != "ordinary"), key=lambda seat: (seat.row, seat.place_in_row))
    return Hall({row: (min(at) + max(at)) / 2 for row, at in places.items()}, partners_of(special))


def named(seats) -> list[str]:
    return sorted(f"{seat.row}{seat.number}" for seat in seats)


def proposed(rows: dict[str, str], *quantities: int, taken: str = "") -> list[list[str]] | None:
    every = seats_of(rows)
    free = [seat for seat in every if f"{seat.row}{seat.number}" not in taken.split()]
    found = propose(free, quantities, hall_of(every))
    return None if found is None else [named(seats) for seats in found]


def test_together_in_the_front_row_around_its_middle():
    assert proposed({"A": "ooooooo", "B": "ooooooo"}, 3) == [["A3", "A4", "A5"]]


def test_no_lone_seat_is_left_where_that_can_be():
    assert proposed({"A": "oooo"}, 3) == [["A1", "A2", "A3"]]
    assert proposed({"A": "ooooo"}, 3) == [["A1", "A2", "A3"]]
    assert proposed({"A": "ooooooo"}, 5) == [["A1", "A2", "A3", "A4", "A5"]]


def test_the_front_most_row_with_room_wins_and_row_2_is_before_row_10():
    assert proposed({"10": "oooo", "2": "oo.oo", "3": "ooo"}, 3) == [["31", "32", "33"]]
    assert sorted(["AA", "B", "10", "2", "A"], key=natural) == ["2", "10", "A", "B", "AA"]


def test_the_fewest_groups_where_no_row_has_room():
    (seats,) = proposed({"A": "oo", "B": "oooo", "C": "ooo"}, 6)

    assert seats == ["A1", "A2", "B1", "B2", "B3", "B4"]


def test_each_person_of_several_is_seated_together():
    assert proposed({"A": "ooooo", "B": "ooooo"}, 2, 5, 3) == [["B4", "B5"], ["A1", "A2", "A3", "A4", "A5"], ["B1", "B2", "B3"]]


def test_a_wheelchair_place_is_not_proposed_while_ordinary_seats_are_left():
    assert proposed({"A": "wcoo", "B": "oo"}, 4) == [["A3", "A4", "B1", "B2"]]


def test_a_wheelchair_place_and_its_companions_go_together_once_nothing_else_is_left():
    assert proposed({"A": "wcoo"}, 3) == [["A1", "A2", "A3"]]
    assert proposed({"A": "wcoo"}, 4) == [["A1", "A2", "A3", "A4"]]
    assert proposed({"A": "wc"}, 1) is None
    assert proposed({"A": "wcwc"}, 3) is None


def test_a_wheelchair_place_whose_companions_seat_is_gone_may_be_given_alone():
    assert proposed({"A": "wco"}, 2, taken="A2") == [["A1", "A3"]]


def test_each_wheelchair_place_has_the_companion_beside_it():
    seats = {named([seat])[0]: seat.pk for seat in seats_of({"A": "cwwc"})}
    partners = partners_of(seats_of({"A": "cwwc"}))

    assert partners[seats["A2"]] == seats["A1"] and partners[seats["A3"]] == seats["A4"]


def test_a_pair_given_to_two_people_is_parted_and_one_whose_half_is_not_free_is_not():
    every = seats_of({"A": "wco"})
    wheelchair, companion, ordinary = every
    hall = hall_of(every)

    assert parted([[wheelchair], [companion]], every, hall) == wheelchair
    assert parted([[companion, ordinary]], every, hall) == companion
    assert parted([[wheelchair, companion], [ordinary]], every, hall) is None
    assert parted([[wheelchair]], [wheelchair, ordinary], hall) is None


ROWS = st.dictionaries(st.sampled_from("ABC"), st.text("oo.", min_size=1, max_size=6), min_size=1, max_size=3)


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, wanted=st.integers(1, 6))
def test_no_choice_of_so_many_seats_is_in_fewer_groups_or_nearer_the_front(rows, wanted):
    every = seats_of(rows)
    if len(every) < wanted:
        assert propose(every, [wanted], hall_of(every)) is None
        return

    (seats,) = propose(every, [wanted], hall_of(every))

    assert len({seat.pk for seat in seats}) == wanted
    choices = [list(choice) for choice in combinations(every, wanted)]
    fewest = min(map(groups, choices))
    assert groups(seats) == fewest
    if fewest == 1:
        together = [choice for choice in choices if groups(choice) == 1]
        assert front(("", seats[0].row)) == min(front(("", choice[0].row)) for choice in together)


HALLS = st.dictionaries(st.sampled_from("ABC"), st.lists(st.sampled_from(["o", "o", "wc", "cw", "."]), max_size=4).map("".join), max_size=3)


@settings(max_examples=300, deadline=None)
@given(rows=HALLS, wanted=st.lists(st.integers(1, 4), min_size=1, max_size=4), gone=st.sets(st.integers(1, 20), max_size=4))
def test_nobody_gets_half_a_pair_nor_a_seat_twice_and_ordinary_seats_go_first(rows, wanted, gone):
    every = seats_of(rows)
    free, hall = [seat for seat in every if seat.pk not in gone], hall_of(every)

    found = propose(free, wanted, hall)

    if found is None:
        ordinary = sum(seat.kind == "ordinary" for seat in free)
        assert sum(wanted) > ordinary
        return
    given_seats = [seat for seats in found for seat in seats]
    assert [len(seats) for seats in found] == wanted and len({seat.pk for seat in given_seats}) == sum(wanted)
    assert {seat.pk for seat in given_seats} <= {seat.pk for seat in free}
    assert parted(found, free, hall) is None
    if any(seat.kind != "ordinary" for seat in given_seats):
        unused = [seat for seat in free if seat.kind == "ordinary" and seat.pk not in {seat.pk for seat in given_seats}]
        assert len(unused) <= 1  # one may stay where a pair makes up the number


@pytest.mark.django_db
def test_a_hall_is_read_in_two_queries(django_assert_num_queries):
    event = factories.EventFactory()
    for seat in seats_of({"A": "oowc", "B": "oooo"}):
        seat.event, seat.pk = event, None
        seat.save()

    with django_assert_num_queries(2):
        hall = Hall.of(event)

    assert hall.middles == {("", "A"): 2.5, ("", "B"): 2.5} and len(hall.partners) == 2
