"""Workbooks of a spreadsheet: read in a process of their own, and written."""

import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

READER = Path(__file__).with_name("read_workbook.py")
PATIENCE = 20  # seconds for a process that may use one of the processor


@dataclass
class Sheet:
    """Rows of text, and which sheet of a workbook they were on, with others beside it."""

    rows: list[list[str]] = field(default_factory=list)
    name: str = ""
    others: list[str] = field(default_factory=list)


class CannotRead(Exception):
    """`why`: password, numbers (Apple's), too much, or unreadable."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


def read_workbook(content: bytes, *, most_rows: int, most_columns: int) -> Sheet:
    """The first visible sheet with anything in it, of an XLSX, XLS or ODS file whoever made it."""
    argv = [sys.executable, "-I", str(READER), str(most_rows), str(most_columns)]
    try:
        done = subprocess.run(argv, input=content, capture_output=True, timeout=PATIENCE, env={}, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise CannotRead("too much") from error
    if done.returncode:  # it passed a limit: the system, or the library, ended it
        raise CannotRead("too much")
    answer = json.loads(done.stdout)
    if why := answer.get("refused"):
        raise CannotRead(why)
    return Sheet(answer["rows"], answer.get("sheet", ""), answer.get("others", []))


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
    'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{LINKS}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{LINKS}/styles" Target="styles.xml"/></Relationships>',
    # Two styles: plain, and bold for the headings. Both are text (49), so that a number typed in stays as typed.
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/>'
    '<name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
}
UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # what XML has no way to say


class Pipe(io.RawIOBase):
    """What a zip file is written to, taken away piece by piece: nothing of it is kept."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self.pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        taken, self.pieces = b"".join(self.pieces), []
        return taken


def workbook_pieces(rows: Iterable[Sequence], *, sheet: str, widths: Sequence[int] = ()) -> Iterator[bytes]:
    """Rows as XLSX, piece by piece as they come: the first are headings that stay in sight, numbers are numbers, all else is
    text and never a formula.

    A column with a width of nothing is hidden.
    """
    columns = "".join(
        f'<col min="{n}" max="{n}" width="{width or 9}" hidden="{int(not width)}" customWidth="1"/>' for n, width in enumerate(widths, 1)
    )
    view = '<sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView>'
    book = f'<sheets><sheet name="{name_of(sheet)}" sheetId="1" r:id="r1"/></sheets></workbook>'
    parts = PARTS | {"xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{book}'}
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, HEAD + content)
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            wide = f"<cols>{columns}</cols>" if columns else ""
            part.write(f'{HEAD}<worksheet xmlns="{MAIN}"><sheetViews>{view}</sheetViews>{wide}<sheetData>'.encode())
            for number, row in enumerate(rows, 1):
                part.write(row_of(number, row).encode())
                if pipe.pieces:
                    yield pipe.taken()
            part.write(b"</sheetData></worksheet>")
    yield pipe.taken()


def write_workbook(rows: Iterable[Sequence], *, sheet: str, widths: Sequence[int]) -> bytes:
    """The same in one piece."""
    return b"".join(workbook_pieces(rows, sheet=sheet, widths=widths))


def row_of(number: int, row: Sequence) -> str:
    style = 1 if number == 1 else 0
    cells = []
    for at, value in enumerate(row):
        place = f'r="{chr(65 + at)}{number}" s="{style}"'
        if isinstance(value, int | Decimal):
            cells.append(f'<c r="{chr(65 + at)}{number}"><v>{value}</v></c>')
        elif value:
            cells.append(f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(UNWRITABLE.sub("", str(value)))}</t></is></c>')
        else:
            cells.append(f"<c {place}/>")
    return f'<row r="{number}">{"".join(cells)}</row>'


def name_of(sheet: str) -> str:
    """A name that a spreadsheet takes: 31 characters, none of those it keeps for itself."""
    return escape(UNWRITABLE.sub("", re.sub(r"[\[\]:*?/\\]", " ", sheet))[:31].strip(" '"), {'"': "&quot;"}) or "1"
