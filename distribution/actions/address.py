import uuid

from django.db import transaction

from accounts.models import Relay
from distribution.actions.distribute import owe_letters
from distribution.actions.reclaim import still_holds
from distribution.models import Recipient
from members import steps as members_steps
from members.models import Member
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Ticket


@transaction.atomic(durable=True)
def send_again(*, relay: Relay, recipient: Recipient, request_key: uuid.UUID) -> Recipient:
    """Owe the person's email of one act anew. Nothing if she holds none of its tickets any more."""
    relay = Relay.objects.locked(relay)
    found = Recipient.objects.in_sight_of(relay).select_related("distribution", "member").get(pk=recipient.pk)
    if Delivery.objects.filter(dedupe_key__startswith=f"tickets_distributed:{request_key}:").exists():
        return found
    if found.member.email and still_holds(found):
        if found.delivery_id:
            outbox_steps.call_off([found.delivery_id])
        owe_anew([found], key=str(request_key))
    return found


def owe_anew(recipients: list[Recipient], *, key: str) -> None:
    """New emails for these people; none leaves before the act they tell of can no longer be undone."""
    at = now()
    for recipient in recipients:
        owe_letters([recipient], key=key, not_before=max(recipient.distribution.undo_until or at, at))
        recipient.save(update_fields=["delivery"])


@transaction.atomic(durable=True)
def correct_address(*, relay: Relay, member: Member, shown: str, email: str, request_key: uuid.UUID) -> Member:
    """Correct a member's address: her emails leave anew, and prints made under the wrong address die.

    AddressIsTheirs once someone has logged in with the old one. Nothing if the address is no longer the one shown.
    """
    relay = Relay.objects.locked(relay)
    found = Member.objects.of(relay.company).select_for_update(no_key=True).get(pk=member.pk)
    if found.email != shown:
        return found
    tickets = Ticket.objects.filter(member=found, company=relay.company, status__in=["distributed", "printed"])
    locked = list(tickets.order_by("pk").select_for_update(of=("self",)))
    members_steps.write_address(found, email)
    tickets_steps.reissue([t for t in locked if t.status == Ticket.Status.PRINTED], by=relay.user)
    told = list(Recipient.objects.filter(member=found).select_related("distribution", "member", "delivery").order_by("pk"))
    due = [recipient for recipient in told if still_holds(recipient)]
    alone = [r.delivery_id for r in due if r.delivery and len(r.delivery.refs["recipients"]) == 1]
    outbox_steps.call_off(alone)
    for recipient in due:
        recipient.member = found
    owe_anew(due, key=str(request_key))
    return found
