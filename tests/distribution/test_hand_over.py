"""Hand over on paper: printed at once, with names or a line to write on, and printed again with a record."""

import re
import uuid

import pypdfium2
import pytest

from distribution.actions import distribute, hand_over, reclaim, rename, undo
from distribution.errors import NobodyChosen, NotEnoughTickets
from distribution.models import Distribution
from tests import factories
from tickets.models import Movement, Seat, Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


def page_of(relay, act) -> str:
    return f"/c/{relay.company.public_id}/distributions/{act.public_id}/"


def post(client, relay, product, **form):
    """The form as the page sends it; the act it made."""
    values = {"quantity": "", "names": "", "per_page": "1", "request_key": str(uuid.uuid4())} | form
    return client.post(f"/c/{relay.company.public_id}/products/{product.public_id}/hand-over/", values)


def opened(client, relay, printout, number: int = 1):
    file = printout.files.get(number=number)
    return client.post(f"/c/{relay.company.public_id}/printout-files/{file.public_id}/")


def numbers_in(pdf: bytes) -> list[int]:
    """The tickets of a PDF, in order."""
    pages = " ".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf))
    return [int(number) for number in re.findall(r"Billet n°\s(\d+), exemplaire", pages)]


def handed_over_names() -> list[str]:
    return [ticket.beneficiary for ticket in Ticket.objects.filter(status="printed").order_by("number")]


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_handing_over_prints_at_once_without_any_email(relay):
    product = factories.stock(relay.company, 3)

    act = hand_over(relay=relay, product=product, quantity=2, names=[("Zoé", "Lefèvre")], request_key=uuid.uuid4())

    tickets = list(Ticket.objects.filter(status="printed").order_by("pk"))
    assert [t.beneficiary for t in tickets] == ["Zoé Lefèvre", ""]
    assert [m.kind for m in Movement.objects.filter(act=act.public_id)] == ["handed_over"] * 2
    figures = figures_of(relay.company, product)
    assert (figures.distributed, figures.printed, figures.left) == (2, 2, 1)
    assert not factories.owed().exists()


@pytest.mark.parametrize(("quantity", "names", "seats"), [(0, 0, 0), (-1, 0, 0), (1, 2, 0), (1, 0, 2)])
def test_no_ticket_or_fewer_than_names_or_seats_moves_nothing(relay, quantity, names, seats):
    product = factories.stock(relay.company, 3)
    chosen = Ticket.objects.values_list("pk", flat=True)[:seats]
    values = {"quantity": quantity, "names": [("Zoé", "Lefèvre")] * names, "chosen": list(chosen)}

    with pytest.raises(NobodyChosen):
        hand_over(relay=relay, product=product, **values, request_key=uuid.uuid4())

    assert not Distribution.objects.exists() and not Movement.objects.filter(kind="handed_over").exists()


def test_handing_over_more_than_is_left_moves_nothing(relay):
    product = factories.stock(relay.company, 1)

    with pytest.raises(NotEnoughTickets):
        hand_over(relay=relay, product=product, quantity=2, names=[], request_key=uuid.uuid4())

    assert figures_of(relay.company, product).left == 1


@pytest.mark.parametrize(
    ("pasted", "names"),
    [
        ("Zoé Lefèvre-Diallo\nKofi Mensah\n", ["Zoé Lefèvre-Diallo", "Kofi Mensah"]),
        ("Marie Anne\tde La Tour\r\nKofi\tMensah", ["Marie Anne de La Tour", "Kofi Mensah"]),
        ("Prénom\tNom\nZoé\tLefèvre", ["Zoé Lefèvre"]),
        ("NOM\tPRÉNOM\nLefèvre\tZoé\nMensah\tKofi", ["Zoé Lefèvre", "Kofi Mensah"]),
        ("Zoé\tLefèvre\t\n\n\tMensah", ["Zoé Lefèvre", "Mensah"]),
        ("Madonna", ["Madonna"]),
    ],
    ids=["lines", "two columns", "headings", "headings the other way round", "an empty cell", "one name"],
)
def test_names_are_pasted_one_a_line_or_in_two_columns_and_make_as_many_tickets(as_relay, relay, pasted, names):
    product = factories.stock(relay.company, 5)

    answer = post(as_relay, relay, product, names=pasted)

    assert answer.status_code == 302
    assert handed_over_names() == names


