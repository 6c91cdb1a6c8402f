from django.utils.translation import gettext as _

from portal.errors import Refused


class AddressInUse(Refused):
    """The address is on the list under another name: the relay chooses whom she means."""

    code = "address_in_use"

    def __init__(self, members):
        self.members = members
        names = ", ".join(str(member) for member in members)
        super().__init__(_("%(names)s already has this address. Choose that person, or say that they share it.") % {"names": names})


class UnfamiliarDomain(Refused):
    """Nobody else of the company has an address of this domain: the relay looks again, and says that it is right."""

    code = "unfamiliar_domain"

    def __init__(self, doubt):
        self.doubt = doubt
        words = {"domain": doubt.domain, "near": doubt.near}
        question = _("Is it %(near)s?") if doubt.near else _("Look at it again.")
        alone = _("Nobody else on your list has an address at %(domain)s.")
        super().__init__(f"{alone} {question}" % words)


class NameInUse(Refused):
    """People of this name are on the list and there is no address to tell them apart: the relay says whom she means."""

    code = "name_in_use"

    def __init__(self, members):
        self.members = members
        names = ", ".join(f"{member} ({member.email or _('no email')})" for member in members)
        super().__init__(_("%(names)s is on your list. Choose that person, or say that this is someone else.") % {"names": names})


class AlreadyOnTheList(Refused):
    """Somebody else on the list has this name and this address: they are one person."""

    code = "already_on_the_list"

    def __init__(self, member):
        super().__init__(_("%(name)s is on your list with the same address: merge the two instead.") % {"name": member})


class KeepTheOther(Refused):
    """A merge would take tickets from the person who has logged in with an address, and give them to another address."""

    code = "keep_the_other"

    def __init__(self, member):
        words = {"name": member, "address": member.email}
        super().__init__(_("Someone has logged in with %(address)s: keep this entry of %(name)s, which is theirs.") % words)


class MemberHasChanged(Refused):
    code = "member_has_changed"

    def __init__(self):
        super().__init__(_("This person has changed since the page was shown. Here is how they stand now."))


class GroupNameTaken(Refused):
    code = "group_name_taken"

    def __init__(self, group):
        super().__init__(_("“%(name)s” is already one of your groups: choose another name.") % {"name": group})


class AddressIsTheirs(Refused):
    """Someone has logged in with the address since the member bears it: only its owner may change it."""

    code = "address_is_theirs"

    def __init__(self):
        super().__init__(_("Someone has already logged in with this address: only its owner may change it now."))


class StaffAddress(Refused):
    code = "staff_address"

    def __init__(self):
        super().__init__(_("You are of the seller's staff: ask an administrator to change your address."))


class AddressHasLogin(Refused):
    """Told only to whom has proven the address: an authorisation as relay is the seller's to move."""

    code = "address_has_login"

    def __init__(self):
        super().__init__(_("You already log in here with this address too: ask the seller to authorise you as a relay under it."))


class TooManyCodes(Refused):
    code = "too_many_codes"

    def __init__(self):
        super().__init__(_("Enough codes have been sent for today. Try again tomorrow."))


class CodeIsOver(Refused):
    code = "code_is_over"

    def __init__(self):
        super().__init__(_("This code can no longer be used. Type your new address again to get another."))
