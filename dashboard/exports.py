"""Figures and lists as CSV that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable

DANGEROUS = "=+-@\t\r\n\0\uff1d\uff0b\uff0d\uff20"


def safe(value) -> str:
    """A cell that is never a formula (OWASP ASVS 1.2.10): a text that starts like one gets an apostrophe."""
    if isinstance(value, int):
        return str(value)
    text = str(value).replace("\0", "")
    return f"'{text}" if text.lstrip(" \u00a0")[:1] in DANGEROUS and text.strip() else text


def csv_text(rows: Iterable[Iterable]) -> str:
    """Rows as CSV: with the mark that makes Excel read UTF-8, and semicolons as French spreadsheets expect."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerows([safe(value) for value in row] for row in rows)
    return "\ufeff" + text.getvalue()
