from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Seller
from distribution import actions
from distribution.errors import CannotReclaim, NobodyChosen, SomeoneLeft
from distribution.moves import ReassignForm, asked_for
from distribution.reclaimable import given_on, preview
from distribution.views.distribute import add_new, find
from distribution.views.reclaim import held
from distribution.views.scope import already_done, distributing, product_of
from members import actions as members_actions
from members.forms import MemberForm
from portal.htmx import go_to, page_or_part


@require_http_methods(["GET", "POST"])
def reassign(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Give tickets that someone holds to someone else: choose the person, see both emails, confirm.

    The address names the tickets, or the person who holds them. Like a distribution, the draft is in the form's fields.
    """
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    if act := already_done(request, relay):
        return go_to(request, "distribution:distribution", company_id, act.public_id)
    posted = request.method == "POST"
    form = ReassignForm(relay, request.POST if posted else None)
    candidates = asked_for(request.GET, list(held(relay).filter(product=product, status__in=["distributed", "printed"])))
    shown = form.shown if posted else {ticket.public_id: ticket.face for ticket in candidates}
    new, status = MemberForm(), 200
    if "one_for_me" in request.POST:
        form.add(members_actions.add_myself(relay=relay))
    if "new" in request.POST:
        new, status = add_new(relay, form, request.POST)
    if "confirm" in request.POST:
        status = 422
        if form.is_ready() and form.to:
            values = {"message": form.cleaned_data["welcome"], "farewell": form.cleaned_data["message"]}
            try:
                act = actions.reassign(
                    relay=relay, product=product, shown=shown, to=form.to, request_key=form.cleaned_data["request_key"], **values
                )
            except (CannotReclaim, NobodyChosen, SomeoneLeft) as refusal:
                messages.error(request, str(refusal))
            else:
                return go_to(request, "distribution:distribution", company_id, act.public_id)
    words = request.POST.get("q", "")[:80]
    found = preview(candidates, other_reasons=given_on(relay, candidates, shown))
    chosen = [ticket for ticket in found.tickets if ticket.public_id in shown]
    losers = list(dict.fromkeys(ticket.member for ticket in chosen if ticket.member))
    if form.to:
        form.fields["welcome"].label = _("A word to %(name)s, optional") % {"name": form.to.first_name}
    if len(losers) == 1:
        form.fields["message"].label = _("A word to %(name)s, optional") % {"name": losers[0].first_name}
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "form": form,
        "new": new,
        "words": words,
        "found": find(relay, words),
        "preview": found,
        "chosen": chosen,
        "losers": losers,
        "prints": sum(ticket.status == "printed" for ticket in chosen),
        "tells": Seller.objects.current().tells_of_reclaims,
    }
    return page_or_part(request, "distribution/reassign.html", "distribution/_reassign_form.html", context, status)
