"""The pages of the emails that distribution owes. Ids come in; words are written as things stand at sending."""

from collections import Counter

from django.db.models import Count, F
from django.db.models.functions import Now
from django.urls import reverse

from accounts.models import Company, Relay, Seller, User
from distribution import steps
from distribution.models import Distribution, Recipient, Reminder
from members.models import Erasure, Member
from outbox.kinds import Letter
from outbox.letters import letter, login_link
from portal.clock import now
from tickets.models import Movement, Product, Ticket


def held_by(recipient: Recipient) -> list[Ticket]:
    """The tickets of the act that the person still has."""
    hers = Ticket.objects.standing().with_gift().filter(member=recipient.person)
    return list(hers.filter(given_by=recipient.distribution.public_id, given_to=recipient.member_id).for_list().by_seat())


def recipients_of(refs: dict) -> list[Recipient]:
    found = Recipient.objects.filter(public_id__in=refs["recipients"]).for_letters()
    return list(found.select_related("member__merged_into", "distribution__product__event__venue", "distribution__company"))


def who_acts(act: Distribution) -> str:
    return relay_name(act.actor_id, act.company)


def relay_name(user: int, company: Company) -> str:
    """The name of the relay who acted; her company's when there is none."""
    relay = Relay.objects.filter(user=user, company=company).order_by("-pk").first()
    return str(relay) if relay else company.name


def tickets_distributed(refs: dict, language: str, secret: str) -> Letter:
    shares = [(recipient, held_by(recipient)) for recipient in recipients_of(refs)]
    shares = [(recipient, tickets) for recipient, tickets in shares if tickets]
    first = shares[0][0]
    seller, giver = Seller.objects.current(), who_acts(first.distribution)
    return letter(
        "tickets_distributed",
        {
            "seller": seller,
            "sender": f"{giver}, via {seller}",
            "giver": giver,
            "company": first.distribution.company,
            "event": first.distribution.product.event,
            "shares": shares,
            "message": first.message,
            "count": sum(len(tickets) for _, tickets in shares),
            "lost": refs.get("lost", 0),
            "link": login_link(first.person.email, reverse("distribution:my_tickets")),
        },
    )


def still_distributed(refs: dict) -> bool:
    return any(held_by(recipient) for recipient in recipients_of(refs))


def tickets_reclaimed(refs: dict, language: str, secret: str) -> Letter:
    """To a member: tickets are hers no more, for one event or several. Read from the movements: she holds them no longer."""
    acts = list(Distribution.objects.select_related("company").filter(pk__in=refs["acts"]).order_by("pk"))
    taken = Movement.objects.filter(act__in=[act.public_id for act in acts], ticket__in=refs["tickets"], from_member__in=refs["members"])
    shares = taken.select_related("from_member", "ticket__product__event__venue").order_by("ticket__event__starts_at", "ticket")
    lines = Counter((movement.ticket.product, movement.from_member) for movement in shares)
    seller, taker = Seller.objects.current(), who_acts(acts[0])
    events = list(dict.fromkeys(product.event for product, _member in lines))
    return letter(
        "tickets_reclaimed",
        {
            "seller": seller,
            "sender": f"{taker}, via {seller}",
            "taker": taker,
            "company": acts[0].company,
            "event": events[0] if len(events) == 1 else None,
            "lines": [(product, member, count) for (product, member), count in lines.items()],
            "members": {member for _product, member in lines},
            "message": acts[0].message,
            "count": lines.total(),
        },
    )


def tickets_moved(refs: dict, language: str, secret: str) -> Letter:
    """To the address that tickets have left: two entries of one person have become one, which bears another."""
    member = Member.objects.select_related("company").get(pk=refs["member"])
    relay = Relay.objects.get(pk=refs["relay"])
    seller = Seller.objects.current()
    context = {"seller": seller, "sender": f"{relay}, via {seller}", "relay": relay, "member": member, "company": member.company}
    return letter("tickets_moved", context)


def waiting_for(refs: dict) -> list[tuple[Member, int]]:
    """The people of a reminder who still have tickets to print for an event to come, with how many."""
    tickets = Ticket.objects.filter(product=refs["product"], member__in=refs["members"], status="distributed", event__valid_until__gt=Now())
    counts = dict(tickets.order_by().values_list("member").annotate(n=Count("pk")))
    return [(member, counts[member.pk]) for member in Member.objects.filter(pk__in=counts).select_related("company").order_by("pk")]


def still_waiting(refs: dict) -> bool:
    return bool(waiting_for(refs))


def tickets_reminder(refs: dict, language: str, secret: str) -> Letter:
    """To a member: tickets wait for her."""
    people = waiting_for(refs)
    member = people[0][0]
    reminder = Reminder.objects.filter(actor=refs["actor"], request_key=refs["key"], member=member).first()
    product = Product.objects.for_list().get(pk=refs["product"])
    seller, sender = Seller.objects.current(), relay_name(refs["actor"], member.company)
    return letter(
        "tickets_reminder",
        {
            "seller": seller,
            "sender": f"{sender}, via {seller}",
            "giver": sender,
            "company": member.company,
            "event": product.event,
            "people": people,
            "count": sum(count for _member, count in people),
            "message": reminder.message if reminder else "",
            "names_open": now() < product.event.names_until,
            "link": login_link(member.email, reverse("distribution:my_tickets")),
        },
    )


