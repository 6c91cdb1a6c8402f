"""The staff's pages of sales."""

from sales.admin import money, orders  # noqa: F401  (each registers its pages)
