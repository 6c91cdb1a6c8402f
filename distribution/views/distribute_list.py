from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from distribution import actions
from distribution.errors import ListHasFaults, NotEnoughTickets, OnlyPairsLeft
from distribution.forms import ListForm
from distribution.people_list import HEADINGS, LABELS, Line, judge, lines_of, totals
from distribution.views.scope import already_done, distributing, product_of
from members.domains import look_through
from members.people import columns_of, samples
from portal.sheets import Unreadable, as_text, rows_of_text, sheet_of_file
from portal.text import canonical_email
from portal.workbook import Sheet
from tickets.stock import Figures, figures_of

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
    others = {canonical_email(address) for address in request.POST.getlist("another")}
    sheet, columns, skip, lines = Sheet(), [], 0, []
    if form.is_valid():
        try:
            sheet = read(form)
        except Unreadable as refusal:
            form.add_error("file" if form.cleaned_data["file"] else "rows", str(refusal))
        else:
            columns, skip = columns_of(sheet.rows, HEADINGS, request.POST, fresh=bool(form.cleaned_data["file"]), digits="quantity")
    if columns and "confirm" in request.POST and not form.cleaned_data["file"]:
        lines = lines_of(sheet.rows, columns, skip)
        values = {name: form.cleaned_data[name] for name in ("shares", "message", "request_key")}
        try:
            act = actions.distribute_list(relay=relay, product=product, lines=lines, others=others, **values)
        except (ListHasFaults, NotEnoughTickets, OnlyPairsLeft) as refusal:
            form.add_error(None, str(refusal))
        else:
            if act:
                return redirect("distribution:distribution", company_id, act.public_id)
            messages.success(request, nothing_given(lines))
            return redirect("distribution:product", company_id, product_id)
    if columns:
        lines = judge(lines_of(sheet.rows, columns, skip), relay.company, product, shares=form.cleaned_data["shares"], others=others)
    context = {"relay": relay, "here": "home", "product": product, "form": form, "sheet": sheet, "labels": LABELS}
    context |= {"columns": samples(sheet.rows[max(skip - 1, 0) :], columns)}
    context |= {"doubtful": look_through(lines, relay.company)} | preview(lines, figures_of(relay.company, product))
    context |= {"text": as_text(sheet.rows) if sheet.rows else form["rows"].value() or ""}
    return render(request, "distribution/distribute_list.html", context, status=422 if form.errors else 200)


def read(form: ListForm) -> Sheet:
    file = form.cleaned_data["file"]
    return sheet_of_file(file) if file else Sheet(rows_of_text(form.cleaned_data["rows"]))


def nothing_given(lines: list[Line]) -> str:
    """What a list did that gave no ticket."""
    if corrected := totals(lines)["corrected"]:
        words = ngettext(
            "%(count)d address corrected. Everybody on this list has these tickets already.",
            "%(count)d addresses corrected. Everybody on this list has these tickets already.",
            corrected,
        )
        return words % {"count": corrected}
    return _("Nothing to do: everybody on this list has these tickets already.")


def preview(lines: list[Line], figures: Figures) -> dict:
    """What will happen, in sums and row by row: all that the relay has to look at, and as much of the rest as is readable."""
    sums, order = totals(lines), ["refused", "changed", "new", "known", "unchanged"]
    ordered = sorted(lines, key=lambda line: (order.index(line.verdict), line.doubt is None))
    # What holds an answer of hers, or changes what is known of somebody, is on the page whatever its number.
    must = [line.verdict == "changed" or bool(line.namesake or line.doubt) for line in ordered]
    shown = [line for at, line in enumerate(ordered) if at < MOST_SHOWN or must[at]]
    missing = max(0, sums["gets"] - figures.left)
    return {
        "lines": shown,
        "more": len(lines) - len(shown),
        "count": len(lines),
        "totals": sums,
        "figures": figures,
        "missing": missing,
        "after": figures.left - sums["gets"],
    }
