"""The journal for an accountant's software: the 18 fields of the FEC (LPF, art. A. 47 A-1), one row an entry."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from portal.templatetags.words import local
from sales.models import Entry, Posting
from sales.statement import start_of

FIELDS = [
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib", "PieceRef",
    "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise", "Idevise",
]  # fmt: skip
# The French general chart of accounts (plan comptable général).
LEDGERS = {
    Entry.Ledger.CUSTOMER: "411000",
    Entry.Ledger.REVENUE: "706000",
    Entry.Ledger.VAT: "445710",
    Entry.Ledger.BANK: "512000",
    Entry.Ledger.CHEQUES: "511200",
}


def amount(value: Decimal) -> str:
    return f"{value:.2f}".replace(".", ",")


def journal(first: date, last: date) -> Iterator[list[str]]:
    """The entries of a period, both days included, in the order in which they were added; a posting's number counts from 1 January."""
    yield FIELDS
    since, until = start_of(first), start_of(last + timedelta(days=1))
    postings = Posting.objects.filter(Exists(Entry.objects.filter(posting=OuterRef("pk"))), at__lt=until).order_by("at", "pk")
    before = postings.filter(at__gte=start_of(first.replace(month=1, day=1)), at__lt=since).count()
    found = postings.filter(at__gte=since).select_related("account__company", "order", "payment").prefetch_related("entries")
    for number, posting in enumerate(found.iterator(chunk_size=1000), before + 1):
        for entry in posting.entries.all():
            yield row(number, posting, entry)


def row(number: int, posting: Posting, entry: Entry) -> list[str]:
    day = f"{local(posting.at):%Y%m%d}"
    if posting.order:
        code, label, piece = "VE", _("Sales"), _("Order %(number)s") % {"number": posting.order.number}
    else:
        code, label, piece = "BQ", _("Bank"), _("Payment %(number)s") % {"number": posting.payment_id}
    customer = entry.ledger == Entry.Ledger.CUSTOMER
    debit, credit = max(entry.amount, Decimal(0)), max(-entry.amount, Decimal(0))
    return [
        code, label, str(number), day, LEDGERS[Entry.Ledger(entry.ledger)], str(entry.get_ledger_display()),
        f"C{posting.account.company_id:06}" if customer else "", posting.account.company.name if customer else "",
        piece, day, f"{posting.get_kind_display()} {posting.account.company}", amount(debit), amount(credit),
        "", "", day, "", "",
    ]  # fmt: skip
