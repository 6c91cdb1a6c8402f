from tickets.models.catalogue import Event, Product, Seat, Venue
from tickets.models.change import EventChange
from tickets.models.order import Order, OrderLine
from tickets.models.ticket import Forward, Movement, Series, SigningKey, Ticket

__all__ = [
    "Event",
    "EventChange",
    "Forward",
    "Movement",
    "Order",
    "OrderLine",
    "Product",
    "Seat",
    "Series",
    "SigningKey",
    "Ticket",
    "Venue",
]
