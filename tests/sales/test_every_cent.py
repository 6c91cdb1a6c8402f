"""Each cent is told the same on screen, on paper, in the export and in the ledger, whatever is sold and taken back."""

import io
import os
import uuid
from decimal import ROUND_HALF_UP, Decimal

import pypdf
import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as some

from portal.templatetags.words import euros
from sales import actions
from sales.journal import FIELDS, LEDGERS, journal
from sales.models import Entry, Invoice, Terms
from sales.statement import statement_of
from tests import factories
from tests.sales.test_invoices import written_by_law
from tests.sales.test_orders_online import said
from tickets.models import Order, Ticket

pytestmark = pytest.mark.django_db
EXAMPLES = 200 if os.environ.get("RELAIS_LONG") else 2
CENT = Decimal("0.01")
RATES = some.sampled_from(["2.10", "5.50", "10.00", "20.00"])
PRICES = some.tuples(some.decimals("0.01", 500, places=2), RATES, some.integers(1, 6))


@given(prices=some.lists(PRICES, min_size=1, max_size=4), cuts=some.lists(some.integers(0, 5), max_size=3))
@example(prices=[(Decimal("0.35"), "5.50", 3)], cuts=[0])  # the VAT of a difference is not the difference of two VATs
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=EXAMPLES == 2,
    phases=[Phase.explicit, Phase.generate],
)
def test_each_cent_is_the_same_on_screen_on_paper_in_the_export_and_in_the_ledger(seller, prices, cuts):
    with transaction.atomic():
        if not Terms.objects.exists():
            written_by_law()
        relay = factories.RelayFactory(may_buy=True, may_see_accounts=True)
        factories.account(relay.company, limit=None, address="1, rue A, 69001 Lyon")
        draft = Order.objects.create(company=relay.company)
        event = factories.EventFactory()
        for price, rate, quantity in prices:
            product = factories.ProductFactory(event=event, category=f"{uuid.uuid4()}", price=price, vat_rate=rate)
            draft.lines.create(product=product, quantity=quantity, unit_price=price, vat_rate=Decimal(rate))
    told = Told(Order.objects.get(pk=draft.pk), relay, factories.UserFactory(is_staff=True))

    told.confirm()
    for cut in cuts:
        told.cancel(cut)
    told.agrees_everywhere()
    told.cancel_all()

    for rate in {Decimal(rate) for _, rate, _ in prices}:
        assert told.posted("vat", rate) == told.posted("revenue", rate) == told.posted("customer") == 0


class Told:
    """An order, and all that tells its money."""

    def __init__(self, order, relay, staff):
        self.order, self.relay, self.staff = order, relay, staff
        self.client = Client()
        self.client.force_login(relay.user, backend="django.contrib.auth.backends.ModelBackend")
        self.base = f"/c/{relay.company.public_id}/"

    def confirm(self):
        actions.confirm_order(order=self.order.pk, by=self.staff)
        self.order.refresh_from_db()
        self.agrees()

    def cancel(self, at):
        tickets = list(Ticket.objects.standing().filter(order_line__order=self.order).order_by("pk"))
        if at < len(tickets):
            actions.cancel_tickets(tickets=[tickets[at].pk], by=self.staff, key=str(uuid.uuid4()))
        self.agrees()

    def cancel_all(self):
        actions.cancel_order(order=self.order.pk, by=self.staff)

    def posted(self, name, rate=None) -> Decimal:
        entries = Entry.objects.filter(posting__order=self.order, ledger=name)
        return sum((e.amount for e in entries if rate is None or e.vat_rate == rate), Decimal(0))

    def agrees(self):
        """The ledger has what stands, its VAT rounded once a rate."""
        standing = Ticket.objects.standing().filter(order_line__order=self.order).select_related("order_line")
        total = sum((t.order_line.unit_price for t in standing), Decimal(0))
        assert self.posted("customer") == total
        for rate in {line.vat_rate for line in self.order.lines.all()}:
            at_rate = sum((t.order_line.unit_price for t in standing if t.order_line.vat_rate == rate), Decimal(0))
            vat = (at_rate * rate / (100 + rate)).quantize(CENT, ROUND_HALF_UP)
            assert -self.posted("vat", rate) == vat and -self.posted("revenue", rate) == at_rate - vat

    def agrees_everywhere(self):
        total, vat = self.posted("customer"), -self.posted("vat")
        today = timezone.localdate()
        statement = statement_of(self.relay.company.account, today, today)
        assert (statement.after, statement.debits - statement.credits) == (total, total)
        page = self.screen(f"orders/{self.order.public_id}/")
        if total:
            rates = [-self.posted("vat", line.vat_rate) for line in self.order.lines.all()]
            assert all(shown(amount) in page for amount in (total, total - vat, *filter(None, rates)))
        for told in (self.screen("account/"), self.paper("account/statement.pdf")):
            assert shown(total) in told
        self.exports(total, vat, today)
        self.invoices(total, vat)

    def screen(self, path) -> str:
        return plain(said(self.client.get(self.base + path)))

    def paper(self, path) -> str:
        return plain(" ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(self.client.get(self.base + path).content)).pages))

    def exports(self, total, vat, today):
        rows = [dict(zip(FIELDS, row, strict=True)) for row in journal(today, today)][1:]
        mine = [row for row in rows if row["PieceRef"] == f"Commande {self.order.number}"]
        for name, owed in (("customer", total), ("vat", -vat), ("revenue", vat - total)):
            booked = [row for row in mine if row["CompteNum"] == LEDGERS[Entry.Ledger(name)]]
            assert sum((number(row["Debit"]) - number(row["Credit"]) for row in booked), Decimal(0)) == owed

    def invoices(self, total, vat):
        """Invoices less credit notes: the totals and the VAT that they print."""
        actions.issue_invoices(account=self.relay.company.account.pk, by=None)
        issued = list(Invoice.objects.filter(account__company=self.relay.company))
        signed = [invoice.total if invoice.kind == "invoice" else -invoice.total for invoice in issued]
        assert sum(signed, Decimal(0)) == total
        for invoice in issued:
            words = self.paper(f"account/invoices/{invoice.public_id}/invoice.pdf")
            entries = Entry.objects.filter(posting__invoiced__invoice=invoice, ledger="vat")
            assert shown(invoice.total) in words and all(shown(abs(amount)) in words for amount in by_rate(entries))


def by_rate(entries) -> list[Decimal]:
    sums: dict = {}
    for entry in entries:
        sums[entry.vat_rate] = sums.get(entry.vat_rate, Decimal(0)) + entry.amount
    return [amount for amount in sums.values() if amount]


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "."))


def plain(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


def shown(amount: Decimal) -> str:
    return plain(euros(amount))
