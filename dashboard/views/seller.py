from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.http import SignedInRequest, for_staff
from dashboard.models import Counted
from dashboard.seasons import Season
from dashboard.soon import days_before, soon
from dashboard.table import BY, HEADINGS, OF, STATES, WHEN, Chosen, Line, chosen, table
from distribution.actions import remind_relays_now
from portal.clock import now
from portal.sheets import as_file
from portal.templatetags.words import local, sentence
from tickets.models import Event, Order, Ticket
from tickets.stock import Figures

LATE = timedelta(minutes=5)  # the tallies are counted every minute
see = for_staff("tickets.view_ticket")


@require_GET
@see
def seller(request: HttpRequest) -> HttpResponse:
    """Every company's figures, by event, company or channel, as the address filters them."""
    choice, at = chosen(request.GET), now()
    waiting = soon(at)
    found = table(choice)
    page = found.page(request.GET.get("page"))
    totals = found.totals
    coming = choice.when == "coming"
    counted = Counted.objects.first()
    this_season = Season.at(at).starts
    context = {
        "here": "seller",
        "chosen": choice,
        "page": page,
        "totals": totals,
        "picture": Figures(
            bought=totals["bought"],
            distributed=totals["distributed"],
            printed=totals["printed"],
            checked=totals["checked"],
            left=totals["left"] if coming else 0,
            unused=0 if coming else totals["left"],
        ),
        "headings": HEADINGS,
        "of": OF[choice.by],
        "by": BY,
        "when": WHEN,
        "channels": Order.Channel.choices,
        "seasons": [Season(year) for year in range(this_season + 1, this_season - 5, -1)],
        "counted": counted,
        "late": counted is None or at - counted.at > LATE,
        "soon": waiting,
        "some_to_remind": not all(line.told_today for line in waiting),
        "may_remind": request.user.has_perm("distribution.add_reminder"),
        "drill": {"event": "company", "company": "event", "channel": "event"}[choice.by],
        "days": days_before(),
    }
    return render(request, "dashboard/seller.html", context)


@require_POST
@for_staff("distribution.add_reminder")
def remind(request: SignedInRequest) -> HttpResponse:
    """Remind at once the relays who still hold tickets of one of these events, or of all of them."""
    wanted = request.POST.get("event", "")
    lines = [line for line in soon(now()) if not wanted or str(line.event.public_id) == wanted]
    count = remind_relays_now(products=[product for line in lines for product in line.products], by=request.user)
    if count:
        said = ngettext("%(count)d email leaves to the relays.", "%(count)d emails leave to the relays.", count) % {"count": count}
        messages.success(request, said)
    else:
        messages.info(request, _("Nobody is left to remind today: the relays were told already, or have nothing left."))
    return redirect(f"{reverse('dashboard:seller')}?{request.GET.urlencode()}")


@require_GET
@see
def seller_file(request: HttpRequest, kind: str) -> HttpResponseBase:
    """The whole table of a view, for a spreadsheet."""
    found = table(chosen(request.GET))
    return as_file(rows_of(found.lines(), found.chosen), _("figures"), kind)


def rows_of(lines: Iterable[Line], choice: Chosen) -> Iterator[list]:
    about = [_("Date"), _("Venue")] if choice.by == "event" else []
    yield [OF[choice.by], *about, *HEADINGS.values()]
    for line in lines:
        event = line.event
        about = [day_of(event), event.venue.name] if event else []
        yield [line.name, *about, *("" if number is None else number for _name, _heading, number in line.cells)]


def day_of(event: Event) -> str:
    return f"{local(event.starts_at or event.valid_until, event.venue.zone):%Y-%m-%d %H:%M}"


def about(choice: Chosen, state: str) -> list[str]:
    """What the tickets of a list have in common, in words."""
    words: list = [HEADINGS[state], choice.event, choice.company, dict(Order.Channel.choices).get(choice.channel)]
    words += [_("Season %(years)s") % {"years": choice.season}] if choice.season else []
    words += [WHEN[choice.when]] if choice.when != "all" and not choice.event else []
    return [sentence(str(word)) for word in words if word]


@require_GET
@see
def tickets(request: HttpRequest) -> HttpResponse:
    """The tickets behind a number: which, of what, bought by whom, held by which company. No names."""
    choice = chosen(request.GET)
    state = request.GET.get("state", "")
    state = state if state in STATES else "bought"
    found = choice.narrow(Ticket.objects.standing()).filter(STATES[state])
    rows = found.select_related("event__venue", "product", "seat", "bought_by", "company").order_by("number")
    context = {
        "here": "seller",
        "chosen": choice,
        "state": state,
        "headings": HEADINGS,
        "about": about(choice, state),
        "page": Paginator(rows, 50).get_page(request.GET.get("page")),
    }
    return render(request, "dashboard/seller_tickets.html", context)
