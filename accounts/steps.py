"""Moves on logins and relays that several actions share."""

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.sessions.models import Session
from django.db import connection

from accounts.models import Company, Relay, User
from outbox import steps as outbox_steps
from portal.clock import now


def logins_for(addresses: Iterable[str], *, language: str = "fr") -> None:
    """Make the login and its unverified address for each canonical address that has none yet.

    No right by itself; it lets the login page do the same work for every address.
    """
    assert connection.in_atomic_block
    wanted = sorted(set(addresses))
    if not wanted:
        return
    common = {"language": language, "password": UNUSABLE_PASSWORD_PREFIX, "created_at": now()}
    User.objects.bulk_create([User(email=address, **common) for address in wanted], ignore_conflicts=True)
    made = User.objects.filter(email__in=wanted, emailaddress=None).values_list("pk", "email")
    EmailAddress.objects.bulk_create([EmailAddress(user_id=pk, email=email, primary=True) for pk, email in made], ignore_conflicts=True)


def authorise(relay: Relay, *, address: str, by: User) -> Relay:
    """Authorise the person at this canonical address for the relay's company, and owe the welcome."""
    assert connection.in_atomic_block
    logins_for([address])
    relay.user = User.objects.get(email=address)
    relay.authorised_by = by
    relay.save()
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "relay_welcome",
                to=address,
                language=relay.user.language,
                refs={"relay": relay.pk},
                key=f"relay:{relay.pk}",
                not_before=now(),
            )
        ]
    )
    return relay


def owe_to_relays(companies: Iterable[Company | int], kind: str, refs: dict, key: str) -> None:
    """Owe one email to each relay in force of these companies."""
    assert connection.in_atomic_block
    relays = Relay.objects.authorised().filter(company__in=companies).select_related("user").order_by("pk")
    at = now()
    outbox_steps.owe(
        [
            outbox_steps.letter(
                kind, to=r.user.email, language=r.user.language, refs={**refs, "relay": r.pk}, key=f"{key}:{r.pk}", not_before=at
            )
            for r in relays
        ]
    )


def end_sessions(user: User) -> None:
    """Log a person out of every browser."""
    assert connection.in_atomic_block
    sessions = UserSession.objects.filter(user=user)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    sessions.delete()
