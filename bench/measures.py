"""The measures, each a function that returns its rows."""

import html
import os
import re
import statistics
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from tqdm import tqdm

from accounts import steps as accounts_steps
from accounts.models import Company, Relay, User
from dashboard.actions import count
from demo import crowd, loader
from members import steps as members_steps
from outbox.models import Delivery
from scripts import postgres
from tickets import rendering
from tickets import steps as tickets_steps
from tickets.documents import tickets_pdf
from tickets.models import Product, Ticket

CLIENTS = 8
MOST = 20_000  # tickets of one line of an order
BACKEND = "django.contrib.auth.backends.ModelBackend"


def row(value: float, unit: str, limit: float | None, note: str) -> dict:
    return {"value": round(value, 3), "unit": unit, "limit": limit, "note": note}


def run(port: int, measures: Sequence[Callable[[int, bool], dict[str, dict]]], *, quick: bool) -> dict[str, dict]:
    """These measures in one run, on one cluster."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    translation.activate("fr")
    loader.tell()
    crowd.gather(1)
    found = {"seller_dashboard_10k_ms": seller_page(quick, limit=None)} if seller in measures else {}
    if not quick:
        crowd.gather(99)
    bar = tqdm(measures, desc="Measures")
    for measure in bar:
        bar.set_postfix_str(measure.__name__)
        found |= measure(port, quick)
    return found


def client_of(relay: Relay) -> Client:
    client = Client(headers={"host": "localhost"}, raise_request_exception=True)
    client.force_login(relay.user, backend=BACKEND)
    return client


def a_relay(company: Company) -> Relay:
    with transaction.atomic():
        staff = User.objects.filter(is_staff=True).first()
        address = f"{uuid.uuid4().hex}@foule.example"
        return accounts_steps.authorise(Relay(company=company, first_name="Foule", last_name="Relais"), address=address, by=staff)


def took(client: Client, url: str) -> float:
    """Milliseconds until the page is there."""
    began = time.perf_counter()
    assert client.get(url).status_code == 200
    return (time.perf_counter() - began) * 1000


def home(port: int, quick: bool) -> dict[str, dict]:
    """The relay's home, with the whole crowd in the database."""
    company = Company.objects.filter(name__startswith="Foule").order_by("pk").first()
    assert company
    client, url = client_of(a_relay(company)), f"/c/{company.public_id}/"
    client.get(url)
    times = []
    for _ in range(5 if quick else 40):
        times.append(took(client, url))
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    sizes = f"{Ticket.objects.count():,} tickets, {Product.objects.count():,} products, {len(queries)} queries"
    return {"home_1m_ms": row(statistics.median(times), "ms", None if quick else 50, sizes)}


def seller(port: int, quick: bool) -> dict[str, dict]:
    """The seller's page over every company."""
    return {"seller_dashboard_1m_ms": seller_page(quick, limit=150)}


def seller_page(quick: bool, *, limit: float | None) -> dict:
    count()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client = Client(headers={"host": "localhost"}, raise_request_exception=True)
    staff = User.objects.filter(is_superuser=True).first()
    assert staff
    client.force_login(staff, backend=BACKEND)
    views = ["/dashboard/", "/dashboard/?by=company", "/dashboard/?by=company&when=all&sort=left", "/dashboard/?by=channel&when=all"]
    times, queries = [], set()
    for url in views:
        client.get(url)
        for _ in range(1 if quick else 10):
            times.append(took(client, url))
        with CaptureQueriesContext(connection) as asked:
            client.get(url)
        queries.add(len(asked))
    sizes = f"{Ticket.objects.count():,} tickets, {Product.objects.count():,} products, {Company.objects.count():,} companies"
    return row(statistics.median(times), "ms", None if quick else limit, f"{sizes}, {max(queries)} queries; four views in turn")


