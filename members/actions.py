"""What a relay does to the company's list, and a person to the consent that is hers."""

import uuid
from collections.abc import Collection
from typing import NamedTuple

from allauth.core.internal.cryptokit import generate_user_code, normalize_user_code
from django.db import transaction
from django.db.models import Q
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts import steps as accounts_steps
from accounts.models import Company, Relay, User
from members import steps
from members.domains import look_again
from members.errors import AddressHasLogin, CodeIsOver, GroupNameTaken, MemberHasChanged, StaffAddress, TooManyCodes
from members.models import Access, AddressChange, Consent, Group, Member
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now
from portal.text import folded


@transaction.atomic(durable=True)
def add_member(
    *, relay: Relay, first_name: str, last_name: str, email: str, shares_address: bool = False, namesakes: int = 0, right_domain: str = ""
) -> Member:
    """Put a person on the list of the relay's company, or find who is there already: `steps.add` says how.

    UnfamiliarDomain when nobody else of the company has an address like hers and the relay has not said that it is right.
    """
    relay = Relay.objects.locked(relay)
    look_again(relay.company, email, said=right_domain)
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


@transaction.atomic(durable=True)
def correct_my_name(*, user: User, member: uuid.UUID, shown: str, first_name: str, last_name: str) -> Member:
    """A person corrects her own name on a company's list; its relays are told, as their own lists still have the old one.

    Nothing if the name is no longer the one shown. AlreadyOnTheList when another of that name shares her address there.
    """
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    mine = Member.objects.bearing(user).filter(left_on=None).select_related("company")
    steps.lock_list(mine.get(public_id=member).company)
    found = mine.select_for_update(no_key=True, of=("self",)).get(public_id=member)
    if str(found) == shown and (found.first_name, found.last_name) != (first_name, last_name):
        steps.name(found, first_name=first_name, last_name=last_name)
        tell_relays([found])
    return found


def tell_relays(members: Collection[Member]) -> None:
    """One email to each relay of each company: these people have corrected their own record."""
    for company in {member.company_id for member in members}:
        theirs = [member.pk for member in members if member.company_id == company]
        accounts_steps.owe_to_relays([company], "members_corrected", {"members": theirs}, f"{uuid.uuid4()}")


@transaction.atomic(durable=True)
def leave_list(*, user: User, member: uuid.UUID) -> Member:
    """A person leaves a company's list: nothing more is given to her there, what she holds stays hers; its relays are told."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    found = Member.objects.bearing(user).select_for_update(no_key=True).get(public_id=member)
    if found.left_on is None:
        steps.leave(found, on=timezone.localdate(now()))
        accounts_steps.owe_to_relays([found.company_id], "member_left", {"member": found.pk}, f"{found.pk}:{found.left_on}")
    return found


@transaction.atomic(durable=True)
def ask_address_change(*, user: User, email: str, members: Collection[uuid.UUID]) -> AddressChange:
    """Send a code to the address that a person wants for these members of hers: the same whoever has that address.

    An earlier code of hers is void. TooManyCodes for her, or for that address, today; StaffAddress for the seller's staff.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.is_staff:
        raise StaffAddress
    at = now()
    today = AddressChange.objects.filter(asked_at__gt=at - AddressChange.WITHIN)
    if max(today.filter(user=user).count(), today.filter(email=email).count()) >= AddressChange.MOST:
        raise TooManyCodes
    AddressChange.objects.filter(user=user, valid_until__gt=at).update(valid_until=at)
    code = generate_user_code()
    change = AddressChange.objects.create(
        user=user,
        email=email,
        members=list(Member.objects.bearing(user).filter(public_id__in=members).values_list("pk", flat=True)),
        code_hash=hashed(code),
        asked_at=at,
        valid_until=at + AddressChange.VALID,
    )
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "address_code",
                to=email,
                language=user.language,
                refs={},
                key=f"{change.pk}",
                not_before=at,
                useful_until=change.valid_until,
                priority=Delivery.Priority.LOGIN,
                secret=code,
            )
        ]
    )
    return change


def hashed(code: str) -> str:
    return salted_hmac("members.address_change", normalize_user_code(code), algorithm="sha256").hexdigest()


class Moved(NamedTuple):
    """Where the new address logs in, and whether anything is left under the old one."""

    login: User
    wholly: bool


@transaction.atomic(durable=True)
def change_address(*, user: User, code: str) -> Moved | None:
    """Give the members chosen the address that the code proves; both addresses are told, and the members' relays.

    None when the code is wrong: one try less. CodeIsOver when none waits. When all of hers were chosen and nobody has the
    address, her login has it from now on; else the members move to the login of that address, with her answers about
    offers when nothing of hers is left here, and she logs in anew. AlreadyOnTheList when a list has her there,
    AddressHasLogin when there is no member to move there.
    """
    waiting = AddressChange.objects.filter(user=user, valid_until__gt=now()).first()
    wanted = waiting.email if waiting else ""
    both = User.objects.filter(Q(pk=user.pk) | Q(email=wanted)).order_by("pk").select_for_update(no_key=True)
    people = {person.email: person for person in both}
    at = now()
    change = AddressChange.objects.filter(user=user, email=wanted, valid_until__gt=at).first()
    if change is None or user.email not in people:
        raise CodeIsOver
    if not constant_time_compare(hashed(code), change.code_hash):
        change.tries_left -= 1
        change.valid_until = change.valid_until if change.tries_left else at
        change.save(update_fields=["tries_left", "valid_until"])
        return None
    change.valid_until = at
    change.save(update_fields=["valid_until"])
    return take_address(people[user.email], change, people.get(wanted), at)


def take_address(user: User, change: AddressChange, other: User | None, at) -> Moved:
    old, new = user.email, change.email
    for company in Company.objects.filter(members__in=Member.objects.bearing(user)).distinct().order_by("pk"):
        steps.lock_list(company)
    mine = list(Member.objects.bearing(user).order_by("pk").select_for_update(of=("self",)))
    chosen = [member for member in mine if member.pk in change.members]
    if change.members and not chosen:
        raise CodeIsOver  # her relay has corrected them meanwhile
    if other and not mine:
        raise AddressHasLogin
    if other is None and len(chosen) == len(mine):
        accounts_steps.rewrite_login(user, new, at=at)
        moved = Moved(user, wholly=False)
    else:
        accounts_steps.logins_for([new], language=user.language)
        login = User.objects.get(email=new)
        accounts_steps.prove(login, at=at)
        moved = Moved(login, wholly=len(chosen) == len(mine) and not user.relays.filter(withdrawn_at=None).exists())
    steps.move_addresses(chosen, new, at=at)
    if moved.wholly:
        steps.move_answers(user, to=moved.login)
        accounts_steps.end_sessions(user)
    tell_relays([member for member in chosen if member.left_on is None])
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "address_changed", to=to, language=user.language, refs={"old": to == old}, key=f"{change.pk}:{to == old}", not_before=at
            )
            for to in (old, new)
        ]
    )
    return moved


@transaction.atomic(durable=True)
def note_access(*, member: int, by: User) -> None:
    """Leave the trace that one of the staff opened a member's record: the member is shown it."""
    Access.objects.create(member_id=member, by=by)
