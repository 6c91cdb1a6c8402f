"""Deadlines are local dates of the venue, the last day included, stored as the instant that ends it."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from portal.templatetags.words import local
from sales.models import Terms
from tickets.models import Event

REMINDERS_AT = time(9)


def end_of_day(day: date, zone: str) -> datetime:
    """The instant at which this day ends there: the next midnight, whatever the night's length."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))


def latest(event: Event) -> datetime:
    """Nothing is held beyond the start of an event, or the end of an open date."""
    return event.starts_at or event.valid_until


def deadline_on(event: Event, day: date) -> datetime:
    """The deadline of an option whose last day is this one."""
    return min(end_of_day(day, event.venue.zone), latest(event))


def last_day_by_rule(event: Event, at: datetime, terms: Terms) -> date:
    """The earlier of so many days after today and so many days before the event, as dates at the venue."""
    zone = event.venue.zone
    after_request = local(at, zone).date() + timedelta(days=terms.option_days)
    before_event = local(latest(event), zone).date() - timedelta(days=terms.option_days_before)
    return min(after_request, before_event)


def reminder_at(event: Event, deadline: datetime, days: int) -> datetime:
    """In the morning, so many days before the last day."""
    zone = event.venue.zone
    day = local(deadline - timedelta(microseconds=1), zone).date() - timedelta(days=days)
    return datetime.combine(day, REMINDERS_AT, ZoneInfo(zone))
