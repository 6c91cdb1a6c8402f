"""The one rule of rounding (docs/decisions/0010s-vat-is-rounded-once-an-order-and-a-rate.md)."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
EURO = "EUR"


def vat_within(amount: Decimal, rate: Decimal) -> Decimal:
    """The VAT within an amount that includes it: to the nearest cent, half a cent counts as one."""
    return (amount * rate / (100 + rate)).quantize(CENT, ROUND_HALF_UP)
