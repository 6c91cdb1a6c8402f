"""Figures and lists as CSV that a spreadsheet opens without running anything."""

import csv
import io
import re
from collections.abc import Iterable

SIGNS = "-=+@\uff1d\uff0b\uff0d\uff20"
# Where a formula would begin: at the start of a text, and after what a spreadsheet set to another language takes for the
# end of a cell, although this file parts its cells with semicolons.
FORMULA = re.compile(rf"\A(?=[ \u00a0]*[{SIGNS}\t\r\n])|(?<=[,\t\r\n])(?=[{SIGNS}])")


def safe(value) -> str:
    """A cell that is never a formula (OWASP ASVS 1.2.10): a text that starts like one gets an apostrophe."""
    if isinstance(value, int):
        return str(value)
    return FORMULA.sub("'", str(value).replace("\0", ""))


def csv_text(rows: Iterable[Iterable]) -> str:
    """Rows as CSV: with the mark that makes Excel read UTF-8, and semicolons as French spreadsheets expect."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerows([safe(value) for value in row] for row in rows)
    return "\ufeff" + text.getvalue()
