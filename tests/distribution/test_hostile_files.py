"""Whatever file comes: a clear sentence, nothing done, within two seconds and 200 MB; and odd but honest ones are read."""

import http.server
import os
import resource
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile

from distribution.models import Distribution
from members.models import Member
from portal.read_workbook import MOST_MEMORY
from portal.sheets import Unreadable, decoded, rows_of_file, rows_of_text, sheet_of_file
from tests import factories
from tests.distribution.test_distribute_list import said
from tests.distribution.workbooks import archive, cells_of, lying, text, workbook, xlsx

pytestmark = pytest.mark.django_db
HEADS = ["Prénom", "Nom", "Courriel", "Billets"]
FILES = Path(__file__).with_name("files")


@pytest.fixture
def url(relay):
    product = factories.stock(relay.company, 20)
    return f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/list/"


def sent(client, url, content: bytes, name="liste.xlsx"):
    return client.post(url, {"file": SimpleUploadedFile(name, content), "check": "1", "request_key": str(uuid.uuid4())})


def read(content: bytes):
    return rows_of_file(SimpleUploadedFile("liste", content))


def spent() -> float:
    """Seconds of processor of this process and of those it started: what else the machine does is not counted."""
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def laughs() -> bytes:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return xlsx({"Liste": f"<row>{text('A1', '&l9;')}</row>"}, declared=f"<!DOCTYPE x [{entities}]>")


def corners() -> bytes:
    return xlsx({"Liste": f'<row r="1">{text("A1", "Zoé")}</row><row r="1048576">{text("XFD1048576", "x")}</row>'})


def far_below() -> bytes:
    """A table of a million rows and 26 columns to keep in memory, in a file of some hundred bytes."""
    return xlsx({"Liste": f'<row r="1">{text("A1", "Zoé")}</row><row r="1048576">{text("Z1048576", "x")}</row>'})


def one_huge_text_a_thousand_times() -> bytes:
    return xlsx({"Liste": "".join(f'<row r="{n}">{text(f"A{n}", "é" * 40_000)}</row>' for n in range(1, 1000))})


TOO_MUCH, NO_LIST, CANNOT = "bien plus qu’une liste", "Ce n’est pas une liste", "Ce fichier ne s’ouvre pas"
REFUSED = {
    "empty": (b"", "Cette liste est vide"),
    "blank rows": (b"\n\n ; ;\n", "Cette liste est vide"),
    "five million blank rows": (b"\n" * 4_900_000, "Cette liste est vide"),
    "an empty workbook": (lambda: xlsx({"Liste": ""}), "Cette liste est vide"),
    "a PDF": (b"%PDF-1.7 \x00 stream", NO_LIST),
    "a PDF without zeros, named .csv": (b"%PDF-1.7 stream", NO_LIST),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)) * 9, NO_LIST),
    "one field without end": (b'"' + b"a" * 4_000_000, NO_LIST),
    "a broken archive": (b"PK\x03\x04 broken", CANNOT),
    "a document of another kind": (lambda: archive({"word/document.xml": "<a/>", "[Content_Types].xml": "<Types/>"}), CANNOT),
    "a workbook cut in two": (lambda: workbook([HEADS] * 50)[:900], CANNOT),
    "a workbook that does not open": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, CANNOT),
    "a password": ((FILES / "password.xlsx").read_bytes, "Ce fichier a un mot de passe"),
    "a file of Numbers": (lambda: archive({"Index/Document.iwa": b"x", "Metadata/Properties.plist": b"x"}), "C’est un fichier Numbers"),
    "too many rows": (b"a;b;c@d.fr;1\n" * 5_100, "Cette liste dépasse 5 000 lignes"),
    "too many rows in a workbook": (lambda: workbook([["Zoé", "N", "1"]] * 6_000), "Cette liste dépasse 5 000 lignes"),
    "a million rows": (b"a\n" * 1_000_000, "Cette liste dépasse 5 000 lignes"),
    "far more text": ((b"a" * 900 + b";b\n") * 4_900, "bien plus de texte qu’une liste"),
    "an archive bomb": (lambda: archive({"xl/worksheets/sheet1.xml": b"\0" * 200_000_000}), TOO_MUCH),
    "a thousand parts": (lambda: archive({f"xl/{n}.xml": b"" for n in range(2_001)}), TOO_MUCH),
    "two cells at the corners of the sheet": (corners, TOO_MUCH),
    "a cell a million rows below": (far_below, TOO_MUCH),
    "twenty million empty cells": (lambda: xlsx({"Liste": "<row>" + "<c/>" * 20_000_000 + "</row>"}), TOO_MUCH),
    "a directory that lies": (lambda: lying(xlsx({"Liste": " " * 150_000_000})), CANNOT),
    "an archive in an archive": (lambda: archive({"a.zip": archive({"b.zip": archive({"c": b"\0" * 50_000_000})})}), CANNOT),
    "more text than a list": (one_huge_text_a_thousand_times, TOO_MUCH),
    "entities of entities": (laughs, CANNOT),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_list_gets_a_clear_message_within_two_seconds_and_does_nothing(as_relay, url, kind):
    content, sentence = REFUSED[kind]
    content = content() if callable(content) else content
    as_relay.get(url)
    began = spent()

    answer = sent(as_relay, url, content, "liste.csv")

    assert spent() - began < 2
    assert answer.status_code == 422 and sentence in said(answer)
    assert not Member.objects.exists() and not Distribution.objects.exists()


