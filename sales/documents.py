"""Order forms, statements, invoices and credit notes as PDF: always made again from what is stored, tagged, black on white."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from django.template.loader import render_to_string
from django.utils.translation import get_language

from accounts.models import Seller
from sales.catalogue import Rate, Sum, sum_of
from sales.models import Entry, Invoice, PostedLine, Terms
from sales.statement import Statement
from tickets.models import Order

STYLE = Path(__file__).resolve().parent / "document.css"


def rendered(template: str, context: dict) -> bytes:
    """A page of templates/sales/pdf as PDF/UA: nothing is fetched but our fonts."""
    from tickets.documents import rendered as drawn  # its libraries are not where the image is built: the admin and the emails are

    shared = {"seller": Seller.objects.current(), "terms": Terms.objects.current(), "language": get_language()}
    html = render_to_string(f"sales/pdf/{template}.html", shared | context)
    return drawn(html, {}, style=STYLE, pdf_variant="pdf/ua-1")


def statement_pdf(statement: Statement) -> bytes:
    """An account over a period."""
    return rendered("statement", {"statement": statement, "account": statement.account})


def invoice_pdf(invoice: Invoice) -> bytes:
    """An invoice or a credit note: its lines from what was posted, its totals from the ledger, its parties as they were."""
    told = PostedLine.objects.filter(posting__invoiced__invoice=invoice)
    lines = list(told.select_related("order_line__order", "order_line__product__event__venue", "posting").order_by("posting", "pk"))
    entries = Entry.objects.filter(posting__invoiced__invoice=invoice, vat_rate__isnull=False)
    context = {"invoice": invoice, "mentions": invoice.mentions, "lines": lines, "sum": sum_of_entries(entries)}
    return rendered("invoice", context)


def sum_of_entries(entries: Iterable[Entry]) -> Sum:
    """What the ledger has, rate by rate, without its sign: nothing is computed again."""
    rates: dict[Decimal, list[Decimal]] = {}
    for entry in entries:
        assert entry.vat_rate is not None
        total = rates.setdefault(entry.vat_rate, [Decimal(0), Decimal(0)])
        total[0] -= entry.amount
        total[1] -= entry.amount if entry.ledger == Entry.Ledger.VAT else 0
    return Sum([Rate(rate, abs(total), abs(vat)) for rate, (total, vat) in sorted(rates.items())])


def order_pdf(order: Order) -> bytes:
    """The order form: what was ordered, at what price, by whom."""
    lines = list(order.lines.select_related("product__event__venue").order_by("pk"))
    total = sum_of([(line, line.quantity) for line in lines])
    return rendered("order", {"order": order, "lines": lines, "sum": total, "account": order.company.account})
