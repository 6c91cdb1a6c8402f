"""Invoices and credit notes: every mention of the law, numbers without gaps, amounts of the ledger, never touched again."""

import io
import re
from datetime import timedelta
from decimal import Decimal

import pypdf
import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Seller
from portal.sheets import csv_text
from sales import actions
from sales.documents import invoice_pdf
from sales.errors import InvoiceLacks
from sales.journal import FIELDS, journal
from sales.models import Account, Entry, Invoice, Posting, Terms
from tests import factories
from tests.distribution.test_races import at_once
from tickets.models import Order, Series, Ticket

pytestmark = pytest.mark.django_db


# Code de commerce, L. 441-9 and D. 441-5; the four of the décret 2022-1299; the order number and both identities.
MENTIONS = """Facture F000001|Date d’émission|Commande 1, vendue le|Association des Quais|Association loi 1901|12, quai des Orchestres
SIRET 000 000 000 00017|TVA n° FR00000000000|CSE Mécavia|3, rue des Ateliers|SIREN 111 111 111|TVA n° FR11111111111|Nuit Ravel|36,0190 €
5,5 %|HT à 5,5 % 108,06 €|TVA à 5,5 % 5,94 €|Total HT 108,06 €|Total TTC 114,00 €|à payer au plus tard le|Pas d’escompte|Pénalités de retard
frais de recouvrement en cas de retard de paiement : 40 €|prestation de services|d’après les débits|Aucune réduction
IBAN FR76 0000""".replace("\n", "|").split("|")


def written_by_law() -> None:
    """What an invoice needs of the seller."""
    Seller.objects.update(legal_name="Association des Quais", address="12, quai des Orchestres, 69003 Lyon", siret="000 000 000 00017")
    Terms.objects.create(legal_form="Association loi 1901", vat_number="FR00000000000", vat_due="debits", bank="IBAN FR76 0000")


def held_by(company, **fields) -> Account:
    return factories.account(
        company, address="3, rue des Ateliers, 69100 Villeurbanne", siren="111 111 111", vat_number="FR11111111111", **fields
    )


@pytest.fixture
def staff(seller):
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def company(seller):
    written_by_law()
    company = factories.CompanyFactory(name="CSE Mécavia")
    held_by(company)
    return company


def words_of(invoice) -> str:
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(invoice_pdf(invoice))).pages)
    return re.sub(r"\s+", " ", text.replace("\xa0", " ").replace("\u202f", " "))


def test_an_invoice_bears_every_mention_of_the_law(company, staff):
    factories.stock(company, 3, factories.ProductFactory(price="38.00", vat_rate="5.50"))
    factories.stock(company, 2, factories.ProductFactory(price="12.00", vat_rate="20.00"))
    Account.objects.update(billing="order")
    first, second = actions.issue_invoices(account=company.account.pk, by=staff)

    shown = words_of(first)
    today = timezone.localdate()
    assert f"{today.day} " in shown and str(today.year) in shown
    for mention in MENTIONS:
        assert mention in shown, mention
    assert (first.number, second.number, first.due_on) == (1, 2, today + timedelta(days=30))


@pytest.mark.parametrize("lacks", ["siret", "vat_number", "address"])
def test_what_the_law_lacks_blocks_the_invoice_and_not_the_sale(company, staff, lacks):
    if lacks == "siret":
        Seller.objects.update(siret="")
    elif lacks == "vat_number":
        Terms.objects.update(vat_number="")
    else:
        Account.objects.update(address="")
    factories.stock(company, 1)

    with pytest.raises(InvoiceLacks):
        actions.issue_invoices(account=company.account.pk, by=staff)
    assert actions.issue_due_invoices() == 0 and not Invoice.objects.exists()
    assert Ticket.objects.count() == 1


def test_a_cancellation_is_a_credit_note_of_its_own_series_that_names_the_invoice(company, staff):
    factories.stock(company, 3)
    actions.issue_due_invoices()
    actions.cancel_tickets(tickets=[Ticket.objects.first().pk], by=staff, key="k")

    assert [actions.issue_due_invoices() for _ in range(2)] == [1, 0]

    note = Invoice.objects.get(kind="credit_note")
    shown = words_of(note)
    assert (note.name, note.total) == ("A000001", 38)
    assert "Annule tout ou partie de la facture F000001" in shown and "Total TTC 38,00 €" in shown
    assert Invoice.objects.get(kind="invoice").total == 114


