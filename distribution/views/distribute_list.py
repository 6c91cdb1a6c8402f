from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from distribution import actions
from distribution.errors import ListHasFaults, NotEnoughTickets
from distribution.forms import ListForm
from distribution.people_list import HEADINGS, LABELS, Line, judge, lines_of, totals
from distribution.views.scope import already_done, distributing, product_of
from members.people import columns_of, samples
from portal.sheets import Rows, Unreadable, as_text, rows_of_file, rows_of_text
from tickets.stock import figures_of

MOST_SHOWN = 300


@require_http_methods(["GET", "POST"])
def distribute_list(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Distribute with a list: read it, say row by row what will happen, and only then, confirmed, do it."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    if act := already_done(request, relay):
        return redirect("distribution:distribution", company_id, act.public_id)
    posted = request.method == "POST"
    form = ListForm(request.POST if posted else None, request.FILES if posted else None)
    rows: Rows = []
    columns: list[str] = []
    lines: list[Line] = []
    if form.is_valid():
        try:
            file = form.cleaned_data["file"]
            rows = rows_of_file(file) if file else rows_of_text(form.cleaned_data["rows"])
        except Unreadable as refusal:
            form.add_error("file" if form.cleaned_data["file"] else "rows", str(refusal))
        else:
            columns, skip = columns_of(rows, HEADINGS, request.POST, fresh=bool(file), digits="quantity")
            lines = judge(lines_of(rows, columns, skip), relay.company, product, shares=form.cleaned_data["shares"])
    figures = figures_of(relay.company, product)
    sums = totals(lines)
    if lines and "confirm" in request.POST and not form.cleaned_data["file"]:
        values = {name: form.cleaned_data[name] for name in ("shares", "message", "request_key")}
        try:
            act = actions.distribute_list(relay=relay, product=product, lines=lines, **values)
        except (ListHasFaults, NotEnoughTickets) as refusal:
            form.add_error(None, str(refusal))
            sums = totals(lines)
        else:
            if act:
                return redirect("distribution:distribution", company_id, act.public_id)
            messages.success(request, _("Nothing to do: everybody on this list has these tickets already."))
            return redirect("distribution:product", company_id, product_id)
    order = ["refused", "new", "known", "unchanged"]
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "figures": figures,
        "form": form,
        "text": as_text(rows) if rows else form["rows"].value() or "",
        "columns": samples(rows, columns),
        "labels": LABELS,
        "lines": sorted(lines, key=lambda line: order.index(line.verdict))[:MOST_SHOWN],
        "more": max(0, len(lines) - MOST_SHOWN),
        "count": len(lines),
        "totals": sums,
        "missing": max(0, sums["gets"] - figures.left),
    }
    return render(request, "distribution/distribute_list.html", context, status=422 if form.errors else 200)
