import uuid
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Company, Relay, Seller, User
from distribution.errors import CannotReclaim
from distribution.models import Distribution, Recipient
from outbox import steps as outbox_steps
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Movement, Product, Ticket


@transaction.atomic(durable=True)
def reclaim(*, relay: Relay, product: Product, tickets: Sequence[uuid.UUID], request_key: uuid.UUID) -> Distribution:
    """Take back distributed or handed-over tickets that nobody has used; old prints die; holders are told.

    All or nothing: CannotReclaim names what has been checked, or printed where the seller allows no more.
    A holder who has not been shown a ticket yet never hears of it.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    mine = Ticket.objects.filter(public_id__in=tickets, product=product, company=relay.company)
    locked = list(mine.order_by("pk").select_for_update(of=("self",)).select_related("member"))
    if not locked or len(locked) != len(set(tickets)):
        raise CannotReclaim([_("Choose tickets that your company holds.")])
    if reasons := [reason for ticket in locked if (reason := why_not(ticket))]:
        raise CannotReclaim(reasons)

    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.RECLAIM,
        request_key=request_key,
        quantity=len(locked),
    )
    take_back(act, locked)
    return act


def take_back(act: Distribution, locked: list[Ticket], *, to: Company | None = None) -> None:
    """Move the tickets back, `to` a company above or where they are, and tell whom has seen one."""
    at = now()
    tell(act, move_back(act, locked, at, to=to), at)


def move_back(act: Distribution, locked: list[Ticket], at: datetime, *, to: Company | None = None) -> list[Ticket]:
    """Move the tickets back. Those whose holder has seen them, and is to be told."""
    shown = [t for t in locked if t.member is None or (t.shown_from and t.shown_from <= at)]
    unseen = [t for t in locked if t not in shown]
    tickets_steps.reclaim(shown, by=act.actor, act=act.public_id, to=to)
    tickets_steps.reclaim(unseen, by=act.actor, act=act.public_id, kind=Movement.Kind.UNDONE, to=to)
    unaware = call_off_empty_letters(locked)
    return [t for t in shown if t.member and t.member.email not in unaware]


def why_not(ticket: Ticket) -> str:
    """Why this ticket can't be reclaimed, or nothing."""
    if ticket.status == Ticket.Status.CHECKED:
        return _("Ticket %(number)s has been checked at the gate.") % {"number": ticket.number}
    if ticket.status == Ticket.Status.CANCELLED:
        return _("Ticket %(number)s is cancelled.") % {"number": ticket.number}
    if ticket.status == Ticket.Status.AVAILABLE:
        return _("Ticket %(number)s is with you already.") % {"number": ticket.number}
    if ticket.status == Ticket.Status.PRINTED and Seller.objects.current().reclaim_until == Seller.ReclaimUntil.PRINTED:
        return _("Ticket %(number)s has been printed.") % {"number": ticket.number}
    return ""


def call_off_empty_letters(tickets: list[Ticket]) -> set[str]:
    """Call off the emails that announce nothing any more; the addresses that therefore never heard."""
    members = {t.member_id for t in tickets if t.member_id}
    given = Movement.objects.filter(ticket__in=[t.pk for t in tickets], kind="distributed")
    acts = given.filter(Q(to_member__in=members) | Q(to_member__merged_into__in=members))
    recipients = Recipient.objects.filter(distribution__public_id__in=acts.values("act"), delivery__state__in=["pending", "sending"])
    waiting: dict = {}
    for recipient in recipients.for_letters():
        waiting.setdefault(recipient.delivery_id, []).append(recipient)
    empty = {pk: shared for pk, shared in waiting.items() if not any(still_holds(r) for r in shared)}
    called_off = outbox_steps.call_off(empty)
    return {recipient.person.email for pk in called_off for recipient in empty[pk]}


def still_holds(recipient: Recipient) -> bool:
    """Whether the person still has a ticket of this act."""
    given = Movement.objects.filter(act=recipient.distribution.public_id, to_member=recipient.member_id, kind="distributed")
    return Ticket.objects.standing().filter(pk__in=given.values("ticket"), member=recipient.person).exists()


def tell(act: Distribution, tickets: list[Ticket], at: datetime) -> None:
    """One email per address: these tickets are no longer yours."""
    by_address: dict[str, list[Ticket]] = {}
    for ticket in tickets:
        if ticket.member and ticket.member.email:
            by_address.setdefault(ticket.member.email, []).append(ticket)
    languages = dict(User.objects.filter(email__in=by_address).values_list("email", "language"))
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "tickets_reclaimed",
                to=address,
                language=languages.get(address, "fr"),
                refs={"act": act.pk, "tickets": [t.pk for t in held], "members": sorted({t.member_id for t in held if t.member_id})},
                key=f"{act.request_key}:{held[0].pk}",
                not_before=at,
            )
            for address, held in by_address.items()
        ]
    )
