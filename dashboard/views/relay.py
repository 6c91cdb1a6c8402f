from collections.abc import Iterator
from hashlib import blake2b

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.http import acting, counting
from dashboard.relay import BY, HEADINGS, STATES, AtTheDoor, Line, at_the_door, evolution, sight_of, to_do
from dashboard.seasons import Season
from dashboard.table import known
from dashboard.views.seller import day_of
from distribution.forms import as_uuid
from portal.clock import now
from portal.htmx import live_part
from portal.sheets import as_file
from portal.templatetags.charts import Bars
from portal.templatetags.words import short_day
from tickets.models import Ticket
from tickets.stock import Figures

# What a line of the table is.
OF = {"product": gettext_lazy("Outing"), "site": gettext_lazy("Structure that has them"), "season": gettext_lazy("Season")}


@require_GET
def figures(request: HttpRequest, company_id) -> HttpResponse:
    """The company's figures: all of them, by outing, structure or season, week by week, and what is still to do."""
    relay = counting(request, company_id)
    by, season = asked(request)
    sight = sight_of(relay)
    total = sight.total(season).figures
    weeks = evolution(relay, season, now())
    doors = at_the_door(relay)
    context = {
        "relay": relay,
        "here": "figures",
        "lines": sight.lines(by, season),
        "total": total,
        "picture": Figures(total["total"], 0, total["distributed"], total["printed"], total["checked"], 0, total["left"]),
        "by": by,
        "bys": BY,
        "of": OF[by],
        "headings": HEADINGS,
        "season": season,
        "seasons": sight.seasons,
        "weeks": weeks,
        "chart": Bars(
            _("Tickets distributed, printed and checked, at the end of each week"),
            ("given", "printed", "checked"),
            [(short_day(week.monday), (week.distributed, week.printed, week.checked)) for week in weeks],
        ),
        "to_do": to_do(relay, sight.products) if relay.sees_tickets else [],
        "doors": doors,
        "mark": mark_of(doors),
    }
    return render(request, "dashboard/relay.html", context)


def asked(request: HttpRequest) -> tuple[str, Season | None]:
    return known(request.GET.get("by"), BY, "product"), Season.named(request.GET.get("season", ""))


@require_GET
def doors(request: HttpRequest, company_id) -> HttpResponse:
    """Who has come in by now, asked again every few seconds: nothing but a 304 where nobody has come since."""
    relay = counting(request, company_id)
    found = at_the_door(relay)
    return live_part(request, "dashboard/_doors.html", {"relay": relay, "doors": found, "mark": mark_of(found)})


def mark_of(found: list[AtTheDoor]) -> str:
    """Another one whenever what the part of the page says has changed."""
    said = f"{get_language()} {[(line.event.pk, line.checked, line.given) for line in found]}"
    return f'"{blake2b(said.encode(), digest_size=8).hexdigest()}"'


@require_GET
def tickets(request: HttpRequest, company_id) -> HttpResponse:
    """The tickets behind a number of a structure or a season. Names are those of the relay's own company alone."""
    relay = acting(request, company_id)
    state, season = known(request.GET.get("state"), STATES, "total"), Season.named(request.GET.get("season", ""))
    found = Ticket.objects.in_sight_of(relay).standing().filter(STATES[state])
    if season:
        found = found.filter(event__in=season.events())
    words = [HEADINGS[state], *([_("Season %(years)s") % {"years": season}] if season else [])]
    if request.GET.get("site"):
        found = found.filter(company__public_id=as_uuid(request.GET["site"]))
        words += [ticket.company.name for ticket in found.select_related("company")[:1]]
    page = Paginator(found.for_list().order_by("number"), 50).get_page(request.GET.get("page"))
    return render(request, "dashboard/relay_tickets.html", {"relay": relay, "here": "figures", "about": words, "page": page})


@require_GET
def figures_file(request: HttpRequest, company_id, kind: str) -> HttpResponseBase:
    """The table of a view, for a spreadsheet."""
    relay = counting(request, company_id)
    by, season = asked(request)
    return as_file(rows_of(sight_of(relay).lines(by, season), by), " ".join([_("figures"), relay.company.name]), kind)


def rows_of(lines: list[Line], by: str) -> Iterator[list]:
    about = [_("Date"), _("Category")] if by == "product" else []
    yield [OF[by], *about, *HEADINGS.values()]
    for line in lines:
        about = [day_of(line.product.event), line.product.category] if line.product else []
        yield [line.name, *about, *("" if number is None else number for _name, _heading, number in line.cells)]
