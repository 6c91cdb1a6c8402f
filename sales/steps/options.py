"""The moves of options that several actions share. Products are locked."""

from collections.abc import Iterable

from tickets.models import Product


def offer_freed(products: Iterable[Product]) -> None:
    """Give tickets that have become free to those who wait for them, in their order."""
