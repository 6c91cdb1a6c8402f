from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from portal.errors import Refused


class MayNot(PermissionDenied):
    """A relay who sees the page but has not the right: 403."""


class HasRelays(Refused):
    code = "has_relays"

    def __init__(self, company):
        super().__init__(_("%(company)s has a relay now: you can forward tickets to it.") % {"company": company})
