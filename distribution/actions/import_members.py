import uuid

from django.db import transaction

from accounts.models import Company, Relay
from distribution.actions.address import owe_anew, to_tell
from members import steps as members_steps
from members.import_list import Line, judge, new_groups, totals
from members.models import Group, Member
from portal.text import folded


@transaction.atomic(durable=True)
def import_members(*, relay: Relay, lines: list[Line], shares: bool, namesakes: bool, request_key: uuid.UUID) -> dict[str, int]:
    """Bring the company's list up to date with another: new people, addresses where there was none, groups.

    What a line does is judged again as things stand now; a refused one is left aside. The same list twice changes
    nothing. No address that somebody has is ever replaced, and who gains one is told there of what she holds. How many
    lines of each verdict there were.
    """
    relay = Relay.objects.locked(relay)
    members_steps.lock_list(relay.company)
    sums = totals(judge(lines, relay.company, shares=shares, namesakes=namesakes))
    kept = [line for line in lines if not line.error]
    new = [line for line in kept if line.member is None]
    gaining = {line.member.pk: line.email for line in kept if line.member and line.gains_address}
    made = members_steps.add_many(relay.company, [(line.first_name, line.last_name, line.email) for line in new])
    for line, member in zip(new, made, strict=True):
        line.member = member
    locked = list(Member.objects.filter(pk__in=gaining).order_by("pk").select_for_update(no_key=True, of=("self",)))
    members_steps.write_addresses([(member, gaining[member.pk]) for member in locked])
    put_in_groups(relay.company, kept)
    owe_anew(to_tell(locked), key=str(request_key))
    return sums


def put_in_groups(company: Company, lines: list[Line]) -> None:
    """Make the groups that are missing, and move everybody."""
    missing = new_groups(lines, company)
    Group.objects.bulk_create(Group(company=company, name=name, kind=kind, key=key) for key, (name, kind) in missing.items())
    by_key = {group.key: group for group in Group.objects.of(company)}
    members_steps.put_in((by_key[folded(name)], line.member) for line in lines if line.member for name, _kind in line.joins)
    members_steps.take_out((group, line.member) for line in lines if line.member for group in line.leaves)
