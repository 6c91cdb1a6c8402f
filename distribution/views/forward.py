from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts import actions as accounts_actions
from accounts.errors import HasRelays
from accounts.models import Company, Relay, RelayProposal, Seller
from distribution import actions
from distribution.actions.forward import reclaimable_from
from distribution.errors import CannotForward, CannotReclaim, NotEnoughTickets, OnlyPairsLeft, PairParted, SeatTaken
from distribution.forms import ForwardForm, ProposalForm, ReclaimFromForm, as_uuid
from distribution.seats import seat_choice
from distribution.views.scope import already_done, distributing, product_of
from tickets.models import Forward, Ticket
from tickets.stock import figures_of


@require_http_methods(["GET", "POST"])
def forward(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Choose a structure and how many tickets it will distribute itself."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    if act := already_done(request, relay):
        return redirect("distribution:distribution", company_id, act.public_id)
    figures = figures_of(relay.company, product)
    receivers = Company.objects.receiving_from(relay.company).order_by("name")
    able = receivers.with_relays()
    asked = {"to": as_uuid(request.GET.get("to", ""))}
    form = ForwardForm(able, figures.left, request.POST if request.method == "POST" else None, initial=asked)
    seats = seat_choice(product, Ticket.objects.filter(product=product).left_to_distribute(relay.company), request.POST)
    if seats.asked:
        seats.propose_for(form)
    elif form.is_valid():
        values = form.cleaned_data | {"quantity": len(seats.chosen) or form.cleaned_data["quantity"], "chosen": seats.keys}
        try:
            act = actions.forward(relay=relay, product=product, **values)
        except (NotEnoughTickets, SeatTaken, OnlyPairsLeft, PairParted) as refusal:
            form.add_error("quantity", str(refusal))
        except CannotForward as refusal:
            form.add_error("to", str(refusal))
        else:
            return redirect("distribution:distribution", company_id, act.public_id)
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "figures": figures,
        "form": form,
        "able": able.exists(),
        "without_relay": without_relay(relay, receivers.exclude(pk__in=able.values("pk"))),
        "seats": seats,
    }
    return render(request, "distribution/forward.html", context, status=422 if form.errors else 200)


def without_relay(relay: Relay, companies) -> list[tuple[Company, list[RelayProposal]]]:
    """Those for whom nobody can act, each with the people whom relays of her company have proposed and who wait for an answer."""
    pending = RelayProposal.objects.filter(proposed_by__company=relay.company, state=RelayProposal.State.PENDING).order_by("at")
    found = companies.prefetch_related(Prefetch("proposals", pending, to_attr="waiting"))
    return [(company, company.waiting) for company in found]


@require_http_methods(["GET", "POST"])
def propose_relay(request: HttpRequest, company_id, product_id, other_id) -> HttpResponse:
    """Name somebody for a structure that has no relay: proposed to the seller, or authorised at once where it lets her."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    other = get_object_or_404(Company.objects.receiving_from(relay.company), public_id=other_id)
    form = ProposalForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            proposal = accounts_actions.propose_relay(relay=relay, company=other, **form.cleaned_data)
        except HasRelays as refusal:
            form.add_error(None, str(refusal))
        else:
            words = {"person": proposal, "company": other, "seller": Seller.objects.current()}
            if proposal.was_let:
                message = _("%(person)s can distribute for %(company)s: an email tells them. You can forward tickets there.")
            else:
                message = _("%(person)s is proposed to %(seller)s for %(company)s. You get an email when it has answered.")
            messages.success(request, message % words)
            return redirect(f"{reverse('distribution:forward', args=[company_id, product_id])}?to={other_id}")
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "other": other,
        "form": form,
        "has_relays": Company.objects.with_relays().filter(pk=other.pk).exists(),
        "is_let": Seller.objects.current().relays_authorise_below and relay.may_manage and other.parent_id == relay.company_id,
    }
    return render(request, "distribution/propose_relay.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def reclaim_from(request: HttpRequest, company_id, product_id, other_id) -> HttpResponse:
    """Take back what a structure below has not used, with what will happen said before."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    if already_done(request, relay):
        return redirect("distribution:product", company_id, product_id)
    mine = Ticket.objects.filter(product=product).forwarded_by(relay.company)
    other = get_object_or_404(
        Company.objects.filter(pk__in=Forward.objects.filter(ticket__in=mine).values("to_company")), public_id=other_id
    )
    can_come_back = reclaimable_from(relay.company, product, other)
    count, distributed = can_come_back.count(), can_come_back.exclude(status="available").count()
    form = ReclaimFromForm(count, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            act = actions.reclaim_from(relay=relay, product=product, other=other, **form.cleaned_data)
        except CannotReclaim as refusal:
            form.add_error("quantity", str(refusal))
        else:
            message = ngettext(
                "%(count)d ticket is back: you can give it to someone else.",
                "%(count)d tickets are back: you can give them to someone else.",
                act.quantity,
            )
            messages.success(request, message % {"count": act.quantity})
            return redirect("distribution:product", company_id, product_id)
    there = mine.gone_through(other).standing()
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "other": other,
        "form": form,
        "count": count,
        "distributed": distributed,
        "kept": there.count() - count,
        "reclaims_below": Seller.objects.current().reclaims_below,
    }
    return render(request, "distribution/reclaim_from.html", context, status=422 if form.errors else 200)
