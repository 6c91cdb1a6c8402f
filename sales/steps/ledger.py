"""The moves of money: the only writes to Account, Posting, Entry, PostedLine, Payment and Settlement.

Each needs an open transaction and the account's row locked.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from django.db import connection
from django.db.models import Case, F, OuterRef, Subquery, Sum, When
from django.db.models.functions import Coalesce

from accounts.models import Company, User
from sales.errors import LimitPassed
from sales.models import Account, Entry, Payment, PostedLine, Posting, Settlement
from tickets.models import Order, OrderLine
from tickets.money import vat_within

ZERO = Decimal(0)
Ledger, Kind = Entry.Ledger, Posting.Kind


def lock_accounts(companies: Iterable[int]) -> dict[int, Account]:
    """The accounts of these companies by the company's key, locked in order; one is opened where there was none.

    An account so opened has no limit agreed: staff enter its orders.
    """
    assert connection.in_atomic_block
    wanted = set(companies)
    known = set(Account.objects.filter(company__in=wanted).values_list("company", flat=True))
    Account.objects.bulk_create((Account(company_id=pk) for pk in sorted(wanted - known)), ignore_conflicts=True)
    locked = Account.objects.filter(company__in=wanted).select_related("company").order_by("pk").select_for_update(of=("self",))
    return {account.company_id: account for account in locked}


def lock_account(company: Company | int) -> Account:
    key = company if isinstance(company, int) else company.pk
    return lock_accounts([key])[key]


def owed_by(account: Account) -> Decimal:
    """What the company owes: the sum of its entries. Below zero it is money in hand."""
    entries = Entry.objects.filter(posting__account=account, ledger=Ledger.CUSTOMER)
    return entries.aggregate(owed=Sum("amount", default=ZERO))["owed"]


def room_in(account: Account) -> Decimal | None:
    """How much more may be ordered; None where no limit was agreed."""
    return None if account.limit is None else account.limit - owed_by(account)


def require_room(account: Account, total: Decimal) -> None:
    """No order takes what the company owes beyond its limit (the account's row is locked)."""
    room = room_in(account)
    if room is not None and total > room:
        raise LimitPassed(total, room, prepaid=account.kind == Account.Kind.PREPAID)


def by_rate(lines: Iterable[tuple[OrderLine, int]]) -> dict[Decimal, Decimal]:
    """What so many tickets of these lines come to, VAT included, for each rate."""
    totals: dict[Decimal, Decimal] = {}
    for line, quantity in lines:
        totals[line.vat_rate] = totals.get(line.vat_rate, ZERO) + quantity * line.unit_price
    return totals


def sold(before: Mapping[Decimal, Decimal], after: Mapping[Decimal, Decimal]) -> list[Entry]:
    """The entries that take an order from what stood of it to what stands, each rate rounded once."""
    entries = [Entry(ledger=Ledger.CUSTOMER, amount=sum(after.values(), ZERO) - sum(before.values(), ZERO))]
    for rate in sorted({*before, *after}):
        was, now = before.get(rate, ZERO), after.get(rate, ZERO)
        vat = vat_within(now, rate) - vat_within(was, rate)
        entries.append(Entry(ledger=Ledger.REVENUE, amount=-(now - was - vat), vat_rate=rate))
        entries.append(Entry(ledger=Ledger.VAT, amount=-vat, vat_rate=rate))
    return entries


def post(posting: Posting, entries: Iterable[Entry], lines: Iterable[tuple[OrderLine, int]] = ()) -> Posting:
    """Add a posting with its entries, in one statement: the database refuses what does not sum to zero."""
    assert connection.in_atomic_block
    posting.save(force_insert=True)
    moving = [entry for entry in entries if entry.amount]
    for entry in moving:
        entry.posting = posting
    Entry.objects.bulk_create(moving)
    PostedLine.objects.bulk_create(PostedLine(posting=posting, order_line=line, quantity=quantity) for line, quantity in lines)
    return posting


def post_sale(account: Account, order: Order, lines: Sequence[OrderLine], *, by: User | None, at: datetime) -> Posting:
    """Debit the company for a confirmed order. LimitPassed when its account has not the room."""
    pairs = [(line, line.quantity) for line in lines]
    totals = by_rate(pairs)
    require_room(account, sum(totals.values(), ZERO))
    return post(Posting(account=account, kind=Kind.SALE, order=order, by=by, at=at), sold({}, totals), pairs)


def standing(order: Order) -> dict[int, int]:
    """How many tickets of each of its lines the ledger has as sold and not cancelled."""
    signed = Case(When(posting__kind=Kind.SALE, then=F("quantity")), default=-F("quantity"))
    rows = PostedLine.objects.filter(posting__order=order).order_by().values_list("order_line").annotate(n=Sum(signed))
    return dict(rows)


def post_cancellation(account: Account, order: Order, cancelled: Mapping[int, int], *, by: User | None, at: datetime) -> Posting:
    """Credit whoever bought for tickets of an order that were cancelled: so many of each line, by its key."""
    stood = standing(order)
    lines = OrderLine.objects.in_bulk(list(stood))
    before = by_rate((lines[pk], n) for pk, n in stood.items())
    after = by_rate((lines[pk], n - cancelled.get(pk, 0)) for pk, n in stood.items())
    taken = [(lines[pk], n) for pk, n in sorted(cancelled.items()) if n]
    return post(Posting(account=account, kind=Kind.CANCELLATION, order=order, by=by, at=at), sold(before, after), taken)


def receive(payment: Payment, *, order: Order | None, at: datetime) -> Payment:
    """Credit the company for a payment, and match it: the order named first, then the oldest unpaid ones."""
    assert connection.in_atomic_block
    payment.save(force_insert=True)
    post_money(payment, Kind.PAYMENT, by=payment.recorded_by, at=at)
    match(payment.account, first=order)
    return payment


def reverse(payment: Payment, *, by: User, at: datetime) -> None:
    """Undo a payment that did not arrive or was mistyped, by counter-entries; what it settled is due again."""
    post_money(payment, Kind.REVERSAL, by=by, at=at)
    payment.settlements.all().delete()
    match(payment.account)


def post_money(payment: Payment, kind: str, *, by: User, at: datetime) -> None:
    amount = payment.amount if kind == Kind.PAYMENT else -payment.amount
    ledger = Ledger.BANK if payment.method == Payment.Method.TRANSFER else Ledger.CHEQUES
    entries = [Entry(ledger=ledger, amount=amount), Entry(ledger=Ledger.CUSTOMER, amount=-amount)]
    post(Posting(account=payment.account, kind=kind, payment=payment, by=by, at=at), entries)


def due_of(account: Account) -> dict[int, Decimal]:
    """What each order of the account comes to, by its key, oldest first: cancelled tickets left out."""
    entries = Entry.objects.filter(posting__account=account, ledger=Ledger.CUSTOMER, posting__order__isnull=False)
    rows = entries.order_by("posting__order__confirmed_at", "posting__order").values_list("posting__order").annotate(n=Sum("amount"))
    return dict(rows)


def settled_of(account: Account) -> dict[int, Decimal]:
    """What payments cover of each order of the account, by its key."""
    rows = Settlement.objects.filter(payment__account=account).order_by().values_list("order").annotate(n=Sum("amount"))
    return dict(rows)


def used_of_payment() -> Coalesce:
    """For a query of payments: what of each pays orders."""
    rows = Settlement.objects.filter(payment=OuterRef("pk")).order_by().values("payment")
    return Coalesce(Subquery(rows.annotate(n=Sum("amount")).values("n")), ZERO)


def open_orders(account: Account) -> dict[int, Decimal]:
    """What is still to pay of each order of the account, oldest first."""
    settled = settled_of(account)
    rest = {pk: due - settled.get(pk, ZERO) for pk, due in due_of(account).items()}
    return {pk: amount for pk, amount in rest.items() if amount > 0}


def match(account: Account, first: Order | None = None) -> None:
    """Let payments pay orders: what covers more than an order comes to is freed, what is free pays the oldest ones."""
    free_what_is_too_much(account)
    used = dict(Settlement.objects.filter(payment__account=account).order_by().values_list("payment").annotate(n=Sum("amount")))
    undone = Posting.objects.filter(account=account, kind=Kind.REVERSAL).values("payment")
    payments = account.payments.exclude(pk__in=undone).order_by("received_on", "pk")
    left = {p.pk: p.amount - used.get(p.pk, ZERO) for p in payments if p.amount > used.get(p.pk, ZERO)}
    if not left:
        return
    unpaid = open_orders(account)
    if first and first.pk in unpaid:
        unpaid = {first.pk: unpaid[first.pk]} | unpaid
    made: dict[tuple[int, int], Decimal] = {}
    for order, due in unpaid.items():
        for payment in list(left):
            part = min(due, left[payment])
            if part > 0:
                made[payment, order] = part
                due -= part
                left[payment] -= part
    for (payment, order), part in made.items():
        found, new = Settlement.objects.get_or_create(payment_id=payment, order_id=order, defaults={"amount": part})
        if not new:
            Settlement.objects.filter(pk=found.pk).update(amount=F("amount") + part)


def free_what_is_too_much(account: Account) -> None:
    """After a cancellation an order may be paid beyond what it comes to: the latest settlements give way."""
    due = due_of(account)
    rows = Settlement.objects.filter(payment__account=account).order_by("order", "-pk")
    for order, settlements in groupby(rows, key=lambda row: row.order_id):
        held = list(settlements)
        excess = sum((row.amount for row in held), ZERO) - due.get(order, ZERO)
        for row in held:
            if excess <= 0:
                break
            part = min(excess, row.amount)
            excess -= part
            if part == row.amount:
                row.delete()
            else:
                Settlement.objects.filter(pk=row.pk).update(amount=row.amount - part)
