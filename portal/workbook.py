"""Workbooks of a spreadsheet: read in a process of their own, and written."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

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
