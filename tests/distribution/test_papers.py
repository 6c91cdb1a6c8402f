"""Papers about an act: the sheet that people sign, the slip with names for the relay, the slip without names for the accounts."""

import csv
import io
import re
import uuid
from decimal import Decimal

import pypdf
import pypdfium2
import pytest

from distribution import paper
from distribution.actions import distribute, hand_over, reassign, reclaim, rename
from distribution.paper import slip_lines
from tests import factories
from tests.distribution.test_hand_over import numbers_in, opened, page_of
from tests.portal.walk import BACKEND
from tests.tickets.test_ticket_pdf import NAMES, missing_glyphs
from tickets.models import OrderLine, Seat, Ticket

pytestmark = pytest.mark.django_db
PAPERS = ["sheet.pdf", "slip.pdf", "slip-with-names.pdf"]


def words(pdf: bytes) -> str:
    pages = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return re.sub(r"\s+", " ", pages.replace("\xa0", " ").replace("\u202f", " "))


def rows(answer) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


def to_paper(relay, names, quantity: int | None = None, **more):
    product = factories.stock(relay.company, quantity or len(names), factories.ProductFactory(**more))
    return hand_over(relay=relay, product=product, quantity=quantity or len(names), names=names, request_key=uuid.uuid4())


def to_members(relay, *gifts):
    product = factories.stock(relay.company, sum(n for _, n in gifts))
    return distribute(relay=relay, product=product, gifts=[(m.pk, n, ()) for m, n in gifts], message="", request_key=uuid.uuid4())


@pytest.fixture
def people(relay):
    """Three members whose order by name is not the one in which they were made."""
    return [factories.MemberFactory(company=relay.company, first_name=first, last_name=last, email=email)
            for first, last, email in (("Zoé", "Yacine", "zoe@exemple.fr"), ("Kofi", "Mensah", ""), ("Ana", "Abel", ""))]  # fmt: skip


def test_the_sheet_has_a_line_for_each_ticket_with_its_name_and_what_it_is_for(as_relay, relay):
    act = to_paper(relay, [("Zoé", "Lefèvre"), ("Kofi", "Mensah")], quantity=3)

    shown = words(as_relay.get(page_of(relay, act) + "sheet.pdf").content)

    for mention in ("Feuille d’émargement", "Nuit Ravel", "Auditorium", "1re catégorie", f"Remis par {relay.company}, {relay}",
                    "3 billets", "Signature", "1 1 Zoé Lefèvre", "2 2 Kofi Mensah", "3 3", "Page 1 / 1"):  # fmt: skip
        assert mention in shown, mention
    assert "Place" not in shown


def test_the_sheet_is_in_the_order_in_which_the_tickets_are_printed(as_relay, relay, people):
    zoe, kofi, ana = people
    act = to_members(relay, (zoe, 1), (kofi, 2), (ana, 1))
    as_relay.post(f"{page_of(relay, act)}print/", {"request_key": str(uuid.uuid4())})

    shown = words(as_relay.get(page_of(relay, act) + "sheet.pdf").content)

    lines = re.findall(r"\b(\d+) (\d+) (Ana Abel|Kofi Mensah|Zoé Yacine)", shown)
    assert [name for _, _, name in lines] == ["Ana Abel", "Kofi Mensah", "Kofi Mensah", "Zoé Yacine"]
    assert [int(rank) for rank, _, _ in lines] == [1, 2, 3, 4]
    assert [int(number) for _, number, _ in lines] == numbers_in(opened(as_relay, relay, act.printouts.get()).content)


def test_the_sheet_of_those_without_an_address_has_nobody_else(as_relay, relay, people):
    act = to_members(relay, *((member, 1) for member in people))

    shown = words(as_relay.get(page_of(relay, act) + "sheet.pdf?whom=without_email").content)

    assert "2 billets" in shown and "Kofi Mensah" in shown and "Zoé" not in shown


def test_the_sheet_has_the_seats_of_numbered_tickets_in_their_order(as_relay, relay):
    event = factories.EventFactory()
    Seat.objects.bulk_create(Seat(event=event, block="Ouest", row="A", number=str(n), place_in_row=n) for n in (2, 1))

    act = to_paper(relay, [("Un", ""), ("Deux", "")], event=event, numbered=True)

    shown = words(as_relay.get(page_of(relay, act) + "sheet.pdf").content)
    assert "Ouest, rang A, place 1 Un" in shown and shown.index("place 1") < shown.index("place 2")


def test_whom_a_member_takes_along_is_on_no_sheet_and_no_slip(as_relay, relay, people):
    zoe = people[0]
    act = to_members(relay, (zoe, 1))
    ticket = Ticket.objects.get()
    Ticket.objects.update(shown_from="2026-01-01T00:00Z")
    rename(user=factories.login(zoe.email), ticket=ticket.public_id, generation=0, first_name="Secret", last_name="Invité")

    for name in (*PAPERS, "slip-with-names.csv"):
        content = as_relay.get(page_of(relay, act) + name).content
        assert "Secret" not in (words(content) if name.endswith("pdf") else content.decode()), name


