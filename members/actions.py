"""What a relay does to the company's list, and a person to the consent that is hers."""

from django.db import transaction

from accounts.models import Relay, User
from members import steps
from members.models import Consent, Member
from portal.clock import now


@transaction.atomic(durable=True)
def add_member(*, relay: Relay, first_name: str, last_name: str, email: str, shares_address: bool = False) -> Member:
    """Put a person on the list of the relay's company, or find who is there already."""
    relay = Relay.objects.locked(relay)
    return steps.add(relay.company, first_name=first_name, last_name=last_name, email=email, shares_address=shares_address)


@transaction.atomic(durable=True)
def add_myself(*, relay: Relay) -> Member:
    """The relay as a member of her own company."""
    relay = Relay.objects.locked(relay)
    return steps.add(relay.company, first_name=relay.first_name, last_name=relay.last_name, email=relay.user.email, shares_address=True)


@transaction.atomic(durable=True)
def answer_consent(*, user: User, yes: bool, text: str, page: str) -> None:
    """Keep the person's answer about the seller's offers, with what was asked, when and where."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    at = now()
    standing = Consent.objects.filter(user=user, withdrawn_at=None)
    if standing.filter(given_at__isnull=not yes).exists():
        return
    standing.update(withdrawn_at=at)
    Consent.objects.create(user=user, text=text, page=page, **({"given_at": at} if yes else {"declined_at": at}))
