"""The history of one ticket in words: who, when, what, from whom, to whom."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Relay
from tickets.models import Movement, Ticket


@dataclass
class Entry:
    at: datetime
    words: str
    copy: int


def history_of(ticket: Ticket, relay: Relay) -> list[Entry]:
    """Every movement of the ticket, latest first. Beneficiaries' names are the member's affair: they are not told."""
    movements = ticket.movements.select_related("from_company", "to_company", "from_member", "to_member", "actor").order_by("-pk")
    relays = Relay.objects.filter(company=relay.company)
    names = {r.user_id: str(r) for r in relays}
    return [Entry(m.at, words(m, who(m, names)), m.generation + 1) for m in movements]


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
