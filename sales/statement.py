"""What an account and its orders come to: read alone, from the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Case, DateField, DecimalField, ExpressionWrapper, F, Func, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone

from sales.models import Account, Entry, Posting, Settlement
from tickets.models import Order, OrderLine
from tickets.money import vat_within

ZERO = Decimal(0)
MONEY = DecimalField(max_digits=12, decimal_places=2)


class EndOfMonth(Func):
    """The last day of the month of a day."""

    template = "(date_trunc('month', %(expressions)s) + interval '1 month - 1 day')::date"
    output_field = DateField()


def with_money(orders: QuerySet) -> QuerySet:
    """Orders, each with what it comes to (`comes_to`), what payments cover of it (`paid`) and what is `left` to pay by `due_on`.

    The delay begins with the order, or with the end of its month where invoices are monthly.
    """
    day, monthly = TruncDate("confirmed_at"), Q(company__account__billing=Account.Billing.PER_MONTH)
    entries = Entry.objects.filter(posting__order=OuterRef("pk"), ledger=Entry.Ledger.CUSTOMER).order_by()
    settled = Settlement.objects.filter(order=OuterRef("pk")).order_by()
    return orders.annotate(
        comes_to=Coalesce(Subquery(entries.values("posting__order").annotate(n=Sum("amount")).values("n"), output_field=MONEY), ZERO),
        paid=Coalesce(Subquery(settled.values("order").annotate(n=Sum("amount")).values("n"), output_field=MONEY), ZERO),
    ).annotate(
        left=F("comes_to") - F("paid"),
        due_on=ExpressionWrapper(
            Case(When(monthly, then=EndOfMonth(day)), default=day) + F("company__account__terms_days"),
            output_field=DateField(),
        ),
    )


def vat_by_line(lines: Iterable[tuple[OrderLine, int]]) -> dict[int, Decimal]:
    """Of the VAT of each order, what each of its lines brings, for so many tickets that stand of each: by the lines' keys.

    The order is rounded once at each rate, as in the ledger, and a line brings the difference that it makes: lines add up to the
    ledger's VAT, to the cent. All the lines of an order must be there, always in the same order.
    """
    totals: dict[tuple[int, Decimal], Decimal] = {}
    found = {}
    for line, quantity in lines:
        key = line.order_id, line.vat_rate
        before = totals.get(key, ZERO)
        totals[key] = before + quantity * line.unit_price
        found[line.pk] = vat_within(totals[key], line.vat_rate) - vat_within(before, line.vat_rate)
    return found


def late_orders(today: date | None = None) -> QuerySet:
    """Orders of credit accounts that should have been paid before today, the latest first."""
    credit = Order.objects.filter(company__account__kind=Account.Kind.CREDIT, state__in=["confirmed", "awaiting"])
    late = with_money(credit).filter(left__gt=0, due_on__lt=today or timezone.localdate())
    return late.select_related("company__account").order_by("due_on", "number")


@dataclass(frozen=True)
class Line:
    """One posting of a statement, with what the company owed after it."""

    posting: Posting
    debit: Decimal
    credit: Decimal
    owed: Decimal


@dataclass(frozen=True)
class Statement:
    """An account over a period, both days included: what was owed before, each posting, and what is owed after."""

    account: Account
    first: date
    last: date
    before: Decimal
    lines: list[Line]

    @property
    def after(self) -> Decimal:
        return self.lines[-1].owed if self.lines else self.before

    @property
    def in_hand(self) -> Decimal:
        return -self.after

    @property
    def debits(self) -> Decimal:
        return sum((line.debit for line in self.lines), ZERO)

    @property
    def credits(self) -> Decimal:
        return sum((line.credit for line in self.lines), ZERO)


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def statement_of(account: Account, first: date, last: date) -> Statement:
    """The account's statement over a period, in two queries."""
    if not account.pk:
        return Statement(account, first, last, ZERO, [])
    since, until = start_of(first), start_of(last + timedelta(days=1))
    earlier = Entry.objects.filter(posting__account=account, posting__at__lt=since, ledger=Entry.Ledger.CUSTOMER)
    before = owed = earlier.aggregate(n=Sum("amount", default=ZERO))["n"]
    lines = []
    for posting in account.postings.filter(at__gte=since, at__lt=until).for_list().with_amount():
        owed += posting.amount
        lines.append(Line(posting, max(posting.amount, ZERO), max(-posting.amount, ZERO), owed))
    return Statement(account, first, last, before, lines)
