"""Lists as spreadsheets write them, read and written: CSV that opens without running anything, pasted text, workbooks."""

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Sequence

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from portal.errors import Refused

MOST_BYTES = 5_000_000
MOST_UNPACKED = 100_000_000
MOST_ROWS, MOST_COLUMNS = 5_000, 30
Rows = list[list[str]]

SIGNS = "-=+@\uff1d\uff0b\uff0d\uff20"
# Where a formula would begin: at the start of a text, and after what a spreadsheet set to another language takes for the
# end of a cell, although this file parts its cells with semicolons.
FORMULA = re.compile(rf"\A(?=[ \u00a0]*[{SIGNS}\t\r\n])|(?<=[,\t\r\n])(?=[{SIGNS}])")
MADE_SAFE = re.compile(rf"\A'(?=[ \u00a0]*[{SIGNS}\t\r\n])|(?<=[,\t\r\n])'(?=[{SIGNS}])")


class Unreadable(Refused):
    code = "unreadable_list"


def rows_of_file(file: UploadedFile) -> Rows:
    """The rows of a CSV file, or of the first sheet with any of a workbook. Unreadable says what to do instead."""
    if (file.size or 0) > MOST_BYTES:
        raise Unreadable(_("This file is larger than 5 MB: keep one sheet with names, addresses and numbers."))
    content = file.read()
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return tidy(rows_of_workbook(content))
    if content.startswith(b"%PDF") or (b"\x00" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise Unreadable(_("This is not a list. Save it as CSV, XLSX or ODS, then choose it again."))
    return rows_of_text(decoded(content))


def decoded(content: bytes) -> str:
    """As Unicode where it says so or can be, else as the Windows of western Europe that older Excels write."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def rows_of_text(text: str) -> Rows:
    """Rows typed, pasted from a spreadsheet, or of a CSV file: the separator is the one that the first lines have most."""
    head = text[:4000]
    separator = max("\t;,", key=head.count)
    try:
        return tidy(list(csv.reader(io.StringIO(text, newline=""), delimiter=separator)))
    except csv.Error as error:
        raise Unreadable(_("This is not a list. Save it as CSV, XLSX or ODS, then choose it again.")) from error


def rows_of_workbook(content: bytes) -> Rows:
    try:
        if content.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                if sum(part.file_size for part in archive.infolist()) > MOST_UNPACKED or len(archive.infolist()) > 2000:
                    raise Unreadable(_("This file unpacks to far more than a list. Save the sheet alone as CSV."))
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            if rows := book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=MOST_ROWS + 50):
                return [[written(cell) for cell in row] for row in rows]
    except PasswordError as error:
        raise Unreadable(_("This file has a password. Save it without one, then choose it again.")) from error
    except (CalamineError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise Unreadable(_("This file cannot be opened. Save it as CSV, then choose it again.")) from error
    return []


def written(cell) -> str:
    """A cell as people read it: 2 and not 2.0."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def tidy(rows: Sequence[Sequence[str]]) -> Rows:
    """Rows with anything in them, their cells on one line; the columns that nobody filled left out."""
    kept = [[" ".join(cell.replace("\x00", "").split()) for cell in row[:MOST_COLUMNS]] for row in rows]
    kept = [row for row in kept if any(row)]
    if not kept:
        raise Unreadable(_("This list is empty: give one row to each person."))
    if len(kept) > MOST_ROWS + 20:
        raise Unreadable(_("This list has more than 5,000 rows: cut it in two."))
    width = max(len(row) for row in kept)
    kept = [row + [""] * (width - len(row)) for row in kept]
    filled = [column for column in range(width) if any(row[column] for row in kept)]
    return [[row[column] for column in filled] for row in kept]


def as_text(rows: Rows) -> str:
    """The rows as they are shown to be corrected, and read again by `rows_of_text`."""
    text = io.StringIO()
    csv.writer(text, delimiter="\t", lineterminator="\n").writerows(rows)
    return text.getvalue()


def safe(value) -> str:
    """A cell that is never a formula (OWASP ASVS 1.2.10): a text that starts like one gets an apostrophe."""
    if isinstance(value, int):
        return str(value)
    return FORMULA.sub("'", str(value).replace("\0", ""))


def plain(cell: str) -> str:
    """What `safe` was given: the apostrophes that it adds are taken off again."""
    return MADE_SAFE.sub("", cell)


def csv_text(rows: Iterable[Iterable]) -> str:
    """Rows as CSV: with the mark that makes Excel read UTF-8, and semicolons as French spreadsheets expect."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerows([safe(value) for value in row] for row in rows)
    return "\ufeff" + text.getvalue()
