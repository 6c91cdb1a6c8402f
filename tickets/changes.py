"""An event's change in one sentence, for emails and pages."""

from django.utils.translation import gettext as _

from portal.templatetags.words import day, moment, typo
from tickets.models import EventChange


def in_words(change: EventChange) -> str:
    """What the event was, and what it is now; read with both venues."""
    event, zone = change.event, change.event.venue.zone
    names = {"event": typo(event.name), "old": change.venue, "new": event.venue}
    if change.kind == EventChange.Kind.CANCELLED:
        if not change.starts_at:
            return _("“%(event)s” is cancelled.") % names
        return _("“%(event)s”, %(when)s, is cancelled.") % (names | {"when": moment(change.starts_at, change.venue.zone)})
    if not event.starts_at:
        period = {"from": day(event.valid_from, zone), "until": day(event.valid_until, zone)}
        said = _("“%(event)s” is now open from %(from)s to %(until)s.") % (names | period)
    elif change.starts_at != event.starts_at:
        was = moment(change.starts_at or change.valid_until, change.venue.zone)
        said = _("“%(event)s” is moved from %(was)s to %(now)s.") % (names | {"was": was, "now": moment(event.starts_at, zone)})
    elif change.venue_changes:
        when = {"when": moment(event.starts_at, zone)}
        return _("“%(event)s”, %(when)s, is at another venue: %(new)s, and no longer %(old)s.") % (names | when)
    else:
        return _("The hours of “%(event)s”, %(when)s, change.") % (names | {"when": moment(event.starts_at, zone)})
    return said + " " + _("The venue changes too: %(new)s, and no longer %(old)s.") % names if change.venue_changes else said
