import uuid
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from accounts.models import Relay
from distribution.actions.address import rewrite_addresses
from distribution.actions.distribute import Gift, give, lock_members
from distribution.errors import ListHasFaults, PreviewIsOld
from distribution.models import Distribution
from distribution.people_list import Line, as_shown, judge, left_of, lines_of_group, share_out
from members import steps as members_steps
from members.models import Group
from portal.memory import nothing_collected
from tickets.models import Product, Ticket


@transaction.atomic(durable=True)
@nothing_collected()
def distribute_list(
    *,
    relay: Relay,
    product: Product,
    lines: list[Line],
    shares: bool,
    others: Collection[str] = (),
    message: str,
    request_key: uuid.UUID,
) -> Distribution | None:
    """Give everybody on the list as many tickets as it says, those held already counted: the same list twice gives nothing.

    New people are put on the company's list, and addresses that differ are corrected as one by one. All or nothing:
    ListHasFaults when a line is refused as things stand now, NotEnoughTickets when stock is short. None when nobody is
    to be given anything.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    members_steps.lock_list(relay.company)
    judge(lines, relay.company, product, shares=shares, others=others)
    if refused := sum(bool(line.error) for line in lines):
        raise ListHasFaults(refused)
    correct(relay, product, lines, request_key)
    new = [line for line in lines if line.member is None]
    made = members_steps.add_many(relay.company, [(line.first_name, line.last_name, line.email) for line in new])
    for line, member in zip(new, made, strict=True):
        line.member = member
    members = {line.member.pk: line.member for line in lines if line.member and line.gets}
    gifts: list[Gift] = [(line.member.pk, line.gets, ()) for line in lines if line.member and line.gets]
    return give(relay, product, gifts, members, message, request_key) if gifts else None


def correct(relay: Relay, product: Product, lines: list[Line], request_key: uuid.UUID) -> None:
    """Correct the addresses that the list gives anew, with what goes with it."""
    changes = [(line.member, line.email) for line in lines if line.member and line.old_email is not None]
    if not changes:
        return
    lock_members({line.member.pk for line in lines if line.member})
    members = {member.pk for member, _ in changes}
    # What they hold and what is left to give, in one pass in the order of their keys: two passes could meet another
    # act's between them, each waiting for the other.
    stock = Ticket.objects.filter(product=product).left_to_distribute(relay.company)
    held = Ticket.objects.filter(company=relay.company, member__in=members)
    both = Ticket.objects.filter(Q(pk__in=stock.values("pk")) | Q(pk__in=held.values("pk")))
    list(both.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    rewrite_addresses(relay, changes, key=str(request_key))


@transaction.atomic(durable=True)
@nothing_collected()
def distribute_group(
    *, relay: Relay, product: Product, group: Group | None, each: int, shown: str, message: str, request_key: uuid.UUID
) -> Distribution | None:
    """Give everybody of a group, or of the whole list, as many tickets, those held already counted.

    With too few tickets the first on the list get theirs and the others nothing, as the page said: PreviewIsOld, and
    nothing done, when it is no longer what it showed. None when everybody has been served.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    lines = share_out(lines_of_group(relay.company, product, group, each), left_of(relay.company, product))
    if as_shown(lines) != shown:
        raise PreviewIsOld
    members = {line.member.pk: line.member for line in lines if line.member and line.gets}
    gifts: list[Gift] = [(line.member.pk, line.gets, ()) for line in lines if line.member and line.gets]
    return give(relay, product, gifts, members, message, request_key) if gifts else None
