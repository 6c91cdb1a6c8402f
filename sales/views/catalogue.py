from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal.errors import Refused
from portal.forms import as_uuid
from sales import actions
from sales.catalogue import as_order_lines, basket_of, matching, open_listings, sum_of, venues_of
from sales.forms import BasketForm, PutForm, SearchForm
from sales.models import Account, BasketLine, Listing
from sales.steps.ledger import room_in
from sales.steps.orders import free_of
from sales.views.scope import buying, page
from tickets.models import Event, Order

PER_PAGE = 20


@require_GET
def catalogue(request: HttpRequest, company_id) -> HttpResponse:
    """What her company may buy, soonest first."""
    relay = buying(request, company_id)
    form = SearchForm(request.GET)
    filters = form.filters()
    found = Paginator(matching(open_listings(relay.company), **filters), PER_PAGE).get_page(request.GET.get("page"))
    free = free_of([listing.product for listing in found])
    basket = dict(BasketLine.objects.filter(relay=relay).values_list("product", "quantity"))
    lines = [(listing, max(0, free[listing.product_id]), basket.get(listing.product_id)) for listing in found]
    context = {
        "lines": lines,
        "found": found,
        "filters": filters,
        "any_filter": any(filters.values()),
        "kinds": Event.Kind.choices,
        "venues": list(venues_of(relay.company)),
    }
    return page(request, relay, "catalogue", "catalogue", context)


@require_POST
def put(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Have so many tickets of a product in the basket."""
    relay = buying(request, company_id)
    listing = get_object_or_404(Listing.objects.open_to(relay.company).for_list(), product__public_id=product_id)
    form = PutForm(request.POST)
    if form.is_valid():
        quantity = form.cleaned_data["quantity"]
        actions.fill_basket(relay=relay, quantities={listing.product_id: quantity})
        words = {"n": quantity, "name": listing.product.event.name}
        said = ngettext("%(n)d ticket for “%(name)s” in your basket.", "%(n)d tickets for “%(name)s” in your basket.", quantity)
        messages.success(request, said % words if quantity else _("“%(name)s” is out of your basket.") % words)
    else:
        messages.error(request, str(form.errors["quantity"][0]))
    back = request.POST.get("next", "")
    return redirect(back) if url_has_allowed_host_and_scheme(back, None) else redirect("sales:catalogue", company_id)


@require_http_methods(["GET", "POST"])
def basket(request: HttpRequest, company_id) -> HttpResponse:
    """The basket: change quantities, then order all of it at the total shown."""
    relay = buying(request, company_id)
    if order := already_placed(request, relay):
        return redirect("sales:order", company_id, order.public_id)
    lines = basket_of(relay)
    form = BasketForm(lines, request.POST if request.method == "POST" else None)
    if form.is_valid():
        actions.fill_basket(relay=relay, quantities=form.quantities())
        if "order" not in request.POST:
            return redirect("sales:basket", company_id)
        try:
            order = actions.place_order(relay=relay, total=form.shown(), request_key=form.cleaned_data["request_key"])
        except Refused as refusal:
            lines = basket_of(relay)
            form = BasketForm(lines)
            form.refusal = str(refusal)
        else:
            messages.success(request, said_of(order))
            return redirect("sales:order", company_id, order.public_id)
    sold = as_order_lines(lines, {line.product_id: line.product for line in lines})
    account = Account.objects.filter(company=relay.company).first()
    context = {
        "form": form,
        "sum": sum_of([(line, line.quantity) for line in sold]),
        "tickets": sum(line.quantity for line in lines),
        "account": account,
        "room": room_in(account) if account else None,
    }
    return page(request, relay, "basket", "basket", context, 422 if form.errors or form.refusal else 200)


def said_of(order: Order) -> str:
    if order.state == Order.State.AWAITING:
        return _("Order %(number)s is placed. Its tickets wait for your payment.") % {"number": order.number}
    return _("Order %(number)s is placed. Its tickets are ready to distribute.") % {"number": order.number}


def already_placed(request: HttpRequest, relay) -> Order | None:
    """The order that this form's request key has made already."""
    if request.method != "POST" or "order" not in request.POST:
        return None
    key = as_uuid(request.POST.get("request_key", ""))
    return Order.objects.filter(confirmed_by=relay.user, request_key=key).first() if key else None