def catalogue(port: int, quick: bool) -> dict[str, dict]:
    """The catalogue of a company with 2,000 products on sale: the first page, a search, a filter."""
    from sales.models import Listing

    count = 40 if quick else 2_000
    company = Company.objects.create(name="Deux mille produits")
    products = Product.objects.filter(event__valid_until__gt=timezone.now(), listing=None).order_by("pk")[:count]
    Listing.objects.bulk_create(Listing(product=product) for product in products)
    relay = a_relay(company)
    relay.may_buy = True
    relay.save()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    client, url = client_of(relay), f"/c/{company.public_id}/buy/"
    client.get(url)
    times = []
    for at in range(6 if quick else 60):
        asked = url + ("", "?q=foule+12", "?kind=concert&page=3")[at % 3]
        times.append(took(client, asked))
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    note = f"{Listing.objects.count():,} products on sale, {len(queries)} queries; page, search and filter in turn"
    return {"catalogue_2000_ms": row(statistics.median(times), "ms", None if quick else 80, note)}


def distribute(port: int, quick: bool) -> dict[str, dict]:
    """One request that gives a ticket each to 500 members, emails owed included."""
    count = 50 if quick else 500
    company = Company.objects.create(name="Cinq cents")
    relay = a_relay(company)
    with transaction.atomic():
        members = [members_steps.add(company, first_name="Zoé", last_name=f"N{i}", email=f"n{i}@cinqcents.example") for i in range(count)]
    product = some_stock(company, count)
    form = {f"quantity-{member.public_id}": "1" for member in members} | {"confirm": "1", "request_key": str(uuid.uuid4())}
    client = client_of(relay)
    url = f"/c/{company.public_id}/products/{product.public_id}/distribute/"
    client.get(url)
    began = time.process_time()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(url, form)
    spent = time.process_time() - began
    assert answer.status_code == 302 and Ticket.objects.filter(company=company, status="distributed").count() == count
    return {"distribute_500_cpu_s": row(spent, "s of CPU", None if quick else 1, f"{count} members in one request, {len(queries)} queries")}


def bulk(port: int, quick: bool) -> dict[str, dict]:
    """A file of new people, a ticket each: what it would do, then doing it; the database's work and the page included."""
    count = 50 if quick else 5_000
    company = Company.objects.create(name="Cinq mille")
    relay = a_relay(company)
    product = some_stock(company, count)
    people = "\n".join(f"Zoé;N{i};n{i}@cinqmille.example;1" for i in range(count))
    client, key = client_of(relay), str(uuid.uuid4())
    url = f"/c/{company.public_id}/products/{product.public_id}/distribute/list/"
    client.get(url)
    file = SimpleUploadedFile("liste.csv", f"Prénom;Nom;Courriel;Billets\n{people}".encode())
    began = time.perf_counter()
    page = client.post(url, {"file": file, "check": "1", "request_key": key})
    preview = time.perf_counter() - began
    shown = re.search(r"<textarea[^>]* name=\"rows\"[^>]*>\n(.*?)</textarea>", page.content.decode(), re.DOTALL)
    assert page.status_code == 200 and shown
    rows = html.unescape(shown[1])
    asked: list[str] = []

    def count_it(execute, sql, params, many, context):  # capturing would write every parameter out, within the time
        asked.append(sql)
        return execute(sql, params, many, context)

    began = time.perf_counter()
    with connection.execute_wrapper(count_it):
        answer = client.post(url, {"rows": rows, "confirm": "1", "request_key": key})
    spent = time.perf_counter() - began
    assert answer.status_code == 302 and Ticket.objects.filter(company=company, status="distributed").count() == count
    assert Delivery.objects.filter(recipient__endswith="@cinqmille.example").count() == count
    return {
        "bulk_5000_preview_s": row(preview, "s", None if quick else 3, f"a file of {count} new people, row by row"),
        "bulk_5000_distribute_s": row(spent, "s", None if quick else 3, f"{count} people, tickets and emails owed, {len(asked)} queries"),
    }


def group(port: int, quick: bool) -> dict[str, dict]:
    """The page of a product whose tickets went down a group of 1,000 companies, six levels of them."""
    times, asked = [], []
    for companies in (12, 40 if quick else 1_000):
        relay, product = a_group(companies)
        client, url = client_of(relay), f"/c/{relay.company.public_id}/products/{product.public_id}/"
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(url)
        assert page.content.decode().count('class="node"') == 3 * companies
        asked.append(len(queries))
    for _ in range(3 if quick else 15):
        times.append(took(client, url))
    assert asked[0] == asked[1], asked
    note = f"{companies:,} companies, {Ticket.objects.filter(product=product).count():,} tickets, {asked[1]} queries, as many as for 12"
    return {"tree_1000_ms": row(statistics.median(times), "ms", None if quick else 1000, note)}


