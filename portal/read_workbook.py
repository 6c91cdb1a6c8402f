"""Run by portal/workbook.py in a process of its own: a workbook on standard input becomes rows of text as JSON.

A file of a few hundred bytes can ask for more memory than a machine has; the library that reads it then ends its process.
Here nothing is lost with it: the process may take so much memory and time, and write no file.
"""

import contextlib
import io
import json
import resource
import sys
import zipfile

MOST_MEMORY, MOST_SECONDS = 190_000_000, 1
MOST_UNPACKED, MOST_PARTS, MOST_TEXT = 100_000_000, 2000, 8_000_000
PASSWORD = "EncryptedPackage".encode("utf-16-le")


class Refused(Exception):
    pass


def limit() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # not every system has each
            resource.setrlimit(what, (most, most))


def look_at_the_directory(content: bytes) -> None:
    """What the archive says of itself, before anything is unpacked. It may lie: the limits hold then."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise Refused("too much")
        if any(part.filename.endswith((".iwa", "Index.zip")) for part in parts):
            raise Refused("numbers")


def rows_of(sheet, most_rows: int, most_columns: int) -> list[list[str]]:
    """The rows down to the last with anything in it, from the top of the sheet."""
    if sheet.start is None:
        return []
    rows: list[list[str]] = [[] for _ in range(min(sheet.start[0], 2 * most_rows))]
    filled = text = 0
    for row in sheet.iter_rows():
        cells = [written(cell) for cell in row[:most_columns]]
        rows.append(cells if any(cells) else [])
        filled += bool(rows[-1])
        text += sum(map(len, cells))
        if text > MOST_TEXT:
            raise Refused("too much")
        if filled > most_rows or len(rows) > 10 * most_rows:
            break
    while rows and not rows[-1]:
        rows.pop()
    return rows


def written(cell) -> str:
    """A cell as people read it: 2 and not 2.0; of a formula its value."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def read(content: bytes, most_rows: int, most_columns: int) -> dict:
    """The first visible sheet with anything in it, its name, and the names of the others."""
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    if content.startswith(b"PK"):
        look_at_the_directory(content)
    elif PASSWORD in content:
        raise Refused("password")
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    shown = [sheet for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet]
    for sheet in shown:
        if rows := rows_of(book.get_sheet_by_name(sheet.name), most_rows, most_columns):
            return {"rows": rows, "sheet": sheet.name, "others": [other.name for other in shown if other.name != sheet.name]}
    return {"rows": []}


def main() -> None:
    limit()
    content = sys.stdin.buffer.read()
    try:
        answer = read(content, int(sys.argv[1]), int(sys.argv[2]))
    except Refused as refusal:
        answer = {"refused": str(refusal)}
    except MemoryError:
        answer = {"refused": "too much"}
    except BaseException as error:  # noqa: BLE001  (a panic of the library is no Exception)
        answer = {"refused": "password" if type(error).__name__ == "PasswordError" else "unreadable"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
