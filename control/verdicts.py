"""What a gate says: a sentence that a doorman can repeat, in the language in force."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Relay
from control.models import Device, Scan
from portal.templatetags.words import hour, moment
from tickets.models import Movement, Ticket


def informed(scans: Sequence[Scan], device: Device) -> Sequence[Scan]:
    """Scans of a device with all that their sentences name of their tickets, in one query."""
    for scan in scans:
        scan.device = device
    tickets = Ticket.objects.select_related("member", "event__venue", "product", "seat")
    prefetch_related_objects(list(scans), Prefetch("ticket", tickets))
    return scans


# One or two words for each reason, readable at arm's length.
TITLES = {
    "": gettext_lazy("Admitted"),
    "already_checked": gettext_lazy("Already checked"),
    "replaced": gettext_lazy("Replaced"),
    "cancelled": gettext_lazy("Cancelled"),
    "not_distributed": gettext_lazy("Not distributed"),
    "other_event": gettext_lazy("Other event"),
    "other_gate": gettext_lazy("Other gate"),
    "too_early": gettext_lazy("Too early"),
    "too_late": gettext_lazy("Too late"),
    "unknown": gettext_lazy("Unknown"),
}


def title(scan: Scan) -> str:
    return _("Taken back") if scan.undone_at else str(TITLES[scan.reason])


@dataclass
class Facts:
    """What happened before to the tickets of some scans: their admissions, and who renewed their code since, by keys."""

    admissions: dict[int, Scan] = field(default_factory=dict)
    renewals: dict[tuple[int, int], Movement] = field(default_factory=dict)
    relays: set[tuple[int, int]] = field(default_factory=set)


def facts(scans: Sequence[Scan]) -> Facts:
    """In three queries at the most, however many the scans."""
    found = Facts()
    if used := [scan.ticket_id for scan in scans if scan.reason == "already_checked"]:
        admissions = Scan.objects.standing().filter(ticket__in=used).select_related("device__gate").order_by("pk")
        found.admissions = {scan.ticket_id: scan for scan in admissions if scan.ticket_id}
    if old := {(scan.ticket_id, scan.generation or 0) for scan in scans if scan.reason == "replaced" and scan.ticket_id}:
        later = Movement.objects.filter(ticket__in={ticket for ticket, _ in old}).select_related("actor", "ticket").order_by("pk")
        for movement in later.filter(generation__gt=0):
            for generation in {g for ticket, g in old if ticket == movement.ticket_id and g < movement.generation}:
                found.renewals.setdefault((movement.ticket_id, generation), movement)
        actors = {movement.actor_id for movement in found.renewals.values() if movement.actor_id}
        found.relays = set(Relay.objects.filter(user__in=actors).values_list("user", "company"))
    return found


def sentences(scans: Sequence[Scan]) -> list[str]:
    """Of each: why, since when, by whom, and what to do now."""
    known = facts(scans)
    return [sentence_of(scan, known) for scan in scans]


def sentence(scan: Scan) -> str:
    return sentences([scan])[0]


def sentence_of(scan: Scan, known: Facts) -> str:
    ticket = scan.ticket
    if scan.undone_at:
        return _("This check was taken back: the ticket may come in again.")
    if ticket is None:
        return _("This code is not one of ours: it was altered, forged or badly read. Scan it again, then send the person to the desk.")
    zone, event = ticket.event.venue.zone, scan.device.gate.event
    match scan.reason:
        case "":
            return enters(ticket.product.category, str(ticket.seat or ""))
        case "already_checked":
            return already_checked(ticket, zone, known)
        case "replaced":
            return replaced(scan, ticket, zone, known)
        case "cancelled":
            return _("The seller has cancelled this ticket. Send the person to the desk.")
        case "not_distributed":
            return _("Nobody has been given this ticket yet. The company's relay must distribute it first.")
        case "other_event":
            when = moment(ticket.event.starts_at or ticket.event.valid_from, zone)
            return _("This ticket is for “%(event)s”, %(when)s.") % {"event": ticket.event.name, "when": when}
        case "other_gate":
            return _("This ticket comes in by entrance %(entrance)s.") % {"entrance": ticket.product.entrance}
        case "too_early":
            return _("This gate admits from %(when)s.") % {"when": moment(event.valid_from, event.venue.zone)}
        case "too_late":
            return _("This gate admitted until %(when)s.") % {"when": moment(event.valid_until, event.venue.zone)}
        case _other:
            return _("This ticket was refused at a gate without network, which did not know it. Scan it again.")


def enters(category: str, seat: str) -> str:
    return ", ".join(part for part in (category, seat) if part)


def already_checked(ticket: Ticket, zone: str, known: Facts) -> str:
    first = known.admissions.get(ticket.pk)
    if first is None:
        return _("This ticket has been used. Ask for an identity card or call the desk.")
    when = first.said_at or first.at
    words = {"hour": hour(when, zone), "gate": first.device.gate.name, "name": ticket.beneficiary or _("nobody named")}
    return _("Came in at %(hour)s, gate %(gate)s, in the name of %(name)s. Ask for an identity card or call the desk.") % words


def replaced(scan: Scan, ticket: Ticket, zone: str, known: Facts) -> str:
    """Who renewed the barcode after the one that was shown, and when."""
    later = known.renewals.get((ticket.pk, scan.generation or 0))
    if later is None:
        return _("A newer copy of this ticket exists: ask for it.")
    words = {"when": moment(later.at, zone), "who": who(later, known), "copy": ticket.copy}
    return _("Replaced on %(when)s by %(who)s: ask for the new one, copy %(copy)s.") % words


def who(movement: Movement, known: Facts) -> str:
    if movement.actor is None or movement.actor.is_staff:
        return _("the seller")
    if (movement.actor_id, movement.from_company_id or movement.ticket.company_id) in known.relays:
        return _("the company's relay")
    return _("the member")
