"""Tickets as PDF: one A4 page each, in one tagged document (PDF/UA-1), black on white.

Nothing a person types becomes markup (templates escape), and nothing is fetched but the fonts beside this file.
"""

import base64
import gc
import io
from functools import lru_cache
from pathlib import Path

import qrcode
from django.template.loader import render_to_string
from django.utils.translation import get_language
from PIL import Image
from qrcode.constants import ERROR_CORRECT_M
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher, URLFetcherResponse

from accounts.models import Seller
from tickets.barcode import encode, signer
from tickets.models import Ticket

FOLDER = Path(__file__).resolve().parent
FONTS = FOLDER / "fonts"
# A fixed mask and version: the picture takes a sixth of the time, and reads as well (docs/decisions).
QR_VERSION, QR_MASK = 5, 2


class OurFilesOnly(URLFetcher):
    """Knows the pictures made here and our fonts: no other request leaves the renderer."""

    def __init__(self, pictures: dict[str, bytes]) -> None:
        super().__init__(allowed_protocols=())
        self.pictures = pictures

    def fetch(self, url, headers=None):
        if url in self.pictures:
            return URLFetcherResponse(url, self.pictures[url], {"Content-Type": "image/png"})
        font = FONTS / url.removeprefix("asset:font/")
        if url.startswith("asset:font/") and font.parent == FONTS and font.suffix == ".woff2" and font.exists():
            return URLFetcherResponse(url, font.read_bytes(), {"Content-Type": "font/woff2"})
        raise ValueError("The renderer fetches nothing.")


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


def tickets_pdf(tickets: list[Ticket]) -> bytes:
    """One document of these tickets, loaded with `for_print()` and already marked printed."""
    signed_by = signer()
    pictures = {f"asset:qr/{ticket.pk}": qr_png(encode(ticket, signed_by)) for ticket in tickets}
    context = {"tickets": tickets, "seller": Seller.objects.current(), "total": len(tickets), "language": get_language()}
    page = render_to_string("tickets/ticket.html", context)
    fonts, style = stylesheet()
    # Nothing of the growing document can be collected before its end: looking for it would take a fifth of the time.
    gc.disable()
    try:
        document = HTML(string=page, url_fetcher=OurFilesOnly(pictures), base_url=None)
        return document.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1", uncompressed_pdf=False)
    finally:
        gc.enable()


@lru_cache(maxsize=1)
def stylesheet() -> tuple[FontConfiguration, CSS]:
    """The page's style and its fonts, read once per process."""
    fonts = FontConfiguration()
    text = (FOLDER / "ticket.css").read_text()
    return fonts, CSS(string=text, font_config=fonts, url_fetcher=OurFilesOnly({}), base_url=None)
