"""The demo's inbox: every email that left, as its reader sees it. Not part of a real installation."""

import email.policy
import mailbox
import re
from datetime import datetime
from email.message import EmailMessage

from csp.constants import NONE, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET


def letters() -> mailbox.Maildir:
    return mailbox.Maildir(settings.MAILBOX_DIR, create=True, factory=None)


def read(key: str) -> EmailMessage:
    for full in letters().keys():  # noqa: SIM118  (a mailbox is not a mapping)
        if slug(full) == key:
            return email.message_from_bytes(letters().get_bytes(full), policy=email.policy.default)
    raise Http404


def arrived(key: str) -> tuple[int, int]:
    """The second and microsecond in the name of a file of a Maildir."""
    second, _dot, rest = key.partition(".")
    found = re.match(r"M(\d+)", rest)
    return int(second), int(found[1]) if found else 0


def slug(key: str) -> str:
    return re.sub(r"[^0-9A-Za-z]", "-", key)


@login_not_required
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """The latest emails, of everybody."""
    box = letters()
    newest = sorted(box.keys(), key=arrived, reverse=True)[:100]
    rows = []
    for key in newest:
        message = email.message_from_bytes(box.get_bytes(key), policy=email.policy.default)
        at = datetime.fromtimestamp(float(key.split(".")[0]), tz=None).astimezone()
        rows.append({"key": slug(key), "to": message["To"], "subject": message["Subject"], "from": message["From"], "at": at})
    return render(request, "demo/inbox.html", {"rows": rows})


@login_not_required
@require_GET
def letter(request: HttpRequest, key: str) -> HttpResponse:
    """One email: the HTML in a frame, the text below, its links clickable."""
    message = read(key)
    part = message.get_body(("plain",))
    assert part is not None
    pieces = re.split(r"(https?://[^\s<>]+)", part.get_content())
    return render(request, "demo/email.html", {"message": message, "key": key, "pieces": pieces})


@login_not_required
@require_GET
@xframe_options_sameorigin
@csp({"default-src": [NONE], "style-src": [UNSAFE_INLINE], "frame-ancestors": ["'self'"]})
def page(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML part, alone."""
    part = read(key).get_body(("html",))
    if part is None:
        raise Http404
    return HttpResponse(part.get_content().replace("<a href=", '<a target="_top" href='))
