"""Moves on members that several actions share, and the only writes to Member; what is kept of people, erased."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from django.db import connection
from django.db.models import Q, Value
from django.db.models.functions import Coalesce, TruncDate

from accounts import steps as accounts_steps
from accounts.models import Company, User
from members.errors import AddressInUse, AddressIsTheirs, AlreadyOnTheList, KeepTheOther, NameInUse
from members.models import Access, AddressChange, Consent, Group, Member, mark_of
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now
from portal.text import canonical_email, folded


def lock_list(company: Company) -> None:
    """Who writes a company's list waits here for whoever is writing it: none of its people is made twice."""
    assert connection.in_atomic_block
    Company.objects.select_for_update(no_key=True, of=("self",)).get(pk=company.pk)


def add(company: Company, *, first_name: str, last_name: str, email: str, shares_address: bool = False, namesakes: int = 0) -> Member:
    """The member of this name and address, made if the company has none; put back if she had left.

    Same address and same name is the same member. Same address, other name raises AddressInUse, unless the relay has
    said that they share it. Without an address NameInUse, unless she was shown these `namesakes` and says it is another.
    """
    lock_list(company)
    address, key = canonical_email(email), folded(f"{last_name} {first_name}")
    known = Member.objects.ever_of(company).filter(**({"email": address} if address else {"sort_key": key}))
    here = [member for member in known if not member.left_on]
    if address:
        same = [member for member in known if member.sort_key == key]
        if same:
            member = next((m for m in same if not m.left_on), same[-1])
            return put_back(member) if member.left_on else member
        if here and not shares_address:
            raise AddressInUse(here)
        accounts_steps.logins_for([address])
    elif len(here) != namesakes:
        raise NameInUse(here)
    member = Member(company=company, first_name=first_name, last_name=last_name, email=address)
    member.save()
    return member


def assert_alone(members: Sequence[Member]) -> None:
    """Same address and same name is the same member: AlreadyOnTheList names one who is there twice."""
    keys = {(m.company_id, m.email, m.sort_key) for m in members}
    others = Member.objects.filter(left_on=None, email__in={m.email for m in members if m.email}).exclude(pk__in=[m.pk for m in members])
    for other in others:
        if (other.company_id, other.email, other.sort_key) in keys:
            raise AlreadyOnTheList(other)


def put_back(member: Member) -> Member:
    """On the list again. AlreadyOnTheList when somebody there has the same name and address."""
    assert connection.in_atomic_block
    assert_alone([member])
    member.left_on = None
    member.save(update_fields=["left_on"])
    return member


def name(member: Member, *, first_name: str, last_name: str) -> None:
    """Write a member's name. AlreadyOnTheList when that makes her somebody else of the list."""
    assert connection.in_atomic_block
    member.first_name, member.last_name = first_name, last_name
    member.set_keys()
    if not member.left_on:
        assert_alone([member])
    member.save(update_fields=["first_name", "last_name", "sort_key", "search_key"])


def add_many(company: Company, people: Sequence[tuple[str, str, str]]) -> list[Member]:
    """New members (first name, last name, canonical address), in as many queries for 5,000 as for one.

    Whoever calls has locked the list and looked for those who are there: same address and same name fails whole.
    """
    assert connection.in_atomic_block
    # The instant is given and not left to the database's default: the row is then a plain one, of which many are one statement.
    written = {"company": company, "created_at": now(), "bears_address_since": now()}
    members = [Member(**written, first_name=first, last_name=last, email=address) for first, last, address in people]
    for member in members:
        member.set_keys()
    accounts_steps.logins_for(address for _, _, address in people if address)
    return Member.objects.bulk_create(members)


def write_address(member: Member, email: str) -> None:
    """Correct a member's address: `write_addresses` says until when."""
    write_addresses([(member, email)])


def write_addresses(corrected: Sequence[tuple[Member, str]]) -> None:
    """Write members' addresses, each until someone has logged in with the old one since the member bears it.

    AddressIsTheirs after that; AlreadyOnTheList when the new one makes her somebody else of the list.
    """
    assert connection.in_atomic_block
    members = [member for member, _ in corrected]
    seen = dict(User.objects.filter(email__in={m.email for m in members if m.email}).values_list("email", "last_seen_at"))
    for member in members:
        if (last := seen.get(member.email)) and last >= member.bears_address_since:
            raise AddressIsTheirs
    at = now()
    for member, email in corrected:
        member.email, member.bears_address_since = canonical_email(email), at
        member.set_keys()
    assert_alone(members)
    accounts_steps.logins_for(member.email for member in members)
    Member.objects.bulk_update(members, ["email", "bears_address_since", "search_key"])


def owner_has_come(member: Member) -> bool:
    """Whether someone has logged in with her address since she bears it: from then on it is that person's alone."""
    return bool(member.email) and User.objects.filter(email=member.email, last_seen_at__gte=member.bears_address_since).exists()


def leave(member: Member, *, on: date) -> None:
    """Off the list from that day; what she holds is another matter."""
    assert connection.in_atomic_block
    member.left_on = on
    member.save(update_fields=["left_on"])


