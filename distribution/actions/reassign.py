import uuid

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Relay
from distribution.actions.distribute import lock_members, owe_letters
from distribution.actions.reclaim import lock_shown, take_back
from distribution.errors import CannotReclaim, NobodyChosen
from distribution.models import Distribution, Recipient
from distribution.reclaimable import Shown
from members.models import Member
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Product


@transaction.atomic(durable=True)
def reassign(
    *, relay: Relay, product: Product, shown: Shown, to: Member, message: str = "", farewell: str = "", request_key: uuid.UUID
) -> Distribution:
    """Take tickets of a product back and give these very tickets to another member, in one act: the old prints die.

    Whoever held them is told, with the word of farewell; the other gets the email of a distribution, with the message.
    Both leave at once: a dead print can't be brought back, so there is nothing to undo. All or nothing: CannotReclaim
    when a ticket is no longer as `shown` or the event is over, NobodyChosen or SomeoneLeft when the member is not, or no
    longer, on the list.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    member = Member.objects.of(relay.company).filter(pk=to.pk).first()
    if member is None:
        raise NobodyChosen
    lock_members([member.pk])
    locked = lock_shown(relay, shown)
    if any(ticket.product_id != product.pk for ticket in locked):
        raise CannotReclaim([_("Choose tickets that your company holds.")])
    if any(ticket.member_id == member.pk for ticket in locked):
        raise CannotReclaim([_("%(name)s has this ticket already: choose someone else.") % {"name": member}])
    if product.event.valid_until <= now():
        raise CannotReclaim([_("This event is over: nobody can come with this ticket any more.")])
    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.REASSIGN,
        message=farewell,
        request_key=request_key,
        quantity=len(locked),
    )
    at = take_back([(act, locked)])
    recipient = Recipient(distribution=act, member=member, quantity=len(locked), message=message)
    owe_letters([recipient], key=str(request_key), at=at)
    recipient.save()
    tickets_steps.distribute([(ticket, member) for ticket in locked], by=relay.user, shown_from=at, act=act.public_id)
    Member.objects.filter(pk=member.pk).update(last_given_at=at)
    return act
