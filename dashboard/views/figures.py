from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import acting
from portal.download import CSV, download
from portal.sheets import csv_text
from portal.templatetags.words import local
from tickets.models import Product, Ticket
from tickets.stock import figures_of


@require_GET
def figures(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The figures of a product and its tickets one by one, for a spreadsheet."""
    relay = acting(request, company_id)
    products = Product.objects.in_stock_of(relay.company).for_list()
    product = get_object_or_404(products, public_id=product_id)
    counted = figures_of(relay.company, product)
    event = product.event
    rows: list[list] = [
        [_("Event"), event.name],
        [_("Date"), f"{local(event.starts_at or event.valid_until, event.venue.zone):%Y-%m-%d %H:%M}"],
        [_("Category"), product.category],
        [_("Bought"), counted.bought],
        [_("Received"), counted.received],
        [_("Distributed"), counted.distributed],
        [_("Printed"), counted.printed],
        [_("Checked"), counted.checked],
        [_("Left to distribute"), counted.left],
        [],
        [_("Ticket"), _("Seat"), _("State"), _("First name"), _("Last name"), _("Email address")],
    ]
    tickets = Ticket.objects.in_sight_of(relay).filter(product=product).for_list().order_by("number")
    for ticket in tickets.iterator(chunk_size=2000):
        mine = ticket.member if ticket.company_id == relay.company_id else None
        who = [mine.first_name, mine.last_name, mine.email] if mine else ["", "", ""]
        rows.append([ticket.number, ticket.seat or "", ticket.get_status_display(), *who])
    name = slugify(event.name)[:40] or "event"
    return download(csv_text(rows), f"{name}.csv", CSV)
