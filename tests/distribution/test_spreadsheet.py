"""A product's tickets taken away as a sheet and brought back changed: said first, whole, once, and never over what has moved."""

import csv
import html
import io
import re
import uuid
import zipfile
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Seller
from distribution.actions import distribute, forward, reclaim, undo
from distribution.errors import UndoTooLate
from distribution.models import Distribution
from members.models import Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from portal.sheets import rows_of_file
from tests import factories
from tests.dashboard.test_csv import NAMES, STARTS_A_FORMULA
from tests.distribution.test_distribute_list import said
from tickets import steps as tickets_steps
from tickets.models import Movement, Seat, Ticket

pytestmark = pytest.mark.django_db
NUMBER, SEAT, FIRST, LAST, EMAIL, STATE, VERSION = range(7)


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 5)


@pytest.fixture
def url(relay, product):
    return f"/c/{relay.company.public_id}/products/{product.public_id}/spreadsheet/"


def member(relay, first, last, email):
    return factories.MemberFactory(company=relay.company, first_name=first, last_name=last, email=email)


@pytest.fixture
def zoe(relay, product):
    """She has the first ticket."""
    zoe = member(relay, "Zoé", "Lefèvre", "zoe@exemple.fr")
    factories.given(zoe, product, 1, by=relay.user)
    return zoe


def exported(client, url, kind="csv") -> list[list[str]]:
    content = client.get(f"{url}tickets.{kind}").content
    if kind == "xlsx":
        return rows_of_file(SimpleUploadedFile("x", content))
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))


def write(rows, at: int, first="", last="", email=""):
    rows[at][FIRST:STATE] = [first, last, email]


def sent_back(client, url, rows, **more):
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(rows)
    file = SimpleUploadedFile("billets.csv", text.getvalue().encode())
    return client.post(url, {"file": file, "check": "1", "request_key": str(uuid.uuid4()), **more})


def fields_of(answer) -> dict:
    """What the previewed form would send."""
    page = answer.content.decode()
    rows = re.search(r'name="rows"[^>]*>\n(.*?)</textarea>', page, re.S)[1]
    shown = re.search(r'name="shown" value="(\w*)"', page)[1]
    return {"rows": html.unescape(rows), "shown": shown}


def confirm(client, url, answer, **more):
    return client.post(url, {**fields_of(answer), "confirm": "1", "request_key": str(uuid.uuid4()), **more})


def brought(client, url, rows, **more):
    """Sent back, looked at, confirmed."""
    return confirm(client, url, sent_back(client, url, rows, **more), **more)


def holders(product) -> list[str]:
    return [str(t.member or "") for t in Ticket.objects.filter(product=product).select_related("member").order_by("number")]


def test_names_filled_in_are_given_and_told_once_each(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 2, "Kofi", "Mensah", "KOFI@exemple.fr")
    write(rows, 3, "Kofi", "Mensah", "kofi@exemple.fr")
    write(rows, 4, "Zoé", "Lefèvre", "zoe@exemple.fr")

    shown = said(sent_back(as_relay, url, rows))
    answer = brought(as_relay, url, rows)

    assert "3 donnés" in shown and "2 lignes inchangées" in shown
    assert answer.status_code == 302
    assert holders(product) == ["Zoé Lefèvre", "Kofi Mensah", "Kofi Mensah", "Zoé Lefèvre", ""]
    act = Distribution.objects.get()
    assert (act.kind, act.quantity, act.recipients.count()) == ("distribute", 3, 2)
    assert sorted(factories.owed().values_list("recipient", flat=True)) == ["kofi@exemple.fr", "zoe@exemple.fr"]


def test_what_only_gave_can_be_undone(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 2, "Kofi", "Mensah", "kofi@exemple.fr")
    brought(as_relay, url, rows)

    undo(relay=relay, distribution=Distribution.objects.get())

    assert holders(product)[1] == "" and not factories.owed().exclude(state="cancelled").exists()


def test_another_name_takes_back_and_gives_on_with_a_new_barcode(as_relay, relay, product, url, zoe):
    factories.printed(list(zoe.tickets.all()))
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")

    shown = said(sent_back(as_relay, url, rows))
    brought(as_relay, url, rows)

    assert "repris, ce qui était imprimé ne vaut plus rien ; puis donné" in shown and "Zoé Lefèvre" in shown
    ticket = Ticket.objects.order_by("number").first()
    assert str(ticket.member) == "Kofi Mensah" and ticket.generation == 1
    assert sorted(Distribution.objects.values_list("kind", "quantity")) == [("distribute", 1), ("reclaim", 1)]
    assert [m.kind for m in Movement.objects.filter(ticket=ticket).order_by("pk")][-2:] == ["reclaimed", "distributed"]
    assert sorted(factories.owed().values_list("kind", "recipient")) == [
        ("tickets_distributed", "kofi@exemple.fr"),
        ("tickets_reclaimed", "zoe@exemple.fr"),
    ]