def stock_and_relay(refs: dict) -> tuple[Product, Relay, int]:
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    product = Product.objects.for_list().get(pk=refs["product"])
    return product, relay, Ticket.objects.filter(product=product).left_to_distribute(relay.company).count()


def still_left(refs: dict) -> bool:
    still_relay = Relay.objects.authorised().filter(pk=refs["relay"], may_distribute=True).exists()
    return still_relay and bool(stock_and_relay(refs)[2])


def stock_reminder(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: the event comes near and tickets are still to be distributed."""
    product, relay, left = stock_and_relay(refs)
    page = reverse("distribution:product", args=[relay.company.public_id, product.public_id])
    link = login_link(relay.user.email, page)
    context = {"seller": Seller.objects.current(), "relay": relay, "product": product, "event": product.event, "count": left, "link": link}
    return letter("stock_reminder", context)


def tickets_forwarded(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: another structure has forwarded tickets to hers."""
    act, relay = act_and_relay(refs)
    seller, giver = Seller.objects.current(), who_acts(act)
    page = reverse("distribution:product", args=[relay.company.public_id, act.product.public_id])
    return letter(
        "tickets_forwarded",
        {
            "seller": seller,
            "sender": f"{giver}, via {seller}",
            "giver": giver,
            "act": act,
            "relay": relay,
            "event": act.product.event,
            "count": still_forwarded(act).count(),
            "message": act.message,
            "link": login_link(relay.user.email, page),
        },
    )


def act_and_relay(refs: dict) -> tuple[Distribution, Relay]:
    acts = Distribution.objects.select_related("product__event__venue", "company", "other")
    return acts.get(pk=refs["act"]), Relay.objects.select_related("company", "user").get(pk=refs["relay"])


def still_forwarded(act: Distribution):
    """The tickets of the act that have not been taken back since."""
    moved = Movement.objects.filter(act=act.public_id, kind="forwarded").values("ticket")
    return Ticket.objects.standing().filter(pk__in=moved).gone_through(act.other)


def forward_stands(refs: dict) -> bool:
    act, relay = act_and_relay(refs)
    return Relay.objects.authorised().seeing_tickets().filter(pk=relay.pk).exists() and still_forwarded(act).exists()


def forward_reclaimed(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: the structure above has taken tickets back."""
    act, relay = act_and_relay(refs)
    seller, taker = Seller.objects.current(), who_acts(act)
    context = {"seller": seller, "sender": f"{taker}, via {seller}", "taker": taker, "act": act, "relay": relay, "event": act.product.event}
    return letter("forward_reclaimed", context)


def stock_returned(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: the seller has brought back what waited at a structure below that has no relay any more."""
    act, relay = act_and_relay(refs)
    page = reverse("distribution:product", args=[relay.company.public_id, act.product.public_id])
    context = {"seller": Seller.objects.current(), "act": act, "relay": relay, "event": act.product.event}
    return letter("stock_returned", context | {"link": login_link(relay.user.email, page)})


def relay_acts(refs: dict) -> bool:
    return Relay.objects.authorised().seeing_tickets().filter(pk=refs["relay"]).exists()


def ticket_given_back(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: a member has given a ticket back."""
    act, relay = act_and_relay(refs)
    movement = Movement.objects.filter(act=act.public_id).select_related("from_member").first()
    page = reverse("distribution:product", args=[relay.company.public_id, act.product.public_id])
    return letter(
        "ticket_given_back",
        {
            "seller": Seller.objects.current(),
            "member": movement.from_member if movement else "",
            "act": act,
            "relay": relay,
            "event": act.product.event,
            "message": act.message,
            "link": login_link(relay.user.email, page),
        },
    )


def erasure_asked(refs: dict, language: str, secret: str) -> Letter:
    """To a person who asked that her data be erased: when that is done, and how to change her mind."""
    erasure = Erasure.objects.select_related("user").get(pk=refs["erasure"])
    seller = Seller.objects.current()
    context = {"seller": seller, "days": seller.erasure_days, "link": login_link(erasure.user.email, reverse("distribution:my_data"))}
    return letter("erasure_asked", context)


def erasure_waits(refs: dict) -> bool:
    return Erasure.objects.filter(pk=refs["erasure"], called_off_at=None, done_at=None).exists()


def idle(refs: dict, language: str, secret: str) -> Letter:
    """To a person who has not come for long: she is erased unless she comes."""
    user, seller = User.objects.get(pk=refs["user"]), Seller.objects.current()
    link = login_link(user.email, reverse("distribution:my_tickets"))
    return letter("idle", {"seller": seller, "months": seller.inactive_months, "days": steps.NOTICE.days, "link": link})


def still_idle(refs: dict) -> bool:
    """She has not come since she was to be warned."""
    return User.objects.filter(pk=refs["user"], warned_at__isnull=False).exclude(last_seen_at__gt=F("warned_at")).exists()


def always(refs: dict) -> bool:
    return True
