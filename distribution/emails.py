"""The pages of the emails that distribution owes. Ids come in; words are written as things stand at sending."""

from django.db.models import Count
from django.urls import reverse

from accounts.models import Relay, Seller
from distribution.models import Distribution, Recipient
from members.models import Member
from outbox.kinds import Letter
from outbox.letters import letter, login_link
from tickets.models import Event, Movement, Ticket


def held_by(recipient: Recipient) -> list[Ticket]:
    """The tickets of the act that the person still has."""
    given = Movement.objects.filter(act=recipient.distribution.public_id, to_member=recipient.member_id, kind="distributed")
    return list(Ticket.objects.standing().filter(pk__in=given.values("ticket"), member=recipient.person).for_list().by_seat())


def recipients_of(refs: dict) -> list[Recipient]:
    found = Recipient.objects.filter(public_id__in=refs["recipients"]).for_letters()
    return list(found.select_related("member__merged_into", "distribution__product__event__venue", "distribution__company"))


def who_acts(act: Distribution) -> str:
    """The name of the relay who acted; her company's when she is a relay no more."""
    relay = Relay.objects.filter(user=act.actor_id, company=act.company_id).order_by("-pk").first()
    return str(relay) if relay else act.company.name


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
            "link": login_link(first.person.email, reverse("distribution:my_tickets")),
        },
    )


def still_distributed(refs: dict) -> bool:
    return any(held_by(recipient) for recipient in recipients_of(refs))


def tickets_reclaimed(refs: dict, language: str, secret: str) -> Letter:
    act = Distribution.objects.select_related("product__event__venue", "company").get(pk=refs["act"])
    events = Event.objects.filter(tickets__in=refs["tickets"]).annotate(count=Count("tickets")).select_related("venue")
    seller, taker = Seller.objects.current(), who_acts(act)
    return letter(
        "tickets_reclaimed",
        {
            "seller": seller,
            "sender": f"{taker}, via {seller}",
            "taker": taker,
            "company": act.company,
            "event": act.product.event,
            "events": list(events.order_by("valid_until", "pk")),
            "count": len(refs["tickets"]),
        },
    )


def tickets_moved(refs: dict, language: str, secret: str) -> Letter:
    """To the address that tickets have left: two entries of one person have become one, which bears another."""
    member = Member.objects.select_related("company").get(pk=refs["member"])
    relay = Relay.objects.get(pk=refs["relay"])
    seller = Seller.objects.current()
    context = {"seller": seller, "sender": f"{relay}, via {seller}", "relay": relay, "member": member, "company": member.company}
    return letter("tickets_moved", context)


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
    return Relay.objects.authorised().filter(pk=relay.pk).exists() and still_forwarded(act).exists()


def forward_reclaimed(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: the structure above has taken tickets back."""
    act, relay = act_and_relay(refs)
    seller, taker = Seller.objects.current(), who_acts(act)
    context = {"seller": seller, "sender": f"{taker}, via {seller}", "taker": taker, "act": act, "relay": relay, "event": act.product.event}
    return letter("forward_reclaimed", context)


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


def always(refs: dict) -> bool:
    return True
