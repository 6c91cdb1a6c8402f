from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.models import Relay
from distribution.forms import as_uuid
from distribution.history import history_of
from distribution.truth import holders
from distribution.views.scope import acting, product_of
from distribution.where import tickets_at, words_at
from portal.clock import now
from portal.text import folded
from tickets.models import Ticket
from tickets.models.ticket import TicketQuerySet

ON_A_PAGE = 50
MOST_LEVELS = 50


@require_GET
def tickets(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The company's tickets of a product, one a line: filtered by state, searched, paged."""
    relay = acting(request, company_id)
    product = product_of(relay, product_id)
    place, path = request.GET.get("place", ""), [key for raw in request.GET.getlist("at")[:MOST_LEVELS] if (key := as_uuid(raw))]
    words, state = request.GET.get("q", "")[:80], request.GET.get("state", "")
    states = Ticket.Status.choices
    found = searched(tickets_at(relay, product, place, path), relay, words)
    if state in dict(states):
        found = found.filter(status=state)
    page = Paginator(found.with_last_movement().for_list().order_by("number"), ON_A_PAGE).get_page(request.GET.get("page"))
    told = {holder.member.pk: holder for holder in holders(relay, product, {row.member.person_id for row in page if row.member})}
    for row in page:
        row.holder = told.get(row.member.person_id) if row.member else None
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "page": page,
        "words": words,
        "state": state,
        "states": states,
        "place": words_at(relay, product, place, path),
        "kept": [(name, value) for name in ("place", "at", "state") for value in request.GET.getlist(name)],
    }
    return render(request, "distribution/tickets.html", context)


def searched(tickets: TicketQuerySet, relay: Relay, words: str) -> TicketQuerySet:
    """By number, or by the start of any word of the name or address of a member of the relay's own company."""
    for word in folded(words).split():
        by_member = Q(member__search_key__startswith=word) | Q(member__search_key__contains=f" {word}")
        by_number = Q(number=int(word)) if word.isascii() and word.isdigit() and len(word) < 15 else Q(pk=None)
        tickets = tickets.filter(by_member & Q(member__company=relay.company) | by_number)
    return tickets


@require_GET
def ticket(request: HttpRequest, company_id, ticket_id) -> HttpResponse:
    """One ticket and its history in words."""
    relay = acting(request, company_id)
    found = get_object_or_404(Ticket.objects.in_sight_of(relay).for_list(), public_id=ticket_id)
    context = {
        "relay": relay,
        "here": "home",
        "ticket": found,
        "product": found.product,
        "history": history_of(found, relay),
        "mine": found.company_id == relay.company_id,
        "past": found.event.valid_until <= now(),
    }
    return render(request, "distribution/ticket.html", context)
