from collections.abc import Mapping
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.models import Relay, Seller
from distribution import actions
from distribution.errors import CannotReclaim
from distribution.models import Distribution
from distribution.moves import ReclaimForm, asked_for
from distribution.reclaimable import given_again_since, given_on, preview
from distribution.views.scope import already_done, distributing, product_of
from members.models import Member
from tickets.models import Movement, Product, Ticket


@dataclass
class Scope:
    """Among which tickets a page reclaims, what of them it knows already, and where it leads back."""

    relay: Relay
    tickets: list[Ticket]
    back: str
    product: Product | None = None
    member: Member | None = None
    act: Distribution | None = None
    given_again: Mapping[int, str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the person chooses first: a product's tickets are many, a person's or an act's are the choice."""
        return self.member is None and self.act is None


@require_http_methods(["GET", "POST"])
def reclaim(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Take back tickets of a product: one, several, one person's, or all that nobody has used."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    tickets = held(relay).filter(product=product).exclude(status="available")
    back = reverse("distribution:product", args=[company_id, product_id])
    return answer(request, Scope(relay, list(tickets), back, product=product))


@require_http_methods(["GET", "POST"])
def reclaim_from_member(request: HttpRequest, company_id, member_id) -> HttpResponse:
    """Take back all that a person of the company, who may have left it, holds: for every outing to come."""
    relay = distributing(request, company_id)
    member = get_object_or_404(Member.objects.filter(company=relay.company).select_related("merged_into"), public_id=member_id)
    tickets = held(relay).filter(member=member.merged_into or member).to_come()
    return answer(request, Scope(relay, list(tickets), reverse("distribution:home", args=[company_id]), member=member))


@require_http_methods(["GET", "POST"])
def reclaim_act(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """Take back what an act gave, days later too, as far as it is unused and with those it was given to."""
    relay = distributing(request, company_id)
    acts = Distribution.objects.in_sight_of(relay).select_related("product__event__venue").given()
    act = get_object_or_404(acts, public_id=distribution_id)
    moved = Movement.objects.filter(act=act.public_id, kind__in=["distributed", "handed_over"]).values("ticket")
    tickets = list(Ticket.objects.in_sight_of(relay).filter(pk__in=moved).for_list().order_by("member__sort_key", "number"))
    back = reverse("distribution:distribution", args=[company_id, distribution_id])
    return answer(request, Scope(relay, tickets, back, product=act.product, act=act, given_again=given_again_since(act, tickets)))


def held(relay: Relay):
    """The tickets in the company's hands or its people's."""
    return Ticket.objects.in_sight_of(relay).filter(company=relay.company).for_list().order_by("member__sort_key", "number")


def answer(request: HttpRequest, scope: Scope) -> HttpResponse:
    """Choose, see what will happen, confirm. Nothing moves unless all that was shown as coming back still can."""
    if already_done(request, scope.relay):
        return redirect(scope.back)
    form = ReclaimForm(request.POST if request.method == "POST" else None)
    shown = form.shown
    chosen = [ticket for ticket in scope.tickets if ticket.public_id in shown]
    if "confirm" in request.POST and shown and form.is_valid():
        try:
            actions.reclaim(relay=scope.relay, shown=shown, **form.cleaned_data)
        except CannotReclaim as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, said(len(shown)))
            return redirect(scope.back)
    elif request.method == "POST" and not shown and "choose" not in request.POST:
        form.add_error(None, _("Choose the tickets to reclaim."))
    if request.method == "GET":
        chosen = asked_for(request.GET, scope.tickets) if scope.is_open else scope.tickets
    return page(request, scope, form, chosen)


def said(count: int) -> str:
    words = ngettext(
        "%(count)d ticket is back: you can give it to someone else.",
        "%(count)d tickets are back: you can give them to someone else.",
        count,
    )
    return words % {"count": count}


def held_elsewhere(scope: Scope, chosen: list[Ticket]) -> tuple[Member, int] | None:
    """The one person whose tickets are chosen, and how many she holds for other outings to come."""
    members = {ticket.member for ticket in chosen}
    if not scope.is_open or len(members) != 1 or not (member := members.pop()):
        return None
    others = held(scope.relay).filter(member=member, status__in=["distributed", "printed"]).to_come().exclude(product=scope.product)
    count = others.count()
    return (member, count) if count else None


def page(request: HttpRequest, scope: Scope, form: ReclaimForm, chosen: list[Ticket]) -> HttpResponse:
    """The preview of what is chosen; the list to choose from when nothing is, or when another choice is wanted."""
    choosing = "choose" in request.POST or (scope.is_open and not chosen)
    ticked = {ticket.pk for ticket in chosen}
    among = scope.tickets if choosing else chosen
    found = preview(among, other_reasons={**given_on(scope.relay, chosen, form.shown), **(scope.given_again or {})})
    context = {
        "elsewhere": held_elsewhere(scope, chosen),
        "relay": scope.relay,
        "here": "home",
        "scope": scope,
        "product": scope.product,
        "form": form,
        "choosing": choosing,
        "preview": found,
        "ticked": ticked,
        "tells": Seller.objects.current().tells_of_reclaims,
    }
    return render(request, "distribution/reclaim.html", context, status=422 if form.errors and request.POST else 200)