def test_two_columns_keep_first_and_last_name_apart(as_relay, relay):
    product = factories.stock(relay.company, 1)

    post(as_relay, relay, product, names="Marie Anne\tde La Tour")

    ticket = Ticket.objects.get()
    assert (ticket.beneficiary_first_name, ticket.beneficiary_last_name) == ("Marie Anne", "de La Tour")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"names": "Zoé\tLefèvre\tzoe@exemple.fr"}, "La ligne 1 a plus de deux colonnes"),
        ({"names": "Zoé L\nKofi \u202eM"}, "Ligne 2"),
        ({"names": "A B\nC D\nE F\nG H\nI J\nK L"}, "Il ne reste que 5 billets."),
        ({"names": "A B\nC D", "quantity": "1"}, "Il y a plus de noms que de billets"),
        ({}, "Écrivez un nombre de billets"),
        ({"quantity": "6"}, "Il ne reste que 5 billets."),
        ({"quantity": "2", "per_page": "3"}, "Choisissez un billet par page, ou quatre."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(as_relay, relay, form, sentence):
    product = factories.stock(relay.company, 5)

    answer = post(as_relay, relay, product, **form)

    assert answer.status_code == 422
    assert sentence in said(answer)
    for line in form.get("names", "").split("\n"):
        assert line in answer.content.decode()
    assert not Distribution.objects.exists()


def test_five_thousand_at_most_at_a_time(as_relay, relay):
    product = factories.stock(relay.company, 5001, factories.ProductFactory(quota=6000))

    refused = post(as_relay, relay, product, quantity="5001")

    with pytest.raises(NobodyChosen):
        hand_over(relay=relay, product=product, quantity=5001, names=[], request_key=uuid.uuid4())
    assert refused.status_code == 422 and "5 000 billets au plus" in said(refused).replace("\u202f", " ").replace("\xa0", " ")
    assert not Distribution.objects.exists()


def test_names_are_written_seat_by_seat_in_the_order_given(relay):
    event = factories.EventFactory()
    product = factories.ProductFactory(event=event, numbered=True)
    for places in ((2, 3), (1,)):  # the first seat was bought last
        Seat.objects.bulk_create(Seat(event=event, block="A", row="1", number=str(n), place_in_row=n) for n in places)
        factories.stock(relay.company, len(places), product)

    hand_over(relay=relay, product=product, quantity=3, names=[("Un", ""), ("Deux", ""), ("Trois", "")], request_key=uuid.uuid4())

    written = {t.seat.number: t.beneficiary for t in Ticket.objects.select_related("seat")}
    assert written == {"1": "Un", "2": "Deux", "3": "Trois"}


def test_a_seat_given_meanwhile_is_said_and_nothing_is_done(as_relay, relay):
    event = factories.EventFactory()
    Seat.objects.bulk_create(Seat(event=event, block="A", row="1", number=str(n), place_in_row=n) for n in (1, 2))
    product = factories.stock(relay.company, 2, factories.ProductFactory(event=event, numbered=True))
    gone = Ticket.objects.order_by("pk").first()
    factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user)

    answer = post(as_relay, relay, product, seat=[str(t.public_id) for t in Ticket.objects.all()])

    gone.refresh_from_db()
    assert answer.status_code == 422 and "vient d’être" in said(answer)
    assert gone.member and not Distribution.objects.exists()


