import uuid

from django.db import transaction
from django.db.models.functions import Now
from django.shortcuts import get_object_or_404
from django.utils import timezone

from accounts.models import Relay, User
from distribution.actions.address import owe_anew, to_tell
from distribution.actions.reclaim import acts_on, take_back
from distribution.reclaimable import why_not
from members import steps as members_steps
from members.errors import MemberHasChanged
from members.models import Member
from outbox import steps as outbox_steps
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Ticket


def unused(member: Member):
    """The tickets that she holds, has not used, and may still use."""
    held = Ticket.objects.filter(member=member, company=member.company_id, status__in=["distributed", "printed"])
    return held.filter(event__valid_until__gt=Now()).order_by("pk")


@transaction.atomic(durable=True)
def leave(*, relay: Relay, member: Member, reclaims: bool, request_key: uuid.UUID) -> Member:
    """Take a person off the list: she has left the company. With `reclaims`, what she has not used comes back at once.

    Otherwise she keeps it, and it stays good. She gets one email about all that is taken back. Done once: nothing when
    she has left already.
    """
    relay = Relay.objects.locked(relay)
    everyone = Member.objects.ever_of(relay.company).select_for_update(no_key=True, of=("self",))
    found = get_object_or_404(everyone, pk=member.pk)
    if found.left_on:
        return found
    locked: list[Ticket] = []
    if reclaims and relay.may_distribute:
        hers = list(unused(found).select_for_update(of=("self",)).select_related("member", "event__venue"))
        stay = why_not(hers)
        locked = [ticket for ticket in hers if ticket.pk not in stay]
    members_steps.leave(found, on=timezone.localdate(now()))
    if locked:
        take_back(acts_on(relay, locked, "", request_key))
    return found


@transaction.atomic(durable=True)
def put_back(*, relay: Relay, member: Member) -> Member:
    """On the list again. AlreadyOnTheList when somebody there has the same name and address."""
    relay = Relay.objects.locked(relay)
    members_steps.lock_list(relay.company)
    everyone = Member.objects.ever_of(relay.company).select_for_update(no_key=True, of=("self",))
    found = get_object_or_404(everyone, pk=member.pk)
    return members_steps.put_back(found) if found.left_on else found


@transaction.atomic(durable=True)
def merge(*, relay: Relay, gone: Member, kept: Member, shown: str, request_key: uuid.UUID) -> Member:
    """Two entries of one person become the one kept: what the other held and had not used is hers, groups too.

    What was checked or cancelled stays under the old entry, which names her in the past. Nobody gains tickets through an
    address that is not its owner's: KeepTheOther when the one to go has logged in with hers, and whoever had been told
    at an address that the tickets leave is told that they did. MemberHasChanged when an address is no longer as shown.
    """
    relay = Relay.objects.locked(relay)
    members_steps.lock_list(relay.company)
    both = Member.objects.ever_of(relay.company).filter(pk__in=[gone.pk, kept.pk]).order_by("pk")
    rows = {member.pk: member for member in both.select_for_update(no_key=True, of=("self",))}
    if len(rows) < 2:
        return kept
    gone, kept = rows[gone.pk], rows[kept.pk]
    if addresses(gone, kept) != shown:
        raise MemberHasChanged
    # Locked first: the owner of an address who prints has come, or waits until the tickets are where they go.
    held = Ticket.objects.filter(member=gone, company=relay.company, status__in=["distributed", "printed"])
    locked = list(held.order_by("pk").select_for_update(of=("self",)))
    address = gone.email
    members_steps.merge(gone, into=kept, on=timezone.localdate(now()))
    tickets_steps.merge(locked, into=kept, by=relay.user)
    moved = [r for r in to_tell([kept]) if (r.delivery.recipient if r.delivery else "") != kept.email]
    if owe_anew(moved, key=str(request_key)) and address != kept.email:
        tell_the_old_address(relay, gone, address, str(request_key))
    return kept


def addresses(gone: Member, kept: Member) -> str:
    """What a merge's page showed, to tell whether it is still so."""
    return f"{gone.email}|{kept.email}"


def tell_the_old_address(relay: Relay, gone: Member, address: str, key: str) -> None:
    language = User.objects.filter(email=address).values_list("language", flat=True).first() or "fr"
    refs = {"member": gone.pk, "relay": relay.pk}
    outbox_steps.owe([outbox_steps.letter("tickets_moved", to=address, language=language, refs=refs, key=key, not_before=now())])
