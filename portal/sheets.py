"""Lists as spreadsheets write them, read and written: CSV that opens without running anything, pasted text, workbooks."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from django.core.files.uploadedfile import UploadedFile
from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.text import slugify
from django.utils.translation import gettext as _

from portal.errors import Refused
from portal.templatetags.words import number
from portal.uploads import MOST_BYTES, TOO_LARGE
from portal.workbook import CannotRead, Sheet, read_workbook, workbook_pieces

MOST_ROWS, MOST_COLUMNS = 5_000, 30
ABOVE = 20  # rows of title and headings that may stand above the people
MOST_LETTERS = 400  # in a row, on average: what a form can send back to be corrected
Rows = list[list[str]]
BLANK: list[str] = []

SIGNS = "-=+@\uff1d\uff0b\uff0d\uff20"
# Where a formula would begin: at the start of a text, and after what a spreadsheet set to another language takes for the
# end of a cell, although this file parts its cells with semicolons.
FORMULA = re.compile(rf"\A(?=[ \u00a0]*[{SIGNS}\t\r\n])|(?<=[,\t\r\n])(?=[{SIGNS}])")
MADE_SAFE = re.compile(rf"\A'(?=[ \u00a0]*[{SIGNS}\t\r\n])|(?<=[,\t\r\n])'(?=[{SIGNS}])")


class Unreadable(Refused):
    code = "unreadable_list"


def rows_of_file(file: UploadedFile) -> Rows:
    return sheet_of_file(file).rows


def sheet_of_file(file: UploadedFile, most: int = MOST_ROWS) -> Sheet:
    """The rows of a CSV file, or of the first sheet with any of a workbook. Unreadable says what to do instead."""
    if (file.size or 0) > MOST_BYTES:
        raise Unreadable(TOO_LARGE)
    content = file.read()
    if content.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return sheet_of_workbook(content, most)
    if content.startswith(b"%PDF") or b"\x00" in content and not is_utf_16(content):
        raise Unreadable(_("This is not a list. Save it as CSV, XLSX or ODS, then choose it again."))
    return Sheet(rows_of_text(decoded(content), most))


def is_utf_16(content: bytes) -> bool:
    """With its mark, or with a zero beside most letters, as Latin letters have."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    head = content[:4000]
    return max(head[0::2].count(0), head[1::2].count(0)) > len(head) * 0.4


def decoded(content: bytes) -> str:
    """As Unicode where it says so or can be, else as older spreadsheets write: Windows of western Europe, or Mac.

    Of these two, the one in which more bytes are small letters of French.
    """
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    if b"\x00" in content:
        return content.decode("utf-16-le" if content[1::2].count(0) > content[0::2].count(0) else "utf-16-be", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        windows, mac = (content.decode(encoding, errors="replace") for encoding in ("cp1252", "mac-roman"))
        return max(windows, mac, key=lambda text: sum(text.count(letter) for letter in "éèêëàâçôîïûùœ"))


def rows_of_text(text: str, most: int = MOST_ROWS) -> Rows:
    """Rows typed, pasted from a spreadsheet, or of a CSV file: parted by tabs if the first is, else by what is there most."""
    head = text[:4000]
    first = next((line for line in head.splitlines() if line), "")
    separator = "\t" if "\t" in first else max("\t;,", key=head.count)
    try:
        return tidy(csv.reader(io.StringIO(text, newline=""), delimiter=separator), most)
    except csv.Error as error:
        raise Unreadable(_("This is not a list. Save it as CSV, XLSX or ODS, then choose it again.")) from error


def sheet_of_workbook(content: bytes, most: int) -> Sheet:
    try:
        sheet = read_workbook(content, most_rows=most + ABOVE + 1, most_columns=MOST_COLUMNS)
    except CannotRead as error:
        sentences = {
            "password": _("This file has a password. Save it without one, then choose it again."),
            "numbers": _("This is a file of Numbers. Export it from there as Excel or CSV, then choose it again."),
            "too much": _("This file unpacks to far more than a list. Save the sheet alone as CSV."),
            "unreadable": _("This file cannot be opened. Save it as CSV, then choose it again."),
        }
        raise Unreadable(sentences[error.why]) from error
    return Sheet(tidy(sheet.rows, most), sheet.name, sheet.others)


def tidy(rows: Iterable[list[str]], most: int) -> Rows:
    """The rows down to the last with anything in it, cells on one line, without the columns that nobody filled.

    Empty rows in between stay, so that a row has the same number here as in the file.
    """
    kept: Rows = []
    filled = last = letters = 0
    for row in rows:
        cells = [" ".join(cell.replace("\x00", "").split()) for cell in row[:MOST_COLUMNS]]
        letters += sum(map(len, cells)) + len(cells)
        if any(cells):
            filled, last = filled + 1, len(kept) + 1
        kept.append(cells if any(cells) else BLANK)
        if filled > most + ABOVE or len(kept) > last + 10 * most:
            break
    if not filled:
        raise Unreadable(_("This list is empty: give one row to each person."))
    if filled > most + ABOVE:
        raise Unreadable(_("This list has more than %(count)s rows: cut it in two.") % {"count": number(most)})
    if letters > MOST_LETTERS * most:
        raise Unreadable(_("This file holds far more text than a list: keep the columns with names, addresses and numbers."))
    del kept[last:]
    columns = [column for column in range(max(map(len, kept))) if any(len(row) > column and row[column] for row in kept)]
    return [[row[column] if column < len(row) else "" for column in columns] for row in kept]


def as_text(rows: Rows) -> str:
    """The rows as they are shown to be corrected, and read again by `rows_of_text`."""
    text = io.StringIO()
    alone = bool(rows) and len(rows[0]) == 1  # a lone column has no tab to part it by
    csv.writer(text, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_ALL if alone else csv.QUOTE_MINIMAL).writerows(rows)
    return text.getvalue()


def safe(value) -> str:
    """A cell that is never a formula (OWASP ASVS 1.2.10): a text that starts like one gets an apostrophe."""
    if isinstance(value, int):
        return str(value)
    return FORMULA.sub("'", str(value).replace("\0", ""))


def plain(cell: str) -> str:
    """What `safe` was given: the apostrophes that it adds are taken off again."""
    return MADE_SAFE.sub("", cell)


def csv_pieces(rows: Iterable[Iterable]) -> Iterator[str]:
    """Rows as CSV, row by row: with the mark that makes Excel read UTF-8, and semicolons as French spreadsheets expect."""
    text = io.StringIO("\ufeff")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, delimiter=";")
    for row in rows:
        writer.writerow([safe(value) for value in row])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def csv_text(rows: Iterable[Iterable]) -> str:
    """The same in one piece."""
    return "".join(csv_pieces(rows))


def as_file(rows: Iterable[Sequence], name: str, kind: str) -> StreamingHttpResponse:
    """Rows as a file to download, CSV or XLSX, that leaves as they come: of whatever size, it takes no more memory."""
    if kind == "xlsx":
        pieces, content_type = workbook_pieces(rows, sheet=name), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    else:
        pieces, content_type = (piece.encode() for piece in csv_pieces(rows)), "text/csv; charset=utf-8"
    headers = {"Content-Disposition": f'attachment; filename="{slugify(name)[:60] or "relais"}.{kind}"'}
    return StreamingHttpResponse(in_the_language_of_now(pieces), content_type=content_type, headers=headers)


def in_the_language_of_now(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """They are made after the view has answered, when the language of its page is no longer set."""
    chosen = translation.get_language()

    def told() -> Iterator[bytes]:
        with translation.override(chosen):
            yield from pieces

    return told()
