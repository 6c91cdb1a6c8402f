"""Which of the free seats are given together when nobody has chosen them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from django.db.models import Max, Min

from tickets.models import Event, Seat

Run = list[Seat]  # seats of one row that follow each other
RowKey = tuple[str, str]


def natural(text: str) -> tuple:
    """Rows as they follow each other in a hall: 2 before 10, B before AA."""
    return tuple((0, int(part), "") if part.isdigit() else (1, len(part), part) for part in re.findall(r"\d+|\D+", text))


def front(row: RowKey) -> tuple:
    """The row nearest the stage first, whatever its block."""
    return natural(row[1]), natural(row[0])


@dataclass
class Hall:
    """What the proposal knows of a hall: the middle of each row, and which place is a wheelchair place's companion."""

    middles: dict[RowKey, float] = field(default_factory=dict)
    partners: dict[int, int] = field(default_factory=dict)

    @classmethod
    def of(cls, event: Event) -> "Hall":
        """In two queries."""
        seats = Seat.objects.filter(event=event).order_by()
        rows = seats.values_list("block", "row").annotate(first=Min("place_in_row"), last=Max("place_in_row"))
        special = seats.exclude(kind=Seat.Kind.ORDINARY).order_by("block", "row", "place_in_row", "pk")
        return cls({(block, row): (first + last) / 2 for block, row, first, last in rows}, partners_of(special))

    def from_middle(self, seat: Seat) -> float:
        return abs(seat.place_in_row - self.middles.get((seat.block, seat.row), seat.place_in_row))


def partners_of(special: Iterable[Seat]) -> dict[int, int]:
    """Each wheelchair place with the companion's place beside it, and the other way round; nobody has two."""
    places = {(seat.block, seat.row, seat.place_in_row): seat for seat in special}
    partners: dict[int, int] = {}
    for (block, row, place), seat in places.items():
        beside = [places.get((block, row, place + step)) for step in (1, -1)]
        free = [other for other in beside if other and other.kind == Seat.Kind.COMPANION and other.pk not in partners]
        if seat.kind == Seat.Kind.WHEELCHAIR and free:
            partners |= {seat.pk: free[0].pk, free[0].pk: seat.pk}
    return partners


def propose(free: Sequence[Seat], quantities: Sequence[int], hall: Hall) -> list[list[Seat]] | None:
    """The best seats for people who are to have so many each, of those free; None when there are none to propose.

    Seats side by side (one row, places that follow each other): of all such, those of the front-most row, then those
    that leave no lone seat beside them, then those nearest the middle of the row. Where no row has so many side by side,
    the fewest groups: the longest that there are, then the best place for the rest. Whoever wants most is seated first.

    A wheelchair place and its companion's go together or not at all, and only when the ordinary seats are too few.
    """
    ordinary = runs_of([seat for seat in free if seat.kind == Seat.Kind.ORDINARY])
    pairs, lone = special_units([seat for seat in free if seat.kind != Seat.Kind.ORDINARY], hall)
    left = sum(map(len, ordinary))
    found: dict[int, list[Seat]] = {}
    for index in sorted(range(len(quantities)), key=lambda index: -quantities[index]):
        quantity = quantities[index]
        with_pairs = max(0, -(-(quantity - left - len(lone)) // 2))
        rest = quantity - 2 * with_pairs
        if with_pairs > len(pairs) or rest < 0:
            return None
        from_rows = min(rest, left)
        seats = take_together(ordinary, from_rows, hall)
        seats += [lone.pop(0) for _ in range(rest - from_rows)]
        seats += [seat for _ in range(with_pairs) for seat in pairs.pop(0)]
        left -= from_rows
        found[index] = seats
    return [found[index] for index in range(len(quantities))]


def runs_of(seats: Iterable[Seat]) -> list[Run]:
    """Seats parted where a row ends or a place is missing, the front-most row first."""
    ordered = sorted(seats, key=lambda seat: (front((seat.block, seat.row)), seat.place_in_row, seat.pk))
    runs: list[Run] = [[seat] for seat in ordered[:1]]
    for before, seat in pairwise(ordered):
        if (before.block, before.row, before.place_in_row + 1) == (seat.block, seat.row, seat.place_in_row):
            runs[-1].append(seat)
        else:
            runs.append([seat])
    return runs


def special_units(seats: list[Seat], hall: Hall) -> tuple[list[Run], list[Seat]]:
    """The pairs of which both places are free, and the places whose partner's is not."""
    free = {seat.pk: seat for seat in seats}
    wheelchairs = [seat for seat in seats if seat.kind == Seat.Kind.WHEELCHAIR]
    pairs = [[seat, free[hall.partners[seat.pk]]] for seat in wheelchairs if hall.partners.get(seat.pk) in free]
    paired = {seat.pk for pair in pairs for seat in pair}
    pairs.sort(key=lambda pair: (front((pair[0].block, pair[0].row)), pair[0].place_in_row))
    return pairs, [seat for seat in seats if seat.pk not in paired]


def take_together(runs: list[Run], quantity: int, hall: Hall) -> list[Seat]:
    """Take so many out of the runs, in as few groups as can be. There must be as many."""
    taken: list[Seat] = []
    while quantity:
        at, start = place_for(runs, quantity, hall)
        run = runs[at]
        group = run[start : start + quantity]
        runs[at : at + 1] = [part for part in (run[:start], run[start + len(group) :]) if part]
        taken += group
        quantity -= len(group)
    return taken


def place_for(runs: list[Run], quantity: int, hall: Hall) -> tuple[int, int]:
    """The run, and the seat in it from which to take so many; the whole of the longest when none has as many."""
    first = next((at for at, run in enumerate(runs) if len(run) >= quantity), None)
    if first is None:
        return max(range(len(runs)), key=lambda at: len(runs[at])), 0  # of the longest, the front-most
    row = row_of(runs[first])
    in_the_row = takewhile(lambda at: row_of(runs[at]) == row, range(first, len(runs)))
    windows = [(at, start) for at in in_the_row for start in range(len(runs[at]) - quantity + 1)]
    return min(windows, key=lambda window: worth(runs[window[0]], window[1], quantity, hall))


def row_of(run: Run) -> RowKey:
    return run[0].block, run[0].row


def worth(run: Run, start: int, quantity: int, hall: Hall) -> tuple:
    """The less the better: the lone seats it leaves, then how far from the middle of the row."""
    before, after = start, len(run) - start - quantity
    group = run[start : start + quantity]
    return (before == 1) + (after == 1), sum(hall.from_middle(seat) for seat in group), start


def groups(seats: Sequence[Seat]) -> int:
    """In how many groups these seats are."""
    return len(runs_of(seats))


def parted(given: Iterable[Iterable[Seat]], free: Iterable[Seat], hall: Hall) -> Seat | None:
    """A seat of a wheelchair place and its companion's that is given without the other one, which is free too."""
    free_keys = {seat.pk for seat in free}
    for seats in given:
        together = {seat.pk: seat for seat in seats}
        for key, seat in together.items():
            partner = hall.partners.get(key)
            if partner in free_keys and partner not in together:
                return seat
    return None
