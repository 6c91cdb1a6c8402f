import uuid
from collections.abc import Mapping

from django.db import transaction

from accounts.models import User
from distribution.actions.printing import mark
from distribution.errors import NamesAreClosed, TicketHasChanged
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Ticket


@transaction.atomic(durable=True)
def rename(*, user: User, ticket: uuid.UUID, generation: int, first_name: str, last_name: str) -> Ticket:
    """Write who will come on a ticket that the person holds. If it was printed, that print is dead.

    NamesAreClosed after the event's deadline; TicketHasChanged when it is no longer what the page showed.
    The same name again changes nothing.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    mine = Ticket.objects.given_to(user).filter(public_id=ticket, status__in=["distributed", "printed"])
    found = mine.select_for_update(of=("self",)).select_related("event__venue", "member").first()
    if found is None or found.generation != generation:
        raise TicketHasChanged
    if now() >= found.event.names_until:
        raise NamesAreClosed(found.event)
    if (found.beneficiary_first_name, found.beneficiary_last_name) != (first_name, last_name):
        tickets_steps.rename(found, first_name=first_name, last_name=last_name, by=user)
    return found


@transaction.atomic(durable=True)
def print_mine(*, user: User, shown: Mapping) -> list[int]:
    """Print, or show on a phone, tickets that the person holds: `print_for_members` says how."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return mark(Ticket.objects.given_to(user).filter(status__in=["distributed", "printed"]), shown, by=user)
