from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from distribution import actions
from distribution.errors import NotEnoughTickets, PreviewIsOld, SomeoneLeft
from distribution.forms import GroupDistributionForm
from distribution.people_list import Line, as_shown, left_of, lines_of_group, share_out, totals
from distribution.views.scope import already_done, distributing, product_of
from members.models import Group, Member
from tickets.stock import figures_of

MOST_SHOWN = 300


@require_http_methods(["GET", "POST"])
def distribute_group(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The same number of tickets to each of a group, or of the whole list: who gets what is said before."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    if act := already_done(request, relay):
        return redirect("distribution:distribution", company_id, act.public_id)
    groups = Group.objects.of(relay.company)
    form = GroupDistributionForm(groups, request.POST if request.method == "POST" else None, initial={"group": request.GET.get("group")})
    lines: list[Line] = []
    if form.is_valid():
        group, each = form.cleaned_data["group"], form.cleaned_data["quantity"]
        if "confirm" in request.POST:
            values = {name: form.cleaned_data[name] for name in ("group", "shown", "message", "request_key")}
            try:
                act = actions.distribute_group(relay=relay, product=product, each=each, **values)
            except (NotEnoughTickets, PreviewIsOld, SomeoneLeft) as refusal:
                form.add_error(None, str(refusal))
            else:
                if act:
                    return redirect("distribution:distribution", company_id, act.public_id)
                messages.success(request, _("Nothing to do: everybody there has these tickets already."))
                return redirect("distribution:product", company_id, product_id)
        lines = share_out(lines_of_group(relay.company, product, group, each), left_of(relay.company, product))
    without = [line for line in lines if line.without]
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "figures": figures_of(relay.company, product),
        "form": form,
        "everybody": Member.objects.of(relay.company).count(),
        "groups": list(groups.counted()),
        "chosen": form["group"].value() or "",
        "lines": sorted(lines, key=lambda line: line.verdict == "unchanged")[:MOST_SHOWN],
        "more": max(0, len(lines) - MOST_SHOWN),
        "count": len(lines),
        "totals": totals(lines),
        "without": without,
        "shown": as_shown(lines),
        "checked": form.is_bound and (form.is_valid() or bool(lines)),
    }
    return render(request, "distribution/distribute_group.html", context, status=422 if form.errors else 200)
