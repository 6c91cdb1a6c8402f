from django.utils.translation import gettext as _

from portal.errors import Refused


class AddressInUse(Refused):
    """The address is on the list under another name: the relay chooses whom she means."""

    code = "address_in_use"

    def __init__(self, members):
        self.members = members
        names = ", ".join(str(member) for member in members)
        super().__init__(_("%(names)s already has this address. Choose that person, or say that they share it.") % {"names": names})


class AddressIsTheirs(Refused):
    """Someone has logged in with the address since the member bears it: only its owner may change it."""

    code = "address_is_theirs"

    def __init__(self):
        super().__init__(_("Someone has already logged in with this address: only its owner may change it now."))
