import uuid
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Q

from accounts.models import Relay
from distribution.actions.distribute import owe_letters
from distribution.actions.reclaim import still_holding
from distribution.models import Recipient
from members import steps as members_steps
from members.domains import look_again
from members.models import Member
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Ticket

LEFT = [Delivery.State.SENDING, Delivery.State.SENT, Delivery.State.UNKNOWN]  # what an email that cannot be called off may be in


@transaction.atomic(durable=True)
def send_again(*, relay: Relay, recipient: Recipient, request_key: uuid.UUID) -> Recipient:
    """Owe the person's email of one act anew. Nothing if she holds none of its tickets any more."""
    relay = Relay.objects.locked(relay)
    found = Recipient.objects.in_sight_of(relay).for_letters().get(pk=recipient.pk)
    if Delivery.objects.filter(dedupe_key__startswith=f"tickets_distributed:{request_key}:").exists():
        return found
    if found.person.email and still_holding([found]):
        owe_anew([found], key=str(request_key))
    return found


def owe_anew(recipients: list[Recipient], *, key: str) -> list[Recipient]:
    """New emails for these people where they are now. Those whose earlier email had left already: they have been told before.

    An earlier email that had not left is called off; whoever else was in it is told anew too.
    """
    earlier = {recipient.delivery_id for recipient in recipients if recipient.delivery_id}
    called_off = outbox_steps.call_off(earlier)
    told = [r for r in recipients if r.delivery and r.delivery_id not in called_off and r.delivery.state in LEFT]
    others = Recipient.objects.filter(delivery__in=called_off).exclude(pk__in=[r.pk for r in recipients])
    everyone = [*recipients, *others.for_letters()]
    owe_letters(everyone, key=key, at=now())
    Recipient.objects.bulk_update(everyone, ["delivery"])
    return told


@transaction.atomic(durable=True)
def correct_address(*, relay: Relay, member: Member, shown: str, email: str, right_domain: str = "", request_key: uuid.UUID) -> Member:
    """Correct a member's address: her emails leave anew, and prints made under the wrong address die.

    AddressIsTheirs once someone has logged in with the old one; UnfamiliarDomain when nobody else of the company has an
    address like the new one and the relay has not said that it is right. Nothing if the address is no longer the one shown.
    Where she had none, nobody can have printed but the relay, and what was printed stays good.
    """
    relay = Relay.objects.locked(relay)
    members_steps.lock_list(relay.company)
    found = Member.objects.of(relay.company).select_for_update(no_key=True, of=("self",)).get(pk=member.pk)
    if found.email != shown:
        return found
    look_again(relay.company, email, said=right_domain, apart_from=[found.pk])
    rewrite_addresses(relay, [(found, email)], key=str(request_key))
    return found


def rewrite_addresses(relay: Relay, corrected: Sequence[tuple[Member, str]], *, key: str) -> None:
    """Write the addresses of members, who are locked, with all that goes with it; in as many queries for many as for one."""
    told_before = {member.pk for member, _ in corrected if member.email}
    tickets = Ticket.objects.filter(member__in=[member.pk for member, _ in corrected], company=relay.company)
    locked = list(tickets.filter(status__in=["distributed", "printed"]).order_by("pk").select_for_update(of=("self",)))
    members_steps.write_addresses(corrected)
    printed = [t for t in locked if t.status == Ticket.Status.PRINTED and t.member_id in told_before]
    tickets_steps.reissue(printed, by=relay.user)
    owe_anew(to_tell([member for member, _ in corrected]), key=key)


def to_tell(members: Collection[Member]) -> list[Recipient]:
    """What is to be told to members anew: each act of which they still hold something, whichever entry it was given to."""
    hers = Recipient.objects.filter(Q(member__in=members) | Q(member__merged_into__in=members))
    return list(hers.to_be_told().for_letters())
