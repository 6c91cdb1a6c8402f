"""The statement of an event as PDF: always made again from what is stored."""

from django.template.loader import render_to_string
from django.utils.translation import get_language

from accounts.models import Seller
from dashboard.closing import seller_of, statement_of
from dashboard.event import COUNTS, MONEY, Statement
from dashboard.models import ClosedStatement
from sales.documents import STYLE
from sales.models import Terms


def statement_pdf(statement: Statement) -> bytes:
    """As it is now, and provisional."""
    return drawn(statement, Seller.objects.current(), Terms.objects.current(), None)


def closed_pdf(closed: ClosedStatement) -> bytes:
    """As it was closed, with its signature."""
    return drawn(statement_of(closed), *seller_of(closed), closed)


def drawn(statement: Statement, seller: Seller, terms: Terms, closed: ClosedStatement | None) -> bytes:
    """Tagged, black on white, in the family of the orders and invoices."""
    from tickets.documents import rendered  # its libraries are not where the image is built

    context = {"seller": seller, "terms": terms, "statement": statement, "event": statement.event, "closed": closed}
    shared = {"counts": COUNTS, "money": MONEY, "language": get_language()}
    html = render_to_string("dashboard/pdf/statement.html", context | shared)
    return rendered(html, {}, style=STYLE, pdf_variant="pdf/ua-1")
