"""The pages of the emails that sales owe."""

from datetime import datetime

from django.urls import reverse

from accounts.models import Relay, Seller, User
from outbox.kinds import Attachment, Letter
from outbox.letters import letter, login_link
from sales.catalogue import sum_of
from sales.documents import order_pdf
from sales.models import Option
from sales.steps.tell import deciders
from tickets.models import Order


def still_buys(refs: dict) -> bool:
    return Relay.objects.authorised().filter(pk=refs["relay"], may_buy=True).exists()


def order_confirmed(refs: dict, language: str, secret: str) -> Letter:
    """To whoever placed an order, with its order form."""
    order = Order.objects.select_related("company").get(pk=refs["order"])
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    lines = list(order.lines.select_related("product__event__venue").order_by("pk"))
    context = {
        "seller": Seller.objects.current(),
        "relay": relay,
        "order": order,
        "lines": lines,
        "sum": sum_of([(line, line.quantity) for line in lines]),
        "count": sum(line.quantity for line in lines),
        "link": login_link(relay.user.email, reverse("sales:order", args=[relay.company.public_id, order.public_id])),
    }
    return letter("order_confirmed", context)._replace(attachments=(Attachment(f"commande-{order.number}.pdf", order_pdf(order)),))


def order_stands(refs: dict) -> bool:
    return still_buys(refs) and Order.objects.filter(pk=refs["order"], state__in=["confirmed", "awaiting"]).exists()


def option_context(refs: dict) -> dict:
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    option = Option.objects.for_list().get(pk=refs["option"])
    return {
        "seller": Seller.objects.current(),
        "relay": relay,
        "option": option,
        "event": option.product.event,
        "quantity": refs.get("quantity", option.held),
        "more_time": refs.get("more_time", False),
        "link": login_link(relay.user.email, reverse("sales:option", args=[relay.company.public_id, option.public_id])),
    }


def option_asked(refs: dict, language: str, secret: str) -> Letter:
    """To one of the staff: a company asks for an option, or for more time."""
    option = Option.objects.for_list().get(pk=refs["option"])
    address = User.objects.get(pk=refs["user"]).email
    link = login_link(address, reverse("admin:sales_option_answer", args=[option.pk]))
    context = {"seller": Seller.objects.current(), "option": option, "event": option.product.event}
    return letter("option_asked", context | {"link": link})


def option_to_answer(refs: dict) -> bool:
    """Nobody has answered yet, and the person may."""
    return Option.objects.to_answer().filter(pk=refs["option"]).exists() and deciders().filter(pk=refs["user"]).exists()


def option_live(refs: dict, language: str, secret: str) -> Letter:
    """An option was accepted, offered or given more time."""
    return letter("option_live", option_context(refs))


def option_reminder(refs: dict, language: str, secret: str) -> Letter:
    return letter("option_reminder", option_context(refs))


def option_refused(refs: dict, language: str, secret: str) -> Letter:
    return letter("option_refused", option_context(refs))


def option_lapsed(refs: dict, language: str, secret: str) -> Letter:
    return letter("option_lapsed", option_context(refs))


def option_free(refs: dict, language: str, secret: str) -> Letter:
    """Tickets that a company waited for are free; the seller decides."""
    return letter("option_free", option_context(refs))


def option_holds(refs: dict) -> bool:
    """It still holds tickets, until the deadline that the letter was owed for."""
    promised = datetime.fromisoformat(refs["deadline"])
    return still_buys(refs) and Option.objects.live().filter(pk=refs["option"], deadline=promised).exists()