def test_a_few_are_ready_in_the_answer_and_the_first_download_records_nothing_more(as_relay, relay):
    product = factories.stock(relay.company, 3)

    answer = post(as_relay, relay, product, quantity="3")

    act = Distribution.objects.get()
    page = said(as_relay.get(answer["Location"]))
    assert "3 billets, prêts à imprimer" in page and "Ouvrir le PDF de 3 billets" in page
    pdf = opened(as_relay, relay, act.printouts.get())
    assert pdf["Content-Type"] == "application/pdf" and pdf["Content-Disposition"] == 'attachment; filename="billets-nuit-ravel.pdf"'
    assert numbers_in(pdf.content) == [1, 2, 3]
    assert set(Movement.objects.filter(act=act.public_id).values_list("kind", flat=True)) == {"handed_over"}


def test_four_to_a_page_where_the_relay_wants_it(as_relay, relay):
    product = factories.stock(relay.company, 5)

    post(as_relay, relay, product, quantity="5", per_page="4")

    pdf = opened(as_relay, relay, Distribution.objects.get().printouts.get()).content
    assert len(pypdfium2.PdfDocument(pdf)) == 2 and numbers_in(pdf) == [1, 2, 3, 4, 5]


def test_the_same_form_twice_hands_over_and_prints_once(as_relay, relay):
    product = factories.stock(relay.company, 4)
    key = str(uuid.uuid4())

    first, second = (post(as_relay, relay, product, quantity="2", request_key=key) for _ in range(2))

    again = hand_over(relay=relay, product=product, quantity=2, names=[], request_key=uuid.UUID(key))

    assert first["Location"] == second["Location"] and again == Distribution.objects.get()
    assert again.printouts.count() == 1
    assert figures_of(relay.company, product).left == 2


def test_printing_again_is_recorded_for_each_ticket_with_its_act_once_a_form(as_relay, relay):
    product = factories.stock(relay.company, 2)
    act = hand_over(relay=relay, product=product, quantity=2, names=[], request_key=uuid.uuid4())
    form = {"per_page": "4", "request_key": str(uuid.uuid4())}

    for _ in range(2):
        assert as_relay.post(f"{page_of(relay, act)}print/", form).status_code == 302

    again = Movement.objects.filter(act=act.public_id, kind="printed")
    assert {m.ticket.number for m in again} == {1, 2} and {m.actor for m in again} == {relay.user}
    assert again.count() == 2 and act.printouts.count() == 2
    assert numbers_in(opened(as_relay, relay, act.printouts.first()).content) == [1, 2]


def test_looking_at_an_act_or_getting_its_old_address_prints_nothing(as_relay, relay):
    product = factories.stock(relay.company, 2)
    act = hand_over(relay=relay, product=product, quantity=2, names=[], request_key=uuid.uuid4())
    before = Movement.objects.count()

    assert as_relay.get(page_of(relay, act)).status_code == 200
    assert as_relay.get(f"{page_of(relay, act)}print/").status_code == 405
    assert as_relay.get(f"/c/{relay.company.public_id}/printout-files/{act.printouts.get().files.get().public_id}/").status_code == 405
    assert Movement.objects.count() == before


def test_printing_again_leaves_out_what_was_reclaimed_or_used(as_relay, relay):
    product = factories.stock(relay.company, 3)
    act = hand_over(relay=relay, product=product, quantity=3, names=[("A", ""), ("B", ""), ("C", "")], request_key=uuid.uuid4())
    back, used, _kept = Ticket.objects.order_by("number")
    reclaim(relay=relay, shown=factories.shown(back), request_key=uuid.uuid4())
    Ticket.objects.filter(pk=used.pk).update(status="checked")
    Movement.objects.create(ticket=used, kind="checked", generation=0)

    as_relay.post(f"{page_of(relay, act)}print/", {"request_key": str(uuid.uuid4())})

    assert numbers_in(opened(as_relay, relay, act.printouts.first()).content) == [3]