def date_back(postings, at) -> None:
    keys = list(postings.values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE sales_posting DISABLE TRIGGER sales_posting_is_kept")
        cursor.execute("UPDATE sales_posting SET at = %s WHERE id = ANY(%s)", [at, keys])
        cursor.execute("ALTER TABLE sales_posting ENABLE TRIGGER sales_posting_is_kept")


def test_monthly_invoices_tell_the_months_that_are_over_and_add_up_the_ledger(company, staff):
    Account.objects.update(billing="month")
    for price in ("0.35", "0.35", "7.77"):
        factories.stock(company, 1, factories.ProductFactory(price=price, vat_rate="5.50"))
    assert actions.issue_due_invoices() == 0
    past = timezone.now() - timedelta(days=40)
    date_back(Posting.objects.all(), past)
    Order.objects.update(confirmed_at=past)

    assert actions.issue_due_invoices() == 1

    vat = -sum(Entry.objects.filter(ledger="vat").values_list("amount", flat=True))
    shown = words_of(Invoice.objects.get())
    assert f"TVA à 5,5 % {vat:.2f} €".replace(".", ",").replace("5,5", "5,5") in shown and "Total TTC 8,47 €" in shown


@pytest.mark.parametrize("table", ["sales_invoice", "sales_invoiced"])
def test_an_invoice_is_never_changed_nor_deleted(company, table):
    factories.stock(company, 1)
    actions.issue_due_invoices()
    for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_what_is_issued_does_not_follow_the_seller_who_moves(company):
    factories.stock(company, 1)
    actions.issue_due_invoices()
    Seller.objects.update(address="1, rue Neuve, 75001 Paris")

    assert "12, quai des Orchestres" in words_of(Invoice.objects.get())


@pytest.mark.django_db(transaction=True)
def test_numbers_have_no_gap_whoever_issues_and_whatever_fails(seller):
    written_by_law()
    companies = factories.CompanyFactory.create_batch(6)
    for at, company in enumerate(companies):
        held_by(company) if at % 2 else factories.account(company)
        for _ in range(3):
            factories.stock(company, 1)
    keys = list(Account.objects.order_by("pk").values_list("pk", flat=True))

    results = at_once(*[(lambda key=key: actions.issue_invoices(account=key, by=None)) for key in keys * 2])

    assert {type(result).__name__ for result in results} == {"list", "InvoiceLacks"}
    assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, 10))
    assert Series.objects.get(name="invoice").last == 9
    assert Posting.objects.filter(invoiced__isnull=False).count() == 9


def test_the_journal_has_its_18_fields_balances_each_entry_and_is_numbered_without_holes(company, staff):
    factories.stock(company, 3)
    factories.pay(company, 50)
    actions.cancel_order(order=Order.objects.get().pk, by=staff)
    today = timezone.localdate()

    head, *rows = journal(today, today)

    assert head == FIELDS and len(FIELDS) == 18 and all(len(row) == 18 for row in rows)
    by_number: dict[str, Decimal] = {}
    for row in rows:
        value = dict(zip(FIELDS, row, strict=True))
        debit, credit = (Decimal(value[name].replace(",", ".")) for name in ("Debit", "Credit"))
        by_number[value["EcritureNum"]] = by_number.get(value["EcritureNum"], Decimal(0)) + debit - credit
        assert value["ValidDate"] and (debit == 0) != (credit == 0)
    assert list(by_number) == ["1", "2", "3"] and set(by_number.values()) == {0}
    assert csv_text([head, *rows]).count("\n") == len(rows) + 1
    date_back(Posting.objects.order_by("pk")[:1], timezone.now().replace(month=1, day=1))
    assert [row[2] for row in journal(today, today)][-1] == "3"


def test_staff_issue_invoices_and_take_the_journal(client, settings, company):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend="django.contrib.auth.backends.ModelBackend")
    factories.stock(company, 1)

    client.post("/admin/sales/account/", {"action": "invoice", "_selected_action": [company.account.pk]})

    invoice = Invoice.objects.get()
    assert client.get(f"/admin/sales/invoice/{invoice.pk}/invoice.pdf").content.startswith(b"%PDF")
    assert "411000;" in client.get("/admin/sales/posting/journal.csv").content.decode()
    assert client.get("/admin/sales/posting/journal.csv?month=13").status_code == 404
