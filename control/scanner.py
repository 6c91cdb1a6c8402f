"""The scanner as an installable app: its words, its settings, its service worker and its decoder."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Seller
from control import verdicts
from control.models import Device
from control.pages import decoder_script, gate_page

MODULES = ["camera", "desk", "judge", "list", "main", "portal", "scanner", "show", "signals", "store", "verify"]
FILES = [
    *(f"js/gate/{name}.js" for name in MODULES),
    "js/relais.js",
    *(f"css/{name}.css" for name in ("fonts", "tokens", "base", "button", "field", "screens", "gate")),
    "fonts/bricolage-grotesque-latin-opsz-normal.woff2",
    "img/icon.svg",
    "vendor/zxing/share.js",
    "vendor/zxing/reader/index.js",
    "vendor/zxing/reader/zxing_reader.wasm",
    "vendor/qr/index.js",
    "vendor/qr/decode.js",
    "vendor/ed25519/index.js",
]


@lru_cache
def version() -> str:
    """Changes with any file of the scanner: the device then keeps the new ones, all or none."""
    digest = hashlib.sha256()
    for name in FILES:
        path = finders.find(name)
        assert isinstance(path, str), name
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()[:12]


def settings_of(device: Device) -> dict:
    """What the page's scripts need to know."""
    rights = (("scan", device.may_scan), ("search", device.may_search), ("manage", device.may_manage))
    return {
        "device": str(device.public_id),
        "gate": device.gate.name,
        "zone": device.gate.event.venue.zone,
        "language": get_language(),
        "may": [name for name, granted in rights if granted],
        "api": reverse("api:api-root"),
        "page": reverse("gate"),
        "decoder": reverse("gate_decoder"),
        "service": reverse("gate_service"),
    }


def words() -> dict[str, str]:
    """What the page's scripts say; {name} stands for what they fill in."""
    return {
        **{f"title_{reason}": str(title) for reason, title in verdicts.TITLES.items() if reason},
        "title_offline": _("Admitted offline"),
        "offline_admitted": _("Authentic ticket, on the list, never seen at this gate."),
        "offline_compared": _("Will be compared with the other gates when the network is back."),
        "offline_no_list": _("No network, and no list on this device: nobody can be checked here. Send the person to another gate."),
        "offline_not_listed": _("An authentic ticket, but not on the list of {list}. Send the person to the desk."),
        "offline_unknown": _(
            "This code is not one of ours: it was altered, forged or badly read. Scan it again, then send the person to the desk."
        ),
        "offline_other_event": _("This ticket is for another event."),
        "offline_too_early": _("The gates are not open yet."),
        "offline_too_late": _("The gates are closed."),
        "offline_cancelled": _("The seller has cancelled this ticket. Send the person to the desk."),
        "offline_replaced": _("A newer copy of this ticket exists: ask for it."),
        "offline_already_checked": _("Came in before {list}. Ask for an identity card or call the desk."),
        "offline_already_checked_here": _("Came in at {when}, here, gate {gate}. Ask for an identity card or call the desk."),
        "offline_not_distributed": _("On the list of {list} nobody had been given this ticket. Send the person to the desk."),
        "offline_other_gate": _("This ticket comes in by entrance {entrance}."),
        "ticket": _("Ticket {number}, copy {copy}"),
        "ready": _("Ready"),
        "ready_why": _("Show a ticket to the camera, or type its code."),
        "next": _("Next ticket"),
        "check": _("Check"),
        "offline_since": _("Offline since {when}"),
        "waiting": _("{n} to send"),
        "waiting_one": _("1 to send"),
        "list_of": _("list of {when}"),
        "no_list": _("no list on this device"),
        "clock": _("this device's clock is wrong"),
        "inside": _("{n} of {all} inside"),
        "by_gate": _("{n} of {all} by this gate"),
        "conflicts": _("{n} conflicts"),
        "conflict_one": _("1 conflict"),
        "no_camera": _("No camera"),
        "no_camera_why": _("This browser shows no camera, or was not allowed to. A scanner that types works, and the code can be typed."),
        "elsewhere": _("Open elsewhere"),
        "elsewhere_why": _("This gate is open in another tab or window of this device. Close it to scan here."),
        "not_now": _("Not possible"),
        "needs_network": _("This needs the network. Try again when it is back."),
        "not_kept": _("Not kept"),
        "not_kept_why": _("This device cannot keep the scan: its disk is full or closed to this page. Let nobody in; call the door manager."),  # noqa: E501
        "not_yet": _("Not yet"),
        "not_yet_why": _("Scans of this gate have not been sent. Keep this page open until the network is back."),
        "group": _("Admit the {n} other tickets of {name}"),
        "group_one": _("Admit the other ticket of {name}"),
        "group_in": _("With it came in, of the same person: {n}."),
    }  # fmt: skip


@login_not_required
@require_GET
@gate_page
def service(request: HttpRequest) -> HttpResponse:
    """The service worker: the list of what a device keeps to open the page without network."""
    own = [reverse("gate_decoder"), reverse("gate_app"), reverse("house")]
    accent = hashlib.sha256(Seller.objects.current().accent.encode()).hexdigest()[:6]
    context = {"version": f"{version()}-{accent}", "files": json.dumps([static(name) for name in FILES] + own)}
    return render(request, "control/service.js", context, content_type="text/javascript; charset=utf-8")


@login_not_required
@require_GET
@decoder_script
def decoder(request: HttpRequest) -> HttpResponse:
    return render(request, "control/decoder.js", content_type="text/javascript; charset=utf-8")


@login_not_required
@require_GET
def app(request: HttpRequest) -> JsonResponse:
    """What makes the page an app on the home screen."""
    seller = Seller.objects.current().name
    icons = [{"src": static(f"img/gate-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png"} for size in (192, 512)]
    shown = {
        "name": ", ".join([_("Gate"), str(seller)]),
        "short_name": _("Gate"),
        "start_url": reverse("gate"),
        "scope": reverse("gate"),
        "display": "standalone",
        "background_color": "#1E1722",
        "theme_color": "#1E1722",
        "icons": icons,
    }
    return JsonResponse(shown, content_type="application/manifest+json")
