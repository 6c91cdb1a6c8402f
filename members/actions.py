"""What a relay does to the company's list, and a person to the consent that is hers."""

import uuid
from collections.abc import Collection

from django.db import transaction
from django.shortcuts import get_object_or_404

from accounts.models import Relay, User
from members import steps
from members.errors import GroupNameTaken, MemberHasChanged
from members.models import Consent, Group, Member
from portal.clock import now
from portal.text import folded


@transaction.atomic(durable=True)
def add_member(*, relay: Relay, first_name: str, last_name: str, email: str, shares_address: bool = False, namesakes: int = 0) -> Member:
    """Put a person on the list of the relay's company, or find who is there already: `steps.add` says how."""
    relay = Relay.objects.locked(relay)
    names = {"first_name": first_name, "last_name": last_name}
    return steps.add(relay.company, **names, email=email, shares_address=shares_address, namesakes=namesakes)


@transaction.atomic(durable=True)
def edit_member(*, relay: Relay, member: Member, shown: str, first_name: str, last_name: str, groups: Collection[Group]) -> Member:
    """Write a member's names and the groups she is in. Her address has a rule of its own.

    MemberHasChanged, and nothing done, when she is no longer what the page showed.
    """
    relay = Relay.objects.locked(relay)
    steps.lock_list(relay.company)
    mine = Member.objects.ever_of(relay.company).select_for_update(no_key=True, of=("self",))
    found = get_object_or_404(mine, pk=member.pk)
    before = set(found.groups.all())
    if as_shown(found, before) != shown:
        raise MemberHasChanged
    steps.name(found, first_name=first_name, last_name=last_name)
    wanted = set(Group.objects.of(relay.company).filter(pk__in=[group.pk for group in groups]))
    steps.put_in((group, found) for group in wanted - before)
    steps.take_out((group, found) for group in before - wanted)
    return found


def as_shown(member: Member, groups: Collection[Group]) -> str:
    """What a page shows of a member and may change, to tell whether it is still so."""
    return f"{member.first_name}|{member.last_name}|{','.join(sorted(str(group.pk) for group in groups))}"


@transaction.atomic(durable=True)
def create_group(*, relay: Relay, name: str, kind: str) -> Group:
    """A group of the relay's company; the one of this name if there is one already."""
    relay = Relay.objects.locked(relay)
    steps.lock_list(relay.company)
    return Group.objects.get_or_create(company=relay.company, key=folded(name), defaults={"name": name, "kind": kind})[0]


@transaction.atomic(durable=True)
def rename_group(*, relay: Relay, group: Group, name: str, kind: str) -> Group:
    """Write a group's name and kind. GroupNameTaken when another of the company has that name."""
    relay = Relay.objects.locked(relay)
    steps.lock_list(relay.company)
    found = get_object_or_404(Group.objects.of(relay.company).select_for_update(), pk=group.pk)
    if other := Group.objects.of(relay.company).filter(key=folded(name)).exclude(pk=found.pk).first():
        raise GroupNameTaken(other)
    found.name, found.kind = name, kind
    found.save(update_fields=["name", "key", "kind"])
    return found


@transaction.atomic(durable=True)
def delete_group(*, relay: Relay, group: Group) -> None:
    """Delete a group; its people stay on the list."""
    relay = Relay.objects.locked(relay)
    for found in Group.objects.of(relay.company).filter(pk=group.pk).select_for_update():
        found.delete()


@transaction.atomic(durable=True)
def fill_group(*, relay: Relay, group: Group, members: Collection[uuid.UUID], inside: bool) -> int:
    """Put these people of the list in a group, or take them out of it. How many they are."""
    relay = Relay.objects.locked(relay)
    found = get_object_or_404(Group.objects.of(relay.company).select_for_update(no_key=True), pk=group.pk)
    people = list(Member.objects.of(relay.company).filter(public_id__in=members))
    move = steps.put_in if inside else steps.take_out
    move((found, member) for member in people)
    return len(people)


@transaction.atomic(durable=True)
def add_myself(*, relay: Relay) -> Member:
    """The relay as a member of her own company."""
    relay = Relay.objects.locked(relay)
    return steps.add(relay.company, first_name=relay.first_name, last_name=relay.last_name, email=relay.user.email, shares_address=True)


@transaction.atomic(durable=True)
def answer_consent(*, user: User, yes: bool, text: str, page: str) -> None:
    """Keep the person's answer about the seller's offers, with what was asked, when and where."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    at = now()
    standing = Consent.objects.filter(user=user, withdrawn_at=None)
    if standing.filter(given_at__isnull=not yes).exists():
        return
    standing.update(withdrawn_at=at)
    Consent.objects.create(user=user, text=text, page=page, **({"given_at": at} if yes else {"declined_at": at}))
