"""Moves on members that several actions share, and the only writes to Member."""

from collections.abc import Sequence

from django.db import connection

from accounts import steps as accounts_steps
from accounts.models import Company, User
from members.errors import AddressInUse, AddressIsTheirs
from members.models import Member
from portal.clock import now
from portal.text import canonical_email, folded


def add(company: Company, *, first_name: str, last_name: str, email: str, shares_address: bool = False) -> Member:
    """The member of this name and address, made if the company has none.

    Same address and same name is the same member. Same address, other name raises AddressInUse, unless
    the relay has said that they share it.
    """
    assert connection.in_atomic_block
    address = canonical_email(email)
    key = folded(f"{last_name} {first_name}")
    if address:
        bearers = list(Member.objects.of(company).filter(email=address))
        if same := next((member for member in bearers if member.sort_key == key), None):
            return same
        if bearers and not shares_address:
            raise AddressInUse(bearers)
        accounts_steps.logins_for([address])
    member = Member(company=company, first_name=first_name, last_name=last_name, email=address)
    member.save()
    return member


def add_many(company: Company, people: Sequence[tuple[str, str, str]]) -> list[Member]:
    """New members (first name, last name, canonical address), in as many queries for 5,000 as for one.

    Whoever calls has looked for those who are there already: same address and same name fails whole.
    """
    assert connection.in_atomic_block
    members = [Member(company=company, first_name=first, last_name=last, email=address) for first, last, address in people]
    for member in members:
        member.set_keys()
    accounts_steps.logins_for(address for _, _, address in people if address)
    return Member.objects.bulk_create(members)


def write_address(member: Member, email: str) -> None:
    """Correct a member's address, until someone has logged in with the old one since the member bears it."""
    assert connection.in_atomic_block
    if member.email and owner_has_come(member):
        raise AddressIsTheirs
    member.email = canonical_email(email)
    member.bears_address_since = now()
    accounts_steps.logins_for([member.email])
    member.save(update_fields=["email", "bears_address_since", "search_key"])


def owner_has_come(member: Member) -> bool:
    return User.objects.filter(email=member.email, last_seen_at__gte=member.bears_address_since).exists()
