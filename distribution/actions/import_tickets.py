import uuid
from collections import Counter
from collections.abc import Collection

from django.db import transaction
from django.db.models import Q

from accounts.models import Relay
from distribution.actions.address import rewrite_addresses
from distribution.actions.distribute import Gift, give, lock_members
from distribution.actions.reclaim import move_back, tell
from distribution.errors import ListHasFaults, PreviewIsOld
from distribution.models import Distribution
from distribution.people_list import Line
from distribution.round_trip import CHANGES, Edit, as_shown, judge, people_of
from members import steps as members_steps
from portal.clock import now
from tickets.models import Product, Ticket


@transaction.atomic(durable=True)
def import_tickets(
    *,
    relay: Relay,
    product: Product,
    edits: list[Edit],
    shares: bool,
    others: Collection[str] = (),
    message: str,
    shown: str,
    request_key: uuid.UUID,
) -> Distribution | None:
    """Bring the tickets of a product to what a changed sheet says: give, take back, and give on; correct addresses.

    Whatever moved since the sheet was made stays as it is. What is taken back is one act, what is given another, in one
    transaction; the act that gave, if any, is the answer, and it can be undone only when nothing was taken back. All or
    nothing: ListHasFaults when a row is refused, PreviewIsOld when what would be done is not what the page showed. None when
    there is no ticket to move.
    """
    relay = Relay.objects.locked(relay)
    if done := Distribution.objects.filter(actor=relay.user, request_key=request_key).first():
        return done
    members_steps.lock_list(relay.company)
    # The first look says what to lock; what is then found, with nothing moving any more, must be what was shown.
    lock(relay, judge(edits, relay, product, shares=shares, others=others))
    judge(edits, relay, product, shares=shares, others=others)
    if refused := sum(edit.verdict == "refused" for edit in edits):
        raise ListHasFaults(refused)
    if as_shown(edits) != shown:
        raise PreviewIsOld
    changing = [edit for edit in edits if edit.verdict in CHANGES]
    people = people_of(changing)
    correct(relay, people, request_key)
    add(relay, people)
    gifts = gifts_of(changing)
    taken, lost = take(relay, product, changing, request_key)
    if not gifts:
        return taken
    members = {line.member.pk: line.member for line in people if line.member}
    gaining = {pk: members[pk] for pk, *_ in gifts}
    return give(relay, product, gifts, gaining, message, request_key, can_be_undone=taken is None, lost=lost)


def lock(relay: Relay, edits: list[Edit]) -> None:
    """Everybody and every ticket that these rows touch, each in the order of their keys."""
    people = [line for line in people_of(edits) if line.member]
    lock_members({line.member.pk for line in people if line.member})
    readdressed = [line.member for line in people if line.old_email is not None]
    hers = Q(company=relay.company, member__in=readdressed, status__in=["distributed", "printed"])
    named = Q(pk__in=[edit.ticket.pk for edit in edits if edit.ticket])
    list(Ticket.objects.filter(named | hers).order_by("pk").select_for_update(of=("self",)).values_list("pk"))


def correct(relay: Relay, people: list[Line], request_key: uuid.UUID) -> None:
    changes = [(line.member, line.email) for line in people if line.member and line.old_email is not None]
    if changes:
        rewrite_addresses(relay, changes, key=str(request_key))


def add(relay: Relay, people: list[Line]) -> None:
    """Put new people on the company's list."""
    new = [line for line in people if line.member is None]
    made = members_steps.add_many(relay.company, [(line.first_name, line.last_name, line.email) for line in new])
    for line, member in zip(new, made, strict=True):
        line.member = member


def gifts_of(edits: list[Edit]) -> list[Gift]:
    """Who gets which tickets, each person once."""
    by_member: dict[int, list[int]] = {}
    for edit in edits:
        if edit.verdict in ("give", "move") and edit.ticket and edit.person and edit.person.member:
            by_member.setdefault(edit.person.member.pk, []).append(edit.ticket.pk)
    return [(member, len(tickets), tickets) for member, tickets in by_member.items()]


def take(relay: Relay, product: Product, edits: list[Edit], request_key: uuid.UUID) -> tuple[Distribution | None, dict[str, int]]:
    """Take back what is given on or was emptied: the act, and how many tickets each address lost that the same import gives some.

    Those are told with what they are given; the others by an email of their own.
    """
    gaining = {edit.person.email for edit in edits if edit.verdict in ("give", "move") and edit.person}
    keys = [edit.ticket.pk for edit in edits if edit.verdict in ("move", "reclaim") and edit.ticket]
    if not keys:
        return None, {}
    tickets = list(Ticket.objects.filter(pk__in=keys).select_related("member").order_by("pk"))
    act = Distribution.objects.create(
        company=relay.company,
        actor=relay.user,
        product=product,
        kind=Distribution.Kind.RECLAIM,
        request_key=uuid.uuid5(request_key, "reclaim") if any(edit.verdict in ("give", "move") for edit in edits) else request_key,
        quantity=len(tickets),
    )
    at = now()
    seen = [(ticket, ticket.member.email) for ticket in move_back([(act, tickets)], at) if ticket.member]
    tell([act], [ticket for ticket, address in seen if address not in gaining], at)
    return act, Counter(address for _, address in seen if address and address in gaining)
