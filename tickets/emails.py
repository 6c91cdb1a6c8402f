"""The pages of the emails that tickets owes."""

from django.urls import reverse

from accounts.models import Relay, Seller
from outbox.kinds import Letter
from outbox.letters import letter, login_link
from tickets.models import Order, Ticket


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
    still_relay = Relay.objects.authorised().filter(pk=refs["relay"]).exists()
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


def always(refs: dict) -> bool:
    return True
