"""Who would be reminded of the tickets that wait for them, and who not and why: said before anything leaves."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q
from django.utils.translation import gettext as _

from accounts.models import Relay
from distribution.models import Recipient, Reminder
from distribution.truth import Holder, holders
from members.models import Member
from outbox.models import Delivery
from portal.templatetags.words import moment
from tickets.models import Product

STEPS = ["opened", "named", "printed"]
AT_MOST_EVERY = timedelta(hours=24)


@dataclass
class Plan:
    """Those of a group who would be reminded, and those who would not, each with why."""

    reminded: list[Holder]
    skipped: list[tuple[Holder, str]]

    @property
    def addresses(self) -> int:
        return len({holder.member.email for holder in self.reminded})

    @property
    def count(self) -> int:
        return len(self.reminded) + len(self.skipped)


def counts(people: Collection[Holder]) -> dict[str, int]:
    """How many of these people have not opened, not named, not printed."""
    return {step: sum(holder.lacks(step) for holder in people) for step in STEPS}


def plan(relay: Relay, product: Product, step: str, at: datetime) -> Plan:
    """What a reminder to those who have not come as far as the step would do, as things stand. Nobody once it is over."""
    if product.event.valid_until <= at:
        return Plan([], [])
    group = [holder for holder in holders(relay, product) if holder.lacks(step)]
    refused = refused_elsewhere(relay, [holder.member for holder in group])
    judged = [(holder, why_not(holder, at, refused)) for holder in group]
    return Plan([holder for holder, reason in judged if not reason], [(holder, reason) for holder, reason in judged if reason])


def why_not(holder: Holder, at: datetime, refused: Collection[str]) -> str:
    """Why this person is not reminded now, or nothing."""
    if not holder.member.email:
        return _("no email address")
    if holder.refused or holder.member.email in refused:
        return _("address refused: correct it first")
    if holder.reminder and at - holder.reminder.at < AT_MOST_EVERY:
        return _("reminded already, %(when)s") % {"when": moment(holder.reminder.at)}
    waits = holder.delivery is not None and holder.delivery.state in (Delivery.State.PENDING, Delivery.State.SENDING)
    if waits or any(ticket.shown_from and ticket.shown_from > at for ticket in holder.tickets):
        return _("the email with the tickets has not left yet")
    return ""


def refused_elsewhere(relay: Relay, members: Collection[Member]) -> set[str]:
    """The addresses that refused the last email which the company's acts or reminders owed them, whatever the outing."""
    told = Recipient.objects.in_sight_of(relay).filter(member__in=members)
    reminded = Reminder.objects.filter(member__in=members)
    last: dict[str, Delivery] = {}
    for row in [*settled(told), *settled(reminded)]:
        delivery = row.delivery
        if delivery.recipient not in last or last[delivery.recipient].created_at < delivery.created_at:
            last[delivery.recipient] = delivery
    return {address for address, delivery in last.items() if delivery.state == Delivery.State.FAILED}


def settled(rows):
    """The last of these for each address whose email was taken or refused."""
    rows = rows.filter(delivery__state__in=["sent", "failed"]).select_related("delivery")
    return rows.order_by("delivery__recipient", "-delivery__created_at").distinct("delivery__recipient")


def relays_told(products: Collection[int]) -> dict[int, datetime]:
    """When the relays who hold tickets of each product were last reminded of them; a product of which they never were is left out."""
    starts = Q(pk=None)
    for product in products:
        starts |= Q(dedupe_key__startswith=f"stock_reminder:{product}:")
    told = Delivery.objects.filter(starts).exclude(state=Delivery.State.CANCELLED)
    return {int(product): at for product, at in told.order_by().values_list("refs__product").annotate(at=Max("created_at"))}
