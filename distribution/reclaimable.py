"""What a reclaim would bring back, person by person, and why some tickets can't come: said before anything moves."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from accounts.models import Relay, Seller
from distribution.history import latest
from distribution.models import Distribution
from members.models import Member
from portal.templatetags.words import moment
from tickets.models import Movement, Ticket

Shown = Mapping[uuid.UUID, str]


def why_not(tickets: Collection[Ticket]) -> dict[int, str]:
    """By key, why each of these (read `for_list`) can't be reclaimed; those that can are not in it. Two queries at most."""
    printed_stays = Seller.objects.current().reclaim_until == Seller.ReclaimUntil.PRINTED
    sentences = {
        "checked": _("Ticket %(number)s was checked at the gate, %(when)s."),
        "cancelled": _("Ticket %(number)s was cancelled, %(when)s."),
        "available": _("Ticket %(number)s is with you already."),
    }
    if printed_stays:
        sentences["printed"] = _("Ticket %(number)s was printed, %(when)s: the seller allows no reclaim after that.")
    kept = [ticket for ticket in tickets if ticket.status in sentences]
    last = {m.ticket_id: m.at for m in last_movements(kept)} if kept else {}
    return {t.pk: sentences[t.status] % {"number": t.number, "when": moment(last[t.pk], t.event.venue.zone)} for t in kept}


def last_movements(tickets: Collection[Ticket]):
    return Movement.objects.filter(ticket__in=[t.pk for t in tickets]).order_by("ticket_id", "-pk").distinct("ticket_id")


def given_again_since(act: Distribution, tickets: Collection[Ticket]) -> dict[int, str]:
    """By key, those of an act's tickets that it no longer accounts for: a later act gave them again, or they were forwarded."""
    return {key: words for key, (movement, words) in last_given(tickets, act.company_id).items() if movement.act != act.public_id}


def given_on(relay: Relay, tickets: Collection[Ticket], shown: Shown) -> dict[int, str]:
    """By key, those of these tickets that somebody else holds than when a page showed them."""
    others = [t for t in tickets if shown.get(t.public_id, t.face).partition(".")[0] != t.face.partition(".")[0]]
    merged = Movement.objects.filter(ticket__in=[t.pk for t in others], kind="merged", to_member__in=[t.member_id for t in others])
    same = set(merged.values_list("ticket", flat=True)) if others else set()  # the same person, under the entry that was kept
    return {key: words for key, (_movement, words) in last_given(others, relay.company_id).items() if key not in same} if others else {}


def last_given(tickets: Collection[Ticket], company: int) -> dict[int, tuple[Movement, str]]:
    """By key, the movement that last gave each of these tickets (read `for_list`), and the sentence that says to whom.

    Of the members of another company, only which.
    """
    moved = Movement.objects.filter(ticket__in=[t.pk for t in tickets], kind__in=["distributed", "handed_over", "forwarded"])
    moved = moved.order_by("ticket_id", "-pk").distinct("ticket_id").select_related("to_member__company", "to_company")
    last = {movement.ticket_id: movement for movement in moved}
    sentence = _("Ticket %(number)s was given again since, to %(to)s, %(when)s.")
    found = {}
    for ticket in tickets:
        if movement := last.get(ticket.pk):
            member = movement.to_member
            known = member if member is None or member.company_id == company else member.company
            to = known or movement.to_company or _("someone, on paper")
            words = {"number": ticket.number, "to": to, "when": moment(movement.at, ticket.event.venue.zone)}
            found[ticket.pk] = (movement, sentence % words)
    return found


def changes(relay: Relay, shown: Shown) -> dict[int, str]:
    """By key, what has happened to each of these tickets since a page showed it. Those that are as shown are not in it."""
    tickets = Ticket.objects.in_sight_of(relay).filter(public_id__in=shown).for_list()
    changed = [t for t in tickets if t.company_id != relay.company_id or shown[t.public_id] != t.face]
    words = latest(changed, relay) if changed else {}
    sentence = _("Ticket %(number)s: %(what)s.")
    return {t.pk: sentence % {"number": t.number, "what": words[t.pk][:1].lower() + words[t.pk][1:]} for t in changed}


@dataclass
class Share:
    """What comes back from one person, or from paper."""

    member: Member | None
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def prints(self) -> int:
        return sum(ticket.status == Ticket.Status.PRINTED for ticket in self.tickets)


@dataclass
class Preview:
    """What a reclaim of these tickets would do."""

    shares: list[Share]
    stays: list[tuple[Ticket, str]]

    @property
    def tickets(self) -> list[Ticket]:
        return [ticket for share in self.shares for ticket in share.tickets]

    @property
    def people(self) -> int:
        return sum(share.member is not None for share in self.shares)

    @property
    def prints(self) -> int:
        return sum(share.prints for share in self.shares)

    @property
    def addresses(self) -> int:
        return len({share.member.email for share in self.shares if share.member and share.member.email})


def preview(tickets: Collection[Ticket], *, other_reasons: Mapping[int, str] | None = None) -> Preview:
    """Sort tickets (read `for_list`) into what comes back, by person, and what stays, with why."""
    reasons = {**why_not(tickets), **(other_reasons or {})}
    shares: dict[int | None, Share] = {}
    for ticket in tickets:
        if ticket.pk not in reasons:
            shares.setdefault(ticket.member_id, Share(ticket.member)).tickets.append(ticket)
    by_name = sorted(shares.values(), key=lambda share: (share.member is None, share.member.sort_key if share.member else ""))
    return Preview(by_name, [(ticket, reasons[ticket.pk]) for ticket in tickets if ticket.pk in reasons])
