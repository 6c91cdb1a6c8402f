import uuid
from collections.abc import Sequence

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts import steps as accounts_steps
from accounts.models import Company, Relay, Seller
from distribution.actions.distribute import take_stock
from distribution.actions.reclaim import take_back
from distribution.errors import CannotForward, CannotReclaim
from distribution.models import Distribution
from tickets import steps as tickets_steps
from tickets.models import Product, Ticket
from tickets.models.ticket import TicketQuerySet


@transaction.atomic(durable=True)
def forward(
    *, relay: Relay, product: Product, to: Company, quantity: int, chosen: Sequence[int] = (), message: str, request_key: uuid.UUID
) -> Distribution:
    """Give available tickets to another company, which distributes them itself; each of its relays gets one email.

    All or nothing: NotEnoughTickets when stock is short, SeatTaken when a chosen one is gone, CannotForward when
    the company is no receiver of this one's or has nobody to act for it. Never to a company that a ticket came through.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    if not Company.objects.receiving_from(relay.company).with_relays().filter(pk=to.pk).exists():
        raise CannotForward(_("No relay is authorised for %(company)s yet: ask the seller to authorise one.") % {"company": to})
    stock = Ticket.objects.filter(product=product).left_to_distribute(relay.company).not_through(to)
    tickets = take_stock(stock, product, max(quantity, 1), set(chosen))
    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.FORWARD,
        other=to,
        message=message,
        request_key=request_key,
        quantity=len(tickets),
    )
    tickets_steps.forward(tickets, to=to, by=relay.user, act=act.public_id)
    accounts_steps.owe_to_relays([to], "tickets_forwarded", {"act": act.pk}, str(request_key))
    return act


def reclaimable_from(company: Company, product: Product, other: Company) -> TicketQuerySet:
    """What the company may take back of what it forwarded to the other: nothing that was used.

    What was distributed down there comes back only where the seller allows it.
    """
    states = ["available"]
    if Seller.objects.current().reclaims_below:
        states += ["distributed", "printed"] if Seller.objects.current().reclaim_until == Seller.ReclaimUntil.CHECKED else ["distributed"]
    return Ticket.objects.filter(product=product, status__in=states).forwarded_by(company).gone_through(other)


@transaction.atomic(durable=True)
def reclaim_from(*, relay: Relay, product: Product, other: Company, quantity: int, request_key: uuid.UUID) -> Distribution:
    """Take back tickets that this company forwarded to another, or that went on from there: those nobody has first.

    CannotReclaim when fewer can come back than asked: some may have been distributed meanwhile. The other company's
    relays are told, and so is every member who held one.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    wanted = reclaimable_from(relay.company, product, other)
    chosen = list(wanted.order_by(F("member_id").asc(nulls_first=True), "-pk").values_list("pk", flat=True)[: max(quantity, 1)])
    # Locked in the order of their keys, their state read again: what a relay down there has just given stays given.
    locked = list(wanted.filter(pk__in=chosen).order_by("pk").select_for_update(of=("self",)).select_related("member"))
    if len(locked) < quantity or not locked:
        sentence = _("%(company)s has only %(count)d left that can come back.") % {"company": other, "count": wanted.count()}
        raise CannotReclaim([sentence])
    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.RECLAIM,
        other=other,
        request_key=request_key,
        quantity=len(locked),
    )
    take_back([(act, locked)], to=relay.company)
    accounts_steps.owe_to_relays([other], "forward_reclaimed", {"act": act.pk}, str(request_key))
    return act
