"""Erasing people: each app forgets what is its own, here all of them at once. As many statements for five hundred as for one."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Greatest

from accounts import steps as accounts_steps
from accounts.models import Relay, User
from distribution.models import Distribution, PrintoutFile, Recipient, Reminder
from members import steps as members_steps
from members.models import AddressChange, Erasure, Member
from outbox import steps as outbox_steps
from portal.clock import now
from tickets import steps as tickets_steps
from tickets.models import Ticket
from tickets.models.ticket import TicketQuerySet

NOTICE = timedelta(days=30)  # between the email that warns and the erasure

# Words written to or by these people, and words of their companies that name one of them.
WORDS_TO_THEM = """
UPDATE distribution_recipient r SET message = '' FROM distribution_distribution d
WHERE d.id = r.distribution_id AND r.message <> '' AND (r.member_id = ANY(%s) OR EXISTS (
    SELECT 1 FROM unnest(%s::bigint[], %s::text[]) AS said(company, words)
    WHERE d.company_id = said.company AND strpos(lower(r.message), lower(said.words)) > 0))
"""
WORDS_OF_REMINDERS = """
UPDATE distribution_reminder r SET message = '' FROM members_member m
WHERE m.id = r.member_id AND r.message <> '' AND (r.member_id = ANY(%s) OR EXISTS (
    SELECT 1 FROM unnest(%s::bigint[], %s::text[]) AS said(company, words)
    WHERE m.company_id = said.company AND strpos(lower(r.message), lower(said.words)) > 0))
"""
WORDS_BY_THEM = """
UPDATE distribution_distribution d SET message = ''
WHERE d.message <> '' AND (d.actor_id = ANY(%s) OR EXISTS (
    SELECT 1 FROM unnest(%s::bigint[], %s::text[]) AS said(company, words)
    WHERE said.company IN (d.company_id, d.other_id) AND strpos(lower(d.message), lower(said.words)) > 0))
