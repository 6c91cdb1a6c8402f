from django.utils.translation import gettext as _

from portal.errors import Refused


class CheckStays(Refused):
    code = "check_stays"

    def __init__(self):
        super().__init__(_("The event is cancelled: its checks stay as they are."))


class HoleInJournal(Refused):
    code = "hole_in_journal"

    def __init__(self, expected: int, found: int):
        sentence = _(
            "The journal of this device has a hole: scan %(expected)d was expected and scan %(found)d came. Call the door manager,"
            " who pairs the device again."
        )
        super().__init__(sentence % {"expected": expected, "found": found})


class NoPairing(Refused):
    code = "no_pairing"

    def __init__(self):
        super().__init__(_("No device waits for this code, or its minutes are over. Ask the staff for a new one."))


class NotForThisDevice(Refused):
    code = "not_for_this_device"

    def __init__(self):
        super().__init__(_("This device has no right to that. Ask the door manager."))


class TooManyRequests(Refused):
    code = "too_many_requests"

    def __init__(self, seconds: int):
        self.seconds = seconds
        super().__init__(_("Too many requests from this device: wait %(seconds)d s.") % {"seconds": seconds})