def test_a_ticket_handed_over_anew_belongs_to_its_last_act_alone(as_relay, relay):
    product = factories.stock(relay.company, 1)
    old = hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    reclaim(relay=relay, shown=factories.shown(Ticket.objects.get()), request_key=uuid.uuid4())
    new = hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())

    answer = as_relay.post(f"{page_of(relay, old)}print/", {"request_key": str(uuid.uuid4())}, follow=True)

    assert "Choisissez au moins un billet à imprimer" in said(answer)
    assert not Movement.objects.filter(kind="printed").exists()
    assert [list(act.tickets_given()) for act in (old, new)] == [[], [Ticket.objects.get()]]


def test_the_tickets_of_those_without_an_address_are_printed_from_their_distribution(as_relay, relay):
    product = factories.stock(relay.company, 3)
    zoe = factories.MemberFactory(company=relay.company)
    abel, yann = (factories.MemberFactory(company=relay.company, last_name=name, email="") for name in ("Abel", "Yann"))
    gifts = [(zoe.pk, 1, ()), (yann.pk, 1, ()), (abel.pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    page = said(as_relay.get(page_of(relay, act)))
    assert "Les personnes sans adresse : 2 billets" in page.replace("\xa0", " ") and "Tout le monde : 3 billets" in page.replace(
        "\xa0", " "
    )

    as_relay.post(f"{page_of(relay, act)}print/", {"whom": "without_email", "request_key": str(uuid.uuid4())})

    states = {t.member: t.status for t in Ticket.objects.select_related("member")}
    assert states == {zoe: "distributed", abel: "printed", yann: "printed"}
    assert set(Ticket.objects.filter(status="printed").values_list("beneficiary_last_name", flat=True)) == {"Abel", "Yann"}
    pdf = opened(as_relay, relay, act.printouts.get()).content
    assert numbers_in(pdf) == [abel.tickets.get().number, yann.tickets.get().number]


def test_printing_writes_the_members_name_where_no_other_is_and_keeps_the_one_that_is(as_relay, relay):
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Abel")
    product = factories.stock(relay.company, 2)
    act = distribute(relay=relay, product=product, gifts=[(member.pk, 2, ())], message="", request_key=uuid.uuid4())
    Ticket.objects.update(shown_from="2026-01-01T00:00Z")
    ticket = Ticket.objects.order_by("number").first()
    rename(user=factories.login(member.email), ticket=ticket.public_id, generation=0, first_name="", last_name="Mensah")

    as_relay.post(f"{page_of(relay, act)}print/", {"request_key": str(uuid.uuid4())})

    written = Ticket.objects.order_by("number").values_list("beneficiary_first_name", "beneficiary_last_name")
    assert list(written) == [("", "Mensah"), ("Zoé", "Abel")]


def test_an_undone_distribution_has_nothing_to_print(as_relay, relay):
    product = factories.stock(relay.company, 1)
    gifts = [(factories.MemberFactory(company=relay.company).pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    undo(relay=relay, distribution=act)

    page = said(as_relay.get(page_of(relay, act)))
    answer = as_relay.post(f"{page_of(relay, act)}print/", {"request_key": str(uuid.uuid4())}, follow=True)

    assert "Préparer" not in page and "Choisissez au moins un billet" in said(answer)


def test_only_acts_that_gave_tickets_can_be_printed(as_relay, relay):
    product = factories.stock(relay.company, 1)
    hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())
    act = reclaim(relay=relay, shown=factories.shown(Ticket.objects.get()), request_key=uuid.uuid4())

    assert as_relay.post(f"{page_of(relay, act)}print/", {"request_key": str(uuid.uuid4())}).status_code == 404
    for paper in ("sheet.pdf", "slip.pdf", "slip.csv", "slip-with-names.pdf", "slip-with-names.csv"):
        assert as_relay.get(page_of(relay, act) + paper).status_code == 404
