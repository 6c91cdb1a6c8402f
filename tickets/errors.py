from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from portal.errors import Refused


class QuotaExceeded(Refused):
    code = "quota_exceeded"

    def __init__(self, product, wanted: int, left: int):
        sentence = ngettext(
            "%(product)s: %(wanted)d wanted, but only %(left)d ticket is left in the quota.",
            "%(product)s: %(wanted)d wanted, but only %(left)d tickets are left in the quota.",
            left,
        )
        super().__init__(sentence % {"product": product, "wanted": wanted, "left": left})


class NoSeatsLeft(Refused):
    code = "no_seats_left"

    def __init__(self, product):
        super().__init__(
            _("%(product)s has numbered seats, and not enough of them are free. Add seats to the event.") % {"product": product}
        )


class OrderNotOpen(Refused):
    code = "order_not_open"

    def __init__(self):
        super().__init__(_("Only a draft with at least one line can be confirmed, and only a confirmed order cancelled."))


class TicketIsChecked(Refused):
    code = "ticket_is_checked"

    def __init__(self, numbers):
        shown = ", ".join(str(number) for number in numbers)
        super().__init__(_("Already checked at the gate, so nothing was changed: %(numbers)s.") % {"numbers": shown})


class EventIsCancelled(Refused):
    code = "event_is_cancelled"

    def __init__(self, event):
        super().__init__(_("“%(event)s” is cancelled: nothing more can be sold or moved.") % {"event": event})


class EventIsOver(Refused):
    code = "event_is_over"

    def __init__(self):
        super().__init__(_("That would be in the past. Give a time to come."))


class EventIsThere(Refused):
    code = "event_is_there"

    def __init__(self):
        super().__init__(_("It is there and then already: change a time or the venue."))


class NoSigningKey(Refused):
    code = "no_signing_key"

    def __init__(self):
        super().__init__(_("No key signs the tickets yet. Run: manage.py create_signing_key"))


class CannotRender(Refused):
    """A document could not be made; nothing of it exists."""

    code = "cannot_render"

    def __init__(self):
        super().__init__(_("This document could not be made. Try again in a moment; if that fails too, tell us."))


class TooMuchToRender(CannotRender):
    """It took more time or memory than a document may: it will not do better another time."""

    code = "too_much_to_render"
