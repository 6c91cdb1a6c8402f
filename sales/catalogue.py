"""What a company may buy, found by words, date, venue and kind: filtered and paged by the database."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from django.db.models import CharField, F, Func, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Concat
from django.utils import timezone

from accounts.models import Company, Relay
from portal.text import folded
from sales.models import BasketLine, Listing
from sales.steps.ledger import by_rate
from tickets.models import OrderLine, Product, Venue
from tickets.money import vat_within


class Folded(Func):
    """A text without case nor accents, as PostgreSQL writes it: what `portal.text.folded` does to the words typed."""

    template = (
        "replace(replace(lower(regexp_replace(normalize(%(expressions)s, NFKD), '[\\u0300-\\u036f]', '', 'g')), 'œ', 'oe'), 'æ', 'ae')"
    )
    output_field = CharField()


def open_listings(company: Company) -> QuerySet:
    """What is on sale to this company, soonest first."""
    when = Coalesce("product__event__starts_at", "product__event__valid_until")
    return Listing.objects.open_to(company).annotate(when=when).for_list().order_by("when", "product__category", "pk")


def matching(listings: QuerySet, *, words: str = "", kind: str = "", venue: int | None = None, first: date | None, last: date | None):
    """Those that a search and filters keep."""
    event = "product__event__"
    if terms := folded(words).split():
        parts = [f"{event}name", f"{event}subtitle", f"{event}venue__name", "product__category"]
        spaced = [piece for part in parts for piece in (F(part), Value(" "))]
        listings = listings.annotate(text=Folded(Concat(*spaced, output_field=CharField())))
        for term in terms:
            listings = listings.filter(text__contains=term)
    if kind:
        listings = listings.filter(**{f"{event}kind": kind})
    if venue:
        listings = listings.filter(**{f"{event}venue": venue})
    if first:
        listings = listings.filter(when__gte=start_of(first))
    if last:
        listings = listings.filter(Q(when__lt=start_of(last + timedelta(days=1))) | Q(**{f"{event}starts_at": None}))
    return listings


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def venues_of(company: Company) -> QuerySet:
    """Where something on sale to the company takes place."""
    return Venue.objects.filter(pk__in=Listing.objects.open_to(company).values("product__event__venue")).order_by("name")


class Rate(NamedTuple):
    """What is bought at one VAT rate."""

    rate: Decimal
    total: Decimal
    vat: Decimal

    @property
    def net(self) -> Decimal:
        return self.total - self.vat


class Sum(NamedTuple):
    """What order lines come to, VAT included and apart, by the rule of tickets/money.py."""

    rates: list[Rate]

    @property
    def total(self) -> Decimal:
        return sum((rate.total for rate in self.rates), Decimal(0))

    @property
    def vat(self) -> Decimal:
        return sum((rate.vat for rate in self.rates), Decimal(0))

    @property
    def net(self) -> Decimal:
        return self.total - self.vat


def sum_of(lines: list[tuple[OrderLine, int]]) -> Sum:
    return Sum([Rate(rate, total, vat_within(total, rate)) for rate, total in sorted(by_rate(lines).items())])


def basket_of(relay: Relay) -> list[BasketLine]:
    return list(BasketLine.objects.filter(relay=relay).select_related("product__event__venue").order_by("pk"))


def as_order_lines(basket: list[BasketLine], products: dict[int, Product]) -> list[OrderLine]:
    """The lines of an order for this basket, at the price that each product has now."""
    return [
        OrderLine(product=p, quantity=line.quantity, unit_price=p.price, vat_rate=p.vat_rate)
        for line in sorted(basket, key=lambda line: line.product_id)
        if (p := products.get(line.product_id))
    ]
