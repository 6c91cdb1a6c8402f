import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import Company, Relay
from distribution import actions
from distribution.forms import as_uuid
from distribution.models import Distribution, Recipient
from distribution.reminders import counts
from distribution.truth import holders
from distribution.views.scope import acting, distributing, product_of
from distribution.where import Tree
from portal.clock import now
from tickets.audience import OUT_OF_REACH
from tickets.changes import in_words
from tickets.models import EventChange, Order, Product, Ticket
from tickets.stock import by_channel, figures_of, tree


@require_GET
def product(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Where the tickets of a product are, and how far each person has come with them."""
    relay = acting(request, company_id)
    found = product_of(relay, product_id)
    people = holders(relay, found)
    paper = Ticket.objects.in_sight_of(relay).filter(product=found, company=relay.company, member=None, status__in=["printed", "checked"])
    figures, branches = figures_of(relay.company, found), tree(relay.company, found)
    given, on_paper = sum(len(holder.tickets) for holder in people), paper.count()
    labels = dict(Order.Channel.choices)
    past = found.event.valid_until <= now()
    change = EventChange.objects.latest_of([found.event]).get(found.event_id)
    context = {
        "relay": relay,
        "here": "home",
        "product": found,
        "figures": figures,
        "change": change,
        "changed": in_words(change) if change else "",
        "out_of_reach": out_of_reach(relay, found, change) if change else 0,
        "tree": Tree(relay, found).whole(figures, given=given, on_paper=on_paper, branches=branches) if branches else None,
        "may_forward": Company.objects.receiving_from(relay.company).exists(),
        "channels": [(labels[channel], count) for channel, count in by_channel(relay.company, found)],
        "page": Paginator(people, 50).get_page(request.GET.get("page")),
        "given": given,
        "on_paper": on_paper,
        "past": past,
        "counts": counts([] if past else people),
        "batches": list(Distribution.objects.in_sight_of(relay).filter(product=found, kind="hand_over")[:5]),
        "request_key": uuid.uuid4(),
    }
    return render(request, "distribution/product.html", context)


def out_of_reach(relay: Relay, product: Product, change: EventChange) -> int:
    """How many of the company's tickets have a holder whom no email could tell of the change."""
    mine = Ticket.objects.filter(product=product, company=relay.company).filter(OUT_OF_REACH).exclude(status="checked")
    return (mine.filter(movements__act=change.public_id) if product.event.cancelled_at else mine.standing()).count()


@require_POST
def send_again(request: HttpRequest, company_id, recipient_id) -> HttpResponse:
    """The person's email leaves once more."""
    relay = distributing(request, company_id)
    recipients = Recipient.objects.in_sight_of(relay).select_related("member", "distribution__product")
    recipient = get_object_or_404(recipients, public_id=recipient_id)
    key = as_uuid(request.POST.get("request_key", "")) or uuid.uuid4()
    actions.send_again(relay=relay, recipient=recipient, request_key=key)
    messages.success(request, _("The email to %(name)s is on its way again.") % {"name": recipient.member})
    return redirect("distribution:product", company_id, recipient.distribution.product.public_id)
