from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from portal.download import download
from portal.text import whole_number
from sales.catalogue import sum_of
from sales.documents import order_pdf
from sales.models import Invoice
from sales.statement import with_money
from sales.steps.ledger import standing
from sales.views.scope import page, seeing_orders
from tickets.models import Order


@require_GET
def orders(request: HttpRequest, company_id) -> HttpResponse:
    """The company's orders of every channel, the latest first, with what is left to pay of each."""
    relay = seeing_orders(request, company_id)
    mine = with_money(Order.objects.filter(company=relay.company, number__isnull=False))
    channel, words = request.GET.get("channel", ""), request.GET.get("q", "")[:20]
    if channel in Order.Channel.values:
        mine = mine.filter(channel=channel)
    if words:
        mine = mine.filter(number=whole_number(words) or 0)
    found = Paginator(mine.prefetch_related("lines__product__event").order_by("-number"), 30).get_page(request.GET.get("page"))
    context = {"found": found, "channels": Order.Channel.choices, "channel": channel, "words": words}
    return page(request, relay, "orders", "orders", context)


def order_of(relay, order_id) -> Order:
    mine = Order.objects.filter(company=relay.company, number__isnull=False).select_related("company__account")
    return get_object_or_404(with_money(mine), public_id=order_id)


@require_GET
def order(request: HttpRequest, company_id, order_id) -> HttpResponse:
    """One order: what was bought, what stands of it, its money and documents."""
    relay = seeing_orders(request, company_id)
    found = order_of(relay, order_id)
    stands = standing(found)
    lines = [(line, stands.get(line.pk, 0)) for line in found.lines.select_related("product__event__venue").order_by("pk")]
    context = {
        "order": found,
        "lines": lines,
        "sum": sum_of([pair for pair in lines if pair[1]]),
        "invoices": Invoice.objects.filter(invoiced__posting__order=found).distinct() if relay.may_see_accounts else [],
    }
    return page(request, relay, "orders", "order", context)


@require_GET
def order_form(request: HttpRequest, company_id, order_id) -> HttpResponse:
    """The order form as PDF."""
    found = order_of(seeing_orders(request, company_id), order_id)
    return download(order_pdf(found), "-".join([_("order"), f"{found.number}.pdf"]))
