"""The gate's page. All of it works without JavaScript; with it the page becomes the scanner (static/js/gate)."""

import uuid
from functools import wraps

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from control import actions, limits, scanner, stock, verdicts
from control.access import device_of
from control.conflicts import of as conflicts_of
from control.entries import curve_of
from control.errors import NoPairing, NotForThisDevice
from control.forms import CodeForm, FoundForm, PairingForm, ScanForm, SearchForm
from control.models import Device, Scan
from control.pages import COOKIE, gate_page
from portal.htmx import is_htmx, live_part
from tickets.models import Ticket

KEPT_FOR = 60 * 24 * 3600  # longer than any device is in force: the server alone says whether it is


def for_a_device(right: str):
    """A page for the device that this browser is, with this right; another browser is sent to be paired."""

    def decorate(view):
        @wraps(view)
        def guarded(request: HttpRequest, *args, **kwargs) -> HttpResponse:
            device = device_of(request.COOKIES.get(COOKIE, ""))
            if device is None:
                return redirect("gate")
            if not getattr(device, right):
                raise NotForThisDevice
            limits.spend(device.pk)
            return view(request, device, *args, **kwargs)

        return login_not_required(guarded)

    return decorate


@login_not_required
@require_http_methods(["GET", "POST"])
@gate_page
def gate(request: HttpRequest) -> HttpResponse:
    """The scan page: a field that hand-held scanners type into, the camera, and a verdict as large as the screen."""
    device = device_of(request.COOKIES.get(COOKIE, ""))
    if device is None:
        return render(request, "control/pair.html", {"form": PairingForm(initial={"code": request.GET.get("code", "")[:40]})})
    if request.method == "POST":
        limits.spend(device.pk)
        return render(request, "control/gate.html", shown(device, scanned(device, request)))
    page = render(request, "control/gate.html", shown(device, None))
    page["X-Gate"] = "paired"  # this one the browser may keep, to open it without network
    return page


def scanned(device: Device, request: HttpRequest) -> Scan | None:
    """The scan of what was typed, or of the ticket that was found; None when nothing was."""
    code, found = CodeForm(request.POST), FoundForm(request.POST)
    if not device.may_scan:
        raise NotForThisDevice
    if code.is_valid():
        return actions.scan(device=device, code=code.cleaned_data["code"], client_id=code.cleaned_data["scan_id"])
    if device.may_search and found.is_valid():
        return actions.scan_number(device=device, number=found.cleaned_data["ticket"], client_id=found.cleaned_data["scan_id"])
    return None


def shown(device: Device, scan: Scan | None, admitted: int = 0) -> dict:
    """What the page shows; `admitted` more have just come in with the group of the scan."""
    figures = stock.figures(device.gate.event)
    context = {
        "device": device,
        "event": device.gate.event,
        "scanner": scanner.settings_of(device),
        "words": scanner.words(),
        "form": CodeForm(initial={"scan_id": uuid.uuid4()}),
        "figures": figures,
        "here": next(gate for gate in figures["gates"] if gate["name"] == device.gate.name),
        "conflicts": Scan.objects.of_event(device.gate.event).conflicts().count() if device.may_manage else 0,
        "scan": scan,
    }
    if scan:
        verdicts.informed([scan], device)
        look = {"": "enter", "replaced": "replaced"}.get(scan.reason, "used")
        context |= {
            "look": "used" if scan.undone_at else look,
            "title": verdicts.title(scan),
            "sentence": verdicts.sentence(scan),
            "group": actions.group_of(scan).count(),
            "with_it": admitted,
        }
    return context


@login_not_required
@require_POST
@gate_page
def pair(request: HttpRequest) -> HttpResponse:
    """Make this browser the device that waits for the code."""
    form = PairingForm(request.POST)
    if form.is_valid():
        limits.spend(get_adapter().get_client_ip(request), limits.A_GUESS)
        try:
            _device, token = actions.pair(code=form.cleaned_data["code"])
        except NoPairing as refusal:
            form.add_error("code", str(refusal))
        else:
            response = redirect("gate")
            response.set_cookie(COOKIE, token, max_age=KEPT_FOR, secure=settings.SECURE_COOKIES, httponly=True, samesite="Strict")
            return response
    return render(request, "control/pair.html", {"form": form}, status=422)


@login_not_required
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    response = redirect("gate")
    response.delete_cookie(COOKIE, samesite="Strict")
    return response


@require_http_methods(["GET", "POST"])
@for_a_device("may_search")
def search(request: HttpRequest, device: Device) -> HttpResponse:
    """A lost ticket, by its number or by the name of its bearer: in the device's event alone."""
    form = SearchForm(request.POST if request.method == "POST" else None)
    found: list[Ticket] = []
    if form.is_valid():
        words = form.cleaned_data["words"].strip()
        if words.isdigit() and len(words) < 15:
            found = list(Ticket.objects.filter(event=device.gate.event_id, number=int(words)).for_list())
        else:
            found = actions.search(device=device, words=words)
    rows = [(ticket, FoundForm(initial={"ticket": ticket.number, "scan_id": uuid.uuid4()}, auto_id=False)) for ticket in found]
    context = {"device": device, "form": form, "rows": rows, "asked": form.is_bound and not form.errors}
    return render(request, "control/search.html", context, status=422 if form.errors else 200)


@require_POST
@gate_page
@for_a_device("may_manage")
def undo(request: HttpRequest, device: Device) -> HttpResponse:
    """Take back an admission of the device's event; the page shows it."""
    form = ScanForm(request.POST)
    if not form.is_valid():
        raise Http404
    found = Scan.objects.of_event(device.gate.event).admission(form.cleaned_data["scan_id"])
    return render(request, "control/gate.html", shown(device, actions.undo(scan=found.pk, device=device)))


@require_POST
@gate_page
@for_a_device("may_scan")
def group(request: HttpRequest, device: Device) -> HttpResponse:
    """Admit the other tickets of the person who has just come in."""
    form = ScanForm(request.POST)
    if not form.is_valid():
        raise Http404
    (first,) = verdicts.informed([device.scans.admission(form.cleaned_data["scan_id"])], device)
    others = actions.admit_group(scan=first)
    return render(request, "control/gate.html", shown(device, first, sum(scan.verdict == Scan.Verdict.ADMITTED for scan in others)))


@require_GET
@for_a_device("may_manage")
def entries(request: HttpRequest, device: Device) -> HttpResponse:
    """For the door manager: how many come in by the minute, asked again every few seconds; a 304 where nobody has come since."""
    context = curve_of(device.gate.event) | {"device": device, "again": reverse("gate_entries")}
    live = is_htmx(request)
    answer = live_part(request, "control/_entries.html", context) if live else render(request, "control/entries.html", context)
    answer["Vary"] = "HX-Request"
    return answer


@require_GET
@for_a_device("may_manage")
def conflicts(request: HttpRequest, device: Device) -> HttpResponse:
    """For the door manager: who came in though the portal says no, and who came in by the same ticket, first by time."""
    return render(request, "control/conflicts.html", {"device": device, "conflicts": conflicts_of(device.gate.event)})
