from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from distribution import actions
from distribution.errors import NotEnoughTickets, OnlyPairsLeft, PairParted, SeatTaken
from distribution.paper_forms import HandOverForm
from distribution.seats import seat_choice
from distribution.views.scope import already_done, distributing, product_of
from tickets.models import Ticket
from tickets.stock import figures_of


@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Print tickets at once, to be given on paper. A few are rendered before the answer, many by workers after it."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    figures = figures_of(relay.company, product)
    if already := already_done(request, relay):
        return redirect("distribution:distribution", company_id, already.public_id)
    seats = seat_choice(product, Ticket.objects.filter(product=product).left_to_distribute(relay.company), request.POST)
    chosen = 0 if seats.asked else len(seats.chosen)
    form = HandOverForm(figures.left, chosen, request.POST if request.method == "POST" else None)
    if seats.asked:
        seats.propose_for(form)
    elif form.is_valid():
        try:
            act = actions.hand_over(relay=relay, product=product, chosen=seats.keys, language=get_language(), **form.cleaned_data)
        except (NotEnoughTickets, SeatTaken, OnlyPairsLeft, PairParted) as refusal:
            form.add_error("quantity", str(refusal))
        else:
            actions.render_at_once(act.printouts.get(request_key=act.request_key))
            return redirect("distribution:distribution", company_id, act.public_id)
    context = {"relay": relay, "here": "home", "product": product, "figures": figures, "form": form, "seats": seats}
    return render(request, "distribution/hand_over.html", context, status=422 if form.errors else 200)
