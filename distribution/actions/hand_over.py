import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts.models import Relay
from distribution.actions.distribute import lock_stock
from distribution.actions.printouts import prepare
from distribution.errors import NobodyChosen
from distribution.models import Distribution, Printout
from tickets import steps as tickets_steps
from tickets.models import Product, Ticket

MOST_IN_AN_ACT = 5_000


@transaction.atomic(durable=True)
def hand_over(
    *,
    relay: Relay,
    product: Product,
    quantity: int,
    names: Sequence[tuple[str, str]],
    chosen: Sequence[int] = (),
    per_page: int = Printout.PerPage.ONE,
    language: str = "fr",
    request_key: uuid.UUID,
) -> Distribution:
    """Print tickets at once, to be given on paper: no email, no member; names may be fewer than tickets.

    The names are written in their order, seat by seat. All or nothing: NotEnoughTickets when stock is short, SeatTaken
    when a chosen seat is gone. The second post of one key finds the first one's act. Its printout is owed.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    if not 1 <= quantity <= MOST_IN_AN_ACT or len(names) > quantity or len(chosen) > quantity:
        raise NobodyChosen
    locked = {ticket.pk: ticket for ticket in lock_stock(relay, product, quantity, set(chosen))}
    tickets = [locked[pk] for pk in Ticket.objects.filter(pk__in=locked).by_seat().values_list("pk", flat=True)]
    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.HAND_OVER,
        request_key=request_key,
        quantity=quantity,
    )
    written = [*names, *[("", "")] * (quantity - len(names))]
    tickets_steps.hand_over(tickets, written, by=relay.user, act=act.public_id)
    prepare(act, tickets, by=relay.user, per_page=per_page, language=language, request_key=request_key)
    return act
