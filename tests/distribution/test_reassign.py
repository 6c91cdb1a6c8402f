"""Take a ticket back and give it to someone else in one gesture: the same ticket, two emails, a dead print, all or nothing."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Seller
from control.actions import scan
from control.verdicts import sentence
from distribution.actions import distribute, hand_over, reassign
from distribution.errors import CannotReclaim, NobodyChosen
from distribution.models import Distribution
from members.models import Member
from outbox import actions as outbox_actions
from tests import factories
from tests.control.test_gate import code_of
from tickets import steps as tickets_steps
from tickets.models import Event, Movement, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")


@pytest.fixture
def karim(relay):
    return factories.MemberFactory(company=relay.company, first_name="Karim", last_name="Benali")


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 4)


@pytest.fixture
def ticket(relay, product, zoe):
    return factories.given(zoe, product, by=relay.user)[0]


def give_on(relay, product, to, *tickets, key=None, **words):
    return reassign(relay=relay, product=product, shown=factories.shown(*tickets), to=to, request_key=key or uuid.uuid4(), **words)


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_the_same_ticket_goes_from_one_to_the_other_and_both_are_told_at_once(relay, product, zoe, karim, ticket, post):
    factories.printed([ticket])
    key = uuid.uuid4()

    acts = {give_on(relay, product, karim, ticket, key=key, message="Bonne soirée", farewell="Désolée") for _ in range(2)}

    (act,) = acts
    ticket.refresh_from_db()
    assert (ticket.member, ticket.status, ticket.generation, ticket.printed_generation) == (karim, "distributed", 1, None)
    movements = Movement.objects.filter(act=act.public_id).order_by("pk")
    assert [(m.kind, m.from_member, m.to_member) for m in movements] == [("reclaimed", zoe, None), ("distributed", None, karim)]
    outbox_actions.send_due()
    (lost,), (won,) = post.to(zoe.email), post.to(karim.email)
    assert "n’est plus à vous" in lost["Subject"] and "Désolée" in lost.get_body(("plain",)).get_content()
    assert "vous offre 1 billet" in won["Subject"] and "Bonne soirée" in won.get_body(("plain",)).get_content()
    assert "Désolée" not in won.get_body(("plain",)).get_content() and str(zoe) not in won.as_string()
    assert Ticket.objects.given_to(factories.login(karim.email)).get() == ticket


def test_the_old_print_is_refused_as_replaced_and_the_new_one_admitted(relay, product, zoe, karim, ticket):
    factories.printed([ticket])
    device, old = factories.DeviceFactory(gate__event=product.event), code_of(ticket)

    give_on(relay, product, karim, ticket)
    (new,) = factories.printed([ticket])

    refused, admitted = (scan(device=device, code=code, client_id=uuid.uuid4()) for code in (old, code_of(new)))
    assert (refused.reason, admitted.verdict) == ("replaced", "admitted")
    assert "par le relais de la structure" in sentence(refused) and "exemplaire 2" in sentence(refused)


def test_a_ticket_on_paper_goes_to_someone_and_the_paper_dies(relay, product, karim):
    hand_over(relay=relay, product=product, quantity=1, names=[("Léo", "")], request_key=uuid.uuid4())
    paper = Ticket.objects.get(status="printed")

    give_on(relay, product, karim, paper)

    paper.refresh_from_db()
    assert (paper.member, paper.status, paper.generation, paper.beneficiary) == (karim, "distributed", 1, "Karim Benali")
    assert [d.recipient for d in factories.owed()] == [karim.email]
    karim.refresh_from_db()
    assert karim.last_given_at and paper.movements.filter(kind="reclaimed").exists()  # paper has been seen


def test_who_had_not_been_shown_it_never_hears_of_it(relay, product, zoe, karim, post):
    distribute(relay=relay, product=product, gifts=[(zoe.pk, 1, ())], message="", request_key=uuid.uuid4())

    give_on(relay, product, karim, zoe.tickets.get())

    assert Movement.objects.get(from_member=zoe).kind == "undone"
    assert sorted(factories.owed().values_list("recipient", "state")) == sorted([(zoe.email, "cancelled"), (karim.email, "pending")])


def test_where_the_seller_tells_nobody_only_the_new_holder_gets_an_email(as_relay, relay, product, zoe, karim, ticket):
    Seller.objects.update(tells_of_reclaims=False)
    form = {"ticket": f"{ticket.public_id}:{ticket.face}", "to": str(karim.public_id), "request_key": str(uuid.uuid4())}
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/reassign/?ticket={ticket.public_id}"
    page = said(as_relay.post(url, form))
    assert "la billetterie l’a choisi ainsi" in page and "Un mot pour Zoé" not in page

    as_relay.post(url, form | {"confirm": "1"})

    assert [d.recipient for d in factories.owed()] == [karim.email]


@pytest.mark.parametrize("why", ["checked", "printed where that ends it", "over", "the same person", "nobody", "of another product"])
def test_all_or_nothing_with_a_true_sentence(relay, product, zoe, karim, ticket, why):
    other = factories.given(zoe, product, by=relay.user)[0]
    to, refusal, of = karim, CannotReclaim, product
    match why:
        case "checked":
            assert tickets_steps.check(number=other.number, event=other.event, generation=0)
            sentence = f"Le billet {other.number} a été contrôlé à l’entrée"
        case "printed where that ends it":
            Seller.objects.update(reclaim_until="printed")
            factories.printed([other])
            sentence = f"Le billet {other.number} a été imprimé"
        case "over":
            Event.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=timezone.now() - timedelta(days=1))
            of.event.refresh_from_db()
            sentence = "Cette séance est passée"
        case "the same person":
            to, sentence = zoe, "Zoé Lefèvre a déjà ce billet"
        case "nobody":
            to, refusal, sentence = factories.MemberFactory(), NobodyChosen, "Choisissez au moins une personne"
        case _:
            of, sentence = factories.stock(relay.company, 1), "Choisissez des billets"
    before = Movement.objects.count()

    with pytest.raises(refusal, match=sentence):
        give_on(relay, of, to, ticket, other)

    assert Movement.objects.count() == before
    assert not factories.owed().exists() and not Distribution.objects.filter(kind="reassign").exists()


def test_the_page_shows_both_emails_then_gives_the_seat_to_the_person_chosen(as_relay, relay, product, zoe, karim, ticket):
    factories.printed([ticket])
    ticket.refresh_from_db()
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/reassign/?member={zoe.public_id}"
    start = said(as_relay.get(url))
    assert "À qui donner ce billet" in start and f"{ticket.number}</b>" in start

    form = {"ticket": f"{ticket.public_id}:{ticket.face}", "request_key": str(uuid.uuid4()), "welcome": "Bienvenue", "message": "Désolée"}
    page = said(as_relay.post(url, form | {"add": str(karim.public_id)}))
    assert "Ce que recevra Karim" in page and "Ce que recevra Zoé" in page and "Un mot pour Zoé, facultatif" in page
    assert "1 impression est désormais refusée" in page and "Donner 1 billet à Karim" in page
    assert "Bienvenue" in page and "Désolée" in page
    assert ticket.movements.latest("pk").kind == "printed"

    done = as_relay.post(url, form | {"to": str(karim.public_id), "confirm": "1"}, follow=True)
    assert "1 billet donné à quelqu’un d’autre" in said(done) and "Zoé Lefèvre" in said(done) and "Karim Benali" in said(done)
    again = as_relay.post(url, form | {"to": str(karim.public_id), "confirm": "1"}, follow=True)
    assert again.redirect_chain == done.redirect_chain
    assert "1 billet donné à quelqu’un d’autre" in said(as_relay.get(f"/c/{relay.company.public_id}/history/"))


def test_a_person_not_yet_on_the_list_is_added_on_the_spot(as_relay, relay, product, zoe, ticket):
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/reassign/?ticket={ticket.public_id}"
    form = {"ticket": f"{ticket.public_id}:{ticket.face}", "request_key": str(uuid.uuid4())}
    wrong = as_relay.post(url, form | {"new": "1", "first_name": "Léa", "last_name": "Roy", "email": "lea"})
    assert wrong.status_code == 422 and 'value="Léa"' in said(wrong)

    page = said(as_relay.post(url, form | {"new": "1", "first_name": "Léa", "last_name": "Roy", "email": "lea@exemple.fr"}))

    lea = Member.objects.get(email="lea@exemple.fr")
    assert "Donner 1 billet à Léa" in page and f'name="to" value="{lea.public_id}"' in page


def test_confirming_with_nobody_or_nothing_chosen_is_said(as_relay, relay, product, zoe, karim, ticket):
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/reassign/?member={zoe.public_id}"
    key = {"request_key": str(uuid.uuid4()), "confirm": "1"}

    nobody = as_relay.post(url, key | {"ticket": f"{ticket.public_id}:{ticket.face}"})
    nothing = as_relay.post(url, key | {"to": str(karim.public_id)})

    assert nobody.status_code == nothing.status_code == 422
    assert "Choisissez d’abord à qui ils vont" in said(nobody) and "Choisissez au moins un billet" in said(nothing)


def test_a_ticket_that_has_changed_hands_meanwhile_is_refused_with_where_it_is_now(as_relay, relay, product, zoe, karim, ticket):
    lea = factories.MemberFactory(company=relay.company, first_name="Léa", last_name="Roy")
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/reassign/?ticket={ticket.public_id}"
    form = {"ticket": f"{ticket.public_id}:{ticket.face}", "to": str(karim.public_id), "request_key": str(uuid.uuid4()), "confirm": "1"}
    give_on(relay, product, lea, ticket)

    answer = as_relay.post(url, form)

    assert answer.status_code == 422
    assert f"Billet {ticket.number} : distribué à Léa Roy par {relay}" in said(answer)
    ticket.refresh_from_db()
    assert ticket.member == lea


def test_a_reassignment_can_be_taken_back_like_any_distribution(as_relay, relay, product, karim, ticket):
    act = give_on(relay, product, karim, ticket)

    page = said(as_relay.get(f"/c/{relay.company.public_id}/distributions/{act.public_id}/reclaim/"))

    assert "1 billet vous revient" in page and "Karim Benali" in page


def test_giving_thirty_on_asks_as_often_as_three(relay, karim):
    def asked(count: int) -> int:
        product = factories.stock(relay.company, count)
        members = factories.MemberFactory.create_batch(count, company=relay.company)
        tickets = [factories.given(member, product, by=relay.user)[0] for member in members]
        shown = factories.shown(*tickets)
        with CaptureQueriesContext(connection) as captured:
            reassign(relay=relay, product=product, shown=shown, to=karim, request_key=uuid.uuid4())
        return len(captured)

    assert asked(3) == asked(30)
