import uuid

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from control import actions, verdicts
from control.access import device_of
from control.forms import CodeForm, TokenForm
from control.models import Device, Scan
from tickets.models import Ticket

COOKIE = "__Host-gate" if settings.SECURE_COOKIES else "gate"
A_DAY = 24 * 3600


@login_not_required
@require_http_methods(["GET", "POST"])
def gate(request: HttpRequest) -> HttpResponse:
    """The scan page: a field that hand-held scanners type into, and a verdict as large as the screen."""
    device = device_of(request.COOKIES.get(COOKIE, ""))
    if device is None:
        return render(request, "control/pair.html", {"form": TokenForm()})
    scan = None
    if request.method == "POST":
        form = CodeForm(request.POST)
        if form.is_valid():
            reading = {"code": form.cleaned_data["code"], "client_id": form.cleaned_data["scan_id"]}
            scan = verdicts.informed(actions.scan(device=device, **reading), device)
    return render(request, "control/gate.html", shown(device, scan))


def shown(device: Device, scan: Scan | None) -> dict:
    tickets = Ticket.objects.filter(event=device.gate.event).standing()
    context = {
        "device": device,
        "event": device.gate.event,
        "form": CodeForm(initial={"scan_id": uuid.uuid4()}),
        "inside": tickets.filter(status="checked").count(),
        "expected": tickets.exclude(status="available").count(),
        "scan": scan,
    }
    if scan:
        look = {"": "enter", "replaced": "replaced"}.get(scan.reason, "used")
        context |= {"look": look, "title": verdicts.title(scan), "sentence": verdicts.sentence(scan)}
    return context


@login_not_required
@require_POST
def pair(request: HttpRequest) -> HttpResponse:
    """Keep the token that staff gave in this browser, for a day."""
    form = TokenForm(request.POST)
    if not form.is_valid() or device_of(form.cleaned_data["token"].strip()) is None:
        if form.is_valid():
            form.add_error("token", _("No device has this token, or it was revoked. Ask the staff for a new one."))
        return render(request, "control/pair.html", {"form": form}, status=422)
    response = redirect("gate")
    token = form.cleaned_data["token"].strip()
    response.set_cookie(COOKIE, token, max_age=A_DAY, secure=settings.SECURE_COOKIES, httponly=True, samesite="Strict")
    return response


@login_not_required
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    response = redirect("gate")
    response.delete_cookie(COOKIE, samesite="Strict")
    return response
