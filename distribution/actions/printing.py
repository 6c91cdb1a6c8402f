import uuid
from collections.abc import Mapping

from django.db import transaction

from accounts.models import Relay
from distribution.actions.printouts import prepare
from distribution.errors import NothingToPrint, TicketHasChanged
from distribution.models import Distribution, Printout
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


@transaction.atomic(durable=True)
def print_act(*, relay: Relay, act: Distribution, without_email: bool, per_page: int, language: str, request_key: uuid.UUID) -> Printout:
    """Print what an act gave and nobody has used or taken back since, at once or again; of those without an address alone if asked.

    The barcodes leave the system now; the files are owed. NothingToPrint when nothing of it stands.
    """
    relay = Relay.objects.locked(relay)
    if done := Printout.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    wanted = act.tickets_given().filter(company=relay.company, status__in=["distributed", "printed"])
    if without_email:
        wanted = wanted.filter(member__email="")
    locked = {ticket.pk: ticket for ticket in wanted.order_by("pk").select_for_update(of=("self",))}
    # Read again once locked: what another act has given away meanwhile is not this one's to print.
    tickets = [locked[pk] for pk in wanted.filter(pk__in=locked).values_list("pk", flat=True)]
    if not tickets:
        raise NothingToPrint
    tickets_steps.mark_printed(tickets, by=relay.user, act=act.public_id)
    return prepare(act, tickets, by=relay.user, per_page=per_page, language=language, request_key=request_key)
