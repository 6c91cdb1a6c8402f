"""One event afterwards: the statement that the law asks of each performance."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db.models import Count, F, Max, Min, Q
from django.utils.translation import gettext_lazy, pgettext_lazy

from control.models import Scan
from sales.statement import vat_by_line
from tickets.models import Event, Order, OrderLine, Ticket
from tickets.stock import GIVEN

COUNTS = {
    "issued": pgettext_lazy("tickets", "Issued"),
    "cancelled": pgettext_lazy("tickets", "Cancelled"),
    "standing": pgettext_lazy("tickets", "Sold"),
    "receipts": gettext_lazy("Receipts, VAT included"),
    "vat": gettext_lazy("VAT in the receipts"),
    "distributed": pgettext_lazy("tickets", "Distributed"),
    "checked": pgettext_lazy("tickets", "Checked"),
    "absent": pgettext_lazy("tickets", "No-show"),
}
MONEY = ("receipts", "vat")


@dataclass
class Category:
    """The tickets of a category at one price: numbers, counts and receipts, as art. 50 sexies H of annex IV to the CGI names them."""

    category: str
    unit_price: Decimal
    vat_rate: Decimal
    first: int
    last: int
    issued: int
    cancelled: int
    distributed: int
    checked: int
    vat: Decimal
    over: bool

    @property
    def standing(self) -> int:
        return self.issued - self.cancelled

    @property
    def receipts(self) -> Decimal:
        """VAT included: what stands of it was sold, whatever its channel and whether it was used."""
        return self.standing * self.unit_price

    @property
    def absent(self) -> int | None:
        """Known once the event is over."""
        return self.distributed - self.checked if self.over else None

    @property
    def counts(self) -> list[tuple[str, str, int | Decimal | None]]:
        return [(name, str(heading), getattr(self, name)) for name, heading in COUNTS.items()]


@dataclass
class Statement:
    event: Event
    categories: list[Category]
    at_the_gates: int  # admissions that the gates keep and nobody took back
    over: bool

    def sum(self, name: str) -> int | Decimal | None:
        if name == "absent" and not self.over:
            return None
        return sum((getattr(category, name) for category in self.categories), Decimal(0) if name in MONEY else 0)

    @property
    def total(self) -> dict:
        return {name: self.sum(name) for name in COUNTS}


def statement(event: Event, at: datetime) -> Statement:
    """Drawn from the tickets, which are never deleted: presales, subscriptions and free entries are tickets like others."""
    rows = (
        Ticket.objects.filter(event=event)
        .order_by("product__category", "-order_line__unit_price", "order_line__vat_rate")
        .values(
            category=F("product__category"),
            unit_price=F("order_line__unit_price"),
            vat_rate=F("order_line__vat_rate"),
        )
        .annotate(
            first=Min("number"),
            last=Max("number"),
            issued=Count("pk"),
            cancelled=Count("pk", filter=Q(status="cancelled")),
            distributed=Count("pk", filter=Q(status__in=GIVEN)),
            checked=Count("pk", filter=Q(status="checked")),
        )
    )
    admitted = Scan.objects.of_event(event).standing().count()
    over, vat = event.valid_until <= at, vat_of(event)
    categories = [Category(**row, vat=vat[row["category"], row["unit_price"], row["vat_rate"]], over=over) for row in rows]
    return Statement(event, categories, admitted, over)


def vat_of(event: Event) -> dict[tuple[str, Decimal, Decimal], Decimal]:
    """The VAT within what each category brought at each price and rate, as the ledger has it."""
    orders = Order.objects.filter(lines__product__event=event)
    stand = Count("tickets", filter=~Q(tickets__status="cancelled"))
    lines = list(OrderLine.objects.filter(order__in=orders).select_related("product").annotate(stand=stand).order_by("order", "pk"))
    vat = vat_by_line((line, line.stand) for line in lines)
    found: dict[tuple[str, Decimal, Decimal], Decimal] = {}
    for line in lines:
        if line.product.event_id == event.pk:
            key = line.product.category, line.unit_price, line.vat_rate
            found[key] = found.get(key, Decimal(0)) + vat[line.pk]
    return found
