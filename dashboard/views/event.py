from collections.abc import Iterator

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.http import SignedInRequest, for_staff
from control.entries import curve_of
from dashboard import actions
from dashboard.closing import figures_of, statement_of
from dashboard.documents import closed_pdf, statement_pdf
from dashboard.event import COUNTS, MONEY, Statement, statement
from dashboard.models import ClosedStatement
from dashboard.views.seller import day_of
from portal.clock import now
from portal.download import download
from portal.htmx import live_part
from portal.sheets import as_file
from portal.templatetags.words import local
from tickets.models import Event

see = for_staff("tickets.view_ticket")


def event_of(event_id) -> Event:
    return get_object_or_404(Event.objects.select_related("venue"), public_id=event_id)


@require_GET
@see
def event(request: HttpRequest, event_id) -> HttpResponse:
    """One event: its statement by category, open or closed, and how many came in by the minute."""
    found = event_of(event_id)
    told = statement(found, now())
    closed = list(found.closed_statements.select_related("by", "key"))
    context = {
        "here": "seller",
        "event": found,
        "statement": told,
        "counts": COUNTS,
        "money": MONEY,
        "closed": closed,
        "changed": bool(closed) and closed[0].said["figures"] != figures_of(told),
        "may_close": request.user.has_perm("dashboard.add_closedstatement"),
    }
    return render(request, "dashboard/event.html", context | curve(found))


def curve(found: Event) -> dict:
    return curve_of(found) | {"again": reverse("dashboard:door", args=[found.public_id])}


@require_GET
@see
def door(request: HttpRequest, event_id) -> HttpResponse:
    """The curve alone, asked again every few seconds: a 304 where nobody has come since."""
    return live_part(request, "control/_entries.html", curve(event_of(event_id)))


@require_GET
@see
def statement_file(request: HttpRequest, event_id, kind: str) -> HttpResponseBase:
    """The statement as it is now, as PDF or for a spreadsheet."""
    found = event_of(event_id)
    told = statement(found, now())
    if kind == "pdf":
        return download(statement_pdf(told), "statement.pdf")
    return as_file(rows_of(told), " ".join([_("statement"), found.name]), kind)


@require_POST
@for_staff("dashboard.add_closedstatement")
def close(request: SignedInRequest, event_id) -> HttpResponse:
    """Close the statement of an event that is over."""
    found = event_of(event_id)
    actions.close_statement(event=found.pk, by=request.user)
    messages.success(request, _("The statement is closed, signed and kept."))
    return redirect("dashboard:event", event_id)


@require_GET
@see
def closed_file(request: HttpRequest, closed_id, kind: str) -> HttpResponseBase:
    """A closed statement: as PDF to be kept with the accounts, for a spreadsheet, or the very text that was signed."""
    closed = get_object_or_404(ClosedStatement.objects.select_related("by", "key"), public_id=closed_id)
    if kind == "pdf":
        return download(closed_pdf(closed), "statement.pdf")
    if kind == "json":
        return download(closed.text.encode(), "statement.json", "application/json")
    told = statement_of(closed)
    return as_file(closed_rows(closed, told), " ".join([_("statement"), told.event.name]), kind)


def closed_rows(closed: ClosedStatement, told: Statement) -> Iterator[list]:
    yield from rows_of(told)
    signature, key = closed.proof
    yield []
    yield [_("Closed at"), f"{local(closed.at, told.event.venue.zone):%Y-%m-%d %H:%M:%S}"]
    yield [_("Closed by"), str(closed.by)]
    yield [_("Signature"), f"base64:{signature}"]  # a cell that began with a plus would be kept from being a formula
    yield [_("Public key"), f"base64:{key}"]


def rows_of(told: Statement) -> Iterator[list]:
    yield [_("Event"), told.event.name]
    yield [_("Date"), day_of(told.event)]
    yield [_("Venue"), told.event.venue.name]
    yield []
    yield [_("Category"), _("Price, VAT included"), _("VAT rate"), _("First number"), _("Last number"), *COUNTS.values()]
    for c in told.categories:
        yield [c.category, c.unit_price, c.vat_rate, c.first, c.last, *(written(getattr(c, name)) for name in COUNTS)]
    yield [_("In all"), "", "", "", "", *map(written, told.total.values())]


def written(count):
    return "" if count is None else count
