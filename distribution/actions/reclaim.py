import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Company, Relay, Seller, User
from distribution.errors import CannotReclaim
from distribution.models import Distribution, Recipient
from distribution.reclaimable import Shown, changes, why_not
from outbox import steps as outbox_steps
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Movement, Ticket


@transaction.atomic(durable=True)
def reclaim(*, relay: Relay, shown: Shown, message: str = "", request_key: uuid.UUID) -> Distribution:
    """Take back distributed or handed-over tickets that nobody has used; old prints die; holders are told.

    `shown` gives, by public id, the `face` that the page showed of each ticket, of one product or several: each product
    is an act of its own, the first of which holds the key and is the answer. All or nothing: CannotReclaim when one has
    changed since, has been checked, or printed where the seller allows no more.
    A holder who has not been shown a ticket yet never hears of it.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    taken = acts_on(relay, lock_shown(relay, shown), message, request_key)
    take_back(taken)
    return taken[0][0]


def acts_on(relay: Relay, locked: Sequence[Ticket], message: str, request_key: uuid.UUID) -> list[tuple[Distribution, list[Ticket]]]:
    """The acts that take these tickets back, one a product. The first holds the request's key, the others one that follows from it."""
    by_product: dict[int, list[Ticket]] = {}
    for ticket in locked:
        by_product.setdefault(ticket.product_id, []).append(ticket)
    taken: list[tuple[Distribution, list[Ticket]]] = []
    for product, tickets in by_product.items():
        act = Distribution.objects.create(
            company=relay.company,
            actor=relay.user,
            product_id=product,
            kind=Distribution.Kind.RECLAIM,
            message=message,
            request_key=uuid.uuid5(request_key, str(product)) if taken else request_key,
            quantity=len(tickets),
        )
        taken.append((act, tickets))
    return taken


def lock_shown(relay: Relay, shown: Shown) -> list[Ticket]:
    """Lock these tickets of the relay's company, each still as the page showed it and free to come back."""
    mine = Ticket.objects.filter(public_id__in=shown, company=relay.company)
    locked = list(mine.order_by("pk").select_for_update(of=("self",)).select_related("member"))
    if any(shown[ticket.public_id] != ticket.face for ticket in locked) or len(locked) < len(shown):
        raise CannotReclaim(list(changes(relay, shown).values()) or [_("Choose tickets that your company holds.")])
    if not locked:
        raise CannotReclaim([_("Choose the tickets to reclaim.")])
    if reasons := why_not(list(Ticket.objects.filter(pk__in=[t.pk for t in locked]).for_list())):
        raise CannotReclaim(list(reasons.values()))
    return locked


def take_back(taken: Sequence[tuple[Distribution, list[Ticket]]], *, to: Company | None = None) -> datetime:
    """Move the tickets of each act back, `to` a company above or where they are, and tell who has seen one. The instant."""
    at = now()
    tell([act for act, _ in taken], move_back(taken, at, to=to), at)
    return at


def move_back(taken: Sequence[tuple[Distribution, list[Ticket]]], at: datetime, *, to: Company | None = None) -> list[Ticket]:
    """Move the tickets of each act back. Those whose holder has seen them, and is to be told."""
    for act, tickets in taken:
        seen = [ticket for ticket in tickets if has_seen(ticket, at)]
        unseen = [ticket for ticket in tickets if not has_seen(ticket, at)]
        tickets_steps.reclaim(seen, by=act.actor, act=act.public_id, to=to)
        tickets_steps.reclaim(unseen, by=act.actor, act=act.public_id, kind=Movement.Kind.UNDONE, to=to)
    locked = [ticket for _act, tickets in taken for ticket in tickets]
    unheard = call_off_empty_letters(locked)
    if not Seller.objects.current().tells_of_reclaims:
        return []
    return [t for t in locked if has_seen(t, at) and t.member and t.pk not in unheard]


def has_seen(ticket: Ticket, at: datetime) -> bool:
    """Whether the delay to undo what gave it is over; what is on paper has been seen."""
    return ticket.member is None or bool(ticket.shown_from and ticket.shown_from <= at)


def call_off_empty_letters(tickets: Sequence[Ticket]) -> set[int]:
    """Call off the emails that announce nothing any more; the keys of the tickets that nobody therefore ever heard of."""
    held = [ticket.pk for ticket in tickets if ticket.member_id]  # on paper or in stock, what a ticket was given by is over
    given = Movement.objects.filter(ticket__in=held, kind="distributed").order_by("ticket_id", "-pk")
    shares = {m.ticket_id: (m.act, m.to_member_id) for m in given.distinct("ticket_id")}
    acts = {act for act, _ in shares.values()}
    recipients = Recipient.objects.filter(distribution__public_id__in=acts, delivery__state__in=["pending", "sending"])
    waiting = list(recipients.for_letters())
    full = {recipient.delivery_id for recipient in still_holding(waiting)}
    empty = [recipient for recipient in waiting if recipient.delivery_id not in full]
    called_off = outbox_steps.call_off({recipient.delivery_id for recipient in empty})
    unheard = {(r.distribution.public_id, r.member_id) for r in empty if r.delivery_id in called_off}
    return {ticket for ticket, share in shares.items() if share in unheard}


def still_holding(recipients: Iterable[Recipient]) -> list[Recipient]:
    """Those of these recipients (read `for_letters`) who still have a ticket of their act. One query."""
    recipients = list(recipients)
    tickets = Ticket.objects.standing().with_gift().filter(member__in={r.member.person_id for r in recipients})
    held = set(tickets.values_list("given_by", "given_to", "member"))
    return [r for r in recipients if (r.distribution.public_id, r.member_id, r.member.person_id) in held]


def tell(acts: Sequence[Distribution], tickets: Sequence[Ticket], at: datetime) -> None:
    """One email per address: these tickets are no longer yours."""
    by_address: dict[str, list[Ticket]] = {}
    for ticket in tickets:
        if ticket.member and ticket.member.email:
            by_address.setdefault(ticket.member.email, []).append(ticket)
    languages = User.objects.languages(by_address)
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "tickets_reclaimed",
                to=address,
                language=languages.get(address, "fr"),
                refs={
                    "acts": [act.pk for act in acts],
                    "tickets": [t.pk for t in held],
                    "members": sorted({t.member_id for t in held if t.member_id}),
                },
                key=f"{acts[0].request_key}:{held[0].pk}",
                not_before=at,
            )
            for address, held in by_address.items()
        ]
    )
