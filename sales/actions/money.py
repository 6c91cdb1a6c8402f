from django.db import transaction

from accounts.models import User
from portal.clock import now
from sales.actions.orders import lock_actor
from sales.models import Payment, Posting
from sales.steps import ledger


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
