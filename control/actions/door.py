"""What a doorman and the door manager do beside scanning."""

import uuid

from django.db import transaction
from django.db.models import Func, Q, Value
from django.db.models.functions import Concat, Lower

from accounts.models import User
from control.actions.scans import scan_number
from control.errors import CheckStays
from control.models import Device, Scan, Search
from portal.clock import now
from portal.text import folded
from tickets import steps as tickets_steps
from tickets.models import Ticket
from tickets.models.ticket import TicketQuerySet

SHOWN_AT_MOST = 20
ACCENTS = "[\u0300-\u036f]"


@transaction.atomic(durable=True)
def search(*, device: Device, words: str) -> list[Ticket]:
    """The tickets of the device's event whose bearer's name has these words; the search is kept, by ids."""
    found = list(named(Ticket.objects.filter(event=device.gate.event_id), words).for_list().order_by("number")[:SHOWN_AT_MOST])
    Search.objects.create(device=device, tickets=[ticket.pk for ticket in found])
    return found


def named(tickets: TicketQuerySet, words: str) -> TicketQuerySet:
    """Tickets given to someone, whose bearer's name holds every word from its start, without case or accents.

    The bearer is the beneficiary written on the ticket, and until then the member.
    """
    written = Concat("beneficiary_first_name", Value(" "), "beneficiary_last_name")
    apart = Func(Lower(written), template="normalize(%(expressions)s, NFKD)")
    bare = Func(apart, Value(ACCENTS), Value(""), Value("g"), function="regexp_replace")
    tickets = tickets.exclude(status__in=["available", "cancelled"]).alias(bearer=bare)
    for word in folded(words).split():
        on_it = Q(bearer__startswith=word) | Q(bearer__contains=f" {word}") | Q(bearer__contains=f"-{word}")
        nobody = Q(beneficiary_first_name="", beneficiary_last_name="")
        whose = Q(member__sort_key__startswith=word) | Q(member__sort_key__contains=f" {word}")
        tickets = tickets.filter(on_it | nobody & whose)
    return tickets if folded(words) else tickets.none()


@transaction.atomic(durable=True)
def undo(*, scan: int, device: Device | None = None, by: User | None = None) -> Scan:
    """Take back an admission: the ticket may come in again. Asked again it is done once; the scan says when and by which device.

    CheckStays once the event is: what was checked then was neither cancelled nor credited, and nobody is to come in again.
    """
    found = Scan.objects.get(pk=scan, verdict=Scan.Verdict.ADMITTED)
    ticket = Ticket.objects.select_for_update().get(pk=found.ticket_id)
    found.refresh_from_db()
    if found.undone_at is None and ticket.status == Ticket.Status.CHECKED:
        if ticket.event.cancelled_at:  # read once the ticket is ours: who cancels its event holds it meanwhile
            raise CheckStays
        tickets_steps.uncheck(ticket, by=by)
        found.undone_at, found.undone_by = now(), device
        found.save(update_fields=["undone_at", "undone_by"])
    return found


def group_of(scan: Scan) -> TicketQuerySet:
    """The other tickets of the person who came in, still to come in at this gate; none where the gate admits no groups."""
    gate = scan.device.gate
    if not gate.admits_groups or scan.verdict != Scan.Verdict.ADMITTED or scan.ticket is None or scan.ticket.member_id is None:
        return Ticket.objects.none()
    others = Ticket.objects.filter(event=gate.event_id, member=scan.ticket.member_id, status__in=["distributed", "printed"])
    return others.filter(product__entrance__in=["", gate.entrance]) if gate.entrance else others


def admit_group(*, scan: Scan) -> list[Scan]:
    """Admit the whole group of an admission, each ticket as if scanned, and once whatever is asked again."""
    numbers = list(group_of(scan).order_by("pk").values_list("number", flat=True))
    return [scan_number(device=scan.device, number=n, client_id=uuid.uuid5(scan.client_id, str(n))) for n in numbers]
