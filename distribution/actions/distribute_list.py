import uuid

from django.db import transaction

from accounts.models import Relay
from distribution.actions.distribute import Gift, give
from distribution.errors import ListHasFaults, PreviewIsOld
from distribution.models import Distribution
from distribution.people_list import Line, as_shown, judge, left_of, lines_of_group, share_out
from members import steps as members_steps
from members.models import Group
from tickets.models import Product


@transaction.atomic(durable=True)
def distribute_list(
    *, relay: Relay, product: Product, lines: list[Line], shares: bool, message: str, request_key: uuid.UUID
) -> Distribution | None:
    """Give everybody on the list as many tickets as it says, those held already counted: the same list twice gives nothing.

    New people are put on the company's list. All or nothing: ListHasFaults when a line is refused as things stand now,
    NotEnoughTickets when stock is short. None when everybody has been served.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    members_steps.lock_list(relay.company)
    judge(lines, relay.company, product, shares=shares)
    if refused := sum(bool(line.error) for line in lines):
        raise ListHasFaults(refused)
    new = [line for line in lines if line.member is None]
    made = members_steps.add_many(relay.company, [(line.first_name, line.last_name, line.email) for line in new])
    for line, member in zip(new, made, strict=True):
        line.member = member
    members = {line.member.pk: line.member for line in lines if line.member and line.gets}
    gifts: list[Gift] = [(line.member.pk, line.gets, ()) for line in lines if line.member and line.gets]
    return give(relay, product, gifts, members, message, request_key) if gifts else None


@transaction.atomic(durable=True)
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
