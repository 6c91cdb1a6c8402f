"""The pages of the emails that accounts owe."""

from django.db.models import F
from django.urls import reverse

from accounts.models import Relay, RelayProposal, Seller
from outbox.kinds import Letter
from outbox.letters import absolute, letter, login_link


def login_code(refs: dict, language: str, secret: str) -> Letter:
    return letter("login_code", {"code": secret, "seller": Seller.objects.current()})


def login_unknown(refs: dict, language: str, secret: str) -> Letter:
    return letter("login_unknown", {"seller": Seller.objects.current()})


def relay_welcome(refs: dict, language: str, secret: str) -> Letter:
    relay = Relay.objects.select_related("company", "user").get(pk=refs["relay"])
    let = RelayProposal.objects.filter(relay=relay, decided_by=F("proposed_by__user")).select_related("proposed_by__company")
    return letter(
        "relay_welcome",
        {
            "relay": relay,
            "seller": Seller.objects.current(),
            "let": let.first(),
            "link": login_link(relay.user.email, reverse("distribution:home", args=[relay.company.public_id])),
        },
    )


def still_relay(refs: dict) -> bool:
    return Relay.objects.authorised().filter(pk=refs["relay"]).exists()


def relay_proposed(refs: dict, language: str, secret: str) -> Letter:
    """To the seller: a relay proposes somebody, or has authorised her."""
    proposal = RelayProposal.objects.select_related("company", "proposed_by__company").get(pk=refs["proposal"])
    link = absolute(reverse("admin:accounts_relayproposal_change", args=[proposal.pk]))
    return letter("relay_proposed", {"seller": Seller.objects.current(), "proposal": proposal, "link": link})


def relay_answered(refs: dict, language: str, secret: str) -> Letter:
    """To the relay who proposed somebody: what the seller answered."""
    proposal = RelayProposal.objects.select_related("company", "proposed_by__company", "proposed_by__user").get(pk=refs["proposal"])
    relay = proposal.proposed_by
    link = login_link(relay.user.email, reverse("distribution:home", args=[relay.company.public_id]))
    return letter("relay_answered", {"seller": Seller.objects.current(), "proposal": proposal, "relay": relay, "link": link})


def proposer_is_relay(refs: dict) -> bool:
    return Relay.objects.authorised().filter(proposals=refs["proposal"]).exists()


def always(refs: dict) -> bool:
    return True