def test_a_long_sheet_comes_in_parts_that_go_on_counting(as_relay, relay, monkeypatch):
    monkeypatch.setattr(paper, "MOST_LINES", 4)
    act = to_paper(relay, [(f"N{n}", "") for n in range(1, 11)])

    page = as_relay.get(page_of(relay, act)).content.decode()
    last = words(as_relay.get(page_of(relay, act) + "sheet.pdf?part=3").content)

    assert "sheet.pdf?part=3" in page and "sheet.pdf?part=4" not in page and "slip-with-names.pdf?part=3" in page
    assert "10 billets · partie 3 sur 3" in last and "9 9 N9 10 10 N10" in last and "N8" not in last
    for part in ("0", "-1", "abc", "99999999999999999999", "%00"):
        assert as_relay.get(f"{page_of(relay, act)}sheet.pdf?part={part}").status_code == 200


def test_tickets_without_a_name_are_one_line_of_the_slip_however_many(as_relay, relay, monkeypatch):
    monkeypatch.setattr(paper, "MOST_LINES", 4)
    act = to_paper(relay, [("Zoé", "")], quantity=10)

    page = as_relay.get(page_of(relay, act)).content.decode()

    assert "slip-with-names.pdf?part=1" in page and "slip-with-names.pdf?part=2" not in page and "sheet.pdf?part=3" in page
    assert "sans nom 9 38,00 € 342,00 €" in words(as_relay.get(page_of(relay, act) + "slip-with-names.pdf").content)


@pytest.mark.parametrize("name", PAPERS)
def test_a_paper_is_tagged_in_its_language_with_its_fonts_inside_whatever_the_names(as_relay, relay, name):
    act = to_paper(relay, [(written, "") for written in [*NAMES, "W" * 80, "<img src=x onerror=alert(1)>"]])

    content = as_relay.get(page_of(relay, act) + name).content

    reader = pypdf.PdfReader(io.BytesIO(content))
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/StructTreeRoot"] and str(root["/Lang"]) == "fr"
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            inner = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
            assert any(key in inner for key in ("/FontFile", "/FontFile2", "/FontFile3"))
    if name != "slip.pdf":
        assert "<img src=x onerror=alert(1)>" in words(content) and "Ágnes Szabó" in words(content)
    assert "\ufffd" not in words(content) and missing_glyphs(content) == 0


def test_table_headings_are_headings_for_a_screen_reader(as_relay, relay):
    act = to_paper(relay, [("Zoé", "")])

    kinds = [kind for name in PAPERS for kind in tags(as_relay.get(page_of(relay, act) + name).content)]

    assert kinds.count("/H1") == 3 and kinds.count("/Table") == 3 and kinds.count("/TH") >= 3 * 4


