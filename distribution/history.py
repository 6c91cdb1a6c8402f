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
    """Every movement of the ticket, latest first, as her company may know it.

    Of other companies she is told which, never who: neither their relays nor their members. Beneficiaries' names are the
    member's affair.
    """
    movements = list(told(ticket.movements.order_by("-pk")))
    parts = parts_of(movements, relay)
    said = messages_of({m.act for m in movements}, relay.company)
    return [
        Entry(m.at, words(m, relay, who(m, companies, parts)), m.generation + 1, said.get((m.act, m.kind), ""))
        for m, companies in with_holders(movements)
    ]


def latest(tickets: Collection[Ticket], relay: Relay) -> dict[int, str]:
    """By key, what last happened to each of these tickets (read `for_list`), in words and when. In two queries."""
    by_key = {ticket.pk: ticket for ticket in tickets}
    movements = list(told(Movement.objects.filter(ticket__in=by_key).order_by("ticket_id", "-pk").distinct("ticket_id")))
    parts, found = parts_of(movements, relay), {}
    for m in movements:
        ticket = by_key[m.ticket_id]
        actor = who(m, {m.from_company_id, m.to_company_id, ticket.company_id}, parts)
        found[m.ticket_id] = f"{words(m, relay, actor)}, {moment(m.at, ticket.event.venue.zone)}"
    return found


def told(movements):
    """With everything that their words name."""
    return movements.select_related("from_company", "to_company", "from_member__company", "to_member__company", "actor")


def parts_of(movements: Iterable[Movement], relay: Relay) -> dict[tuple[int, int], str]:
    """Those who acted as relays, withdrawn ones too, by login and company: by name in her own company alone."""
    actors = {m.actor_id for m in movements if m.actor_id}
    relays = Relay.objects.filter(user__in=actors).select_related("company").order_by("pk")
    return {(r.user_id, r.company_id): str(r) if r.company_id == relay.company_id else of_another(r.company) for r in relays}


def messages_of(acts: Iterable[uuid.UUID | None], company: Company) -> dict[tuple, str]:
    """The words added to these acts of the company's tickets, by act and kind of movement that they explain."""
    kinds = {"give_back": "given_back", "reclaim": "reclaimed", "reassign": "reclaimed"}
    found = Distribution.objects.filter(public_id__in=acts, company=company, kind__in=kinds).exclude(message="")
    return {(act.public_id, kinds[act.kind]): act.message for act in found}


def of_another(company: Company) -> str:
    return _("a relay of %(company)s") % {"company": company}


def with_holders(movements: list[Movement]) -> list[tuple[Movement, set[int | None]]]:
    """Each with the companies that could act: the one that had the ticket before, and the one that has it after."""
    found, company = [], None
    for movement in reversed(movements):
        before, company = company, movement.to_company_id or company
        found.append((movement, {before, company}))
    return found[::-1]


def who(movement: Movement, companies: set[int | None], parts: dict[tuple[int, int], str]) -> str:
    """Who acted, as the relay may know it: a colleague by name, others by their part."""
    if movement.actor is None or movement.actor.is_staff:
        return _("the seller")
    acted = [name for (user, company), name in parts.items() if user == movement.actor_id and company in companies]
    return acted[0] if acted else _("the member")


def name_of(member: Member | None, relay: Relay) -> str:
    """Her name, when she is of the relay's own company."""
    if member is None:
        return ""
    return str(member) if member.company_id == relay.company_id else _("a member of %(company)s") % {"company": member.company}


def words(m: Movement, relay: Relay, actor: str) -> str:
    values = {"actor": actor, "from": m.from_company or "", "to": m.to_company or ""}
    values |= {"member": name_of(m.to_member or m.from_member, relay), "gone": name_of(m.from_member, relay)}
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
