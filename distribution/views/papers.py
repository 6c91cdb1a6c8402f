"""Papers about an act: the sheet to sign, and the slip with names (the relay's) or without (the accounts')."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Relay
from distribution.documents import sheet_pdf, slip_pdf, who_gave
from distribution.models import Distribution
from distribution.paper import slip_lines
from distribution.views.printing import file_name
from distribution.views.scope import distributing, reading_accounts
from portal.download import CSV, download
from portal.sheets import csv_text
from portal.templatetags.words import local


def act_of(relay: Relay, distribution_id) -> Distribution:
    acts = Distribution.objects.in_sight_of(relay).select_related("product__event__venue", "company")
    return get_object_or_404(acts, public_id=distribution_id, kind__in=Distribution.GIVING)


@require_GET
def sheet(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """The sheet that people sign when they collect their tickets."""
    act = act_of(distributing(request, company_id), distribution_id)
    without_email = request.GET.get("whom") == "without_email"
    content = sheet_pdf(act, without_email=without_email, part=request.GET.get("part"))
    return download(content, file_name(_("sheet to sign"), act.product.event.name, ".pdf"))


@require_GET
def slips(request: HttpRequest, company_id) -> HttpResponse:
    """What was given to people, act by act: how many, never to whom; with the slips for the accounts."""
    relay = reading_accounts(request, company_id)
    acts = Distribution.objects.in_sight_of(relay).given().for_list()
    page = Paginator(acts, 30).get_page(request.GET.get("page"))
    return render(request, "distribution/slips.html", {"relay": relay, "here": "account", "page": page})


@require_GET
def slip(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """Quantities and amounts for the accounts: who goes where is not in it."""
    act = act_of(reading_accounts(request, company_id), distribution_id)
    return as_pdf(request, act, names=False)


@require_GET
def slip_table(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    act = act_of(reading_accounts(request, company_id), distribution_id)
    return as_table(act, names=False)


@require_GET
def named_slip(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """The relay's own: who was given what."""
    act = act_of(distributing(request, company_id), distribution_id)
    return as_pdf(request, act, names=True)


@require_GET
def named_slip_table(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    act = act_of(distributing(request, company_id), distribution_id)
    return as_table(act, names=True)


def as_pdf(request: HttpRequest, act: Distribution, *, names: bool) -> HttpResponse:
    content = slip_pdf(act, names=names, part=request.GET.get("part"))
    return download(content, file_name(called(names), act.product.event.name, ".pdf"))


def as_table(act: Distribution, *, names: bool) -> HttpResponse:
    """One line each, whole in itself, so that slips can be put one under another."""
    event = act.product.event
    zone = event.venue.zone
    what = [
        f"{local(act.at):%Y-%m-%d}",
        act.company,
        who_gave(act),
        event.name,
        f"{local(event.starts_at or event.valid_until, zone):%Y-%m-%d %H:%M}",
        act.product.category,
    ]
    heads = [_("Given on"), _("Company"), _("Relay"), _("Event"), _("Date"), _("Category")]
    rows: list[list] = [[*heads, *([_("First name"), _("Last name")] if names else []), _("Tickets"), _("Face value"), _("Total")]]
    for line in slip_lines(act, names=names):
        whom = [line.first_name, line.last_name] if names else []
        rows.append([*what, *whom, line.quantity, amount(line.face_value), amount(line.total)])
    return download(csv_text(rows), file_name(called(names), event.name, ".csv"), CSV)


def called(names: bool) -> str:
    return _("slip with names") if names else _("slip")


def amount(euros) -> str:
    """38,00 in a French spreadsheet, 38.00 in an English one: a number in both."""
    return f"{euros:.2f}".replace(".", "," if get_language() == "fr" else ".")
