"""Delivery truth: how far each person's tickets of a product have come, in words a relay can repeat."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Relay, User
from distribution.models import Recipient, Reminder
from members.models import Member
from outbox.models import Delivery
from portal.templatetags.words import moment
from tickets.models import Product, Ticket

STAGES = ["waiting", "sent", "opened", "named", "printed", "checked"]


@dataclass
class Holder:
    """A person who holds tickets of a product, and what is known of her."""

    member: Member
    tickets: list[Ticket] = field(default_factory=list)
    recipient: Recipient | None = None
    delivery: Delivery | None = None
    reminder: Reminder | None = None
    seen_at: datetime | None = None

    @property
    def last_email(self) -> Delivery | None:
        """The latest that tells her of these tickets: of the act, sent anew perhaps, or a reminder."""
        reminder = self.reminder.delivery if self.reminder else None
        return max(filter(None, [self.delivery, reminder]), key=lambda email: email.created_at, default=None)

    @property
    def refused(self) -> bool:
        state = self.last_email.state if self.last_email else ""
        return state == Delivery.State.FAILED and self.stage in ("waiting", "sent", "named")

    @property
    def has_opened(self) -> bool:
        """Signed in since her email was owed."""
        return bool(self.seen_at and self.delivery and self.seen_at >= self.delivery.created_at)

    def lacks(self, step: str) -> bool:
        """Whether a ticket of hers waits to be printed and she has not come as far as opened, named or printed."""
        waiting = [ticket for ticket in self.tickets if ticket.status == Ticket.Status.DISTRIBUTED]
        if step == "named":
            waiting = [ticket for ticket in waiting if not ticket.is_named]
        return bool(waiting) and not (step == "opened" and self.has_opened)

    @property
    def stage(self) -> str:
        """The furthest that one of her tickets has come."""
        states = {ticket.status for ticket in self.tickets}
        if "checked" in states:
            return "checked"
        if "printed" in states:
            return "printed"
        if any(ticket.is_named for ticket in self.tickets):
            return "named"
        if self.has_opened:
            return "opened"
        if self.delivery and self.delivery.state == Delivery.State.SENT:
            return "sent"
        return "waiting"

    @property
    def reminded(self) -> str:
        """What became of the last reminder, for as long as a ticket waits to be printed; or nothing."""
        if self.reminder is None or not self.lacks("printed"):
            return ""
        state = self.reminder.delivery.state if self.reminder.delivery else Delivery.State.SENT
        words = {
            Delivery.State.SENT: _("Reminded %(when)s"),
            Delivery.State.UNKNOWN: _("Perhaps reminded %(when)s"),
            Delivery.State.FAILED: _("Reminder refused, %(when)s"),
            Delivery.State.CANCELLED: "",
        }
        return words.get(Delivery.State(state), _("Reminder waiting to be sent")) % {"when": moment(self.reminder.at)}

    @property
    def holes(self) -> range:
        """How many of the five punches are made."""
        return range(STAGES.index(self.stage))

    @property
    def word(self) -> str:
        if self.refused:
            return _("Address refused")
        if self.stage == "waiting":
            return self.waiting_word
        words = {
            "sent": pgettext("email", "Sent"),
            "opened": pgettext("space", "Opened"),
            "named": pgettext("ticket", "Named"),
            "printed": pgettext("ticket", "Printed"),
            "checked": pgettext("ticket", "Checked"),
        }
        return words[self.stage]

    @property
    def waiting_word(self) -> str:
        if not self.member.email:
            return _("No email: print for them")
        if self.delivery and self.delivery.state == Delivery.State.UNKNOWN:
            return _("Perhaps sent")
        return _("Waiting to be sent")

    @property
    def at(self) -> datetime | None:
        """When the stage was reached, where that is known."""
        if self.stage == "opened":
            return self.seen_at
        if self.stage == "sent":
            return self.delivery.sent_at if self.delivery else None
        return max((t.moved_at for t in self.tickets), default=None) if self.stage != "waiting" else None

    @property
    def may_be_corrected(self) -> bool:
        """Until someone has logged in with the address since the member bears it."""
        if self.member.left_on:
            return False
        return not self.member.email or self.seen_at is None or self.seen_at < self.member.bears_address_since

    @property
    def can_be_reclaimed(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket.status in ("distributed", "printed")]

    @property
    def others(self) -> list[str]:
        """The beneficiaries who are not the member: to be shown only where the event requires names."""
        return sorted({t.beneficiary for t in self.tickets if t.is_named} - {str(self.member)})

    @property
    def those_done(self) -> int:
        """How many of the tickets have come as far as the furthest."""
        if self.stage in ("printed", "checked"):
            return sum(t.status == self.stage or (self.stage == "printed" and t.status == "checked") for t in self.tickets)
        return sum(t.is_named for t in self.tickets) if self.stage == "named" else len(self.tickets)


def undelivered(relay: Relay) -> dict[tuple[int, int], uuid.UUID]:
    """People to come to an event, whose last email about it was refused: by member and product, its public id."""
    acts = Recipient.objects.in_sight_of(relay).filter(distribution__undone_at=None)
    reminders = Reminder.objects.filter(member__company=relay.company)
    of_acts = still_refused(acts, "distribution__product")
    return {(member, product): public_id for member, product, public_id in [*of_acts, *still_refused(reminders, "product")]}


def still_refused(rows, product: str):
    """Those of these emails that were refused, with nothing sent later, to whoever still has a ticket to print."""
    hers = {"member": OuterRef("member"), "delivery__created_at__gt": OuterRef("delivery__created_at")}
    acts = Recipient.objects.filter(**hers, distribution__product=OuterRef(product), distribution__undone_at=None)
    reminders = Reminder.objects.filter(**hers, product=OuterRef(product))
    held = Ticket.objects.filter(
        Q(member=OuterRef("member")) | Q(member=OuterRef("member__merged_into")), product=OuterRef(product), status="distributed"
    )
    refused = rows.filter(Exists(held), ~Exists(acts), ~Exists(reminders), delivery__state=Delivery.State.FAILED)
    coming = refused.filter(**{f"{product}__event__valid_until__gt": Now()})
    return coming.order_by("pk").values_list("member", product, f"{product}__public_id")


def holders(relay: Relay, product: Product, members: Collection[int | None] | None = None) -> list[Holder]:
    """Who holds tickets of the product from the relay's company: refused addresses first, then by name.

    Of these members alone, when they are given.
    """
    tickets = Ticket.objects.in_sight_of(relay).filter(product=product, company=relay.company, member__isnull=False).standing()
    if members is not None:
        chosen = [member for member in members if member]
        tickets = tickets.filter(Q(member__in=chosen) | Q(member__merged_into__in=chosen))
    found: dict[int, Holder] = {}
    for ticket in tickets.with_last_movement().select_related("member__merged_into", "seat").order_by("number"):
        assert ticket.member is not None
        person = ticket.member.merged_into or ticket.member
        found.setdefault(person.pk, Holder(person)).tickets.append(ticket)
    acts = Recipient.objects.in_sight_of(relay).filter(distribution__product=product, distribution__undone_at=None)
    hers = Q(member__in=found) | Q(member__merged_into__in=found)
    for recipient in acts.filter(hers).select_related("delivery", "member").order_by("pk"):
        found[recipient.member.person_id].recipient = recipient
        found[recipient.member.person_id].delivery = recipient.delivery
    for reminder in Reminder.objects.filter(hers, product=product).select_related("delivery", "member").order_by("at"):
        found[reminder.member.person_id].reminder = reminder
    seen = dict(User.objects.filter(email__in={h.member.email for h in found.values()}).values_list("email", "last_seen_at"))
    for holder in found.values():
        holder.seen_at = seen.get(holder.member.email)
    return sorted(found.values(), key=lambda h: (not h.refused, h.member.sort_key))
