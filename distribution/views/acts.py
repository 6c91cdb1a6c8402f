from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from distribution import actions
from distribution.errors import UndoTooLate
from distribution.history import losers_of
from distribution.models import Distribution
from distribution.paper import on_paper
from distribution.views.scope import acting, distributing
from portal.clock import now
from portal.htmx import page_or_part
from tickets.stock import figures_of


@require_GET
def distribution(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """What an act did, to whom, until when it can be undone, and what there is of it on paper; htmx asks how far that has come."""
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
        "paper": on_paper(relay, act),
    }
    return page_or_part(request, "distribution/distribution.html", "distribution/_printouts_part.html", context)


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
