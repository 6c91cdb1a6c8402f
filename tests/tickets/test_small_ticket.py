"""Four tickets to a page, to cut out: each strip bears what a page bears, its code reads as well, and nothing leaves its strip."""

import io
import re
from copy import copy

import pypdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops

from accounts.models import Seller
from tests import factories
from tests.tickets.test_ticket_pdf import HARD, missing_glyphs, named, text
from tickets.barcode import encode, signer
from tickets.documents import tickets_pdf
from tickets.models import Event, Product, Seat, Ticket, Venue

pytestmark = pytest.mark.django_db
STRIP = 74.25 * 72 / 25.4


@pytest.fixture
def tickets(relay):
    Seller.objects.update(legal_name="Association des Quais", licences="PLATESV-R-2026-000001", conditions="Ni repris ni échangé.")
    product = factories.stock(relay.company, 6, factories.ProductFactory(placing="libre", entrance="B"))
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre-Diallo")
    factories.given(member, product, 6, by=relay.user)
    return list(Ticket.objects.for_print().order_by("number"))


def strips(pdf: bytes) -> list[str]:
    """The words of each strip, from the first page's first down."""
    found = []
    for page in pypdfium2.PdfDocument(pdf):
        reading, (width, height) = page.get_textpage(), page.get_size()
        for place in range(4):
            top = height - place * STRIP
            words = reading.get_text_bounded(left=0, right=width, top=top, bottom=top - STRIP)
            found.append(re.sub(r"\s+", " ", words.replace("\xa0", " ").replace("\u202f", " ")))
    return found


def test_every_strip_bears_all_that_the_law_and_the_gate_want(tickets, relay):
    shown = strips(tickets_pdf(tickets, 4))

    assert len(shown) == 8 and not any(shown[6:])
    for strip, ticket in zip(shown, tickets, strict=False):
        for mention in (
            "Nuit Ravel", "Auditorium, 12, quai des Orchestres", "1re catégorie", "38,00 €", "Zoé Lefèvre-Diallo",
            f"Billet n° {ticket.number}, exemplaire 1", "Commande 1, vendu le", "Association des Quais", "PLATESV-R-2026-000001",
            "Ni repris ni échangé.", f"Offert par {relay.company}", "Prix TTC", "TVA à 5,5 %", "1,98 €", "Un code n’ouvre qu’une fois",
        ):  # fmt: skip
            assert mention in strip, mention


def test_a_strip_without_a_name_has_a_line_to_write_on(tickets):
    tickets[0].member = None

    assert "Nom :" in strips(tickets_pdf(tickets[:1], 4))[0]


