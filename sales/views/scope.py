"""Where every view of a buyer starts: who she is for the company in the address, with which right."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.errors import MayNot
from accounts.http import acting, counting
from accounts.models import Relay
from sales.models import BasketLine, Option


def buying(request: HttpRequest, company_id) -> Relay:
    """The relay who has the right to buy: 404 for anybody else, 403 for a relay without it."""
    relay = acting(request, company_id)
    if not relay.may_buy:
        raise MayNot
    return relay


def seeing_orders(request: HttpRequest, company_id) -> Relay:
    """The relay who buys or sees accounts."""
    relay = counting(request, company_id)
    if not (relay.may_buy or relay.may_see_accounts):
        raise MayNot
    return relay


def seeing_accounts(request: HttpRequest, company_id) -> Relay:
    """The relay who sees accounts: amounts and quantities, no names."""
    relay = counting(request, company_id)
    if not relay.may_see_accounts:
        raise MayNot
    return relay


def page(request: HttpRequest, relay: Relay, tab: str, template: str, context: dict, status: int = 200) -> HttpResponse:
    """A page of the room, under its tabs. `here` is the place in the main navigation."""
    shared = {
        "relay": relay,
        "here": "account" if tab == "account" else "buy",
        "tab": tab,
        "in_basket": BasketLine.objects.filter(relay=relay).count() if relay.may_buy else 0,
        "live_options": Option.objects.of(relay.company).live().count() if relay.may_buy else 0,
    }
    return render(request, f"sales/{template}.html", shared | context, status=status)