"""


def erase_people(users: Collection[User], members: Collection[Member], *, at: datetime, by: User | None = None) -> None:
    """Nothing says any more whose these logins and members were. Tickets and movements stay, by keys."""
    assert connection.in_atomic_block
    members = [*members, *Member.objects.filter(merged_into__in=members).exclude(pk__in=[member.pk for member in members])]
    people: list[Member | Relay] = [*members, *Relay.objects.filter(user__in=users)]
    named = [(person.company_id, str(person)) for person in people if person.last_name or person.first_name]
    said = named + [(member.company_id, member.email) for member in members if member.email]
    companies, words = [company for company, _ in said], [word for _, word in said]
    addresses = [user.email for user in users]

    tickets_steps.erase_names_of([member.pk for member in members], named, at=at)
    with connection.cursor() as cursor:
        cursor.execute(WORDS_TO_THEM, [[member.pk for member in members], companies, words])
        cursor.execute(WORDS_OF_REMINDERS, [[member.pk for member in members], companies, words])
        cursor.execute(WORDS_BY_THEM, [[user.pk for user in users], companies, words])
    outbox_steps.forget(addresses)
    members_steps.forget_changes(AddressChange.objects.filter(Q(user__in=users) | Q(email__in=addresses)))
    Erasure.objects.filter(user__in=users, called_off_at=None, done_at=None).update(done_at=at, done_by=by)
    members_steps.close_answers(users, at=at)
    members_steps.erase(members, at=at)
    accounts_steps.erase_logins(users, at=at)


def lock_free(users: Collection[User]) -> tuple[list[User], list[Member]]:
    """Those of these locked logins whom nothing holds back, with their members, locked: no ticket to come, no authorisation.

    The members are locked against a ticket that is being given to one of them: either we wait here and then see it, or its
    giver waits and then sees that she has gone.
    """
    assert connection.in_atomic_block
    members = list(Member.objects.filter(email__in=[user.email for user in users]).order_by("pk").select_for_update())
    holding = set(Ticket.objects.filter(member__in=members).held_to_come().values_list("member__email", flat=True))
    acting = set(Relay.objects.authorised().filter(user__in=users).values_list("user", flat=True))
    free = [user for user in users if user.email not in holding and user.pk not in acting and not user.is_staff]
    addresses = {user.email for user in free}
    return free, [member for member in members if member.email in addresses]


def carry_out_erasures(before: datetime, limit: int) -> int:
    """Erase who asked for it before an instant, and waits for no ticket to come."""
    return carry_out(Erasure.objects.filter(asked_at__lt=before), limit=limit)


def carry_out(erasures: QuerySet[Erasure], *, limit: int, by: User | None = None) -> int:
    """Erase the people of these requests whom nothing holds back. How many."""
    assert connection.in_atomic_block
    waiting = Erasure.objects.filter(called_off_at=None, done_at=None)
    due = erasures.filter(pk__in=waiting).exclude(Exists(to_come(OuterRef("user__email"))))
    due = due.exclude(Exists(Relay.objects.authorised().filter(user=OuterRef("user"))))
    asked = User.objects.filter(pk__in=due.order_by("pk").values("user")[:limit]).order_by("pk")
    users = list(asked.select_for_update(no_key=True, skip_locked=True))
    still = set(waiting.filter(user__in=users).values_list("user", flat=True))  # who called it off while we waited is not erased
    free, members = lock_free([user for user in users if user.pk in still])
    erase_people(free, members, at=now(), by=by)
    return len(free)


def to_come(address) -> TicketQuerySet:
    return Ticket.objects.filter(member__email=address).held_to_come()


def idle_logins(before: datetime) -> QuerySet[User]:
    """Logins with which nobody has come, and whose members were given nothing, since an instant; nothing holds them back."""
    theirs = Member.objects.filter(email=OuterRef("email")).order_by().values("email")
    given = theirs.annotate(last=Max(Greatest("bears_address_since", "last_given_at"))).values("last")
    logins = User.objects.filter(erased_at=None, is_staff=False)
    idle = logins.annotate(since=Greatest("created_at", "last_seen_at", Subquery(given))).filter(since__lt=before)
    return idle.exclude(Exists(Relay.objects.authorised().filter(user=OuterRef("pk")))).exclude(Exists(to_come(OuterRef("email"))))


def erase_idle_logins(before: datetime, limit: int) -> int:
    """Warn those who have nearly not come for long; erase those warned a month ago who have not come since. How many of both."""
    assert connection.in_atomic_block
    at = now()
    unaware = idle_logins(before + NOTICE).filter(Q(warned_at=None) | Q(warned_at__lt=F("since")))
    warned = list(unaware.order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit])
    outbox_steps.owe(
        outbox_steps.letter(
            "idle", to=user.email, language=user.language, refs={"user": user.pk}, key=f"{user.pk}:{at:%Y-%m-%d}", not_before=at
        )
        for user in warned
    )
    User.objects.filter(pk__in=[user.pk for user in warned]).update(warned_at=at)
    gone = idle_logins(before).filter(warned_at__lte=at - NOTICE, warned_at__gte=F("since"))
    free, members = lock_free(list(gone.order_by("pk").select_for_update(no_key=True, skip_locked=True, of=("self",))[:limit]))
    erase_people(free, members, at=at)
    return len(warned) + len(free)


def erase_idle_members(before: datetime, limit: int) -> int:
    """Erase from lists who left one before an instant, or has no address and was given nothing since."""
    assert connection.in_atomic_block
    unheard = Q(email="", created_at__lt=before) & (Q(last_given_at=None) | Q(last_given_at__lt=before))
    gone = Member.objects.exclude(first_name="", last_name="").filter(unheard | Q(left_on__lt=before.date()))
    held = Ticket.objects.filter(member=OuterRef("pk")).held_to_come()
    chosen = gone.exclude(Exists(held)).order_by("pk").values("pk")[:limit]
    members = list(Member.objects.filter(pk__in=chosen).order_by("pk").select_for_update(skip_locked=True))
    holding = set(Ticket.objects.filter(member__in=members).held_to_come().values_list("member", flat=True))
    members = [member for member in members if member.pk not in holding]
    erase_people([], members, at=now())
    return len(members)


def erase_old_words(before: datetime, limit: int) -> int:
    """Forget the words that went with acts before an instant."""
    assert connection.in_atomic_block
    told = Recipient.objects.filter(distribution__at__lt=before)
    reminded, acts = Reminder.objects.filter(at__lt=before), Distribution.objects.filter(at__lt=before)
    erased = 0
    for said in (told, reminded, acts):
        keys = list(said.exclude(message="").order_by().values_list("pk", flat=True)[:limit])
        erased += said.model.objects.filter(pk__in=keys).update(message="")
    return erased


def drop_old_files(before: datetime, limit: int) -> int:
    """Drop the files of printouts made before an instant: names are on them."""
    assert connection.in_atomic_block
    old = PrintoutFile.objects.filter(printout__at__lt=before).order_by().values_list("pk", flat=True)
    return PrintoutFile.objects.filter(pk__in=list(old[:limit])).delete()[0]
