"""Printouts: tickets marked printed first, in one transaction, then rendered into files by the web itself or by workers.

Any number of processes may run these at once, and any of them may be killed: the rows are the record.
"""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, Q
from django.utils import translation

from accounts.models import Relay, Seller, User
from distribution import steps
from distribution.models import Distribution, Printout, PrintoutFile
from portal.clock import now
from tickets.documents import tickets_pdf
from tickets.errors import CannotRender, TooMuchToRender
from tickets.models import Ticket

MOST_IN_A_FILE = 300  # in one document memory grows with each ticket, and documents joined later lose their tags
AT_ONCE = 100  # the answer may wait for so many: a second or two
KEPT = timedelta(hours=Seller.files_hours)
LEASE = timedelta(seconds=60)  # many times what a file takes
MOST_ATTEMPTS = 5


def prepare(act: Distribution, tickets: Sequence[Ticket], *, by: User, per_page: int, language: str, request_key: uuid.UUID) -> Printout:
    """Owe the files of these tickets, just marked printed, in this order. A large printout wakes a worker after the commit."""
    printout = Printout.objects.create(
        act=act, actor=by, request_key=request_key, per_page=per_page, language=language, quantity=len(tickets)
    )
    files = []
    for number, start in enumerate(range(0, len(tickets), MOST_IN_A_FILE), 1):
        part = tickets[start : start + MOST_IN_A_FILE]
        files.append(
            PrintoutFile(
                printout=printout,
                number=number,
                first=start + 1,
                quantity=len(part),
                tickets=[t.pk for t in part],
                generations=[t.generation for t in part],
            )
        )
    PrintoutFile.objects.bulk_create(files)
    if len(tickets) > AT_ONCE:
        ring_after_commit()
    return printout


def ring_after_commit() -> None:
    transaction.on_commit(ring, robust=True)


def ring() -> None:
    """Wake a worker. A broker that does not answer is no loss: the sweep finds what is owed."""
    from distribution import tasks  # tasks imports actions: the only import we allow inside a function

    tasks.render_printouts.apply_async(retry=False)


def render_at_once(printout: Printout) -> None:
    """Render a small printout here and now: what a dead process leaves of it, or what takes too long, the workers take up."""
    while printout.quantity <= AT_ONCE and (file := claim(printout.files.all())):
        if not render(file):
            ring()
            break


def render_next() -> bool:
    """Render one file that is owed, of any printout; whether there was one."""
    file = claim(PrintoutFile.objects.all())
    if file:
        render(file)
    return file is not None


@transaction.atomic(durable=True)
def claim(files) -> PrintoutFile | None:
    """Take one file of these to render, for the time of the lease. First files come first: nobody waits behind 5,000 tickets."""
    at = now()
    free = files.filter(rendered_at=None, attempts__lt=MOST_ATTEMPTS).filter(Q(lease_until=None) | Q(lease_until__lt=at))
    owed = free.select_for_update(of=("self",), skip_locked=True).select_related("printout").defer("content")
    file = owed.order_by("number", "pk").first()
    if file:
        file.worker, file.lease_until, file.attempts = uuid.uuid4(), at + LEASE, file.attempts + 1
        file.save(update_fields=["worker", "lease_until", "attempts"])
    return file


def render(file: PrintoutFile) -> bool:
    """The file's PDF, without the tickets that are no longer as they were marked printed; kept if it is still ours to keep.

    Whether there is one: a file that takes too much is parted, one that fails otherwise is tried again after its lease.
    """
    standing = Ticket.objects.filter(pk__in=file.tickets, status=Ticket.Status.PRINTED).for_print().in_bulk()
    marked = zip(file.tickets, file.generations, strict=True)
    tickets = [standing[pk] for pk, generation in marked if pk in standing and standing[pk].generation == generation]
    try:
        with translation.override(file.printout.language):
            content = tickets_pdf(tickets, file.printout.per_page) if tickets else b""
    except TooMuchToRender:
        part(file)
        return False
    except CannotRender:
        return False
    PrintoutFile.objects.filter(pk=file.pk, worker=file.worker, rendered_at=None).update(
        content=content, rendered_at=now(), left_out=file.quantity - len(tickets), lease_until=None
    )
    return True


@transaction.atomic(durable=True)
def part(file: PrintoutFile) -> None:
    """Two files out of one that took too much, until the ticket that does it is alone: that one is given up, all others are made."""
    files = Printout.objects.select_for_update().get(pk=file.printout_id).files
    ours = files.filter(pk=file.pk, worker=file.worker, rendered_at=None)
    half = file.quantity // 2
    if not half:
        ours.update(attempts=MOST_ATTEMPTS, lease_until=now())
    elif ours.update(quantity=half, tickets=file.tickets[:half], generations=file.generations[:half], attempts=0, lease_until=None):
        PrintoutFile.objects.create(
            printout_id=file.printout_id,
            number=files.aggregate(last=Max("number"))["last"] + 1,
            first=file.first + half,
            quantity=file.quantity - half,
            tickets=file.tickets[half:],
            generations=file.generations[half:],
        )


@transaction.atomic(durable=True)
def check_files(*, relay: Relay, printout: Printout, file: PrintoutFile | None = None) -> int:
    """Before rendered files are given away: those with tickets reclaimed, renamed or used since are owed anew, without them.

    How many tickets have changed: when none has, the files may be given.
    """
    relay = Relay.objects.locked(relay)
    files = PrintoutFile.objects.in_sight_of(relay).filter(printout=printout).exclude(rendered_at=None).defer("content")
    rendered = list((files.filter(pk=file.pk) if file else files).order_by("pk").select_for_update(of=("self",)))
    keys = [pk for one in rendered for pk in one.tickets]
    standing = dict(Ticket.objects.filter(pk__in=keys, status=Ticket.Status.PRINTED).values_list("pk", "generation"))
    changed = {}
    for one in rendered:
        as_marked = sum(standing.get(pk) == generation for pk, generation in zip(one.tickets, one.generations, strict=True))
        if as_marked < one.quantity - one.left_out:
            changed[one.pk] = one.quantity - one.left_out - as_marked
    if changed:
        PrintoutFile.objects.filter(pk__in=changed).update(content=None, rendered_at=None, left_out=0, attempts=0)
        ring_after_commit()
    return sum(changed.values())


@transaction.atomic(durable=True)
def cancel_printout(*, relay: Relay, printout: Printout) -> bool:
    """Stop preparing the files of a printout. Its tickets stay given, and marked printed. False, and nothing done, once it is ready."""
    relay = Relay.objects.locked(relay)
    found = Printout.objects.in_sight_of(relay).select_for_update(of=("self",)).get(pk=printout.pk)
    if found.cancelled_at is None:
        if not found.files.filter(rendered_at=None).exists():
            return False
        found.files.all().delete()
        found.cancelled_at = now()
        found.save(update_fields=["cancelled_at"])
    return True


@transaction.atomic(durable=True)
def drop_old_files() -> None:
    """The files of printouts older than some hours. Movements keep what was printed; printing again makes new ones."""
    while steps.drop_old_files(now() - KEPT, limit=500):
        pass
