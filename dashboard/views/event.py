from collections.abc import Iterator
from hashlib import blake2b

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import for_staff
from dashboard.documents import statement_pdf
from dashboard.event import COUNTS, Statement, entries, statement
from dashboard.templatetags.charts import Bars
from dashboard.views.seller import day_of
from portal.clock import now
from portal.sheets import as_file
from portal.templatetags.words import hour
from tickets.models import Event

see = for_staff("tickets.view_ticket")


def event_of(event_id) -> Event:
    return get_object_or_404(Event.objects.select_related("venue"), public_id=event_id)


@require_GET
@see
def event(request: HttpRequest, event_id) -> HttpResponse:
    """One event: its statement by category, and how many came in by the minute."""
    found = event_of(event_id)
    context = {"here": "seller", "event": found, "statement": statement(found, now()), "counts": COUNTS}
    return render(request, "dashboard/event.html", context | curve_of(found))


def curve_of(found: Event) -> dict:
    came = entries(found)
    zone = found.venue.zone
    places = [(hour(at, zone), (count,)) for at, count in came]
    minutes = int((came[1][0] - came[0][0]).total_seconds() // 60) if len(came) > 1 else 1
    mark = blake2b(f"{get_language()} {came}".encode(), digest_size=8).hexdigest()
    return {"event": found, "came": came, "minutes": minutes, "chart": Bars(_("Entries"), ("left",), places), "mark": f'"{mark}"'}


@require_GET
@see
def door(request: HttpRequest, event_id) -> HttpResponse:
    """The curve alone, asked again every few seconds: a 304 where nobody has come since."""
    context = curve_of(event_of(event_id))
    if request.headers.get("If-None-Match") == context["mark"]:
        return HttpResponseNotModified(headers={"ETag": context["mark"]})
    answer = render(request, "dashboard/_door.html", context)
    answer["ETag"] = context["mark"]
    return answer


@require_GET
@see
def statement_file(request: HttpRequest, event_id, kind: str) -> HttpResponseBase:
    """The statement for a spreadsheet."""
    found = event_of(event_id)
    return as_file(rows_of(statement(found, now())), f"{_('statement')} {found.name}", kind)


@require_GET
@see
def statement_as_pdf(request: HttpRequest, event_id) -> HttpResponse:
    """The statement to be kept with the accounts."""
    found = event_of(event_id)
    headers = {"Content-Disposition": 'attachment; filename="statement.pdf"'}
    return HttpResponse(statement_pdf(statement(found, now())), content_type="application/pdf", headers=headers)


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
