"""Where every view of a relay starts: who she is for the company in the address, and which product."""

from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from accounts.http import acting, counting, distributing, reading_accounts
from accounts.models import Relay
from distribution.forms import as_uuid
from distribution.models import Distribution
from tickets.models import Product

__all__ = ["acting", "already_done", "counting", "distributing", "product_of", "reading_accounts"]


def product_of(relay: Relay, product_id) -> Product:
    return get_object_or_404(Product.objects.in_stock_of(relay.company).for_list(), public_id=product_id)


def already_done(request: HttpRequest, relay: Relay) -> Distribution | None:
    """The act that this form's request key has made already."""
    key = as_uuid(request.POST.get("request_key", ""))
    return relay.user.distributions.filter(request_key=key).first() if key else None
