"""The pages of the emails that members owe: to themselves, and to the relays of their companies."""

from accounts.models import Relay, Seller
from members.models import Member
from outbox.kinds import Letter
from outbox.letters import letter


def address_code(refs: dict, language: str, secret: str) -> Letter:
    return letter("address_code", {"code": secret, "seller": Seller.objects.current()})


def address_changed(refs: dict, language: str, secret: str) -> Letter:
    return letter("address_changed", {"old": refs["old"], "seller": Seller.objects.current()})


def members_corrected(refs: dict, language: str, secret: str) -> Letter:
    return to_relay("members_corrected", refs, {"members": still_listed(refs["members"])})


def member_left(refs: dict, language: str, secret: str) -> Letter:
    return to_relay("member_left", refs, {"member": Member.objects.get(pk=refs["member"])})


def to_relay(name: str, refs: dict, words: dict) -> Letter:
    relay = Relay.objects.select_related("company").get(pk=refs["relay"])
    return letter(name, {"seller": Seller.objects.current(), "relay": relay, **words})


def still_listed(members: list[int]) -> list[Member]:
    return list(Member.objects.filter(pk__in=members, left_on=None))


def still_on_the_list(refs: dict) -> bool:
    return bool(still_listed(refs["members"])) and is_relay(refs)


def still_named(refs: dict) -> bool:
    """She left and has not been erased since."""
    return Member.objects.filter(pk=refs["member"]).exclude(last_name="", first_name="").exists() and is_relay(refs)


def is_relay(refs: dict) -> bool:
    return Relay.objects.authorised().seeing_tickets().filter(pk=refs["relay"]).exists()


def always(refs: dict) -> bool:
    return True
