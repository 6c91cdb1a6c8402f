"""The seats of a numbered product as a form shows them: row by row, with those chosen, or those that the portal proposes."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.forms import as_uuid
from tickets.models import Product, Seat, Ticket
from tickets.models.ticket import TicketQuerySet
from tickets.seating import Hall, front, groups, propose, runs_of


@dataclass
class Place:
    """One box to tick: a seat, or a wheelchair place with its companion's."""

    ticket: Ticket
    words: str
    label: str
    chosen: bool


@dataclass
class Row:
    words: str
    places: list[Place] = field(default_factory=list)
    free: int = 0

    @property
    def chosen(self) -> int:
        return sum(place.chosen for place in self.places)


class SeatMap:
    """The free seats of a company's stock of a product. Empty for a product without numbered seats."""

    def __init__(self, product: Product, stock: TicketQuerySet):
        self.free = list(stock.select_related("seat").by_seat()) if product.numbered else []
        self.hall = Hall.of(product.event) if self.free else Hall()
        self.by_id = {ticket.public_id: ticket for ticket in self.free}
        self.by_seat = {ticket.seat_id: ticket for ticket in self.free}

    def __bool__(self) -> bool:
        return bool(self.free)

    def partner(self, ticket: Ticket) -> Ticket | None:
        """The free ticket that goes together with this one, a wheelchair place with its companion's."""
        return self.by_seat.get(self.hall.partners.get(ticket.seat_id or 0))

    def with_partners(self, chosen: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        """These tickets, each once, and those that go together with one of them."""
        found: dict[uuid.UUID, None] = {}
        for key in chosen:
            found[key] = None
            if (ticket := self.by_id.get(key)) and (partner := self.partner(ticket)):
                found[partner.public_id] = None
        return list(found)

    def keys(self, chosen: Iterable[uuid.UUID]) -> list[int]:
        """Their keys; 0 for one that is not free any more, which the act then refuses."""
        return [self.by_id[key].pk if key in self.by_id else 0 for key in chosen]

    def propose(self, quantities: Sequence[int], taken: Collection[uuid.UUID] = ()) -> list[list[Ticket]]:
        """What would be given to people who are to have so many each, beside what is taken; nothing where that can't be."""
        seats = [ticket.seat for ticket in self.free if ticket.seat and ticket.public_id not in taken]
        found = propose(seats, quantities, self.hall) or [[] for _ in quantities]
        return [[self.by_seat[seat.pk] for seat in seats] for seats in found]

    def rows(self, chosen: Collection[uuid.UUID], others: Collection[uuid.UUID] = ()) -> list[Row]:
        """The rows with a free seat, the front-most first, without those that are `others`’."""
        free = [ticket for ticket in self.free if ticket.seat and ticket.public_id not in others]
        free.sort(key=lambda ticket: (front((ticket.seat.block, ticket.seat.row)), ticket.seat.place_in_row, ticket.number))
        rows = []
        for (block, name), tickets in groupby(free, key=lambda ticket: (ticket.seat.block, ticket.seat.row)):
            row = Row(row_words(block, name))
            for ticket in tickets:
                row.free += 1
                partner = self.partner(ticket)
                if partner and ticket.seat.kind == Seat.Kind.COMPANION and partner.public_id not in others:
                    continue  # offered with the wheelchair place
                row.places.append(place(ticket, partner, ticket.public_id in chosen))
            rows.append(row)
        return rows


def place(ticket: Ticket, partner: Ticket | None, chosen: bool) -> Place:
    assert ticket.seat
    words = ticket.seat.number
    if partner and partner.seat:
        words = _("%(number)s and %(other)s, wheelchair and companion") % {"number": words, "other": partner.seat.number}
    elif ticket.seat.kind != Seat.Kind.ORDINARY:
        words = f"{words}, {ticket.seat.get_kind_display()}"
    return Place(ticket, words, str(ticket.seat), chosen)


def row_words(block: str, row: str) -> str:
    return ", ".join(word for word in (block, _("row %(row)s") % {"row": row} if row else "") if word) or _("Seats")


def seats_in_words(seats: Sequence[Seat]) -> str:
    """Tribune Ouest, rang C, places 4 à 6 ; rang D, place 1."""
    parts, block = [], ""
    for run in runs_of(seats):
        first, last = run[0], run[-1]
        words = [first.block if first.block != block else "", _("row %(row)s") % {"row": first.row} if first.row else ""]
        if len(run) == 1:
            words.append(_("seat %(number)s") % {"number": first.number})
        else:
            words.append(_("seats %(first)s to %(last)s") % {"first": first.number, "last": last.number})
        parts.append(", ".join(word for word in words if word))
        block = first.block
    return _("; ").join(parts)


def in_words(tickets: Sequence[Ticket]) -> str:
    """Where these tickets sit, and in how many groups where they don't sit together."""
    seats = [ticket.seat for ticket in tickets if ticket.seat]
    words = seats_in_words(seats)
    if (count := groups(seats)) > 1:
        sentence = ngettext("%(words)s (%(n)d seat in %(count)d groups)", "%(words)s (%(n)d seats in %(count)d groups)", len(seats))
        return sentence % {"n": len(seats), "count": count, "words": words}
    return words


@dataclass
class SeatChoice:
    """The seats of a form for one batch: hand over, forward."""

    map: SeatMap
    chosen: list[uuid.UUID]
    asked: bool  # for a proposal: nothing is done yet
    said: str = ""

    def propose_for(self, form: forms.Form) -> None:
        """Tick what the portal proposes for the number in the form; what else it lacks is not spoken of yet."""
        form.is_valid()
        for name in [name for name in form.errors if name != "quantity"]:
            del form.errors[name]
        quantity = form.cleaned_data.get("quantity")
        if not quantity:
            return
        (tickets,) = self.map.propose([quantity])
        self.chosen = [ticket.public_id for ticket in tickets]
        self.said = in_words(tickets) if tickets else _("No seats can be proposed for this number.")
        if groups([ticket.seat for ticket in tickets if ticket.seat]) > 1:
            self.said = _("No row has so many side by side: %(seats)s") % {"seats": self.said}

    @property
    def keys(self) -> list[int]:
        return self.map.keys(self.chosen)

    @property
    def rows(self) -> list[Row]:
        return self.map.rows(self.chosen)


def seat_choice(product: Product, stock: TicketQuerySet, data) -> SeatChoice:
    """What the form says of seats."""
    found = SeatMap(product, stock)
    sent = [key for raw in data.getlist("seat") if (key := as_uuid(raw))] if data else []
    return SeatChoice(found, found.with_partners(sent), bool(data) and "propose" in data)
