from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from distribution import actions
from distribution.views.scope import distributing
from members.domains import look_through
from members.errors import AddressIsTheirs, AlreadyOnTheList
from members.forms import ImportForm
from members.import_list import HEADINGS, LABELS, Line, judge, lines_of, new_groups, totals
from members.people import columns_of, samples
from portal.sheets import Rows, Unreadable, as_text, rows_of_file, rows_of_text

MOST_SHOWN = 300
ORDER = ["refused", "changed", "new", "unchanged"]


@require_http_methods(["GET", "POST"])
def import_members(request: HttpRequest, company_id) -> HttpResponse:
    """Bring the list up to date with another: read it, say row by row what will change, and only then, confirmed, do it."""
    relay = distributing(request, company_id)
    posted = request.method == "POST"
    form = ImportForm(request.POST if posted else None, request.FILES if posted else None)
    rows: Rows = []
    columns: list[str] = []
    lines: list[Line] = []
    if form.is_valid():
        file = form.cleaned_data["file"]
        choice = {name: form.cleaned_data[name] for name in ("shares", "namesakes")}
        try:
            rows = rows_of_file(file) if file else rows_of_text(form.cleaned_data["rows"])
        except Unreadable as refusal:
            form.add_error("file" if file else "rows", str(refusal))
        else:
            columns, skip = columns_of(rows, HEADINGS, request.POST, fresh=bool(file))
            lines = judge(lines_of(rows, columns, skip), relay.company, **choice)
            if "confirm" in request.POST and not file:
                try:
                    sums = actions.import_members(relay=relay, lines=lines, **choice, request_key=form.cleaned_data["request_key"])
                except (AddressIsTheirs, AlreadyOnTheList) as refusal:
                    form.add_error(None, str(refusal))
                else:
                    messages.success(request, said(sums))
                    return redirect("members:people", company_id)
    context = {
        "relay": relay,
        "here": "members",
        "form": form,
        "text": as_text(rows) if rows else form["rows"].value() or "",
        "columns": samples(rows, columns),
        "labels": LABELS,
        "doubtful": look_through(lines, relay.company),
        "lines": sorted(lines, key=lambda line: (ORDER.index(line.verdict), line.doubt is None))[:MOST_SHOWN],
        "more": max(0, len(lines) - MOST_SHOWN),
        "count": len(lines),
        "totals": totals(lines),
        "created": [name for name, _kind in new_groups([line for line in lines if not line.error], relay.company).values()],
    }
    return render(request, "distribution/import_members.html", context, status=422 if form.errors else 200)


def said(sums: dict[str, int]) -> str:
    """What an import did, in one sentence."""
    parts = []
    if sums["new"]:
        parts.append(ngettext("%(n)d new person", "%(n)d new people", sums["new"]) % {"n": sums["new"]})
    if sums["changed"]:
        parts.append(ngettext("%(n)d changed", "%(n)d changed", sums["changed"]) % {"n": sums["changed"]})
    if sums["refused"]:
        parts.append(ngettext("%(n)d row left aside", "%(n)d rows left aside", sums["refused"]) % {"n": sums["refused"]})
    if not sums["new"] and not sums["changed"]:
        parts.insert(0, _("nothing to do, your list says the same"))
    return _("Your list is up to date: %(parts)s.") % {"parts": ", ".join(parts)}
