from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Relay
from distribution.history import losers_of
from distribution.models import Distribution
from distribution.truth import undelivered
from distribution.views.scope import acting, counting
from members.models import Member
from portal.clock import now
from portal.text import folded
from tickets.changes import in_words
from tickets.models import Event, EventChange, Product
from tickets.stock import Figures, stock_of, stranded_below

MOST_STRANDED = MOST_CHANGES = 3


@dataclass
class Line:
    """One product of the programme."""

    product: Product
    figures: Figures
    is_past: bool


def programme(relay: Relay) -> list[Line]:
    """The company's products, soonest first."""
    stock, at = stock_of(relay.company), now()
    products = Product.objects.filter(pk__in=stock).for_list().order_by("event__starts_at", "event__valid_until", "category")
    lines = [Line(product, stock[product.pk], product.event.valid_until <= at) for product in products]
    return sorted(lines, key=lambda line: line.product.event.starts_at or line.product.event.valid_until)


def matching(lines: list[Line], words: str, kind: str) -> list[Line]:
    """The lines that a search and a filter keep."""
    wanted = folded(words).split()
    kept = []
    for line in lines:
        event = line.product.event
        text = folded(f"{event.name} {event.subtitle} {event.venue.name} {line.product.category}")
        if all(word in text for word in wanted) and (not kind or kind == event.kind or (kind == "left" and line.figures.left)):
            kept.append(line)
    return kept


@require_GET
def home(request: HttpRequest, company_id) -> HttpResponse:
    """ "12 left of 35", for every product in stock. Where every link of a company leads: with the right to accounts alone, to these."""
    relay = counting(request, company_id)
    if not relay.sees_tickets:
        return redirect("sales:account", company_id)
    lines = programme(relay)
    coming, past = [line for line in lines if not line.is_past], [line for line in lines if line.is_past]
    words, kind = request.GET.get("q", "")[:80], request.GET.get("kind", "")
    kinds = [(value, label, sum(line.product.event.kind == value for line in coming)) for value, label in Event.Kind.choices]
    context = {
        "relay": relay,
        "here": "home",
        "lines": matching(coming, words, kind),
        "past": matching(past, words, "" if kind == "left" else kind)[::-1],
        "coming": coming,
        "left": sum(line.figures.left for line in coming),
        "with_some_left": sum(bool(line.figures.left) for line in coming),
        "kinds": [row for row in kinds if row[2]],
        "words": words,
        "kind": kind,
        "members": Member.objects.of(relay.company).count(),
        "refused": list(undelivered(relay).values()),
        "changes": [(change, in_words(change)) for change in EventChange.objects.to_be_known_by(relay.company)[:MOST_CHANGES]],
        "stranded": stranded_below(relay.company)[:MOST_STRANDED],
    }
    return render(request, "distribution/home.html", context)


@require_GET
def history(request: HttpRequest, company_id) -> HttpResponse:
    """What the relays of the company did, latest first."""
    relay = acting(request, company_id)
    acts = Distribution.objects.in_sight_of(relay).for_list().prefetch_related("recipients__member")
    page = Paginator(acts, 30).get_page(request.GET.get("page"))
    names = {act.actor_id: _("the seller") for act in page if act.actor.is_staff}
    names |= dict(Relay.objects.filter(company=relay.company).values_list("user", "first_name"))
    losers, refused = losers_of(page), undelivered(relay)
    for act in page:
        act.losers = losers.get(act.public_id, [])
        act.refused = sum((r.member_id, act.product_id) in refused for r in act.recipients.all()) if act.undone_at is None else 0
    context = {"relay": relay, "here": "history", "page": page, "names": names}
    return render(request, "distribution/history.html", context)
