"""What relays and staff do to orders, options and accounts, and what the clock does to options."""

from sales.actions.basket import fill_basket, place_order
from sales.actions.events import cancel_event, move_event
from sales.actions.money import issue_due_invoices, issue_invoices, reverse_payment
from sales.actions.options import (
    accept_option,
    answer_more_time,
    ask_more_time,
    confirm_option,
    end_lapsed_options,
    give_option_back,
    make_calendar_feed,
    refuse_option,
    request_option,
    revoke_calendar_feed,
)
from sales.actions.orders import cancel_order, cancel_part, cancel_tickets, confirm_order, issue_paid_orders

__all__ = [
    "accept_option", "answer_more_time", "ask_more_time", "cancel_event", "cancel_order", "cancel_part", "cancel_tickets", "confirm_option",
    "confirm_order", "end_lapsed_options", "fill_basket", "give_option_back", "issue_due_invoices", "issue_invoices",
    "issue_paid_orders", "make_calendar_feed", "move_event", "place_order", "refuse_option",
    "request_option", "reverse_payment", "revoke_calendar_feed",
]  # fmt: skip
