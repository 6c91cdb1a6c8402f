"""The moves of invoices: the only writes to Invoice and Invoiced. The account is locked; the numbers are taken last."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from django.db import connection
from django.utils.translation import gettext as _

from accounts.models import Seller
from sales.errors import InvoiceLacks
from sales.models import Account, Entry, Invoice, Invoiced, Posting, Terms
from sales.statement import with_money
from tickets import steps as tickets_steps
from tickets.models import Order

Kind = Invoice.Kind
# Code de commerce, L. 441-9 and D. 441-5: the sum for the costs of recovery is fixed by the law.
RECOVERY = "40 €"


def mentions_of(account: Account) -> dict:
    """Who sells to whom and on what terms, as it is today; InvoiceLacks what the law wants and nobody has written yet."""
    seller, terms = Seller.objects.current(), Terms.objects.current()
    wanted = [
        (_("legal name of the seller"), seller.legal_name),
        (_("address of the seller"), seller.address),
        (_("SIRET of the seller"), seller.siret),
        (_("legal form and register of the seller"), terms.legal_form),
        (_("VAT number of the seller"), terms.vat_number),
        (_("penalties for late payment"), terms.penalties),
        (_("discount for early payment"), terms.discount),
        (_("address on the invoices of %(company)s") % {"company": account.company}, account.address),
    ]
    if missing := [words for words, value in wanted if not value.strip()]:
        raise InvoiceLacks(missing)
    who = {"name": seller.legal_name, "form": terms.legal_form, "address": seller.address, "siret": seller.siret, "vat": terms.vat_number}
    return {
        "seller": who,
        "buyer": {"name": account.invoice_name, "address": account.address, "siren": account.siren, "vat": account.vat_number},
        "debits": terms.vat_due == Terms.Debits.DEBITS,
        "discount": terms.discount,
        "penalties": terms.penalties,
        "recovery": RECOVERY,
        "bank": terms.bank,
    }


def not_invoiced(account: Account):
    """Sales and cancellations that no invoice tells yet, in order; what moved no money needs none."""
    postings = account.postings.filter(kind__in=["sale", "cancellation"], invoiced=None, entries__ledger=Entry.Ledger.CUSTOMER)
    return postings.select_related("order").order_by("pk")


def issue(account: Account, postings: Sequence[Posting], kind: str, *, on: date) -> Invoice:
    """One invoice, or one credit note, that tells these postings; a credit note names the invoices that it takes back."""
    assert connection.in_atomic_block
    mentions = mentions_of(account)
    entries = Entry.objects.filter(posting__in=postings, ledger=Entry.Ledger.CUSTOMER)
    total = abs(sum((entry.amount for entry in entries), Decimal(0)))
    orders = {posting.order_id for posting in postings}
    due = None
    if kind == Kind.CREDIT_NOTE:
        told = Invoice.objects.filter(kind=Kind.INVOICE, invoiced__posting__order__in=orders).distinct().order_by("number")
        mentions["of"] = [{"name": invoice.name, "on": invoice.issued_on.isoformat()} for invoice in told]
    elif account.kind == Account.Kind.CREDIT:
        due = max(order.due_on for order in with_money(Order.objects.filter(pk__in=orders)))
    number = tickets_steps.next_numbers(kind, 1)[0]
    invoice = Invoice.objects.create(account=account, kind=kind, number=number, issued_on=on, due_on=due, total=total, mentions=mentions)
    Invoiced.objects.bulk_create(Invoiced(posting=posting, invoice=invoice) for posting in postings)
    return invoice
