"""The statement of an event as PDF: always made again from what is stored."""

from django.template.loader import render_to_string
from django.utils.translation import get_language

from accounts.models import Seller
from dashboard.event import COUNTS, Statement
from sales.documents import STYLE
from sales.models import Terms


def statement_pdf(statement: Statement) -> bytes:
    """Tagged, black on white, in the family of the orders and invoices."""
    from tickets.documents import rendered  # its libraries are not where the image is built

    context = {"seller": Seller.objects.current(), "terms": Terms.objects.current(), "language": get_language()}
    html = render_to_string("dashboard/pdf/statement.html", context | {"statement": statement, "event": statement.event, "counts": COUNTS})
    return rendered(html, {}, style=STYLE, pdf_variant="pdf/ua-1")
