import uuid
from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now

from accounts import steps as accounts_steps
from accounts.models import User
from distribution.actions.printing import mark
from distribution.errors import NamesAreClosed, TicketHasChanged
from distribution.models import Distribution
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Movement, Ticket


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
def give_back(*, user: User, ticket: uuid.UUID, generation: int, message: str, request_key: uuid.UUID) -> Distribution:
    """Return a ticket that the person holds and has not used: it is the company's to distribute again, its print is dead.

    Each relay of the company gets one email. TicketHasChanged when it is no longer what the page showed, or is over.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if done := Distribution.objects.filter(actor=user, request_key=request_key).first():
        return done
    mine = Ticket.objects.given_to(user).filter(public_id=ticket, status__in=["distributed", "printed"], event__valid_until__gt=Now())
    found = mine.select_for_update(of=("self",)).select_related("member", "product", "company").first()
    if found is None or found.generation != generation:
        raise TicketHasChanged
    act = Distribution.objects.create(
        company=found.company,
        actor=user,
        product=found.product,
        kind=Distribution.Kind.GIVE_BACK,
        message=message,
        request_key=request_key,
        quantity=1,
    )
    tickets_steps.reclaim([found], by=user, act=act.public_id, kind=Movement.Kind.GIVEN_BACK)
    accounts_steps.owe_to_relays([found.company], "ticket_given_back", {"act": act.pk}, str(request_key))
    return act


@transaction.atomic(durable=True)
def print_mine(*, user: User, shown: Mapping) -> list[int]:
    """Print, or show on a phone, tickets that the person holds: `print_for_members` says how."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return mark(Ticket.objects.given_to(user).filter(status__in=["distributed", "printed"]), shown, by=user)
