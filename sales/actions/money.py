"""What staff and the clock do to payments and invoices."""

from datetime import date
from itertools import groupby

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from portal.clock import now
from sales.actions.orders import lock_actor
from sales.errors import InvoiceLacks
from sales.models import Account, Invoice, Payment, Posting
from sales.steps import invoices, ledger


@transaction.atomic(durable=True)
def reverse_payment(*, payment: int, by: User) -> bool:
    """Undo a payment by counter-entries; False when that was done before. What it paid is due again."""
    lock_actor(by)
    found = Payment.objects.select_related("account").get(pk=payment)
    found.account = ledger.lock_account(found.account.company_id)
    if found.postings.filter(kind=Posting.Kind.REVERSAL).exists():
        return False
    ledger.reverse(found, by=by, at=now())
    return True


@transaction.atomic(durable=True)
def issue_invoices(*, account: int, by: User | None) -> list[Invoice]:
    """Issue what is not invoiced yet: one invoice an order, or one a month for the months that are over; credit notes apart.

    Whole or not at all; InvoiceLacks when the law wants more than what is written. Repeated, it finds nothing left.
    """
    lock_actor(by)
    found = ledger.lock_account(Account.objects.values_list("company", flat=True).get(pk=account))
    today = timezone.localtime(now()).date()
    return [invoices.issue(found, group, kind, on=today) for kind, group in groups(found, today)]


def groups(account: Account, today: date) -> list[tuple[str, list[Posting]]]:
    """What each invoice and credit note will tell, the invoices first."""
    monthly = account.billing == Account.Billing.PER_MONTH

    def group_of(posting: Posting):
        day = timezone.localtime(posting.at).date()
        return (posting.kind != Posting.Kind.SALE, (day.year, day.month) if monthly else (posting.order_id, 0))

    postings = list(invoices.not_invoiced(account))
    if monthly:
        postings = [p for p in postings if timezone.localtime(p.at).date() < today.replace(day=1)]
    kinds = {False: Invoice.Kind.INVOICE, True: Invoice.Kind.CREDIT_NOTE}
    ordered = sorted(postings, key=lambda posting: (group_of(posting), posting.pk))
    return [(kinds[key[0]], list(group)) for key, group in groupby(ordered, key=group_of)]


def issue_due_invoices() -> int:
    """The clock: every account's invoices. One that lacks what the law wants waits for staff. How many were issued."""
    waiting = Posting.objects.filter(kind__in=["sale", "cancellation"], invoiced=None).order_by("account")
    issued = 0
    for account in list(waiting.values_list("account", flat=True).distinct()):
        try:
            issued += len(issue_invoices(account=account, by=None))
        except InvoiceLacks:
            continue
    return issued
