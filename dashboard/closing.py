"""The text of a closed statement: written once, to be signed, and read back for its pages and files."""

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal

from accounts.models import Seller, User
from dashboard.event import Category, Statement
from dashboard.models import ClosedStatement
from sales.models import Terms
from tickets.models import Event, Venue

SELLER = ["name", "legal_name", "address", "siret", "licences"]
TERMS = ["legal_form", "vat_number"]


def figures_of(told: Statement) -> dict:
    """Every number of a statement, as it is written."""
    lines = [{name: str(n) if isinstance(n, Decimal) else n for name, n in asdict(line).items()} for line in told.categories]
    return {"categories": lines, "at_the_gates": told.at_the_gates}


def text_of(told: Statement, *, by: User, at: datetime) -> str:
    """Whose statement it is, of which event, its figures, and who closed it when; a person by id alone."""
    event, seller, terms = told.event, Seller.objects.current(), Terms.objects.current()
    times = {name: value and value.isoformat() for name, value in (("starts_at", event.starts_at), ("valid_until", event.valid_until))}
    said = {
        "seller": {name: getattr(seller, name) for name in SELLER} | {name: getattr(terms, name) for name in TERMS},
        "event": {"id": str(event.public_id), "name": event.name, "venue": event.venue.name, "zone": event.venue.zone} | times,
        "figures": figures_of(told),
        "closed_at": at.isoformat(),
        "closed_by": by.pk,
    }
    return json.dumps(said, ensure_ascii=False)


def statement_of(closed: ClosedStatement) -> Statement:
    """The statement as it was closed, whatever the event and its tickets have become."""
    of, figures = closed.said["event"], closed.said["figures"]
    starts_at, valid_until = (of[name] and datetime.fromisoformat(of[name]) for name in ("starts_at", "valid_until"))
    event = Event(name=of["name"], starts_at=starts_at, valid_until=valid_until, venue=Venue(name=of["venue"], zone=of["zone"]))
    money = ("unit_price", "vat_rate", "vat")
    lines = [Category(**line | {name: Decimal(line[name]) for name in money}) for line in figures["categories"]]
    return Statement(event, lines, figures["at_the_gates"], over=True)


def seller_of(closed: ClosedStatement) -> tuple[Seller, Terms]:
    """Who sold, as it was written then."""
    said = closed.said["seller"]
    return Seller(**{name: said[name] for name in SELLER}), Terms(**{name: said[name] for name in TERMS})
