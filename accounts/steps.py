"""Moves on logins and relays that several actions share."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import CharField, Exists, OuterRef, Value
from django.db.models.functions import Cast, Coalesce, Concat, Now, TruncDate

from accounts.models import Company, Relay, RelayProposal, User
from outbox import steps as outbox_steps
from portal.clock import now

# In plain SQL: a list of 5,000 new people would make and read back 10,000 objects that nobody looks at.
# In the order of the addresses, so that two lists of the same people wait for each other in one order.
LOGINS = """
INSERT INTO accounts_user (password, email, language, is_superuser, is_staff, is_active, created_at)
SELECT %s, address, %s, false, false, true, %s FROM unnest(%s::text[]) AS address ORDER BY address
ON CONFLICT DO NOTHING
"""
ADDRESSES = """
INSERT INTO account_emailaddress (user_id, email, verified, "primary")
SELECT u.id, u.email, false, true FROM accounts_user u
WHERE u.email = ANY(%s) AND NOT EXISTS (SELECT 1 FROM account_emailaddress a WHERE a.user_id = u.id) ORDER BY u.email
ON CONFLICT DO NOTHING
"""


def logins_for(addresses: Iterable[str], *, language: str = "fr") -> None:
    """Make the login and its unverified address for each canonical address that has none yet.

    No right by itself; it lets the login page do the same work for every address.
    """
    assert connection.in_atomic_block
    wanted = sorted(set(addresses))
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(LOGINS, [UNUSABLE_PASSWORD_PREFIX, language, now(), wanted])
        cursor.execute(ADDRESSES, [wanted])


def authorise(relay: Relay, *, address: str, by: User) -> Relay:
    """Authorise the person at this canonical address for the relay's company, and owe the welcome.

    An authorisation of hers whose last day is past makes room for the new one.
    """
    assert connection.in_atomic_block
    logins_for([address])
    relay.user = User.objects.get(email=address)
    Relay.objects.filter(user=relay.user, company=relay.company, withdrawn_at=None, until__lt=TruncDate(Now())).update(withdrawn_at=now())
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
    """Owe one email to each relay in force of these companies who sees their tickets."""
    assert connection.in_atomic_block
    relays = Relay.objects.authorised().seeing_tickets().filter(company__in=companies).select_related("user").order_by("pk")
    at = now()
    outbox_steps.owe(
        [
            outbox_steps.letter(
                kind, to=r.user.email, language=r.user.language, refs={**refs, "relay": r.pk}, key=f"{key}:{r.pk}", not_before=at
            )
            for r in relays
        ]
    )


def end_sessions(*users: User) -> None:
    """Log people out of every browser."""
    assert connection.in_atomic_block
    sessions = UserSession.objects.filter(user__in=users)
    Session.objects.filter(session_key__in=sessions.values("session_key")).delete()
    sessions.delete()


def rewrite_login(user: User, address: str, *, at: datetime) -> None:
    """She logs in with another address, which she has just proven; her sessions, rights and second factor stay."""
    assert connection.in_atomic_block
    User.objects.filter(pk=user.pk).update(email=address)
    EmailAddress.objects.filter(user=user).update(email=address)
    user.email = address
    prove(user, at=at)


def prove(user: User, *, at: datetime) -> None:
    """Someone has just shown that she reads the emails of this login's address."""
    assert connection.in_atomic_block
    EmailAddress.objects.filter(user=user).update(verified=True)
    User.objects.filter(pk=user.pk).update(last_seen_at=at)


def erase_logins(users: Collection[User], *, at: datetime) -> None:
    """Nobody logs in with these any more, and nothing says whose they were; what they did stays theirs by its key."""
    assert connection.in_atomic_block
    end_sessions(*users)
    for table in (EmailAddress, Authenticator):
        table.objects.filter(user__in=users).delete()
    RelayProposal.objects.filter(email__in=[user.email for user in users]).delete()
    relays = Relay.objects.filter(user__in=users)
    relays.update(first_name="", last_name="", withdrawn_at=Coalesce("withdrawn_at", Value(at)))
    keys = {"user": [str(user.pk) for user in users], "relay": [str(pk) for pk in relays.values_list("pk", flat=True)]}
    for model, ids in keys.items():  # what the admin wrote of its own edits quotes names
        LogEntry.objects.filter(content_type__app_label="accounts", content_type__model=model, object_id__in=ids).update(object_repr="")
    User.objects.filter(pk__in=[user.pk for user in users]).update(
        email=Concat(Value("erased-"), Cast("pk", CharField()), Value("@erased.invalid")),
        password=UNUSABLE_PASSWORD_PREFIX,
        language=settings.LANGUAGE_CODE,
        is_active=False,
        last_seen_at=None,
        last_login=None,
        warned_at=None,
        erased_at=at,
    )


def erase_old_sessions(before: datetime, limit: int) -> int:
    """Forget the browsers that logged in before an instant: where from, and with what."""
    assert connection.in_atomic_block
    over = Session.objects.filter(expire_date__lt=before + timedelta(seconds=settings.SESSION_COOKIE_AGE))
    closed = UserSession.objects.filter(~Exists(Session.objects.filter(session_key=OuterRef("session_key"))), created_at__lt=before)
    erased = over.filter(pk__in=list(over.values_list("pk", flat=True)[:limit])).delete()[0]
    return erased + closed.filter(pk__in=list(closed.values_list("pk", flat=True)[:limit])).delete()[0]


def erase_old_proposals(before: datetime, limit: int) -> int:
    """Forget who was proposed as a relay before an instant."""
    assert connection.in_atomic_block
    old = RelayProposal.objects.filter(at__lt=before).order_by().values("pk")[:limit]
    return RelayProposal.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()[0]
