"""A person's own data as a PDF that she can keep."""

from pathlib import Path

from django.template.loader import render_to_string
from django.utils.translation import get_language
from weasyprint import CSS, HTML
from weasyprint.text.fonts import FontConfiguration

from tickets.documents import OurFilesOnly

SHEET = Path(__file__).resolve().parent / "my_data.css"


def my_data_pdf(context: dict) -> bytes:
    """A tagged document (PDF/UA-1); nothing but our fonts is fetched."""
    page = render_to_string("distribution/my_data_document.html", {**context, "language": get_language()})
    fonts, fetcher = FontConfiguration(), OurFilesOnly({})
    sheet = CSS(string=SHEET.read_text(), url_fetcher=fetcher, font_config=fonts)
    return HTML(string=page, url_fetcher=fetcher).write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1")
