"""What a relay does with her basket, and the order that she makes of it."""

import uuid
from decimal import Decimal

from django.db import transaction

from accounts.errors import MayNot
from accounts.models import Relay
from portal.clock import now
from sales.catalogue import as_order_lines
from sales.errors import BasketEmpty, NoAccountYet, NoLongerOnSale, PriceHasChanged
from sales.models import BasketLine, Listing, Terms
from sales.steps import ledger, orders, tell
from tickets import order_steps
from tickets.models import Order, OrderLine, Product


def locked_buyer(relay: Relay) -> Relay:
    """The relay with her login locked; 403 when the right to buy was taken from her meanwhile."""
    relay = Relay.objects.locked(relay)
    if not relay.may_buy:
        raise MayNot
    return relay


@transaction.atomic(durable=True)
def fill_basket(*, relay: Relay, quantities: dict[int, int]) -> None:
    """Have so many tickets of these products (by key) in the basket; 0 takes one out. Repeated, it does nothing more."""
    relay = locked_buyer(relay)
    BasketLine.objects.filter(relay=relay, product__in=[pk for pk, n in quantities.items() if n < 1]).delete()
    wanted = [BasketLine(relay=relay, product_id=pk, quantity=n) for pk, n in sorted(quantities.items()) if n > 0]
    BasketLine.objects.bulk_create(wanted, update_conflicts=True, unique_fields=["relay", "product"], update_fields=["quantity"])


@transaction.atomic(durable=True)
def place_order(*, relay: Relay, total: Decimal, request_key: uuid.UUID) -> Order:
    """Order what is in the basket, whole or not at all, at the total that the relay was shown; the basket is then empty.

    Refused: BasketEmpty, NoAccountYet, NoLongerOnSale, PriceHasChanged, QuotaExceeded, NoSeatsLeft, LimitPassed. By the seller's terms
    the tickets are issued at once, or when the order is paid.
    """
    relay = locked_buyer(relay)
    if done := Order.objects.filter(confirmed_by=relay.user, request_key=request_key).first():
        return done
    account = ledger.lock_account(relay.company)
    if account.limit is None:
        raise NoAccountYet
    basket = list(BasketLine.objects.filter(relay=relay))
    if not basket:
        raise BasketEmpty
    lines = lines_on_sale(relay, basket)
    order = make_order(account, relay, lines, total=total, request_key=request_key)
    BasketLine.objects.filter(relay=relay).delete()
    return order


def lines_on_sale(relay: Relay, basket: list[BasketLine]) -> list[OrderLine]:
    """The basket's lines with its products locked, at their price of now; NoLongerOnSale for what this company may not buy now."""
    order_steps.lock_products(line.product_id for line in basket)
    products = Product.objects.select_related("event").in_bulk([line.product_id for line in basket])
    on_sale = set(Listing.objects.open_to(relay.company).filter(product__in=products).values_list("product", flat=True))
    for key, product in products.items():
        if key not in on_sale:
            raise NoLongerOnSale(product)
    return as_order_lines(basket, products)


def make_order(account, relay: Relay, lines: list[OrderLine], *, total: Decimal | None, request_key: uuid.UUID) -> Order:
    """The order itself, once account and products are locked: placed online by this relay, who is told with its order form."""
    comes_to = sum((line.total for line in lines), Decimal(0))
    if total is not None and comes_to != total:
        raise PriceHasChanged(comes_to)
    order = Order.objects.create(company=relay.company, channel=Order.Channel.ONLINE, confirmed_by=relay.user, request_key=request_key)
    for line in lines:
        line.order = order
    OrderLine.objects.bulk_create(lines)
    threshold, at = Terms.objects.current().paid_first_from, now()
    orders.confirm(account, order, lines, by=relay.user, at=at, paid_first=threshold is not None and comes_to >= threshold)
    tell.tell([relay], "order_confirmed", {"order": order.pk}, f"order:{order.pk}", not_before=at)
    if order.state == Order.State.CONFIRMED:
        others = tell.relays_of(relay.company_id, but=relay)
        tell.tell(others, "tickets_ready", {"order": order.pk}, f"order:{order.pk}", not_before=at)
    return order
