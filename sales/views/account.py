from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Relay
from portal.download import download
from sales.documents import invoice_pdf, statement_pdf
from sales.forms import PeriodForm
from sales.models import Account, Invoice
from sales.statement import Statement, late_orders, statement_of
from sales.steps.ledger import owed_by
from sales.views.scope import page, seeing_accounts


def account_of(relay: Relay) -> Account:
    """The company's account; an empty one, not stored, until its first order."""
    found = Account.objects.filter(company=relay.company).select_related("company").first()
    return found or Account(company=relay.company)


def period_of(request: HttpRequest) -> tuple[date, date]:
    """The period asked for, else this year until today."""
    today = timezone.localdate()
    first, last = PeriodForm(request.GET).period()
    first = first or min(date(today.year, 1, 1), last or today)
    return (first, last or max(today, first))


def statement_for(request: HttpRequest, relay: Relay) -> Statement:
    first, last = period_of(request)
    held = account_of(relay)
    return statement_of(held, first, max(first, last))


@require_GET
def account(request: HttpRequest, company_id) -> HttpResponse:
    """What the company owes or has in hand, its statement over a period, its invoices: amounts and quantities, no names."""
    relay = seeing_accounts(request, company_id)
    shown = statement_for(request, relay)
    held = shown.account
    owed = owed_by(held) if held.pk else 0
    context = {
        "account": held,
        "statement": shown,
        "owed": owed,
        "in_hand": -owed,
        "room": None if held.limit is None else held.limit - owed,
        "late": list(late_orders().filter(company=relay.company)),
        "invoices": list(held.invoices.all()[:200]) if held.pk else [],
    }
    return page(request, relay, "account", "account", context)


@require_GET
def statement(request: HttpRequest, company_id) -> HttpResponse:
    """The same statement as PDF."""
    shown = statement_for(request, seeing_accounts(request, company_id))
    return download(statement_pdf(shown), "-".join([_("statement"), f"{shown.first}", f"{shown.last}.pdf"]))


@require_GET
def invoice(request: HttpRequest, company_id, invoice_id) -> HttpResponse:
    relay = seeing_accounts(request, company_id)
    found = get_object_or_404(Invoice.objects.filter(account__company=relay.company), public_id=invoice_id)
    return download(invoice_pdf(found), f"{found.name}.pdf")
