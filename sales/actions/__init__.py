"""What relays and staff do to orders, options and accounts, and what the clock does to options."""

from sales.actions.money import reverse_payment
from sales.actions.orders import cancel_order, cancel_part, cancel_tickets, confirm_order

__all__ = ["cancel_order", "cancel_part", "cancel_tickets", "confirm_order", "reverse_payment"]
