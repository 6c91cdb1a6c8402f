from collections.abc import Mapping

from django.db import transaction

from accounts.models import Relay
from distribution.errors import NothingToPrint, TicketHasChanged
from tickets import steps as tickets_steps
from tickets.models import Ticket


@transaction.atomic(durable=True)
def print_for_members(*, relay: Relay, shown: Mapping) -> list[int]:
    """The relay prints tickets for those who hold them, or again what she handed over.

    `shown` gives, by public id, the generation that the page showed: TicketHasChanged if it is another now.
    The keys of the tickets, whose barcodes have now left the system.
    """
    relay = Relay.objects.locked(relay)
    tickets = Ticket.objects.filter(company=relay.company, status__in=["distributed", "printed"])
    return mark(tickets, shown, by=relay.user)


def mark(tickets, shown: Mapping, *, by) -> list[int]:
    if not shown:
        raise NothingToPrint
    found = tickets.filter(public_id__in=shown).order_by("pk").select_for_update(of=("self",)).select_related("member")
    locked = list(found)
    if len(locked) != len(shown) or any(shown[t.public_id] != t.generation for t in locked):
        raise TicketHasChanged
    tickets_steps.mark_printed(locked, by=by)
    return [t.pk for t in locked]