def a_group(count: int) -> tuple[Relay, Product]:
    """Companies with at most four children each; those below the first got three tickets each from it, and gave one to somebody."""
    top = Company.objects.create(name=f"Groupe de {count}")
    companies = [top]
    for number in range(1, count):
        companies.append(Company.objects.create(name=f"Site {number:04}", parent=companies[(number - 1) // 4]))
    relay = a_relay(top)
    product = some_stock(top, 3 * count)
    tickets = list(Ticket.objects.filter(product=product).order_by("pk"))
    held = {number: tickets[3 * number : 3 * number + 3] for number in range(count)}
    below = {number: list(held[number]) for number in held}
    for number in range(count - 1, 0, -1):
        below[(number - 1) // 4] += below[number]
    with transaction.atomic():
        for number in range(1, count):
            tickets_steps.forward(below[number], to=companies[number], by=relay.user, act=uuid.uuid4())
            for ticket in below[number]:
                ticket.company = companies[number]
        given = []
        for number in range(count):
            member = members_steps.add(companies[number], first_name="Zoé", last_name=f"N{number}", email="")
            given.append((held[number][0], member))
        tickets_steps.distribute(given, by=relay.user, shown_from=timezone.now(), act=uuid.uuid4())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return relay, product


def some_stock(company: Company, count: int, category: str = "Mesure") -> Product:
    from sales import actions
    from tickets.models import Order, OrderLine

    event = loader.event(f"Mesure {uuid.uuid4().hex[:6]}", "concert", loader.auditorium(), starts_at=timezone.now() + timedelta(hours=1))
    product = loader.product(event, category, "38.00", quota=count)
    for quantity in [MOST] * (count // MOST) + [count % MOST] * (count % MOST > 0):
        order = Order.objects.create(company=company)
        OrderLine.objects.create(order=order, product=product, quantity=quantity, unit_price=product.price, vat_rate=product.vat_rate)
        actions.confirm_order(order=order.pk, by=None)
    return product


def spent() -> float:
    """Seconds of CPU of this process and of those that render for it."""
    renderers = [Path(f"/proc/{renderer.process.pid}/schedstat") for renderer in rendering.IDLE]
    return time.process_time() + sum(int(file.read_text().split()[0]) for file in renderers) / 1e9


def documents(port: int, quick: bool) -> dict[str, dict]:
    """CPU of one ticket alone, and of one in a batch."""
    tickets = list(Ticket.objects.filter(member__isnull=False).for_print()[: 20 if quick else 200])
    tickets_pdf(tickets[:1])
    single = []
    for ticket in tickets[:5]:
        began = spent()
        tickets_pdf([ticket])
        single.append((spent() - began) * 1000)
    batches = []
    for _ in range(1 if quick else 3):
        began = spent()
        size = len(tickets_pdf(tickets))
        batches.append((spent() - began) * 1000 / len(tickets))
    batch = statistics.median(batches)
    note = f"{len(tickets)} in one tagged document, {size / len(tickets) / 1000:.1f} kB each; pretix 85 to 132 ms on such a machine"
    return {
        "pdf_single_ms": row(statistics.median(single), "ms of CPU", None, "one ticket, one document"),
        "pdf_batch_ms_per_ticket": row(batch, "ms of CPU", None if quick else 28, note),
    }


def pgbench_command(port: int) -> list[str]:
    return [str(postgres.programs() / "pgbench"), "-h", "127.0.0.1", "-p", str(port), "-U", "relais"]


def prepare_pgbench(port: int, quick: bool) -> None:
    postgres.createdb(port, "pgbench")
    argv = [*pgbench_command(port), "-i", "-q", "-s", "1" if quick else "50", "pgbench"]
    subprocess.run(argv, check=True, capture_output=True, env=os.environ)


def pgbench(port: int, quick: bool) -> float:
    """Transactions a second."""
    argv = [*pgbench_command(port), "-N", "-c", str(CLIENTS), "-j", "2", "-T", "1" if quick else "5", "pgbench"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


ALL = [home, seller, catalogue, distribute, bulk, group, documents]
