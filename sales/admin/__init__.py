"""The staff's pages of sales."""

from sales.admin import events, invoices, money, options, orders  # noqa: F401  (each registers its pages)
