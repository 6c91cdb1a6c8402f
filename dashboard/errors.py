from django.utils.translation import gettext as _

from portal.errors import Refused


class EventNotOver(Refused):
    code = "event_not_over"

    def __init__(self):
        super().__init__(_("The event is not over: its statement is closed afterwards."))
