"""The staff's pages of sales."""

from sales.admin import invoices, money, options, orders  # noqa: F401  (each registers its pages)
