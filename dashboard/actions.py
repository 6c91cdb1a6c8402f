"""What the clock does for the seller's figures, what staff take away, and what they close."""

from django.db import connection, transaction

from accounts.models import User
from dashboard.closing import figures_of, text_of
from dashboard.errors import EventNotOver
from dashboard.event import statement
from dashboard.models import ClosedStatement, Counted, Export
from members.models import Consent
from portal.clock import now
from tickets.models import Event
from tickets.seal import seal

# Tickets are summed by order line first: a line has one product, one company that bought and one channel.
# Only what has changed since the last minute is written.
COUNT = """
MERGE INTO dashboard_tally AS tally USING (
    SELECT event.id AS event_id, product.id AS product_id, bought.company_id AS bought_by_id, part.company_id AS held_by_id,
           bought.channel, event.valid_until <= %(at)s AS over,
           sum(n)::int AS n, sum(distributed)::int AS distributed, sum(printed)::int AS printed, sum(checked)::int AS checked
    FROM (
        SELECT order_line_id, company_id, count(*) AS n,
               count(*) FILTER (WHERE status <> 'available') AS distributed,
               count(*) FILTER (WHERE status IN ('printed', 'checked') AND printed_generation = generation) AS printed,
               count(*) FILTER (WHERE status = 'checked') AS checked
        FROM tickets_ticket WHERE status <> 'cancelled' GROUP BY order_line_id, company_id
    ) AS part
    JOIN tickets_orderline AS line ON line.id = part.order_line_id
    JOIN tickets_order AS bought ON bought.id = line.order_id
    JOIN tickets_product AS product ON product.id = line.product_id
    JOIN tickets_event AS event ON event.id = product.event_id
    GROUP BY event.id, product.id, bought.company_id, part.company_id, bought.channel
) AS today
ON tally.product_id = today.product_id AND tally.bought_by_id = today.bought_by_id
   AND tally.held_by_id = today.held_by_id AND tally.channel = today.channel
WHEN MATCHED AND (tally.n_bought, tally.n_distributed, tally.n_printed, tally.n_checked, tally.over)
                 IS DISTINCT FROM (today.n, today.distributed, today.printed, today.checked, today.over) THEN
    UPDATE SET n_bought = today.n, n_distributed = today.distributed, n_printed = today.printed, n_checked = today.checked,
               over = today.over
WHEN NOT MATCHED THEN
    INSERT (event_id, product_id, bought_by_id, held_by_id, channel, over, n_bought, n_distributed, n_printed, n_checked)
    VALUES (event_id, product_id, bought_by_id, held_by_id, channel, over, n, distributed, printed, checked)
WHEN NOT MATCHED BY SOURCE THEN DELETE
"""


@transaction.atomic(durable=True)
def count() -> None:
    """Bring the tallies to what the tickets say now. Of two at once the second leaves it to the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('dashboard.count'))")
        if not cursor.fetchone()[0]:
            return
        at = now()
        cursor.execute("SET LOCAL work_mem = '64MB'")  # a million tickets are summed in memory, three times as fast
        cursor.execute(COUNT, {"at": at})
    Counted.objects.update_or_create(pk=1, defaults={"at": at})


@transaction.atomic(durable=True)
def note_export(*, by: User) -> Export:
    """Write down that somebody takes the addresses of those who receive offers, and how many they are."""
    return Export.objects.create(by=by, quantity=Consent.objects.for_offers().count())


@transaction.atomic(durable=True)
def close_statement(*, event: int, by: User) -> ClosedStatement:
    """Sign the statement of an event that is over, and keep it for ever. EventNotOver before.

    Closed again it is the same one; when something has changed since, another one beside it.
    """
    found = Event.objects.select_related("venue").select_for_update(no_key=True, of=("self",)).get(pk=event)
    at = now()
    if found.valid_until > at:
        raise EventNotOver
    told = statement(found, at)
    last = found.closed_statements.first()
    if last and last.said["figures"] == figures_of(told):
        return last
    text = text_of(told, by=by, at=at)
    key, signature = seal(text)
    return ClosedStatement.objects.create(event=found, text=text, key_id=key, signature=signature, by=by, at=at)
