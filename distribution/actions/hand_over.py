import uuid
from collections.abc import Sequence

from django.db import transaction

from accounts.models import Relay
from distribution.actions.distribute import lock_stock
from distribution.errors import NobodyChosen
from distribution.models import Distribution
from tickets import steps as tickets_steps
from tickets.models import Product


@transaction.atomic(durable=True)
def hand_over(
    *, relay: Relay, product: Product, quantity: int, names: Sequence[tuple[str, str]], chosen: Sequence[int] = (), request_key: uuid.UUID
) -> Distribution:
    """Print tickets at once, to be given on paper: no email, no member; names may be fewer than tickets.

    All or nothing: NotEnoughTickets when stock is short. The second post of one key finds the first one's act.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    if quantity < 1 or len(names) > quantity or len(chosen) > quantity:
        raise NobodyChosen
    tickets = lock_stock(relay, product, quantity, set(chosen))
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
    return act