def test_an_external_entity_is_never_fetched(as_relay, url):
    asked = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)

    with http.server.HTTPServer(("127.0.0.1", 0), Canary) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for target in (f"http://127.0.0.1:{server.server_port}/x", "file:///etc/passwd"):
            declared = f'<!DOCTYPE x [<!ENTITY x SYSTEM "{target}">]>'
            answer = sent(as_relay, url, xlsx({"Liste": f"<row>{text('A1', '&x;')}</row>"}, declared=declared))
            assert answer.status_code == 422 and CANNOT in said(answer) and "root:" not in said(answer)
        server.shutdown()
    assert asked == []


MEASURE = """
import resource, sys, time
import django
django.setup()
from django.core.files.uploadedfile import SimpleUploadedFile
from portal.sheets import Unreadable, rows_of_file
content = open(sys.argv[1], "rb").read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
try:
    rows_of_file(SimpleUploadedFile("liste", content))
except Unreadable:
    pass
ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(time.process_time() - began, ours, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


WORST = [
    *("two cells at the corners of the sheet", "a cell a million rows below", "more text than a list", "a directory that lies"),
    *("twenty million empty cells", "five million blank rows", "a million rows", "one field without end"),
]


@pytest.mark.parametrize("kind", WORST)
def test_the_worst_of_them_take_less_than_200_megabytes(tmp_path, kind):
    content = REFUSED[kind][0]
    (tmp_path / "file").write_bytes(content() if callable(content) else content)

    done = subprocess.run([sys.executable, "-c", MEASURE, tmp_path / "file"], capture_output=True, text=True, check=True, env=os.environ
                          | {"DJANGO_SETTINGS_MODULE": "portal.settings"}, cwd=settings.BASE_DIR)  # fmt: skip

    seconds, ours, readers = map(float, done.stdout.split())
    assert seconds < 2 and ours * 1024 < 200_000_000 and readers * 1024 < 200_000_000
    assert MOST_MEMORY < 200_000_000


def test_a_file_of_fifty_megabytes_is_refused_without_being_kept(as_relay, url):
    as_relay.get(url)
    began = spent()

    answer = sent(as_relay, url, b"a;b\n" * 12_500_000, "liste.csv")

    assert spent() - began < 2
    assert answer.status_code == 422 and "Ce fichier dépasse 5 Mo" in said(answer)


def test_of_a_file_that_is_too_large_only_the_size_comes_through(rf):
    for size in (5_000_001, 50_000_000):
        (kept,) = rf.post("/", {"file": SimpleUploadedFile("x", b"x" * size)}).FILES.values()
        assert kept.size == size and kept.read() == b""
    (kept,) = rf.post("/", {"file": SimpleUploadedFile("x", b"x" * 5_000_000)}).FILES.values()
    assert len(kept.read()) == 5_000_000


def test_many_files_do_not_pass_what_one_may_not(rf):
    request = rf.post("/", {f"file-{n}": SimpleUploadedFile("x", b"x" * 1_000_000) for n in range(7)})

    assert sum(len(file.read()) for file in request.FILES.values()) == 5_000_000


PEOPLE = [["Zoé", "Lefèvre", "zoe@exemple.fr", "2"], ["Anaïs", "Brûlé", "anais@exemple.fr", "1"]]
TABLE = "\n".join(";".join(row) for row in [HEADS, *PEOPLE])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac-roman"])
def test_every_encoding_of_a_french_spreadsheet_is_read(encoding):
    assert read(TABLE.encode(encoding)) == [HEADS, *PEOPLE]


def test_nothing_of_windows_is_taken_for_a_mac():
    words = "Prénom;Nom;Adresse – siège d’Évry, n° 3 € « à côté »"

    assert decoded(words.encode("cp1252")) == words


def odd(rows: str) -> list:
    return read(xlsx({"Liste": rows}))


def test_of_a_formula_its_value_is_kept_and_a_text_that_starts_like_one_is_text():
    formula = '<c r="A1" t="str"><f>CONCATENATE("Zo","é")</f><v>Zoé</v></c><c r="B1"><f>1+1</f><v>2</v></c>'

    assert odd(f"<row>{formula}{text('C1', '=1+1')}</row>") == [["Zoé", "2", "=1+1"]]
    assert rows_of_text("=1+1;Lefèvre;zoe@exemple.fr") == [["=1+1", "Lefèvre", "zoe@exemple.fr"]]


def test_numbers_are_read_as_people_read_them(as_relay, url):
    rows = [HEADS, ["Zoé", "A", "a@exemple.fr", "2,0"], ["Zoé", "B", "b@exemple.fr", "2.0"], ["Zoé", "C", "c@exemple.fr", "3"]]

    assert '<b class="figure">7</b>' in said(sent(as_relay, url, workbook(rows)))
    assert odd('<row><c r="A1"><v>2.0</v></c><c r="B1"><v>2.5</v></c></row>') == [["2", "2.5"]]


def test_a_merged_cell_counts_once_where_it_begins():
    merged = f'<row r="1">{text("A1", "Sortie")}</row><row r="2">{text("A2", "Zoé")}{text("B2", "N")}</row>'

    content = archive_with_merges(merged, "A1:D1")

    assert read(content) == [["Sortie", ""], ["Zoé", "N"]]


def archive_with_merges(rows: str, area: str) -> bytes:
    return xlsx({"Liste": f'{rows}</sheetData><mergeCells count="1"><mergeCell ref="{area}"/></mergeCells><sheetData>'})


def test_headings_may_stand_on_row_four_and_a_row_has_the_number_that_it_has_in_the_file(as_relay, url):
    rows = f'<row r="1">{text("A1", "Sortie, décembre; groupe A")}</row>'
    rows += '<row r="4">' + "".join(text(f"{c}4", word) for c, word in zip("ABCD", HEADS, strict=True)) + "</row>"
    rows += f'<row r="6">{text("A6", "Zoé")}{text("C6", "zoe@exemple.fr")}</row>'

    shown = said(sent(as_relay, url, xlsx({"Liste": rows})))

    assert "Il faut un prénom et un nom." in shown and "Ligne 6" in shown


def test_the_first_sheet_with_anything_is_read_and_the_others_are_named(as_relay, url):
    sheets = {"Notes": "", "Décembre": cells_of([HEADS, *PEOPLE]), "Archives": cells_of([HEADS, *PEOPLE]), "Secret": cells_of([["x"]])}

    content = xlsx(sheets, hidden=("Secret",))

    assert sheet_of_file(SimpleUploadedFile("x", content)).name == "Décembre"
    assert "Seule la feuille « Décembre » est lue, sans Notes, Archives." in said(sent(as_relay, url, content))


def test_a_sheet_of_thousands_of_columns_keeps_the_first_thirty():
    assert len(read((";".join(["Zoé"] * 1_000_000)).encode())[0]) == 30


def test_a_refusal_says_what_to_do():
    with pytest.raises(Unreadable, match="Enregistrez-le"):
        read(b"PK\x03\x04")
