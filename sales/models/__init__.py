from sales.models.catalogue import BasketLine, Listing, Terms
from sales.models.invoice import Invoice, Invoiced
from sales.models.ledger import Account, Entry, Payment, PostedLine, Posting, Settlement
from sales.models.option import CalendarFeed, Option

__all__ = [
    "Account", "BasketLine", "CalendarFeed", "Entry", "Invoice", "Invoiced", "Listing", "Option", "Payment", "PostedLine", "Posting",
    "Settlement", "Terms",
]  # fmt: skip
