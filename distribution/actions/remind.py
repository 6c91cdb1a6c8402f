import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Min, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from accounts.models import Relay, Seller, User
from distribution.models import Reminder
from distribution.reminders import Plan, plan
from distribution.truth import Holder
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now
from tickets.models import Event, Movement, Product, Ticket

MORNING = 8  # the hour, at the venue, from which relays are reminded
MARGIN = timedelta(days=2)  # no zone is further than that from another's date


@transaction.atomic(durable=True)
def remind(*, relay: Relay, product: Product, step: str, message: str, request_key: uuid.UUID) -> Plan:
    """Remind those who hold tickets of the product and have not opened, named or printed: one email per address.

    Nobody whose address is refused, whose first email waits, or who was reminded in the last 24 hours. The answer says
    who was skipped and why; the same key again reminds nobody and has the same answer.
    """
    relay = Relay.objects.locked(relay)
    # Two relays reminding the same people: the second waits here, then finds them reminded.
    Product.objects.select_for_update(no_key=True).get(pk=product.pk)
    at = now()
    found = plan(relay, product, step, at)
    done = {r.member_id: r.member for r in Reminder.objects.filter(actor=relay.user, request_key=request_key).select_related("member")}
    if done:
        skipped = [(holder, why) for holder, why in found.skipped if holder.member.pk not in done]
        return Plan([Holder(member) for member in done.values()], skipped)
    by_address: dict[str, list[Reminder]] = {}
    for holder in found.reminded:
        reminder = Reminder(product=product, member=holder.member, actor=relay.user, request_key=request_key, message=message, at=at)
        by_address.setdefault(holder.member.email, []).append(reminder)
    languages = User.objects.languages(by_address)
    letters = []
    for address, reminders in by_address.items():
        letter = outbox_steps.letter(
            "tickets_reminder",
            to=address,
            language=languages.get(address, "fr"),
            refs={"product": product.pk, "members": [r.member.pk for r in reminders], "actor": relay.user_id, "key": str(request_key)},
            key=f"{request_key}:{reminders[0].member.public_id}",
            not_before=at,
            useful_until=product.event.valid_until,
        )
        letters.append(letter)
        for reminder in reminders:
            reminder.delivery = letter
    outbox_steps.owe(letters)
    Reminder.objects.bulk_create([reminder for reminders in by_address.values() for reminder in reminders])
    return found


@transaction.atomic(durable=True)
def remind_relays() -> int:
    """Remind the relays who still hold tickets so many days before an event, as the seller has set; how many emails.

    Once per company, product and deadline, however often or late it runs. The deadline is a date at the venue; the
    emails leave that morning. A company whose tickets all came after the deadline is not reminded of them.
    """
    days = Seller.objects.current().relay_reminder_days
    if not days:
        return 0
    at = now()
    soon = Event.objects.alias(starts=Coalesce("starts_at", "valid_until")).filter(
        starts__lte=at + timedelta(days=days) + MARGIN, starts__gt=at, valid_until__gt=at
    )
    # Two runs at once: the second waits here, then finds what the first has owed.
    products = Product.objects.filter(event__in=soon).order_by("pk").select_for_update(no_key=True, of=("self",))
    due = {product.pk: (product, morning) for product in products.for_list() if (morning := deadline(product.event, days)) <= at}
    return owe_relay_reminders(due, at)


@transaction.atomic(durable=True)
def remind_relays_now(*, products: Collection[int], by: User) -> int:
    """Staff remind the relays who still hold tickets of these products, for events that have not begun; how many emails.

    The relays of a company are reminded of a product once a day, by the clock or by whoever asks: nothing leaves twice.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    at = now()
    to_come = Event.objects.alias(starts=Coalesce("starts_at", "valid_until")).filter(starts__gt=at)
    chosen = Product.objects.filter(pk__in=products, event__in=to_come).order_by("pk").select_for_update(no_key=True, of=("self",))
    due = {product.pk: (product, at.astimezone(ZoneInfo(product.event.venue.zone))) for product in chosen.for_list()}
    return owe_relay_reminders(due, at)


def deadline(event: Event, days: int) -> datetime:
    """The morning, at the venue, of the day so many days before the event."""
    zone = ZoneInfo(event.venue.zone)
    day = (event.starts_at or event.valid_until).astimezone(zone).date() - timedelta(days=days)
    return datetime(day.year, day.month, day.day, MORNING, tzinfo=zone)


def owe_relay_reminders(due: dict[int, tuple[Product, datetime]], at: datetime) -> int:
    """One email to each relay who may distribute, for each company that still has tickets of a product and was not told.

    The instant beside a product names the reminder by its date, and leaves out tickets that came later.
    """
    came = Movement.objects.filter(ticket=OuterRef("pk"), to_company__isnull=False).order_by("-pk").values("at")[:1]
    left = Ticket.objects.filter(product__in=due, status="available").order_by()
    held = left.annotate(came=Subquery(came)).values_list("product", "company").annotate(first=Min("came"))
    prefixes = {pk: f"stock_reminder:{pk}:{morning.date()}:" for pk, (_product, morning) in due.items()}
    starts = Q(pk=None)
    for prefix in prefixes.values():
        starts |= Q(dedupe_key__startswith=prefix)
    told = {key.rpartition(":")[0] for key in Delivery.objects.filter(starts).values_list("dedupe_key", flat=True)}
    wanted: dict[int, list[int]] = {}
    for product, company, first in held:
        if first < due[product][1] and f"{prefixes[product]}{company}" not in told:
            wanted.setdefault(company, []).append(product)
    letters = [
        outbox_steps.letter(
            "stock_reminder",
            to=relay.user.email,
            language=relay.user.language,
            refs={"product": product, "relay": relay.pk},
            key=f"{product}:{due[product][1].date()}:{relay.company_id}:{relay.pk}",
            not_before=at,
            useful_until=due[product][0].event.starts_at or due[product][0].event.valid_until,
        )
        for relay in Relay.objects.authorised().filter(company__in=wanted, may_distribute=True).select_related("user").order_by("pk")
        for product in wanted[relay.company_id]
    ]
    return len(outbox_steps.owe(letters))
