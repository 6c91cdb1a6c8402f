"""The history of one ticket in words: who, when, what, from whom, to whom."""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Company, Relay
from distribution.models import Distribution
from members.models import Member
from portal.templatetags.words import moment
from tickets.models import Movement, Ticket


@dataclass
class Entry:
    at: datetime
    words: str
    copy: int
    message: str = ""  # the word that the member or the relay added


def history_of(ticket: Ticket, relay: Relay) -> list[Entry]:
    """Every movement of the ticket, latest first. Beneficiaries' names are the member's affair: they are not told."""
    movements = told(ticket.movements.order_by("-pk"))
    names = names_of(relay.company)
    said = messages_of({m.act for m in movements}, relay.company)
    return [Entry(m.at, words(m, who(m, names)), m.generation + 1, said.get((m.act, m.kind), "")) for m in movements]


def latest(tickets: Collection[Ticket], relay: Relay) -> dict[int, str]:
    """By key, what last happened to each of these tickets (read `for_list`), in words and when. In two queries."""
    names = names_of(relay.company)
    zones = {ticket.pk: ticket.event.venue.zone for ticket in tickets}
    movements = told(Movement.objects.filter(ticket__in=zones).order_by("ticket_id", "-pk").distinct("ticket_id"))
    return {m.ticket_id: f"{words(m, who(m, names))}, {moment(m.at, zones[m.ticket_id])}" for m in movements}


def told(movements):
    """With everything that their words name."""
    return movements.select_related("from_company", "to_company", "from_member", "to_member", "actor")


def names_of(company: Company) -> dict[int, str]:
    """The company's relays, those withdrawn too, by the key of their login."""
    return {relay.user_id: str(relay) for relay in Relay.objects.filter(company=company)}


def messages_of(acts: Iterable[uuid.UUID | None], company: Company) -> dict[tuple, str]:
    """The words added to these acts of the company's tickets, by act and kind of movement that they explain."""
    kinds = {"give_back": "given_back", "reclaim": "reclaimed", "reassign": "reclaimed"}
    found = Distribution.objects.filter(public_id__in=acts, company=company, kind__in=kinds).exclude(message="")
    return {(act.public_id, kinds[act.kind]): act.message for act in found}


def who(movement: Movement, names: dict[int, str]) -> str:
    """Who acted, as the relay may know it: a colleague by name, others by their part."""
    if movement.actor is None:
        return _("the seller")
    if movement.actor_id in names:
        return names[movement.actor_id]
    if movement.actor.is_staff:
        return _("the seller")
    return _("the member")


def words(m: Movement, actor: str) -> str:
    values = {"actor": actor, "member": m.to_member or m.from_member or "", "from": m.from_company or "", "to": m.to_company or ""}
    values["gone"] = m.from_member or ""
    sentences = {
        "issued": _("Issued to %(to)s"),
        "distributed": _("Distributed to %(member)s by %(actor)s"),
        "forwarded": _("Forwarded from %(from)s to %(to)s by %(actor)s"),
        "printed": _("Printed, or shown on a phone, by %(actor)s"),
        "handed_over": _("Printed by %(actor)s, to be handed over on paper"),
        "renamed": _("Name written by %(actor)s"),
        "reclaimed": reclaimed(m),
        "undone": _("Distribution to %(member)s undone by %(actor)s"),
        "given_back": _("Given back by %(member)s"),
        "merged": _("With %(member)s: the entry of %(gone)s was merged into this one by %(actor)s"),
        "reissued": _("New barcode made by %(actor)s: earlier prints are dead"),
        "checked": _("Checked at the gate"),
        "cancelled": _("Cancelled by %(actor)s"),
    }
    return sentences[m.kind] % values


def reclaimed(m: Movement) -> str:
    if m.to_company:
        return _("Reclaimed from %(from)s by %(actor)s")
    return _("Reclaimed from %(member)s by %(actor)s") if m.from_member else _("Reclaimed by %(actor)s")


def losers_of(acts: Iterable[Distribution]) -> dict[uuid.UUID | None, list[Member | None]]:
    """By act, the people whom it took tickets from, or who gave theirs back."""
    kinds = ["reclaimed", "undone", "given_back"]
    lost = Movement.objects.filter(act__in=[act.public_id for act in acts], kind__in=kinds, from_member__isnull=False)
    found: dict[uuid.UUID | None, list[Member | None]] = {}
    for movement in lost.order_by("act", "from_member_id").distinct("act", "from_member_id").select_related("from_member"):
        found.setdefault(movement.act, []).append(movement.from_member)
    return found