def merge(gone: Member, *, into: Member, on: date) -> None:
    """Two rows, one person: `gone` leaves the list for good, with her groups to the one that remains.

    The one that remains keeps her address; only where she has none she takes the other's, and for as long as that one
    bore it. KeepTheOther when the owner of an address has come, who would lose it, or her tickets, to another.
    """
    assert connection.in_atomic_block
    if gone.email not in ("", into.email) and into.email and owner_has_come(gone):
        raise KeepTheOther(gone)
    put_in([(group, into) for group in gone.groups.all()])
    gone.groups.clear()
    here = not gone.left_on or not into.left_on
    Member.objects.filter(merged_into=gone).update(merged_into=into)
    gone.merged_into, gone.left_on = into, gone.left_on or on
    gone.save(update_fields=["merged_into", "left_on"])
    if gone.email and into.email in ("", gone.email):
        since = [m.bears_address_since for m in (gone, into) if m.email]
        into.email, into.bears_address_since = gone.email, min(since)
    into.last_given_at = max(filter(None, [gone.last_given_at, into.last_given_at]), default=None)
    if here and into.left_on:
        into.left_on = None
    into.set_keys()
    assert_alone([into])
    into.save(update_fields=["email", "search_key", "bears_address_since", "last_given_at", "left_on"])


def put_in(pairs: Iterable[tuple[Group, Member]]) -> None:
    """Put people in groups; who is in already stays."""
    assert connection.in_atomic_block
    within = Group.members.through
    within.objects.bulk_create([within(group=group, member=member) for group, member in pairs], ignore_conflicts=True)


def take_out(pairs: Iterable[tuple[Group, Member]]) -> None:
    """Take people out of groups, in one statement for each group."""
    assert connection.in_atomic_block
    leaving: dict[Group, list[Member]] = {}
    for group, member in pairs:
        leaving.setdefault(group, []).append(member)
    for group, members in leaving.items():
        Group.members.through.objects.filter(group=group, member__in=members).delete()


def move_addresses(members: Sequence[Member], email: str, *, at: datetime) -> None:
    """Their owner has proven another address: these members bear it from now on, with whoever was merged into them.

    AlreadyOnTheList when a list has one of them there already.
    """
    assert connection.in_atomic_block
    merged = Member.objects.filter(merged_into__in=members, email__in={member.email for member in members})
    moved = [*members, *merged]
    for member in moved:
        member.email, member.bears_address_since = email, at
        member.set_keys()
    assert_alone([member for member in members if not member.left_on])
    Member.objects.bulk_update(moved, ["email", "bears_address_since", "search_key"])


def erase(members: Collection[Member], *, at: datetime) -> None:
    """Off the lists, without name or address; the tickets they held, and how these moved, stay theirs by their keys."""
    assert connection.in_atomic_block
    Group.members.through.objects.filter(member__in=members).delete()
    Member.objects.filter(pk__in=[member.pk for member in members]).update(
        first_name="", last_name="", email="", search_key="", sort_key="", left_on=Coalesce("left_on", TruncDate(Value(at)))
    )


def move_answers(user: User, *, to: User) -> None:
    """What she answered about offers goes with her, unless the other login has answered itself."""
    assert connection.in_atomic_block
    answered = Consent.objects.filter(user=to, withdrawn_at=None).exists()
    Consent.objects.filter(user=user).filter(*[Q(withdrawn_at__isnull=False)] if answered else []).update(user=to)


def close_answers(users: Iterable[User], *, at: datetime) -> None:
    """End what these people answered about offers; a mark of the address says later that it was theirs."""
    assert connection.in_atomic_block
    answers = list(Consent.objects.filter(user__in=list(users), withdrawn_at=None).select_related("user").order_by("pk"))
    for answer in answers:
        answer.withdrawn_at, answer.mark = at, mark_of(answer.user.email)
    Consent.objects.bulk_update(answers, ["withdrawn_at", "mark"])


def erase_old_answers(before: datetime, limit: int) -> int:
    assert connection.in_atomic_block
    return delete(Consent.objects.filter(withdrawn_at__lt=before), limit)


def erase_old_accesses(before: datetime, limit: int) -> int:
    assert connection.in_atomic_block
    return delete(Access.objects.filter(at__lt=before), limit)


def erase_typed_addresses(before: datetime, limit: int) -> int:
    return forget_changes(AddressChange.objects.filter(asked_at__lt=before).order_by("pk")[:limit])


def forget_changes(changes: Iterable[AddressChange]) -> int:
    """Forget addresses that were typed, and that codes went there."""
    assert connection.in_atomic_block
    keys = [change.pk for change in changes]
    codes = Delivery.objects.filter(dedupe_key__in=[f"address_code:{key}" for key in keys])
    outbox_steps.call_off(codes.values("pk"))
    outbox_steps.erase(codes)
    return AddressChange.objects.filter(pk__in=keys).delete()[0]


def delete(rows, limit: int) -> int:
    return rows.model.objects.filter(pk__in=list(rows.order_by().values_list("pk", flat=True)[:limit])).delete()[0]
