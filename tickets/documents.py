"""Tickets as PDF: one A4 page each, or four to a page, in one tagged document (PDF/UA-1), black on white.

Nothing a person types becomes markup (templates escape), and nothing is fetched but the fonts beside this file.
"""

import base64
import io
from html import unescape
from pathlib import Path
from typing import NamedTuple

import pikepdf
import qrcode
from django.template.loader import render_to_string
from django.utils.html import strip_tags
from django.utils.translation import get_language
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M

from accounts.models import Seller
from tickets.barcode import encode, signer
from tickets.models import Ticket
from tickets.rendering import render

FOLDER = Path(__file__).resolve().parent
# A fixed mask and version: the picture takes a sixth of the time, and reads as well (docs/decisions).
QR_VERSION, QR_MASK = 5, 2


def qr_png(code: str) -> bytes:
    """The code as a 1-bit picture, a pixel a module, without its quiet zone: the page leaves that."""
    qr = qrcode.QRCode(version=QR_VERSION, error_correction=ERROR_CORRECT_M, box_size=1, border=0, mask_pattern=QR_MASK)
    qr.add_data(code, optimize=0)
    qr.make(fit=True)
    modules = qr.get_matrix()
    image = Image.new("1", (len(modules), len(modules)))
    image.putdata([not dark for row in modules for dark in row])
    picture = io.BytesIO()
    image.save(picture, "PNG")
    return picture.getvalue()


def qr_data_uri(ticket: Ticket) -> str:
    """The picture of the ticket's present code, for a page."""
    return "data:image/png;base64," + base64.b64encode(qr_png(encode(ticket, signer()))).decode()


class Layer(NamedTuple):
    """What some tickets have in common, drawn once: a stand-in picture in their document, and the page to put there.

    The stand-in is one pixel wide, and `number` pixels high so that it is found again.
    """

    number: int
    page: bytes
    words: str

    @property
    def url(self) -> str:
        return f"asset:layer/{self.number}"

    def stand_in(self) -> bytes:
        picture = io.BytesIO()
        Image.new("1", (1, self.number), 1).save(picture, "PNG")
        return picture.getvalue()


TEMPLATES = {1: "tickets/ticket", 4: "tickets/small_ticket"}


def tickets_pdf(tickets: list[Ticket], per_page: int = 1) -> bytes:
    """One document of these tickets, one or four to a page, loaded with `for_print()` and already marked printed.

    What is the same on all is rendered once and drawn under each; a screen reader finds its words as the alternative
    text of that drawing.
    """
    signed_by, context = signer(), {"seller": Seller.objects.current(), "language": get_language()}
    template = TEMPLATES[per_page]
    layers: dict[tuple, Layer] = {}
    pages = []
    for ticket in tickets:
        shared = (ticket.order_line_id, ticket.company_id, ticket.seat is None)
        if shared not in layers:
            html = render_to_string(f"{template}_layer.html", context | {"ticket": ticket})
            words = " ".join(unescape(strip_tags(html.partition("<body>")[2])).split())
            layers[shared] = Layer(len(layers) + 1, rendered(html, {}), words)
        pages.append((ticket, layers[shared]))
    sheets = [pages[at : at + per_page] for at in range(0, len(pages), per_page)]
    html = render_to_string(f"{template}.html", context | {"pages": pages, "sheets": sheets, "total": len(tickets), "first": tickets[0]})
    pictures = {f"asset:qr/{ticket.pk}": qr_png(encode(ticket, signed_by)) for ticket in tickets}
    pictures |= {layer.url: layer.stand_in() for layer in layers.values()}
    return with_layers(rendered(html, pictures, pdf_variant="pdf/ua-1"), {layer.number: layer.page for layer in layers.values()})


def rendered(html: str, pictures: dict[str, bytes], *, style: Path = FOLDER / "ticket.css", pdf_variant: str | None = None) -> bytes:
    """The page as PDF, in this style and with our fonts; nothing is fetched. CannotRender when it asks for too much."""
    return render({"html": html, "pictures": pictures, "style": style, "pdf_variant": pdf_variant})


def with_layers(document: bytes, layers: dict[int, bytes]) -> bytes:
    """The document with each stand-in picture replaced by its layer: a form that fills the same box."""
    with pikepdf.open(io.BytesIO(document)) as pdf:
        for picture in pdf.objects:
            if not (isinstance(picture, pikepdf.Stream) and picture.get("/Subtype") == "/Image" and picture.Width == 1):
                continue
            with pikepdf.open(io.BytesIO(layers[int(picture.Height)])) as drawn:
                form = pdf.copy_foreign(drawn.pages[0].as_form_xobject())
            _, _, width, height = (float(side) for side in form.BBox)
            form.Matrix = [1 / width, 0, 0, 1 / height, 0, 0]
            picture.write(form.read_bytes())
            for key in list(picture.keys()):
                if key not in ("/Length", "/Filter"):
                    del picture[key]
            for key in ("/Type", "/Subtype", "/BBox", "/Matrix", "/Resources"):
                picture[key] = form[key]
        joined = io.BytesIO()
        pdf.save(joined)
    return joined.getvalue()
