"""The pages of the emails that accounts owe."""

from django.urls import reverse

from accounts.models import Relay, Seller
from outbox.kinds import Letter
from outbox.letters import letter, login_link


def login_code(refs: dict, language: str, secret: str) -> Letter:
    return letter("login_code", {"code": secret, "seller": Seller.objects.current()})


def login_unknown(refs: dict, language: str, secret: str) -> Letter:
    return letter("login_unknown", {"seller": Seller.objects.current()})


def relay_welcome(refs: dict, language: str, secret: str) -> Letter:
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    return letter(
        "relay_welcome",
        {
            "relay": relay,
            "seller": Seller.objects.current(),
            "link": login_link(relay.user.email, reverse("distribution:home", args=[relay.company.public_id])),
        },
    )


def still_relay(refs: dict) -> bool:
    return Relay.objects.authorised().filter(pk=refs["relay"]).exists()


def always(refs: dict) -> bool:
    return True
