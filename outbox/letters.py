"""How every email is written: one HTML page, one text, links from settings."""

import html
import re

from django.conf import settings
from django.core import signing
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language

from outbox.kinds import Letter
from portal.colours import house


def letter(name: str, context: dict) -> Letter:
    """The email `templates/email/<name>.*`, in the language in force. Expects a seller in the context."""
    colours = house(context["seller"].accent)["light"]
    context = {**context, "accent": colours["accent"], "on_accent": colours["on-accent"], "LANGUAGE_CODE": get_language()}
    subject = render_to_string(f"email/{name}.subject.txt", context)
    subject = re.sub(r"[ \r\n]+", " ", html.unescape(subject)).strip()  # one line; the spaces of French stay
    text = html.unescape(render_to_string(f"email/{name}.txt", context))
    page = render_to_string(f"email/{name}.html", {**context, "subject": subject})
    return Letter(
        subject=subject,
        text=re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
        html=page,
        sender=context.get("sender") or str(context["seller"]),
    )


def absolute(url: str) -> str:
    """A link to the portal, from its settings and never from a request."""
    return settings.PUBLIC_BASE_URL.rstrip("/") + url


def login_link(address: str, to: str) -> str:
    """A link that leads to the login with the address filled in, then to a page; it never logs in."""
    return absolute(login_path(address, to))


def login_path(address: str, to: str) -> str:
    """The same within the portal. The address is in the link's signed part: nobody else can fill in another one."""
    return f"{reverse('account_request_login_code')}?{urlencode({'for': signing.dumps(address, salt='login'), 'next': to})}"


def address_in(link_part: str) -> str:
    """The address that a link to the login was signed for, or nothing."""
    try:
        return signing.loads(link_part, salt="login")
    except signing.BadSignature:
        return ""
