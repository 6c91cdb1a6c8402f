"""What staff, a person at the login page, or a relay does to logins and authorisations."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from accounts import retention, steps
from accounts.errors import HasRelays
from accounts.models import Company, Relay, RelayProposal, Seller, User
from outbox import steps as outbox_steps
from outbox.models import Delivery
from portal.clock import now


@transaction.atomic(durable=True)
def withdraw_relays(*, relays: list[int], by: User) -> int:
    """Withdraw these authorisations at once, open sessions included. How many were in force.

    A person who is relay or member elsewhere logs in again and finds what is still hers.
    """
    users = User.objects.filter(relays__in=relays).order_by("pk")
    locked = list(User.objects.filter(pk__in=users).order_by("pk").select_for_update(no_key=True))
    withdrawn = Relay.objects.filter(pk__in=relays, withdrawn_at=None).update(withdrawn_at=now())
    for user in locked:
        steps.end_sessions(user)
    return withdrawn


@transaction.atomic(durable=True)
def propose_relay(*, relay: Relay, company: Company, first_name: str, last_name: str, email: str, request_key: uuid.UUID) -> RelayProposal:
    """Propose a person to the seller as the relay of a company that tickets may be forwarded to and that has none.

    Where the seller lets a relay who manages do so, and for a child of her own company, the person is authorised at once,
    to distribute alone. The seller's address is told either way. HasRelays when somebody acts for the company by now.
    """
    relay = Relay.objects.locked(relay)
    if done := RelayProposal.objects.filter(proposed_by__user=relay.user, request_key=request_key).first():
        return done
    company = Company.objects.select_for_update(no_key=True).get(pk=Company.objects.receiving_from(relay.company).get(pk=company.pk).pk)
    if Company.objects.with_relays().filter(pk=company.pk).exists():
        raise HasRelays(company)
    same = RelayProposal.objects.filter(company=company, proposed_by=relay, email=email, state=RelayProposal.State.PENDING)
    if waiting := same.first():
        return waiting
    person = {"company": company, "first_name": first_name, "last_name": last_name}
    proposal = RelayProposal(**person, email=email, proposed_by=relay, request_key=request_key)
    if Seller.objects.current().relays_authorise_below and relay.may_manage and company.parent_id == relay.company_id:
        accept(proposal, by=relay.user)
    proposal.save()
    if address := Seller.objects.current().email:
        owe_about("relay_proposed", proposal, to=address, language=settings.LANGUAGE_CODE)
    return proposal


def accept(proposal: RelayProposal, *, by: User) -> None:
    """Authorise the person, to distribute alone, unless she is by now."""
    known = Relay.objects.authorised().filter(company=proposal.company, user__email=proposal.email).first()
    new = Relay(company=proposal.company, first_name=proposal.first_name, last_name=proposal.last_name)
    proposal.relay = known or steps.authorise(new, address=proposal.email, by=by)
    proposal.state, proposal.decided_by, proposal.decided_at = RelayProposal.State.ACCEPTED, by, now()


def owe_about(kind: str, proposal: RelayProposal, *, to: str, language: str) -> None:
    refs, key = {"proposal": proposal.pk}, f"proposal:{proposal.pk}"
    outbox_steps.owe([outbox_steps.letter(kind, to=to, language=language, refs=refs, key=key, not_before=now())])


@transaction.atomic(durable=True)
def accept_proposal(*, proposal: int, by: User) -> RelayProposal:
    """Authorise the person proposed, and tell the relay who proposed her. Nothing once it is answered."""
    found = RelayProposal.objects.select_related("company", "proposed_by__user").select_for_update(of=("self",)).get(pk=proposal)
    if found.state == RelayProposal.State.PENDING:
        accept(found, by=by)
        found.save(update_fields=["relay", "state", "decided_by", "decided_at"])
        owe_about("relay_answered", found, to=found.proposed_by.user.email, language=found.proposed_by.user.language)
    return found


@transaction.atomic(durable=True)
def refuse_proposal(*, proposal: int, reason: str, by: User) -> RelayProposal:
    """Refuse the person proposed, and tell the relay who proposed her why. Nothing once it is answered."""
    found = RelayProposal.objects.select_related("company", "proposed_by__user").select_for_update(of=("self",)).get(pk=proposal)
    if found.state == RelayProposal.State.PENDING:
        found.state, found.reason, found.decided_by, found.decided_at = RelayProposal.State.REFUSED, reason, by, now()
        found.save(update_fields=["reason", "state", "decided_by", "decided_at"])
        owe_about("relay_answered", found, to=found.proposed_by.user.email, language=found.proposed_by.user.language)
    return found


@transaction.atomic(durable=True)
def send_login_code(*, address: str, code: str | None) -> None:
    """Owe the login code, or to an address that nobody authorised the sentence that says so: equal work."""
    user = User.objects.filter(email=address).first()
    at = now()
    outbox_steps.owe(
        [
            outbox_steps.letter(
                "login_code" if code else "login_unknown",
                to=address,
                language=user.language if user else settings.LANGUAGE_CODE,
                refs={},
                key=str(uuid.uuid4()),
                not_before=at,
                useful_until=at + timedelta(seconds=settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT),
                priority=Delivery.Priority.LOGIN,
                secret=code or "",
            )
        ]
    )


@transaction.atomic(durable=True)
def log_out_everywhere(*, user: User) -> None:
    """End every session of this person, the present one too."""
    steps.end_sessions(user)


@transaction.atomic(durable=True)
def choose_language(*, user: User, language: str) -> None:
    """The language of her pages and emails from now on."""
    User.objects.filter(pk=user.pk).update(language=language)


BATCH = 500


def apply_retention() -> int:
    """Erase whatever is past its date, line by line and batch by batch. Twice at once, or late, does no harm. How many rows."""
    erased = 0
    for line in retention.table().values():
        while done := erase_batch(line):
            erased += done
    return erased


@transaction.atomic(durable=True)
def erase_batch(line: retention.Line) -> int:
    return line.erase(line.before(Seller.objects.current()), BATCH)
