"""The printed ticket: what the law and the gate want on it, whatever the name; nothing fetched, nothing that becomes markup."""

import http.server
import io
import random
import re
import threading
from copy import copy

import pypdf
import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops

from accounts.models import Seller
from tests import factories
from tickets.barcode import encode, signer
from tickets.documents import tickets_pdf
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
NAMES = """O’Neill|Nguyễn Thị Mai Anh|محمد العلوي|李小龙|अनिता शर्मा|דוד כהן|Ελένη Παπαδόπουλος|Олена Іваненко|佐藤 美咲|김 지우
Łukasz Wiśniewski|Şeyma Yıldırım|Đorđe Petrović|Zoë Müller-Strauß|Jean-Baptiste d’Ormesson|Þórdís Ægisdóttir|Ștefan Țăranu
Siân Llŷr|Nuñez y Álvarez de Toledo|van den Berg|Ng|Ó Súilleabháin|Håkon Østergård|Çağla Gökçe|Ágnes Szabó|Ngọc Quỳnh Đặng
D'Alembert|Noël L’Œuvre|Maëlys Le Goff|Saïd Aït-Ahmed|N’Golo Diarra|Loïc Guéhenneuc|Béatrice de la Tour du Pin|Anaëlle Ç.|Jr. José María
Muhammad ibn Mūsā|Jiří Dvořák|Ľudmila Žižková|Ņikita Ķēniņš|Rūta Šimkutė|Jüri Õunapuu|Kőszegi Győző|Xuân Hữu Phước|Ỳ Ỹ|Ġużeppi Ħal
Γιώργος Οικονόμου|Ёлкина Алёна|Їжак Ґалаґан|ЉУБИЦА Ђорђевић|فاطمة الزهراء|עדי בן־דוד|प्रिया सिंह|王 芳|さくら ひな|박 서연
E|Ma. Ñ|Jean-Marie-Joséphine-Antoinette de Villeneuve-Bargemon|ÉLODIE ÀÇÔÙ|III Windsor""".replace("\n", "|").split("|")
# And what is hardly one: as wide, as long, as high as a name can be.
HARD = [*NAMES, "W" * 80, ("Wolfeschlegelsteinhausenbergerdorff " * 2).strip(), "👩‍👩‍👧 Zoé", "Élisabeth " * 15 + "É"]
HARD += ["x\u0336\u0323\u0316\u0301" * 4]


@pytest.fixture
def ticket(relay):
    Seller.objects.update(legal_name="Association des Quais", licences="PLATESV-R-2026-000001", conditions="Ni repris ni échangé.")
    product = factories.stock(relay.company, 1, factories.ProductFactory(placing="libre", entrance="B"))
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre-Diallo")
    factories.given(member, product, by=relay.user)
    return Ticket.objects.for_print().get()


def named(ticket, first: str, last: str = "") -> Ticket:
    ticket.beneficiary_first_name, ticket.beneficiary_last_name = first, last
    return ticket


def text(pdf: bytes) -> str:
    words = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return words.replace("\xa0", " ").replace("\u202f", " ")


def test_it_bears_all_that_the_law_and_the_gate_want(ticket, relay):
    shown = re.sub(r"\s+", " ", text(tickets_pdf([ticket])))

    for mention in (
        "Nuit Ravel", "Auditorium", "12, quai des Orchestres", "1re catégorie", "38,00 €", "Zoé Lefèvre-Diallo",
        f"Billet n° {ticket.number}",
        "exemplaire 1", "Commande 1", "vendu le", "Association des Quais", "PLATESV-R-2026-000001", "Ni repris ni échangé.",
        f"Offert par {relay.company}", "Prix TTC", "TVA à 5,5 %", "1,98 €",
    ):  # fmt: skip
        assert mention in shown, mention


def test_a_free_ticket_says_so(relay):
    factories.stock(relay.company, 1, factories.ProductFactory(price=0))

    assert "gratuit" in text(tickets_pdf([Ticket.objects.for_print().get()]))


def test_a_ticket_without_a_name_has_a_line_to_write_on(ticket):
    ticket.member = None

    assert "Nom :" in text(tickets_pdf([ticket]))


