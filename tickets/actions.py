"""What staff do to tickets, seats and keys. What moves money, confirming and cancelling, is in sales."""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.db.models import Max

from accounts.models import User
from tickets import barcode, steps
from tickets.errors import TicketIsChecked
from tickets.models import Event, Seat, SigningKey, Ticket


@transaction.atomic(durable=True)
def reissue_ticket(*, ticket: int, by: User) -> Ticket:
    """Give a ticket a new barcode: what was printed is dead. TicketIsChecked when it has been used."""
    found = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket)
    if found.status in (Ticket.Status.CHECKED, Ticket.Status.CANCELLED):
        raise TicketIsChecked([found.number])
    steps.reissue([found], by=by)
    return found


@transaction.atomic(durable=True)
def add_seats(*, event: int, seats: list[dict]) -> int:
    """Add the seats of a pasted list that the event has not yet. How many are new."""
    found = Event.objects.select_for_update().get(pk=event)
    before = found.seats.count()
    Seat.objects.bulk_create([Seat(event=found, **seat) for seat in seats], ignore_conflicts=True)
    return found.seats.count() - before


@transaction.atomic(durable=True)
def create_signing_key() -> str:
    """Register the public half of a new key and return the private seed, in base64, for SIGNING_KEY."""
    key = Ed25519PrivateKey.generate()
    register(key)
    return base64.b64encode(key.private_bytes_raw()).decode()


@transaction.atomic(durable=True)
def register_signing_key() -> SigningKey:
    """Register the public half of the key in the settings, once."""
    return register(barcode.private_key())


def register(key: Ed25519PrivateKey) -> SigningKey:
    public = key.public_key().public_bytes_raw()
    last = SigningKey.objects.aggregate(last=Max("pk"))["last"] or 0
    return SigningKey.objects.get_or_create(public_key=public, defaults={"pk": last + 1})[0]
