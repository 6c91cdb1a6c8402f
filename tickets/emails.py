"""The pages of the emails that tickets owes."""

from django.db.models import Q
from django.urls import reverse

from accounts.models import Relay, Seller
from outbox.kinds import Letter
from outbox.letters import letter, login_link
from tickets.audience import OUT_OF_REACH
from tickets.changes import in_words
from tickets.models import EventChange, Order, Ticket


def tickets_ready(refs: dict, language: str, secret: str) -> Letter:
    order = Order.objects.get(pk=refs["order"])
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    lines = list(order.lines.select_related("product__event__venue").order_by("pk"))
    return letter(
        "tickets_ready",
        {
            "seller": Seller.objects.current(),
            "relay": relay,
            "order": order,
            "lines": lines,
            "count": sum(line.quantity for line in lines),
            "link": login_link(relay.user.email, reverse("distribution:home", args=[relay.company.public_id])),
        },
    )


def order_stands(refs: dict) -> bool:
    still_relay = Relay.objects.authorised().seeing_tickets().filter(pk=refs["relay"]).exists()
    return still_relay and Order.objects.filter(pk=refs["order"], state=Order.State.CONFIRMED).exists()


def tickets_cancelled(refs: dict, language: str, secret: str) -> Letter:
    """To a relay: the seller has cancelled tickets of her company."""
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    tickets = list(Ticket.objects.in_sight_of(relay).filter(pk__in=refs["tickets"]).for_list())
    context = {"seller": Seller.objects.current(), "relay": relay, "tickets": tickets, "count": len(tickets)}
    return letter("tickets_cancelled", context)


def ticket_cancelled(refs: dict, language: str, secret: str) -> Letter:
    """To a member: the seller has cancelled tickets that she held."""
    tickets = list(Ticket.objects.filter(pk__in=refs["tickets"]).for_list())
    context = {"seller": Seller.objects.current(), "tickets": tickets, "count": len(tickets), "company": tickets[0].company}
    return letter("ticket_cancelled", context)


def event_changed(refs: dict, language: str, secret: str) -> Letter:
    """To a relay, a holder, or who is both: an event of theirs is cancelled or moved."""
    change = EventChange.objects.select_related("event__venue", "venue").get(pk=refs["change"])
    told = Relay.objects.authorised().seeing_tickets().filter(pk__in=refs["relays"])
    relays = list(told.select_related("company", "user").order_by("pk"))
    concerned = Q(movements__act=change.public_id) if change.kind == EventChange.Kind.CANCELLED else ~Q(status=Ticket.Status.CANCELLED)
    return event_letter(change, relays, holdings(refs), concerned)


def holdings(refs: dict) -> list[Ticket]:
    """The tickets of which the holder is told: those that have not been taken back since."""
    return list(Ticket.objects.filter(pk__in=refs["tickets"], member__isnull=False).for_list().order_by("number"))


def event_letter(change: EventChange, relays: list[Relay], tickets: list[Ticket], concerned: Q) -> Letter:
    """The email of a change, made or only planned: `concerned` are the tickets of a relay that it counts."""
    mine = [(relay, Ticket.objects.in_sight_of(relay).filter(concerned, product__event=change.event)) for relay in relays]
    rows = [
        {"company": relay.company, "count": seen.count(), "out_of_reach": seen.filter(OUT_OF_REACH, company=relay.company).count()}
        for relay, seen in mine
    ]
    address = relays[0].user.email if relays else tickets[0].member.email if tickets and tickets[0].member else ""
    page = reverse("distribution:home", args=[relays[0].company.public_id]) if relays else reverse("distribution:my_tickets")
    return letter(
        f"event_{change.kind}",
        {
            "seller": Seller.objects.current(),
            "change": change,
            "event": change.event,
            "words": in_words(change),
            "relay": relays[0] if relays else None,
            "rows": rows,
            "tickets": tickets,
            "count": len(tickets),
            "link": login_link(address, page),
        },
    )


def concerns_somebody(refs: dict) -> bool:
    return Relay.objects.authorised().seeing_tickets().filter(pk__in=refs["relays"]).exists() or bool(holdings(refs))


def always(refs: dict) -> bool:
    return True
