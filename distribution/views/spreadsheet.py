from dataclasses import dataclass, field

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Relay
from distribution import actions
from distribution.errors import ListHasFaults, PairParted, PreviewIsOld, SeatTaken, SomeoneLeft
from distribution.forms import SheetForm
from distribution.models import Distribution
from distribution.round_trip import MOST, Edit, as_rows, as_shown, edits_of, judge, people_of, sheet_of, totals
from distribution.views.printing import file_name
from distribution.views.scope import already_done, distributing, product_of
from members.domains import look_through
from portal.download import CSV, download
from portal.sheets import MOST_ROWS, Rows, Unreadable, as_text, csv_text, plain, rows_of_text, sheet_of_file
from portal.templatetags.words import number
from portal.text import canonical_email
from portal.workbook import write_workbook
from tickets.models import Product
from tickets.stock import figures_of

WIDTHS = [10, 26, 20, 24, 36, 14, 0]  # of the columns of an exported workbook: the version is hidden
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHOWN = 300
ORDER = ["refused", "passed", "reclaim", "move", "give", "corrected", "done"]


@require_GET
def as_xlsx(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The product's tickets as a workbook, to be filled in and sent back."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    made = write_workbook(sheet_of(relay, product), sheet=str(_("Tickets")), widths=WIDTHS)
    return download(made, file_name(_("tickets"), product.event.name, ".xlsx"), XLSX)


@require_GET
def as_csv(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The same as CSV."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    return download(csv_text(sheet_of(relay, product)), file_name(_("tickets"), product.event.name, ".csv"), CSV)


@dataclass
class Read:
    """What a sheet that came back asks for."""

    edits: list[Edit] = field(default_factory=list)
    untouched: int = 0


@require_http_methods(["GET", "POST"])
def spreadsheet(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Take a product's tickets away as a sheet, and bring it back changed: said row by row, then, confirmed, done."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    if act := already_done(request, relay):
        return redirect("distribution:distribution", company_id, act.public_id)
    posted = request.method == "POST"
    form = SheetForm(request.POST if posted else None, request.FILES if posted else None)
    others = {canonical_email(address) for address in request.POST.getlist("another")}
    found, valid = Read(), form.is_valid()
    if posted and (form.cleaned_data.get("file") or form.cleaned_data.get("rows")):
        try:
            found = read(form)
        except Unreadable as refusal:
            form.add_error("file" if form.cleaned_data.get("file") else "rows", str(refusal))
        confirmed = valid and found.edits and "confirm" in request.POST and not form.cleaned_data["file"]
        if confirmed and (answer := confirm(request, relay, product, form, found.edits, others)):
            return answer
        judge(found.edits, relay, product, shares=form.cleaned_data.get("shares", False), others=others)
    context = {"relay": relay, "here": "home", "product": product, "form": form, "is_read": bool(found.edits or found.untouched)}
    context |= {"doubtful": look_through(people_of(found.edits), relay.company)}
    context |= preview(found, form, figures_of(relay.company, product).left)
    return render(request, "distribution/spreadsheet.html", context, status=422 if form.errors else 200)


def read(form: SheetForm) -> Read:
    """The rows of the file or of the page, and those that were changed."""
    rows = rows_of(form)
    edits = edits_of(rows)
    changed = [edit for edit in edits if not edit.is_untouched]
    if len(changed) > MOST_ROWS:
        words = {"count": number(len(changed)), "most": number(MOST_ROWS)}
        raise Unreadable(_("%(count)s rows are changed, and %(most)s can be at once: change these first, then the others.") % words)
    return Read(changed, len(edits) - len(changed))


def rows_of(form: SheetForm) -> Rows:
    file = form.cleaned_data.get("file")
    if not file:
        return rows_of_text(form.cleaned_data["rows"], MOST)
    sheet = sheet_of_file(file, MOST)
    return sheet.rows if sheet.name else [[plain(cell) for cell in row] for row in sheet.rows]


def confirm(request: HttpRequest, relay: Relay, product: Product, form: SheetForm, edits: list[Edit], others) -> HttpResponse | None:
    """Do what the page showed, or say in the form why not."""
    values = {name: form.cleaned_data[name] for name in ("shares", "message", "shown", "request_key")}
    try:
        act = actions.import_tickets(relay=relay, product=product, edits=edits, others=others, **values)
    except (ListHasFaults, PreviewIsOld, PairParted, SeatTaken, SomeoneLeft) as refusal:
        form.add_error(None, str(refusal))
        return None
    gave = act is not None and act.kind == Distribution.Kind.DISTRIBUTE
    if words := said(totals(edits), gave=gave):
        messages.success(request, words)
    if act and gave:
        return redirect("distribution:distribution", relay.company.public_id, act.public_id)
    return redirect("distribution:product", relay.company.public_id, product.public_id)


def said(sums: dict[str, int], *, gave: bool) -> str:
    """What an import did beside what the page of its distribution says."""
    parts = []
    if sums["takes"]:
        parts.append(ngettext("%(n)d ticket taken back.", "%(n)d tickets taken back.", sums["takes"]) % {"n": sums["takes"]})
    if sums["corrected"]:
        parts.append(ngettext("%(n)d address corrected.", "%(n)d addresses corrected.", sums["corrected"]) % {"n": sums["corrected"]})
    return " ".join(parts) or ("" if gave else _("Nothing to do: your tickets are as this sheet says."))


def preview(found: Read, form: SheetForm, left: int) -> dict:
    sums = totals(found.edits)
    ordered = sorted(found.edits, key=lambda edit: (ORDER.index(edit.verdict), edit.person is None or edit.person.doubt is None))
    # What holds an answer of hers is on the page whatever its number.
    shown = [edit for at, edit in enumerate(ordered) if at < MOST_SHOWN or (edit.person and (edit.person.namesake or edit.person.doubt))]
    return {
        "edits": shown,
        "more": len(found.edits) - len(shown),
        "totals": sums,
        "moving": sums["gives"] + sums["reclaim"],
        "untouched": found.untouched,
        "after": left - sums["give"] + sums["reclaim"],
        "shown": as_shown(found.edits),
        "text": as_text(as_rows(found.edits)) if found.edits else form["rows"].value() or "",
    }