def test_the_page_of_strips_is_tagged_in_its_language_with_its_fonts_inside(tickets):
    reader = pypdf.PdfReader(io.BytesIO(tickets_pdf(tickets, 4)))
    root = reader.trailer["/Root"]

    assert root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"] and str(root["/Lang"]) == "fr"
    assert reader.metadata.title.startswith("6 billets, Nuit Ravel")
    page = reader.pages[0]["/Resources"]
    (layer,) = (form for form in page["/XObject"].values() if form["/Subtype"] == "/Form")
    for font in [*page["/Font"].values(), *layer["/Resources"]["/Font"].values()]:
        inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert any(key in inner for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def test_any_name_stays_in_its_strip_and_no_letter_vanishes(tickets):
    """TRUST row 27: the names of the corpus, four to a page."""
    pdf = tickets_pdf([named(copy(tickets[0]), name) for name in HARD], 4)

    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == -(-len(HARD) // 4)
    for page in document:
        stays_in_its_strip(page)
    for name, strip in zip(HARD, strips(pdf), strict=False):
        assert "38,00 €" in strip and "1re catégorie" in strip and "Ni repris" in strip, name
    assert "\ufffd" not in text(pdf) and missing_glyphs(pdf) == 0


def stays_in_its_strip(page) -> None:
    """No letter crosses a cut, the page's edge, or the band of the code."""
    reading, (width, height) = page.get_textpage(), page.get_size()
    for index in range(reading.count_chars()):
        left, bottom, right, top = reading.get_charbox(index)
        letter = reading.get_text_range(index, 1)
        assert left >= 30 and right <= width - 20, letter
        assert int((height - top - 1) // STRIP) == int((height - bottom - 1) // STRIP), (letter, top, bottom)
        if letter.strip() and 20 < (height - top) % STRIP < 115:
            assert right < 151 * 72 / 25.4 or left > 152 * 72 / 25.4, letter


def test_the_longest_words_of_the_seller_stay_in_their_strip(tickets):
    Seller.objects.update(conditions="Ni repris ni échangé. " * 40, address="12, quai des Orchestres, " * 8)
    Event.objects.update(name="W" * 40 + " et la suite " * 6, subtitle="Orchestre des Deux-Rives " * 4)
    Venue.objects.update(name="Auditorium " * 10, address="12, quai des Orchestres, " * 8)
    Product.objects.update(category="Première catégorie, côté jardin, visibilité réduite par un p", placing="libre au parterre " * 3)

    pdf = tickets_pdf(list(Ticket.objects.for_print().order_by("number"))[:4], 4)

    stays_in_its_strip(pypdfium2.PdfDocument(pdf)[0])
    shown = " ".join(strips(pdf)[0].split())
    assert shown.count("Ni repris ni échangé.") == 40 and "et la suite" in shown and "visibilité réduite" in shown


def test_a_seat_stands_where_the_placing_was(tickets):
    seat = Seat.objects.create(event=tickets[0].event, block="Tribune Ouest", row="A", number="12")
    tickets[0].seat = seat

    assert "Place Tribune Ouest, rang A, place 12" in strips(tickets_pdf(tickets[:1], 4))[0]


@pytest.mark.parametrize("quality", ["clean", "turned and noisy"])
def test_the_code_of_each_strip_is_read_at_150_dpi_in_black_and_white(tickets, quality):
    page = pypdfium2.PdfDocument(tickets_pdf(tickets, 4))[0].render(scale=150 / 72).to_pil().convert("L")
    for place, ticket in enumerate(tickets[:4]):
        picture = page.crop((0, round(place * page.height / 4) + 4, page.width, round((place + 1) * page.height / 4) - 4))
        if quality != "clean":
            picture = picture.rotate(2.5, fillcolor=255, resample=Image.Resampling.BILINEAR)
            picture = ImageChops.add(picture, Image.effect_noise(picture.size, 40), offset=-128)

        (found,) = zxingcpp.read_barcodes(picture.point(lambda value: 255 if value > 128 else 0))

        assert found.text == encode(ticket, signer())


def test_the_code_of_a_strip_is_32_millimetres_wide_with_four_modules_of_white(tickets):
    page = pypdfium2.PdfDocument(tickets_pdf(tickets[:1], 4))[0].render(scale=300 / 72).to_pil().convert("L")
    box = zxingcpp.read_barcodes(page)[0].position
    wide = (box.top_right.x - box.top_left.x) / 300 * 25.4
    assert abs(wide - 32) < 0.6
    margin = 4 * 32 / 37 * 300 / 25.4
    left, top, right, bottom = box.top_left.x, box.top_left.y, box.bottom_right.x, box.bottom_right.y
    for side in (
        (left - margin, top - margin, right + margin, top - 3),
        (left - margin, top, left - 3, bottom),
        (right + 4, top, right + margin, bottom),
        (left - margin, bottom + 4, right + margin, bottom + margin),
    ):
        assert page.crop(tuple(int(v) for v in side)).getextrema()[0] > 200, side


def test_strips_follow_the_order_given_down_each_page(tickets):
    shown = strips(tickets_pdf(tickets[::-1], 4))

    for strip, ticket in zip(shown, tickets[::-1], strict=False):
        assert f"Billet n° {ticket.number}, exemplaire 1" in strip


def test_words_on_a_strip_are_never_markup(tickets):
    words = "</p><img src='http://127.0.0.1:1/x'>"
    tickets[0].event.name = tickets[0].event.venue.name = words
    pdf = tickets_pdf([named(tickets[0], words)], 4)

    assert text(pdf).count("</p><img") >= 3 and b"/EmbeddedFile" not in pdf