def test_the_document_is_tagged_in_its_language_with_its_fonts_inside(ticket):
    reader = pypdf.PdfReader(io.BytesIO(tickets_pdf([ticket])))
    root = reader.trailer["/Root"]

    assert root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"]
    assert str(root["/Lang"]) == "fr"
    assert reader.metadata.title.startswith("Billet, Nuit Ravel")
    page = reader.pages[0]["/Resources"]
    (layer,) = (form for form in page["/XObject"].values() if form["/Subtype"] == "/Form")
    for font in [*page["/Font"].values(), *layer["/Resources"]["/Font"].values()]:
        inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert any(key in inner for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def test_a_screen_reader_gets_every_word_in_order(ticket):
    """The heading, then what tickets share (as the alternative of its drawing), the name and the code."""
    reader = pypdf.PdfReader(io.BytesIO(tickets_pdf([ticket])))

    def told(element):
        element = element.get_object()
        kids = element.get("/K", [])
        inner = [
            step for kid in (kids if isinstance(kids, list) else [kids]) if hasattr(kid, "get_object") for step in told_if_element(kid)
        ]
        return [(element["/S"], element.get("/Alt", ""))] + inner

    def told_if_element(kid):
        return told(kid) if hasattr(kid.get_object(), "keys") and "/S" in kid.get_object() else []

    steps = [(kind, alt) for kind, alt in told(reader.trailer["/Root"]["/StructTreeRoot"]["/K"][0]) if kind in ("/H1", "/Figure", "/P")]
    figures = [alt.replace("\xa0", " ") for kind, alt in steps if kind == "/Figure"]

    assert steps[0][0] == "/H1"
    assert "Catégorie 1re catégorie" in figures[0] and "Prix TTC 38,00 €" in figures[0] and "Ni repris ni échangé." in figures[0]
    assert figures[1] == "Code à présenter à l’entrée"


def test_any_name_fits_on_one_page_and_no_letter_vanishes(ticket):
    """TRUST row 27: a corpus of sixty names, and of what is hardly one."""
    assert len(set(NAMES)) >= 60
    pdf = tickets_pdf([named(copy(ticket), name) for name in HARD])
    document = pypdfium2.PdfDocument(pdf)

    assert len(document) == len(HARD)
    right = document[0].get_size()[0] - 15 * 72 / 25.4
    for name, page in zip(HARD, document, strict=True):
        reading = page.get_textpage()
        boxes = [reading.get_charbox(index) for index in range(reading.count_chars())]
        assert all(end <= right + 3 and left >= 40 for left, _bottom, end, _top in boxes), name
        assert min(bottom for _left, bottom, _end, _top in boxes) > 20, name
        shown = reading.get_text_range().replace("\xa0", " ")
        assert "38,00 €" in shown and "1re catégorie" in shown and "\ufffd" not in shown, name
    assert missing_glyphs(pdf) == 0


def missing_glyphs(pdf: bytes) -> int:
    """How many of the glyphs are the empty box of a font without the letter (glyph 0)."""
    contents = [page.get_contents().get_data() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages]
    return sum(len(re.findall(rb"<(?:[0-9a-fA-F]{4})*?0000", content)) for content in contents)


@pytest.mark.parametrize("quality", ["clean", "turned and noisy"])
def test_the_code_is_read_from_the_page_at_150_dpi_in_black_and_white(ticket, quality):
    page = pypdfium2.PdfDocument(tickets_pdf([ticket]))[0]
    picture = page.render(scale=150 / 72).to_pil().convert("L")
    if quality != "clean":
        picture = picture.rotate(2.5, fillcolor=255, resample=Image.Resampling.BILINEAR)
        picture = ImageChops.add(picture, Image.effect_noise(picture.size, 40), offset=-128)
    picture = picture.point(lambda value: 255 if value > 128 else 0)

    (found,) = zxingcpp.read_barcodes(picture)

    assert found.text == encode(ticket, signer())


def test_the_code_is_40_millimetres_wide_with_four_modules_of_white(ticket):
    page = pypdfium2.PdfDocument(tickets_pdf([ticket]))[0].render(scale=300 / 72).to_pil().convert("L")
    box = zxingcpp.read_barcodes(page)[0].position
    assert abs((box.top_right.x - box.top_left.x) / 300 * 25.4 - 40) < 0.6
    module = (box.top_right.x - box.top_left.x) / 37
    around = page.crop(
        tuple(
            int(v) for v in (box.top_left.x - 4 * module, box.top_left.y - 4 * module, box.bottom_right.x + 4 * module, box.top_left.y - 3)
        )
    )
    assert around.getextrema()[0] > 200


class Canary(http.server.BaseHTTPRequestHandler):
    hits = 0

    def do_GET(self):
        Canary.hits += 1
        self.send_error(404)

    def log_message(self, *args):
        pass


def test_nothing_that_a_person_types_becomes_markup_or_fetches(ticket):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/x"
    names = [
        "<img src=file:///etc/passwd>",
        f"<link rel=attachment href={address}>",
        f"<style>@import '{address}'</style>",
        f"<p style='background:url({address})'>",
        f"</p><img src='{address}'>",
        "<script>1</script>{{ 7|add:7 }}",
    ]
    try:
        for name in names:
            ticket.event.name = ticket.event.subtitle = ticket.event.venue.name = name[:60]
            pdf = tickets_pdf([named(ticket, name)])
            assert name.split()[0][:6] in text(pdf)
            assert b"/EmbeddedFile" not in pdf and b"/Launch" not in pdf
    finally:
        server.shutdown()
    assert Canary.hits == 0


def test_the_renderer_knows_only_its_own_pictures_and_fonts():
    from tickets.render_document import OurFilesOnly

    fetcher = OurFilesOnly({"asset:qr/1": b"png"})
    assert fetcher.fetch("asset:qr/1").read() == b"png"
    for url in (
        "file:///etc/passwd",
        "http://127.0.0.1/",
        "asset:font/../documents.py",
        "asset:font//etc/passwd",
        "data:text/html,x",
        "asset:qr/2",
    ):
        with pytest.raises(ValueError, match="fetches nothing"):
            fetcher.fetch(url)


def test_a_batch_has_a_page_a_ticket_in_the_order_given(relay, signing_key):
    product = factories.stock(relay.company, 20)
    member = factories.MemberFactory(company=relay.company)
    factories.given(member, product, 20, by=relay.user)
    tickets = list(Ticket.objects.for_print().order_by("number"))
    random.Random(3).shuffle(tickets)

    document = pypdfium2.PdfDocument(tickets_pdf(tickets))

    assert len(document) == 20
    for page, ticket in zip(document, tickets, strict=True):
        assert f"Billet n° {ticket.number}, exemplaire 1" in page.get_textpage().get_text_range().replace("\xa0", " ")
