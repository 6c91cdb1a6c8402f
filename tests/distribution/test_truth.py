"""Delivery truth: waiting, sent, perhaps sent, refused, opened, named, printed, checked; and what a relay can mend."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from distribution.actions import correct_address, distribute, send_again
from distribution.models import Distribution, Recipient
from distribution.truth import holders
from members.errors import AddressIsTheirs
from members.models import Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from tests import factories
from tickets import steps as tickets_steps
from tickets.models import Event, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@mecavai.fr")


@pytest.fixture
def product(relay, zoe):
    product = factories.stock(relay.company, 5)
    distribute(relay=relay, product=product, gifts=[(zoe.pk, 2, ())], message="", request_key=uuid.uuid4())
    shown()
    return product


def shown():
    """The delay to undo is over."""
    ago = timezone.now() - timedelta(seconds=1)
    Ticket.objects.filter(member__isnull=False).update(shown_from=ago)
    Distribution.objects.update(undo_until=ago)
    Delivery.objects.filter(state="pending").update(not_before=ago)


def word(relay, product):
    (holder,) = holders(relay, product)
    return holder.word


def test_each_stage_has_its_word(relay, product, zoe, post):
    assert word(relay, product) == "Envoi en attente"
    outbox_actions.send_due()
    assert word(relay, product) == "Envoyé"
    User.objects.filter(email=zoe.email).update(last_seen_at=timezone.now())
    assert word(relay, product) == "Ouvert"
    first, second = zoe.tickets.order_by("pk")
    tickets_steps.rename(first, first_name="Kofi", last_name="Mensah", by=relay.user)
    assert word(relay, product) == "Nommé"
    factories.printed([second])
    assert word(relay, product) == "Imprimé"
    assert tickets_steps.check(number=second.number, event=second.event, generation=0)
    assert word(relay, product) == "Contrôlé"


def test_an_email_that_perhaps_left_says_so(relay, product):
    factories.owed().update(state="unknown", lease_until=timezone.now())
    assert word(relay, product) == "Peut-être envoyé"


def test_a_refused_address_is_shown_first_and_corrected_in_place(as_relay, relay, product, zoe, post):
    post.handler.answers["mecavai.fr"] = "550 5.1.2 Unknown domain"
    outbox_actions.send_due()
    home = as_relay.get(f"/c/{relay.company.public_id}/").content.decode()
    assert "1 courriel n’est pas arrivé" in home
    page = as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/").content.decode()
    assert "Adresse refusée" in page and "550 5.1.2 Unknown domain" in page

    url = f"/c/{relay.company.public_id}/products/{product.public_id}/members/{zoe.public_id}/correct-address/"
    form = {"email": "zoe@mecavia.fr", "shown": "zoe@mecavai.fr", "request_key": str(uuid.uuid4())}
    assert as_relay.post(url, form).status_code == 302
    outbox_actions.send_due()
    assert [letter["To"] for letter in post.letters if "offre" in letter["Subject"]] == ["zoe@mecavia.fr"]
    assert User.objects.filter(email="zoe@mecavia.fr").exists()


def test_correcting_an_address_kills_the_prints_made_under_the_wrong_one(relay, product, zoe):
    printed, unprinted = zoe.tickets.order_by("pk")
    factories.printed([printed])

    correct_address(relay=relay, member=zoe, shown=zoe.email, email="zoe@mecavia.fr", request_key=uuid.uuid4())

    printed.refresh_from_db()
    unprinted.refresh_from_db()
    assert (printed.generation, printed.status, unprinted.generation) == (1, "distributed", 0)
    assert sorted((d.recipient, d.state) for d in factories.owed()) == [("zoe@mecavai.fr", "cancelled"), ("zoe@mecavia.fr", "pending")]


def test_a_first_address_is_told_what_she_holds_and_what_was_printed_stays_good(as_relay, relay, product, zoe):
    Member.objects.filter(pk=zoe.pk).update(email="")
    factories.printed([zoe.tickets.first()])
    url = f"/c/{relay.company.public_id}/members/{zoe.public_id}/address/"

    answer = as_relay.post(url, {"email": "zoe@mecavia.fr", "shown": "", "request_key": str(uuid.uuid4())})

    assert answer["Location"] == f"/c/{relay.company.public_id}/members/{zoe.public_id}/"
    assert zoe.tickets.filter(status="printed", generation=0).count() == 1
    assert list(factories.owed().filter(state="pending").values_list("recipient", flat=True)) == ["zoe@mecavia.fr"]


def test_an_address_that_makes_two_people_one_is_refused(as_relay, relay, product, zoe):
    twin = factories.MemberFactory(company=relay.company, first_name=zoe.first_name, last_name=zoe.last_name, email="autre@mecavia.fr")
    url = f"/c/{relay.company.public_id}/members/{twin.public_id}/address/"

    answer = as_relay.post(url, {"email": zoe.email, "shown": twin.email, "request_key": str(uuid.uuid4())})

    assert answer.status_code == 422 and "réunissez plutôt les deux fiches" in answer.content.decode()


def test_an_address_that_someone_has_logged_in_with_is_only_its_owners(relay, product, zoe):
    User.objects.filter(email=zoe.email).update(last_seen_at=timezone.now() + timedelta(seconds=1))

    with pytest.raises(AddressIsTheirs):
        correct_address(relay=relay, member=zoe, shown=zoe.email, email="samia@mecavia.fr", request_key=uuid.uuid4())

    zoe.refresh_from_db()
    assert zoe.email == "zoe@mecavai.fr"


def test_correcting_from_an_old_page_does_nothing(relay, product, zoe):
    correct_address(relay=relay, member=zoe, shown="other@mecavia.fr", email="x@mecavia.fr", request_key=uuid.uuid4())

    zoe.refresh_from_db()
    assert zoe.email == "zoe@mecavai.fr"


def test_sending_again_owes_one_new_email_and_calls_the_waiting_one_off(relay, product, zoe):
    key = uuid.uuid4()
    for _ in range(2):
        send_again(relay=relay, recipient=Recipient.objects.get(), request_key=key)

    assert sorted(factories.owed().values_list("state", flat=True)) == ["cancelled", "pending"]


def test_beneficiaries_names_are_shown_to_relays_only_where_the_event_requires_names(as_relay, relay, product, zoe):
    tickets_steps.rename(zoe.tickets.first(), first_name="Ngozi", last_name="Okonkwo", by=relay.user)
    base = f"/c/{relay.company.public_id}/products/{product.public_id}/"
    pages = (base, base + "tickets/", base + "figures.csv", f"/c/{relay.company.public_id}/tickets/{zoe.tickets.first().public_id}/")

    assert not any("Okonkwo" in as_relay.get(page).content.decode() for page in pages)
    Event.objects.update(names_required=True)
    assert "Okonkwo" in as_relay.get(base).content.decode()


def test_a_tickets_history_is_told_in_words(as_relay, relay, product, zoe):
    ticket = zoe.tickets.order_by("pk").first()
    factories.printed([ticket])

    page = as_relay.get(f"/c/{relay.company.public_id}/tickets/{ticket.public_id}/").content.decode()

    assert f"Distribué à Zoé Lefèvre par {relay}" in page
    assert f"Émis pour {relay.company}" in page


def test_the_list_is_filtered_searched_and_paged(as_relay, relay, product):
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/tickets/"

    def found(**query):
        return [t.number for t in as_relay.get(url, query).context["page"]]

    assert len(found()) == 5
    assert len(found(state="distributed")) == 2
    assert len(found(q="lefevre")) == 2
    assert found(q="3") == [3]
    assert found(q="personne") == []
    assert len(found(page="99")) == 5


def test_a_relay_prints_for_a_member_and_the_name_is_kept(as_relay, relay, product, zoe):
    ticket = zoe.tickets.first()
    url = f"/c/{relay.company.public_id}/products/{product.public_id}/print/"

    answer = as_relay.post(url, {"ticket": f"{ticket.public_id}:0"})

    ticket.refresh_from_db()
    assert answer["Content-Type"] == "application/pdf"
    assert (ticket.status, ticket.beneficiary) == ("printed", "Zoé Lefèvre")
