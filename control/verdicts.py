"""What a gate says: a sentence that a doorman can repeat, in the language in force."""

from django.db.models import Prefetch, prefetch_related_objects
from django.utils.translation import gettext as _

from accounts.models import Relay
from control.models import Device, Scan
from portal.templatetags.words import hour, moment
from tickets.models import Movement, Ticket


def informed(scan: Scan, device: Device) -> Scan:
    """The scan with all that its sentence may name, in one query."""
    scan.device = device
    tickets = Ticket.objects.select_related("member", "event__venue", "product", "seat")
    prefetch_related_objects([scan], Prefetch("ticket", tickets))
    return scan


def title(scan: Scan) -> str:
    """One or two words, readable at arm's length."""
    titles = {
        "": _("Admitted"),
        "already_checked": _("Already checked"),
        "replaced": _("Replaced"),
        "cancelled": _("Cancelled"),
        "not_distributed": _("Not distributed"),
        "other_event": _("Other event"),
        "too_early": _("Too early"),
        "too_late": _("Too late"),
        "unknown": _("Unknown"),
    }
    return titles[scan.reason]


def sentence(scan: Scan) -> str:
    """Why, since when, by whom, and what to do now."""
    ticket = scan.ticket
    if ticket is None:
        return _("This code is not one of ours: it was altered, forged or badly read. Scan it again, then send the person to the desk.")
    zone = ticket.event.venue.zone
    event = scan.device.gate.event
    match scan.reason:
        case "":
            return ", ".join(str(part) for part in (ticket.product.category, ticket.seat) if part)
        case "already_checked":
            return already_checked(ticket, zone)
        case "replaced":
            return replaced(scan, ticket, zone)
        case "cancelled":
            return _("The seller has cancelled this ticket. Send the person to the desk.")
        case "not_distributed":
            return _("Nobody has been given this ticket yet. The company's relay must distribute it first.")
        case "other_event":
            return _("This ticket is for “%(event)s”, %(when)s.") % {
                "event": ticket.event.name,
                "when": moment(ticket.event.starts_at or ticket.event.valid_from, zone),
            }
        case "too_early":
            return _("This gate admits from %(when)s.") % {"when": moment(event.valid_from, event.venue.zone)}
        case _other:
            return _("This gate admitted until %(when)s.") % {"when": moment(event.valid_until, event.venue.zone)}


def already_checked(ticket: Ticket, zone: str) -> str:
    first = Scan.objects.filter(ticket=ticket, verdict="admitted").select_related("device__gate").first()
    if first is None:
        return _("This ticket has been used. Ask for an identity card or call the desk.")
    words = {"hour": hour(first.at, zone), "gate": first.device.gate.name, "name": ticket.beneficiary or _("nobody named")}
    return _("Came in at %(hour)s, gate %(gate)s, in the name of %(name)s. Ask for an identity card or call the desk.") % words


def replaced(scan: Scan, ticket: Ticket, zone: str) -> str:
    """Who renewed the barcode after the one that was shown, and when."""
    later = Movement.objects.filter(ticket=ticket, generation__gt=scan.generation or 0).select_related("actor").order_by("pk").first()
    if later is None:
        return _("A newer copy of this ticket exists: ask for it.")
    words = {"when": moment(later.at, zone), "who": who(later), "copy": ticket.copy}
    return _("Replaced on %(when)s by %(who)s: ask for the new one, copy %(copy)s.") % words


def who(movement: Movement) -> str:
    if movement.actor is None or movement.actor.is_staff:
        return _("the seller")
    if Relay.objects.filter(user=movement.actor_id, company=movement.from_company_id or movement.ticket.company_id).exists():
        return _("the company's relay")
    return _("the member")
