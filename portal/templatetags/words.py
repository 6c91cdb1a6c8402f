"""Dates, money and typography as people write them, in French and in English."""

import re
from decimal import Decimal
from unicodedata import east_asian_width
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal
from django import template
from django.utils import timezone, translation
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from portal.text import folded

register = template.Library()

NARROW, WIDE = "\u202f", "\u00a0"


def language() -> str:
    return (translation.get_language() or "fr")[:2]


@register.filter
def typo(text: str) -> str:
    """French spacing on a text (never on tags): thin before ; ! ?, wide before : and inside « », ’ for '."""
    text = str(text)
    if language() != "fr":
        return text
    text = re.sub(r"(?<=\w)'(?=\w)", "\u2019", text)
    text = re.sub(r"[ \u00a0\u202f]+([;!?])", NARROW + r"\1", text)
    text = re.sub(r"[ \u00a0\u202f]+([:»])", WIDE + r"\1", text)
    text = re.sub(r"«[ \u00a0\u202f]*", "«" + WIDE, text)
    return re.sub(r"\b(n°|\d+) (?=\d|h\b|€|%)", r"\1" + WIDE, text)


@register.filter
def ordinals(text: str) -> SafeString:
    """The endings of French ordinals raised: 14e, 1re. The last filter on a text, as it makes markup."""
    escaped = conditional_escape(text)
    return mark_safe(re.sub(r"\b(\d+)(er|re|e|es)\b", r"\1<sup>\2</sup>", escaped))  # noqa: S308  (escaped just above)


@register.filter
def marked(text: str, words: str) -> SafeString:
    """The text with the letters that a search has found: the starts of its words, whatever their case and accents."""
    starts = folded(words).split()
    pieces = []
    for word in re.split(r"(\w+)", str(text)):
        length = max((found(word, start) for start in starts), default=0)
        pieces.append(format_html("<mark>{}</mark>{}", word[:length], word[length:]) if length else conditional_escape(word))
    return mark_safe("".join(pieces))  # noqa: S308  (each piece is escaped just above)


def found(word: str, start: str) -> int:
    """How many letters of the word hold this start; 0 when it does not start so."""
    return next((n for n in range(1, len(word) + 1) if folded(word[:n]).startswith(start)), 0) if folded(word).startswith(start) else 0


@register.filter
def day(value, zone: str = "") -> str:
    """vendredi 27 novembre / Friday 27 November; with its year when that is not the present one."""
    value = local(value, zone)
    year = "" if value.year == timezone.localdate().year else " y"
    text = format_date(value, f"EEEE d MMMM{year}", locale=language())
    return tie(text)


@register.filter
def full_day(value, zone: str = "") -> str:
    """vendredi 27 novembre 2026, for what is printed."""
    return tie(format_date(local(value, zone), "EEEE d MMMM y", locale=language()))


@register.filter
def short_day(value, zone: str = "") -> str:
    """27 novembre / 27 November."""
    return tie(format_date(local(value, zone), "d MMMM", locale=language()))


@register.filter
def weekday(value, zone: str = "") -> str:
    return format_skeleton("E", local(value, zone), locale=language())


@register.filter
def daynumber(value, zone: str = "") -> int:
    return local(value, zone).day


@register.filter
def month(value, zone: str = "") -> str:
    return format_date(local(value, zone), "MMMM", locale=language())


@register.filter
def monthyear(value) -> str:
    """novembre 2026 / November 2026."""
    return format_date(value, "MMMM y", locale=language())


@register.filter
def hour(value, zone: str = "") -> str:
    """20 h 45 and 20 h / 8:45 pm."""
    value = local(value, zone)
    if language() == "fr":
        return f"{value.hour}{WIDE}h" + (f"{WIDE}{value.minute:02}" if value.minute else "")
    return f"{(value.hour - 1) % 12 + 1}:{value.minute:02}{WIDE}{'am' if value.hour < 12 else 'pm'}"


@register.filter
def moment(value, zone: str = "") -> str:
    """vendredi 27 novembre à 20 h / Friday 27 November at 8:00 pm."""
    at = f" à{WIDE}" if language() == "fr" else " at "
    return f"{day(value, zone)}{at}{hour(value, zone)}"


@register.filter
def local(value, zone: str = ""):
    """An instant in the zone given, else in the seller's."""
    if not hasattr(value, "tzinfo"):
        return value
    return timezone.localtime(value, ZoneInfo(zone) if zone else None)


@register.filter
def number(value: int) -> str:
    if type(value) is int and 0 <= value < 1000:  # the same in each language: a tree of a thousand structures has six thousand
        return str(value)
    return format_decimal(value, locale=language())


@register.filter
def euros(value: Decimal) -> str:
    """38,00 € / €38.00"""
    return format_currency(value, "EUR", locale=language())


@register.filter
def unit_euros(value: Decimal) -> str:
    """36,0190 €: a price of one without VAT, which may have more than two decimals."""
    return format_currency(value, "EUR", "#,##0.0000 ¤" if language() == "fr" else "¤#,##0.0000", locale=language(), currency_digits=False)


@register.filter
def numeric_day(value, zone: str = "") -> str:
    """27/11/2026, for the column of a document."""
    return format_date(local(value, zone), "dd/MM/y", locale=language())


@register.filter
def sentence(text: str) -> str:
    """The same with a capital first letter: days and months have none of their own in French."""
    text = str(text)
    return text[:1].upper() + text[1:]


def tie(text: str) -> str:
    """A day and its month stay on one line."""
    return re.sub(r"(\d+) (?=\w)", r"\1" + WIDE, text)


@register.simple_tag
def query(request, **changes) -> SafeString:
    """The page's own query string with some values changed; None removes one."""
    values = request.GET.copy()
    for name, value in changes.items():
        if value is None:
            values.pop(name, None)
        else:
            values[name] = value
    return SafeString("?" + values.urlencode())


@register.filter
def sheets(names: str) -> list[str]:
    """The paths of these style sheets."""
    return [f"css/{name}.css" for name in names.split()]


@register.filter
def split(text: str) -> list[str]:
    return text.split()


@register.filter
def clock(value, zone: str = "") -> str:
    """15 h 42 min 10 s is too much for an hour and too little for a wait: 15:42:10."""
    return f"{local(value, zone):%H:%M:%S}"


@register.filter
def longweekday(value, zone: str = "") -> str:
    return format_date(local(value, zone), "EEEE", locale=language())


@register.filter
def decimal(value: Decimal) -> str:
    return format_decimal(value, locale=language())


@register.filter
def size(text, limits: str) -> str:
    """The class of a text too long for its place: nothing is measured, nothing is ever cut."""
    length = sum(2 if east_asian_width(c) in "WF" else 1 for c in str(text))
    passed = sum(length > int(limit) for limit in limits.split())
    return ["", "long", "longer", "longest"][passed]
