from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from distribution import actions
from distribution.errors import NotEnoughTickets, OnlyPairsLeft, PairParted, SeatTaken, UndoTooLate
from distribution.forms import HandOverForm
from distribution.history import losers_of
from distribution.models import Distribution
from distribution.seats import seat_choice
from distribution.views.scope import acting, already_done, distributing, product_of
from portal.clock import now
from tickets.models import Ticket
from tickets.stock import figures_of


@require_GET
def distribution(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """What an act did, to whom, and until when it can be undone."""
    relay = acting(request, company_id)
    acts = Distribution.objects.in_sight_of(relay).for_list()
    act = get_object_or_404(acts, public_id=distribution_id)
    context = {
        "relay": relay,
        "here": "home",
        "act": act,
        "product": act.product,
        "recipients": list(act.recipients.select_related("member")),
        "losers": losers_of([act]).get(act.public_id, []),
        "figures": figures_of(relay.company, act.product),
        "reclaimable": act.kind in Distribution.GIVING and act.undone_at is None,
        "can_be_undone": act.undo_until is not None and act.undone_at is None and now() < act.undo_until,
    }
    return render(request, "distribution/distribution.html", context)


@require_POST
def undo(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    relay = distributing(request, company_id)
    act = get_object_or_404(Distribution.objects.in_sight_of(relay), public_id=distribution_id, kind=Distribution.Kind.DISTRIBUTE)
    try:
        actions.undo(relay=relay, distribution=act)
    except UndoTooLate as refusal:
        messages.error(request, str(refusal))
        return redirect("distribution:distribution", company_id, distribution_id)
    message = ngettext(
        "%(count)d ticket is yours to distribute again. No email has left.",
        "%(count)d tickets are yours to distribute again. No email has left.",
        act.quantity,
    )
    messages.success(request, message % {"count": act.quantity})
    return redirect("distribution:product", company_id, act.product.public_id)


@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Print tickets at once, to be given on paper."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    figures = figures_of(relay.company, product)
    if already := already_done(request, relay):
        return redirect("distribution:distribution", company_id, already.public_id)
    form = HandOverForm(figures.left, request.POST if request.method == "POST" else None)
    seats = seat_choice(product, Ticket.objects.filter(product=product).left_to_distribute(relay.company), request.POST)
    if seats.asked:
        seats.propose_for(form)
    elif form.is_valid():
        values = form.cleaned_data | {"quantity": len(seats.chosen) or form.cleaned_data["quantity"], "chosen": seats.keys}
        try:
            act = actions.hand_over(relay=relay, product=product, **values)
        except (NotEnoughTickets, SeatTaken, OnlyPairsLeft, PairParted) as refusal:
            form.add_error("quantity", str(refusal))
        else:
            return redirect("distribution:distribution", company_id, act.public_id)
    context = {"relay": relay, "here": "home", "product": product, "figures": figures, "form": form, "seats": seats}
    return render(request, "distribution/hand_over.html", context, status=422 if form.errors else 200)
