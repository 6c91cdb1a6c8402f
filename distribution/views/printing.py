from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from distribution import actions
from distribution.errors import NothingToPrint, TicketHasChanged
from distribution.forms import ShownTicketsForm
from distribution.models import Distribution
from distribution.views.scope import distributing, product_of
from tickets.documents import tickets_pdf
from tickets.models import Movement, Ticket


def pdf(keys: list[int], name: str) -> HttpResponse:
    """These tickets as one PDF to keep."""
    tickets = list(Ticket.objects.filter(pk__in=keys).for_print().by_seat())
    filename = f"{slugify(_('tickets'))}-{slugify(name)[:40] or 'event'}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    return HttpResponse(tickets_pdf(tickets), content_type="application/pdf", headers=headers)


@require_POST
def print_for_members(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The relay prints for those who hold the tickets."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    form = ShownTicketsForm(request.POST)
    try:
        if not form.is_valid():
            raise TicketHasChanged
        keys = actions.print_for_members(relay=relay, shown=form.shown)
    except (TicketHasChanged, NothingToPrint) as refusal:
        messages.error(request, str(refusal))
        return redirect("distribution:product", company_id, product_id)
    return pdf(keys, product.event.name)


@require_GET
def handed_over(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """The PDF of a batch that was handed over: what of it still stands as it was printed then."""
    relay = distributing(request, company_id)
    acts = Distribution.objects.in_sight_of(relay).select_related("product__event")
    act = get_object_or_404(acts, public_id=distribution_id, kind=Distribution.Kind.HAND_OVER)
    printed = Movement.objects.filter(act=act.public_id, kind=Movement.Kind.HANDED_OVER).values("ticket", "generation")
    generations = {row["ticket"]: row["generation"] for row in printed}
    standing = Ticket.objects.filter(pk__in=generations, company=relay.company, status="printed", member=None)
    keys = [t.pk for t in standing if t.generation == generations[t.pk]]
    if not keys:
        messages.error(request, _("None of these tickets is as it was printed then: there is nothing to print again."))
        return redirect("distribution:distribution", company_id, distribution_id)
    return pdf(keys, act.product.event.name)