def tags(pdf: bytes) -> list[str]:
    def walk(element):
        element = element.get_object()
        kids = element.get("/K", []) if hasattr(element, "get") else []
        found = [str(element["/S"])] if hasattr(element, "get") and "/S" in element else []
        return found + [tag for kid in (kids if isinstance(kids, list) else [kids]) if hasattr(kid, "get_object") for tag in walk(kid)]

    return walk(pypdf.PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/StructTreeRoot"])


def test_the_slip_says_to_whom_how_many_and_their_face_value_in_euros(as_relay, relay, people):
    zoe, kofi, _ana = people
    act = to_members(relay, (zoe, 2), (kofi, 1))

    shown = words(as_relay.get(page_of(relay, act) + "slip-with-names.pdf").content)

    for mention in ("Bordereau de remise", "3 billets, 114,00 €", "Kofi Mensah 1 38,00 € 38,00 €", "Zoé Yacine 2 38,00 € 76,00 €",
                    "Total 3 114,00 €", "Signature du relais", f"Remis par {relay.company}, {relay}"):  # fmt: skip
        assert mention in shown, mention
    assert shown.index("Kofi") < shown.index("Zoé")


def test_the_slip_for_the_accounts_has_amounts_and_no_name(as_relay, relay, people):
    zoe, kofi, _ana = people
    for act in (to_members(relay, (zoe, 2), (kofi, 1)), to_paper(relay, [("Zoé", "Yacine"), ("Kofi", "Mensah"), ("Ana", "Abel")])):
        shown = words(as_relay.get(page_of(relay, act) + "slip.pdf").content)
        table = as_relay.get(page_of(relay, act) + "slip.csv").content.decode()

        assert "catégorie 3 38,00 € 114,00 €" in shown and "Total 3 114,00 €" in shown
        for name in ("Zoé", "Kofi", "Yacine", "Mensah", "Abel"):
            assert name not in shown + table


def test_face_values_are_those_of_the_orders_and_sums_are_exact(relay):
    product = factories.ProductFactory(price=Decimal("0.10"))
    for price, quantity in (("0.10", 3), ("33.33", 3), ("0.00", 1)):
        order = factories.order(relay.company, product, quantity)
        OrderLine.objects.filter(order=order).update(unit_price=Decimal(price))
        factories.sales_actions.confirm_order(order=order.pk, by=None)
    act = hand_over(relay=relay, product=product, quantity=7, names=[("Zoé", "")] * 7, request_key=uuid.uuid4())

    for names in (True, False):
        lines = slip_lines(act, names=names)
        assert sorted((line.quantity, line.total) for line in lines) == [(1, Decimal("0.00")), (3, Decimal("0.30")), (3, Decimal("99.99"))]


def test_the_table_is_one_line_for_each_person_whole_in_itself(as_relay, relay):
    act = to_paper(relay, [("Zoé", "=1+1"), ("Zoé", "=1+1"), ("Kofi", "Mensah")], quantity=4)

    heads, *lines = rows(as_relay.get(page_of(relay, act) + "slip-with-names.csv"))

    assert heads == [
        "Remis le",
        "Structure",
        "Relais",
        "Séance",
        "Date",
        "Catégorie",
        "Prénom",
        "Nom",
        "Billets",
        "Valeur faciale",
        "Total",
    ]
    assert [line[6:] for line in lines] == [
        ["Zoé", "'=1+1", "2", "38,00", "76,00"],
        ["Kofi", "Mensah", "1", "38,00", "38,00"],
        ["", "", "1", "38,00", "38,00"],
    ]
    assert all(line[1:4] == [str(relay.company), str(relay), "Nuit Ravel"] and line[5] == "1re catégorie" for line in lines)
    (alone,) = rows(as_relay.get(page_of(relay, act) + "slip.csv"))[1:]
    assert alone[6:] == ["4", "38,00", "152,00"]


def test_english_tables_have_english_numbers(as_relay, relay):
    act = to_paper(relay, [("Zoé", "")])

    heads, line = rows(as_relay.get(page_of(relay, act) + "slip.csv", headers={"accept-language": "en"}))

    assert heads[-2:] == ["Face value", "Total"] and line[-2:] == ["38.00", "38.00"]


def test_what_was_taken_back_is_not_counted_and_is_said(as_relay, relay):
    act = to_paper(relay, [("Zoé", ""), ("Kofi", ""), ("Ana", "")])
    reclaim(relay=relay, shown=factories.shown(Ticket.objects.get(number=2)), request_key=uuid.uuid4())
    again = hand_over(relay=relay, product=act.product, quantity=1, names=[("Kofi", "")], request_key=uuid.uuid4())

    shown = words(as_relay.get(page_of(relay, act) + "slip-with-names.pdf").content)

    assert "2 billets, 76,00 € · 1 billet repris ou annulé depuis, non compté ici" in shown and "Kofi" not in shown
    assert "1 billet, 38,00 €" in words(as_relay.get(page_of(relay, again) + "slip.pdf").content)


def test_accounts_see_amounts_and_not_the_papers_with_names(client, relay):
    act = to_paper(relay, [("Zoé", "")])
    accountant = factories.RelayFactory(company=relay.company, may_distribute=False, may_see_accounts=True)
    client.force_login(accountant.user, backend=BACKEND)

    for name, status in (
        ("slip.pdf", 200),
        ("slip.csv", 200),
        ("sheet.pdf", 404),
        ("slip-with-names.pdf", 404),
        ("slip-with-names.csv", 404),
    ):
        assert client.get(page_of(relay, act) + name).status_code == status, name
    page = client.get(f"/c/{relay.company.public_id}/slips/").content.decode()
    assert "slip.pdf" in page and "1\xa0billet, Nuit Ravel" in page and "Zoé" not in page

    accountant.may_buy = True
    accountant.save()
    page = client.get(page_of(relay, act)).content.decode()
    assert "slip.pdf" in page and "slip-with-names" not in page and "sheet.pdf" not in page and "printout-files" not in page


def test_a_ticket_given_to_someone_else_is_on_the_papers_of_that_act_alone(as_relay, relay, people):
    zoe, kofi, _ana = people
    first = to_members(relay, (zoe, 1))
    ticket = Ticket.objects.get()
    second = reassign(relay=relay, product=first.product, shown=factories.shown(ticket), to=kofi, request_key=uuid.uuid4())

    as_relay.post(f"{page_of(relay, second)}print/", {"request_key": str(uuid.uuid4())})

    assert "Kofi Mensah" in words(as_relay.get(page_of(relay, second) + "sheet.pdf").content)
    assert "1 billet, 38,00 €" in words(as_relay.get(page_of(relay, second) + "slip.pdf").content)
    assert "0 billet" in words(as_relay.get(page_of(relay, first) + "slip.pdf").content)
    assert numbers_in(opened(as_relay, relay, second.printouts.get()).content) == [ticket.number]
