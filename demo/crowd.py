"""A crowd for the bench: 20 products and 10,000 tickets for each factor, made by the database itself."""

from django.db import connection, transaction
from tqdm import tqdm

PRODUCTS, TICKETS = 20, 500  # per factor, and per product
COMPANIES = 50  # new ones for each factor, which share the tickets of its products, 10 each

STATEMENTS = """
INSERT INTO accounts_company (public_id, name, kind)
SELECT gen_random_uuid(), 'Foule {batch}-' || n, 'works_council' FROM generate_series(1, {companies}) n;

INSERT INTO tickets_event (public_id, name, subtitle, kind, venue_id, starts_at, doors_at, ends_at, valid_from, valid_until, names_until, names_required)
SELECT gen_random_uuid(), 'Foule {batch}-' || n, '', 'concert', (SELECT min(id) FROM tickets_venue), now() + interval '30 days', NULL, NULL,
       now(), now() + interval '31 days', now() + interval '30 days', false FROM generate_series(1, {products}) n;

INSERT INTO tickets_product (public_id, event_id, category, "placing", entrance, price, vat_rate, quota, numbered)
SELECT gen_random_uuid(), id, 'Foule', '', '', 20, 5.5, 1000, false FROM tickets_event WHERE name LIKE 'Foule {batch}-%';

INSERT INTO tickets_order (public_id, company_id, channel, state, number, request_key, confirmed_at)
SELECT gen_random_uuid(), c.id, 'online', 'confirmed', (SELECT coalesce(max(number), 0) FROM tickets_order) + row_number() OVER (), gen_random_uuid(), now()
FROM accounts_company c WHERE c.name LIKE 'Foule {batch}-%';

INSERT INTO tickets_orderline (order_id, product_id, quantity, unit_price, vat_rate)
SELECT o.id, p.id, {each}, 20, 5.5
FROM (SELECT id FROM tickets_order ORDER BY id DESC LIMIT {companies}) o, tickets_product p JOIN tickets_event e ON e.id = p.event_id
WHERE e.name LIKE 'Foule {batch}-%';

WITH made AS (
    INSERT INTO tickets_ticket (public_id, number, order_line_id, event_id, product_id, bought_by_id, company_id, beneficiary_first_name,
                                beneficiary_last_name, generation, status)
    SELECT gen_random_uuid(), (SELECT max(number) FROM tickets_ticket) + row_number() OVER (), l.id, p.event_id, p.id, o.company_id, o.company_id,
           '', '', 0, 'available'
    FROM tickets_orderline l JOIN tickets_order o ON o.id = l.order_id JOIN tickets_product p ON p.id = l.product_id
         JOIN tickets_event e ON e.id = p.event_id, generate_series(1, {each})
    WHERE e.name LIKE 'Foule {batch}-%' RETURNING id, company_id)
INSERT INTO tickets_movement (ticket_id, kind, to_company_id, generation) SELECT id, 'issued', company_id, 0 FROM made;

UPDATE tickets_series SET last = (SELECT max(number) FROM tickets_ticket) WHERE name = 'ticket';
UPDATE tickets_series SET last = (SELECT max(number) FROM tickets_order) WHERE name = 'order';
"""


def gather(factor: int) -> None:
    """Add the crowd, with a progress bar; the tables are analysed at the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM tickets_event WHERE name LIKE 'Foule %'")
        first = cursor.fetchone()[0] // PRODUCTS
        for batch in tqdm(range(first, first + factor), desc="Crowd", unit="0,000 tickets"):
            with transaction.atomic():
                words = {"batch": batch, "products": PRODUCTS, "companies": COMPANIES, "each": TICKETS // COMPANIES}
                for statement in STATEMENTS.format(**words).split(";\n"):
                    if statement.strip():
                        cursor.execute(statement)
        cursor.execute("ANALYZE")
