"""The smallest workbooks there are, made by hand so that a test can also make impossible ones."""

import io
import struct
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def text(at: str, words: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t>{words}</t></is></c>'


def cells_of(rows) -> str:
    """Texts as inline strings, numbers as numbers."""
    return "".join(
        "<row>"
        + "".join(f"<c><v>{cell}</v></c>" if cell.isdigit() else f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row)
        + "</row>"
        for row in rows
    )


def xlsx(sheets: dict[str, str], *, declared: str = "", hidden: tuple[str, ...] = ()) -> bytes:
    """A workbook of these sheets, each the XML of its rows; `declared` stands before every sheet."""
    numbered = list(enumerate(sheets, 1))
    state = {name: "hidden" if name in hidden else "visible" for name in sheets}
    names = "".join(f'<sheet name="{name}" sheetId="{n}" state="{state[name]}" r:id="s{n}"/>' for n, name in numbered)
    overrides = "".join(f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{KIND}.worksheet+xml"/>' for n, _ in numbered)
    links = "".join(f'<Relationship Id="s{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in numbered)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.'
        'openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}</Relationships>',
    }
    for n, name in numbered:
        parts[f"xl/worksheets/sheet{n}.xml"] = f'{declared}<worksheet xmlns="{MAIN}"><sheetData>{sheets[name]}</sheetData></worksheet>'
    return archive(parts)


def archive(parts: dict) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    return made.getvalue()


def workbook(rows) -> bytes:
    return xlsx({"Liste": cells_of(rows)})


def lying(content: bytes, says: int = 1000) -> bytes:
    """The same archive, whose directory and headers say that its large parts are small."""
    forged = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = forged.find(mark)
        while at >= 0:
            if struct.unpack_from("<I", forged, at + offset)[0] > 1_000_000:
                struct.pack_into("<I", forged, at + offset, says)
            at = forged.find(mark, at + 4)
    return bytes(forged)


def opendocument(rows) -> bytes:
    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>' for cell in row)
        + "</table:table-row>"
        for row in rows
    )
    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "table", "text"))
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return archive(
        {
            "mimetype": kind,
            "content.xml": f'<office:document-content {names} office:version="1.2"><office:body><office:spreadsheet>'
            f'<table:table table:name="Liste">{cells}</table:table></office:spreadsheet></office:body></office:document-content>',
            "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>',
        }
    )
