import io
import zipfile

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import Relay
from distribution import actions
from distribution.errors import NothingToPrint, TicketHasChanged
from distribution.forms import ShownTicketsForm
from distribution.models import Distribution, Printout, PrintoutFile
from distribution.paper_forms import PrintForm
from distribution.views.scope import distributing, product_of
from portal.download import download
from tickets.documents import tickets_pdf
from tickets.models import Ticket


def file_name(what: str, event_name: str, ending: str) -> str:
    return f"{slugify(what)}-{slugify(event_name)[:40] or 'event'}{ending}"


def pdf(keys: list[int], name: str) -> HttpResponse:
    """These tickets as one PDF to keep."""
    tickets = list(Ticket.objects.filter(pk__in=keys).for_print().by_seat())
    return download(tickets_pdf(tickets), file_name(_("tickets"), name, ".pdf"))


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


@require_POST
def print_act(request: HttpRequest, company_id, distribution_id) -> HttpResponse:
    """Print what an act gave, at once or again: recorded, then rendered; a few before the answer, many by workers after it."""
    relay = distributing(request, company_id)
    act = get_object_or_404(Distribution.objects.in_sight_of(relay), public_id=distribution_id, kind__in=Distribution.GIVING)
    form = PrintForm(request.POST)
    try:
        if not form.is_valid():
            raise TicketHasChanged
        printout = actions.print_act(relay=relay, act=act, language=get_language(), **form.cleaned_data)
    except (NothingToPrint, TicketHasChanged) as refusal:
        messages.error(request, str(refusal))
    else:
        actions.render_at_once(printout)
    return redirect("distribution:distribution", company_id, distribution_id)


@require_POST
def printout_file(request: HttpRequest, company_id, file_id) -> HttpResponse:
    """One file of a printout."""
    relay = distributing(request, company_id)
    files = PrintoutFile.objects.in_sight_of(relay).with_tickets().select_related("printout__act__product__event")
    file = get_object_or_404(files, public_id=file_id)
    if answer := prepared_anew(request, relay, file.printout, file):
        return answer
    whole = file.quantity == file.printout.quantity
    return download(
        content_of(file), file_name(_("tickets"), event_of(file.printout), ".pdf" if whole else f"-{file.first}-{file.last}.pdf")
    )


@require_POST
def printout_zip(request: HttpRequest, company_id, printout_id) -> HttpResponse:
    """All files of a printout in one."""
    relay = distributing(request, company_id)
    printouts = Printout.objects.in_sight_of(relay).select_related("act__product__event")
    printout = get_object_or_404(printouts, public_id=printout_id)
    files = list(printout.files.with_tickets().order_by("first"))
    if not files:
        raise Http404
    if answer := prepared_anew(request, relay, printout):
        return answer
    archive, name = io.BytesIO(), event_of(printout)
    with zipfile.ZipFile(archive, "w") as packed:  # PDF is compressed already
        for file in files:
            packed.writestr(file_name(_("tickets"), name, f"-{file.first:04}-{file.last:04}.pdf"), content_of(file))
    return download(archive.getvalue(), file_name(_("tickets"), name, ".zip"), "application/zip")


def prepared_anew(request: HttpRequest, relay: Relay, printout: Printout, file: PrintoutFile | None = None) -> HttpResponse | None:
    """Back to the act with a word, when tickets of the files have changed since: nobody is given a dead one."""
    changed = actions.check_files(relay=relay, printout=printout, file=file)
    if not changed:
        return None
    actions.render_at_once(printout)
    sentence = ngettext(
        "%(count)d ticket has been reclaimed, renamed or used since: the file is prepared anew without it.",
        "%(count)d tickets have been reclaimed, renamed or used since: the file is prepared anew without them.",
        changed,
    )
    messages.error(request, sentence % {"count": changed})
    return redirect("distribution:distribution", relay.company.public_id, printout.act.public_id)


def content_of(file: PrintoutFile) -> bytes:
    """Read when it is given, one file at a time; 404 when it is not rendered yet, or no longer kept."""
    content = PrintoutFile.objects.filter(pk=file.pk).values_list("content", flat=True).first()
    if not content:
        raise Http404
    return bytes(content)


def event_of(printout: Printout) -> str:
    return printout.act.product.event.name


@require_POST
def cancel_printout(request: HttpRequest, company_id, printout_id) -> HttpResponse:
    """Stop preparing files that nobody wants any more."""
    relay = distributing(request, company_id)
    printout = get_object_or_404(Printout.objects.in_sight_of(relay).select_related("act"), public_id=printout_id)
    if actions.cancel_printout(relay=relay, printout=printout):
        messages.success(request, _("The files are no longer prepared. The tickets stay handed over: print them again, or reclaim them."))
    else:
        messages.error(request, _("The files are ready: there is nothing left to stop."))
    return redirect("distribution:distribution", company_id, printout.act.public_id)
