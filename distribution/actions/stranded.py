import uuid

from django.db import transaction
from django.db.models import OuterRef, Subquery

from accounts import steps as accounts_steps
from accounts.models import Company, User
from distribution.actions.reclaim import take_back
from distribution.models import Distribution
from tickets.models import Forward, Ticket


@transaction.atomic(durable=True)
def take_back_stranded(*, company: Company, by: User) -> int:
    """Staff take what waits at a company for which nobody can act back to the one that had forwarded it. How many it was.

    What it bought stays. Whoever acts for the company above is told; once a relay is named there, nothing is taken.
    """
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    last = Forward.objects.filter(ticket=OuterRef("pk"), to_company=company)
    above = Ticket.objects.filter(company=company).stranded().annotate(above=Subquery(last.values("from_company")))
    locked = list(above.exclude(above=None).order_by("pk").select_for_update(of=("self",)))
    groups: dict[tuple[int, int], list[Ticket]] = {}
    for ticket in locked:
        groups.setdefault((ticket.product_id, ticket.above), []).append(ticket)
    companies = Company.objects.in_bulk({above for _, above in groups})
    for (product, above_it), tickets in groups.items():
        act = Distribution.objects.create(
            company=companies[above_it],
            actor=by,
            product_id=product,
            kind=Distribution.Kind.RECLAIM,
            other=company,
            request_key=uuid.uuid4(),
            quantity=len(tickets),
        )
        take_back([(act, tickets)], to=companies[above_it])
        accounts_steps.owe_to_relays([above_it], "stock_returned", {"act": act.pk}, str(act.request_key))
    return len(locked)