def test_what_also_took_back_leaves_at_once_and_is_not_undone(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")
    brought(as_relay, url, rows)

    with pytest.raises(UndoTooLate):
        undo(relay=relay, distribution=Distribution.objects.get(kind="distribute"))


def test_a_name_emptied_is_a_ticket_taken_back_and_said_with_its_count(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1)

    shown = said(sent_back(as_relay, url, rows))
    brought(as_relay, url, rows)

    assert "<b>1 repris, dont le nom est vidé</b>" in shown and "Reprendre 1 billet" in shown
    assert holders(product) == [""] * 5 and Distribution.objects.get().kind == "reclaim"


def test_the_same_file_twice_has_nothing_to_do(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1)
    write(rows, 2, "Kofi", "Mensah", "kofi@exemple.fr")
    brought(as_relay, url, rows)
    before = Movement.objects.count()

    again = sent_back(as_relay, url, rows)
    answer = as_relay.post(url, {**fields_of(again), "confirm": "1", "request_key": str(uuid.uuid4())}, follow=True)

    assert "2 le sont déjà" in said(again) and 'name="confirm"' not in said(again)
    assert "Rien à faire" in said(answer) and Movement.objects.count() == before


def test_a_file_left_as_it_is_does_nothing_whatever_has_happened(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    factories.given(member(relay, "Kofi", "Mensah", "kofi@exemple.fr"), product, 2, by=relay.user)

    shown = said(sent_back(as_relay, url, rows))

    assert "Rien à faire : ses 5 lignes sont comme à l’exportation." in shown


def passed(shown: str) -> bool:
    return "1 a bougé depuis et reste tel quel" in shown


def test_what_another_relay_gave_meanwhile_is_shown_and_not_overwritten(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    factories.given(member(relay, "Kofi", "Mensah", "kofi@exemple.fr"), product, 1, by=relay.user)
    write(rows, 2, "Mai", "Nguyễn", "mai@exemple.fr")
    write(rows, 3, "Mai", "Nguyễn", "mai@exemple.fr")

    preview = sent_back(as_relay, url, rows)
    confirm(as_relay, url, preview)

    assert passed(said(preview)) and "Distribué à Kofi Mensah par Samia" in said(preview)
    assert holders(product)[1:3] == ["Kofi Mensah", "Mai Nguyễn"]


def test_what_the_member_printed_or_the_gate_checked_meanwhile_stays(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    (ticket,) = factories.printed(list(zoe.tickets.all()))
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")
    assert passed(said(sent_back(as_relay, url, rows)))
    tickets_steps.check(number=ticket.number, event=product.event, generation=ticket.generation)

    preview = sent_back(as_relay, url, rows)

    assert passed(said(preview)) and "Contrôlé à l’entrée" in said(preview) and 'name="confirm"' not in said(preview)


def test_an_emptied_name_takes_nothing_from_whoever_has_it_since(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1)
    tickets = {t.public_id: t.face for t in zoe.tickets.all()}
    reclaim(relay=relay, shown=tickets, request_key=uuid.uuid4())
    factories.given(member(relay, "Kofi", "Mensah", "kofi@exemple.fr"), product, 1, by=relay.user)

    assert passed(said(sent_back(as_relay, url, rows)))


def test_what_is_with_another_company_meanwhile_is_left_alone(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1)
    site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company)).company
    reclaim(relay=relay, shown={t.public_id: t.face for t in zoe.tickets.all()}, request_key=uuid.uuid4())
    forward(relay=relay, product=product, to=site, quantity=5, message="", request_key=uuid.uuid4())

    assert passed(said(sent_back(as_relay, url, rows)))


def test_what_moves_between_the_look_and_the_confirmation_is_shown_again(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 2, "Mai", "Nguyễn", "mai@exemple.fr")
    preview = sent_back(as_relay, url, rows)
    factories.given(member(relay, "Kofi", "Mensah", "kofi@exemple.fr"), product, 1, by=relay.user)

    answer = confirm(as_relay, url, preview)

    assert answer.status_code == 422 and "changé depuis" in said(answer) and passed(said(answer))
    assert not Member.objects.filter(email="mai@exemple.fr").exists() and not Distribution.objects.exists()


def test_the_same_confirmation_twice_is_done_once(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")
    form = {**fields_of(sent_back(as_relay, url, rows)), "confirm": "1", "request_key": str(uuid.uuid4())}

    first, second = as_relay.post(url, form), as_relay.post(url, form)

    assert first["Location"] == second["Location"] and Distribution.objects.count() == 2


def test_the_same_emptied_names_confirmed_twice_are_taken_back_once(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1)
    form = {**fields_of(sent_back(as_relay, url, rows)), "confirm": "1", "request_key": str(uuid.uuid4())}

    assert [as_relay.post(url, form).status_code for _ in range(2)] == [302, 302] and Distribution.objects.count() == 1


def test_more_rows_than_are_done_at_once_are_said_so(as_relay, relay, product, url, monkeypatch):
    monkeypatch.setattr("distribution.views.spreadsheet.MOST_ROWS", 1)
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah")
    one = sent_back(as_relay, url, rows)
    write(rows, 2, "Ama", "Mensah")

    assert one.status_code == 200 and "2 lignes sont changées" in said(sent_back(as_relay, url, rows))


def test_another_address_of_the_same_person_is_corrected(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 1, "Zoé", "Lefèvre", "zoe@mecavia.fr")

    shown = said(sent_back(as_relay, url, rows))
    answer = brought(as_relay, url, rows)

    assert "adresse corrigée : zoe@exemple.fr devient zoe@mecavia.fr" in shown and "Corriger 1 adresse" in shown
    assert answer.status_code == 302 and Member.objects.get().email == "zoe@mecavia.fr"
    assert holders(product)[0] == "Zoé Lefèvre" and not Distribution.objects.exists()


WRONG = {
    "half a name": (lambda rows: write(rows, 2, "Kofi", "", "kofi@exemple.fr"), "Il faut un prénom et un nom."),
    "no address": (lambda rows: write(rows, 2, "Kofi", "Mensah", "kofi"), "« kofi » n’est pas une adresse électronique."),
    "an address of somebody else": (lambda rows: write(rows, 2, "Kofi", "Mensah", "zoe@exemple.fr"), "Zoé Lefèvre a déjà cette adresse"),
    "a number of nobody": (lambda rows: rows.append(["999999", "", "A", "B", "", "", "v1.2.3"]), "n’a pas de billet de ce numéro"),
    "a word for a number": (lambda rows: rows.append(["douze", "", "A", "B", "", "", "v1.2.3"]), "n’a pas de billet de ce numéro"),
    "a ticket twice": (lambda rows: (write(rows, 2, "A", "B"), rows.append([*rows[2][:2], "C", "D", *rows[2][4:]])), "Même billet qu’à"),
    "no version": (lambda rows: (write(rows, 2, "A", "B"), rows[2].__setitem__(VERSION, "")), "Sa version manque"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_row_says_why_and_holds_the_whole_sheet_back(as_relay, relay, product, url, zoe, kind):
    spoil, sentence = WRONG[kind]
    rows = exported(as_relay, url)
    write(rows, 5, "Bon", "Dernier", "bon@exemple.fr")
    spoil(rows)

    preview = sent_back(as_relay, url, rows)
    answer = confirm(as_relay, url, preview, message="À demain")

    assert sentence in said(preview) and answer.status_code == 422 and sentence in said(answer) and "À demain" in said(answer)
    assert Member.objects.count() == 1 and not Distribution.objects.exists()


@pytest.mark.parametrize("whose", ["another company", "another product"])
def test_a_ticket_that_is_not_of_this_page_answers_like_none(as_relay, relay, product, url, whose):
    if whose == "another company":
        factories.stock(factories.CompanyFactory(), 1, product)
    else:
        factories.stock(relay.company, 1)
    theirs = Ticket.objects.order_by("number").last()
    rows = exported(as_relay, url)
    write(rows, 1, "A", "B")
    rows[1][NUMBER] = str(theirs.number)

    assert "Votre structure n’a pas de billet de ce numéro" in said(sent_back(as_relay, url, rows))


def test_what_was_handed_over_on_paper_is_not_given_by_a_name(as_relay, relay, product, url):
    ticket = Ticket.objects.order_by("number").first()
    tickets_steps.hand_over([ticket], [("", "")], by=relay.user, act=uuid.uuid4())
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")

    assert "remis sur papier" in said(sent_back(as_relay, url, rows))


def test_the_seller_may_say_that_what_is_printed_stays(as_relay, relay, product, url, zoe):
    Seller.objects.update(reclaim_until="printed")
    factories.printed(list(zoe.tickets.all()))
    rows = exported(as_relay, url)
    write(rows, 1)

    assert "la billetterie ne permet plus de le reprendre" in said(sent_back(as_relay, url, rows))


def test_once_the_event_is_over_nothing_is_given(as_relay, relay, product, url, zoe):
    rows = exported(as_relay, url)
    write(rows, 2, "Kofi", "Mensah", "kofi@exemple.fr")
    type(product.event).objects.update(valid_until=timezone.now(), starts_at=timezone.now() - timedelta(hours=3))

    assert "Cette séance est passée" in said(sent_back(as_relay, url, rows))


def test_whoever_loses_one_and_gains_another_has_one_email(as_relay, relay, product, url, zoe, post):
    Seller.objects.update(undo_seconds=0)
    kofi = member(relay, "Kofi", "Mensah", "kofi@exemple.fr")
    factories.given(kofi, product, 1, by=relay.user)
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")
    write(rows, 2, "Zoé", "Lefèvre", "zoe@exemple.fr")
    brought(as_relay, url, rows)

    outbox_actions.send_due()

    assert holders(product)[:2] == ["Kofi Mensah", "Zoé Lefèvre"]
    assert sorted(factories.owed().values_list("recipient", flat=True)) == ["kofi@exemple.fr", "zoe@exemple.fr"]
    (letter,) = post.to("zoe@exemple.fr")
    assert "1 autre billet que vous aviez est repris" in " ".join(letter.get_body(("plain",)).get_content().split())


def test_whatever_names_hold_no_cell_is_a_formula_and_the_sheet_comes_back_unchanged(as_relay, relay, url):
    """TRUST row 22, with the names of the other exports."""
    product = factories.stock(relay.company, len(NAMES))
    url = url.replace(url.split("/")[4], str(product.public_id))
    for n, name in enumerate(NAMES):
        someone = Member(company=relay.company, first_name=name, last_name=f"{name}é", email=f"+n{n}@exemple.fr")
        someone.save()
        factories.given(someone, product, by=relay.user)

    text = as_relay.get(f"{url}tickets.csv").content.decode("utf-8-sig")
    with zipfile.ZipFile(io.BytesIO(as_relay.get(f"{url}tickets.xlsx").content)) as book:
        (sheet,) = (book.read(name).decode() for name in book.namelist() if "/sheet" in name)

    cells = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=";") for cell in row]
    assert not [cell for cell in cells if cell.lstrip(" \u00a0").startswith(STARTS_A_FORMULA)]
    assert not re.search(r"<f\b", sheet) and set(re.findall(r"<c [^>]*?t=\"(\w+)\"", sheet)) == {"inlineStr"}
    for kind in ("csv", "xlsx"):
        file = SimpleUploadedFile(f"billets.{kind}", as_relay.get(f"{url}tickets.{kind}").content)
        answer = as_relay.post(url, {"file": file, "check": "1", "request_key": str(uuid.uuid4())})
        assert len(answer.context["edits"]) + answer.context["untouched"] == len(NAMES)
        assert {edit.verdict for edit in answer.context["edits"]} <= {"done"} and "Rien à faire" in said(answer), kind


def test_halves_of_a_pair_given_to_two_people_are_refused(as_relay, relay):
    product = factories.ProductFactory(numbered=True)
    for place, kind in enumerate(["wheelchair", "companion"], 1):
        Seat.objects.create(event=product.event, row="A", number=str(place), place_in_row=place, kind=kind)
    factories.stock(relay.company, 2, product)
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/spreadsheet/"
    rows = exported(as_relay, url)
    write(rows, 1, "Kofi", "Mensah", "kofi@exemple.fr")

    answer = brought(as_relay, url, rows)

    assert answer.status_code == 422 and "vont ensemble" in said(answer) and not Distribution.objects.exists()


def test_thirty_changed_rows_ask_as_often_as_three(as_relay, relay):
    as_relay.get("/spaces/")

    def asked(count: int) -> list[int]:
        product = factories.stock(relay.company, 3 * count)
        members = factories.MemberFactory.create_batch(2 * count, company=relay.company)
        gifts = [(m.pk, 1, ()) for m in members]
        distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
        Ticket.objects.update(shown_from="2025-01-01T00:00Z")
        Delivery.objects.update(state="sent")
        url = f"/c/{relay.company.public_id}/products/{product.public_id}/spreadsheet/"
        queries = []

        def counted(act):
            with CaptureQueriesContext(connection) as captured:
                answer = act()
            queries.append(len(captured))
            return answer

        rows = counted(lambda: exported(as_relay, url))
        for at in range(count):
            write(rows, 1 + at)
            write(rows, 1 + count + at, "Neuf", f"N{count}-{at}", f"n{count}-{at}@exemple.fr")
            write(rows, 1 + 2 * count + at, "Encore", f"E{count}-{at}", f"e{count}-{at}@exemple.fr")
        preview = counted(lambda: sent_back(as_relay, url, rows))
        assert counted(lambda: confirm(as_relay, url, preview)).status_code == 302
        assert Delivery.objects.filter(kind="tickets_reclaimed").exists()
        return queries

    assert asked(3) == asked(30)
