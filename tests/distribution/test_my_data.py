"""« Mes données » : everything that is kept about her, taken away, corrected, and nobody else's."""

import json
import uuid
from datetime import timedelta

import pypdfium2
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import RelayProposal
from distribution.actions import distribute, reclaim, undo
from distribution.my_data import KEYS, data_of
from members import actions as members_actions
from members.errors import AlreadyOnTheList
from members.models import Access, Consent, Erasure, Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from portal.clock import now
from tests import factories
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")


@pytest.fixture
def user(zoe):
    return factories.login(zoe.email)


@pytest.fixture
def as_zoe(client, user):
    client.force_login(user, backend=BACKEND)
    return client


def give(relay, member, *, shown=True, message="À demain"):
    product = factories.stock(relay.company, 1)
    act = distribute(relay=relay, product=product, gifts=[(member.pk, 1, ())], message=message, request_key=uuid.uuid4())
    if shown:
        ago = timezone.now() - timedelta(hours=1)
        Ticket.objects.filter(member=member).update(shown_from=ago)
        act.undo_until = ago
        act.save()
        Delivery.objects.filter(recipient=member.email).update(state="sent", not_before=ago)
    return act


def a_full_life(relay, zoe, user) -> None:
    """Something under every heading."""
    give(relay, zoe)
    act = give(relay, zoe, message="Repris")
    ticket = Ticket.objects.get(product=act.product)
    reclaim(relay=relay, shown=factories.shown(ticket), request_key=uuid.uuid4())
    factories.RelayFactory(user=user)
    proposed = {"first_name": "Zoé", "last_name": "Lefèvre", "email": user.email, "request_key": uuid.uuid4()}
    RelayProposal.objects.create(company=factories.CompanyFactory(), proposed_by=relay, **proposed)
    members_actions.answer_consent(user=user, yes=True, text="?", page="my_tickets")
    members_actions.ask_address_change(user=user, email="zoe@perso.fr", members=[zoe.public_id])
    Access.objects.create(member=zoe, by=relay.user)
    Erasure.objects.create(user=user, called_off_at=timezone.now())


def keys_of(value, path=""):
    if isinstance(value, list):
        for item in value:
            yield from keys_of(item, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            here = f"{path}.{key}" if path else key
            yield here
            yield from keys_of(inner, here)


def test_the_file_for_machines_is_whole_and_says_what_its_keys_mean(relay, zoe, user, as_zoe):
    a_full_life(relay, zoe, user)

    answer = as_zoe.get("/my/data/data.json")

    assert answer["Content-Disposition"] == 'attachment; filename="mes-donnees.json"'
    data = json.loads(answer.content)
    explained = data.pop("keys")
    assert set(keys_of(data)) - set(explained) == set()
    assert set(explained) - set(keys_of(data)) <= {"second_factors.kind", "second_factors.made_at", "second_factors.last_used_at"} | {
        f"sessions.{key}" for key in ("opened_at", "last_seen_at", "network_address", "browser")
    } | {f"acts.{key}" for key in ("what", "event", "company", "quantity", "words", "at")}
    assert explained == {key: str(words) for key, words in KEYS.items()}
    assert data["companies"][0]["last_name"] == "Lefèvre"
    assert [ticket["state"] for ticket in data["tickets"]] == ["distributed"]
    assert [line["what"] for line in data["tickets"][0]["history"]] == ["distributed"]
    assert [gone["what"] for gone in data["tickets_no_longer_held"]] == ["reclaimed"]
    assert {email["kind"] for email in data["emails"]} >= {"tickets_distributed", "tickets_reclaimed"}
    assert [said["words"] for said in data["words_to_you"]] == ["Repris", "À demain"]


def test_the_page_and_the_pdf_say_it_in_words(relay, zoe, user, as_zoe):
    a_full_life(relay, zoe, user)

    page = " ".join(as_zoe.get("/my/data/").content.decode().split())
    answer = as_zoe.get("/my/data/data.pdf")
    pdf = pypdfium2.PdfDocument(answer.content)
    paper = " ".join("".join(sheet.get_textpage().get_text_range() for sheet in pdf).split())

    for words in (
        "Zoé Lefèvre",
        relay.company.name,
        "Nuit Ravel",
        "zoe@exemple.fr",
        "Le personnel de Billetterie des Quais a ouvert votre fiche",
    ):
        assert words in page and words in paper
    assert "repris par votre relais" in page and "À demain" in paper
    assert answer["Content-Type"] == "application/pdf" and answer["Content-Disposition"].endswith('"mes-donnees.pdf"')


def test_nothing_of_anybody_else_is_there(relay, zoe, user, as_zoe):
    give(relay, factories.MemberFactory(company=relay.company, last_name="Canari", email="canari@exemple.fr"), message="Canari")
    stranger = factories.MemberFactory(company=factories.CompanyFactory(name="Canari"), last_name="Canari")
    Access.objects.create(member=stranger, by=relay.user)
    relay.first_name = "Canari"
    relay.save()
    give(relay, zoe, message="Bonjour")

    for path in ("/my/data/", "/my/data/data.json"):
        assert "canari" not in as_zoe.get(path).content.decode().lower(), path


def test_what_is_still_to_be_undone_or_was_she_never_hears_of(relay, zoe, user):
    waits = give(relay, zoe, shown=False, message="Pas encore")
    assert data_of(user, now())["words_to_you"] == data_of(user, now())["tickets"] == data_of(user, now())["emails"] == []

    undo(relay=relay, distribution=waits)

    data = data_of(user, now())
    assert data["words_to_you"] == data["tickets"] == data["emails"] == data["tickets_no_longer_held"] == []


def test_the_page_asks_as_often_for_twelve_of_each_as_for_one(relay, zoe, user, as_zoe):
    as_zoe.get("/my/data/")

    def look(more: int) -> dict[str, int]:
        for _ in range(more):
            give(relay, zoe)
            Access.objects.create(member=zoe, by=relay.user)
            factories.MemberFactory(email=user.email)
        asked = {}
        for path in ("", "data.json", "data.pdf", "address/", "erasure/"):
            with CaptureQueriesContext(connection) as captured:
                assert as_zoe.get(f"/my/data/{path}").status_code == 200
            asked[path] = len(captured)
        return asked

    assert look(1) == look(11)


def test_she_corrects_her_name_and_the_relays_of_that_company_are_told(relay, zoe, user, as_zoe, post):
    elsewhere = factories.MemberFactory(first_name="Zoé", last_name="Lefèvre", email=user.email)
    url = f"/my/data/members/{zoe.public_id}/name/"
    form = {"first_name": "Zoé", "last_name": "Lefèvre-Diallo", "shown": "Zoé Lefèvre"}

    for _twice in range(2):
        assert as_zoe.post(url, form)["Location"] == "/my/data/"
    outbox_actions.send_due()

    zoe.refresh_from_db()
    assert (str(zoe), zoe.sort_key) == ("Zoé Lefèvre-Diallo", "lefevre diallo zoe")
    assert list(Member.objects.of(relay.company).found_by("diallo")) == [zoe]
    assert str(Member.objects.get(pk=elsewhere.pk)) == "Zoé Lefèvre"
    (letter,) = post.to(relay.user.email)
    assert letter["Subject"].startswith("Zoé Lefèvre-Diallo a corrigé sa fiche")


def test_a_name_corrected_from_an_old_page_changes_nothing(zoe, user):
    members_actions.correct_my_name(user=user, member=zoe.public_id, shown="Zoé Autre", first_name="X", last_name="Y")

    zoe.refresh_from_db()
    assert str(zoe) == "Zoé Lefèvre"


def test_two_people_of_one_address_keep_different_names(relay, zoe, user, as_zoe):
    factories.MemberFactory(company=relay.company, first_name="Kofi", last_name="Lefèvre", email=user.email)
    with pytest.raises(AlreadyOnTheList):
        members_actions.correct_my_name(user=user, member=zoe.public_id, shown="Zoé Lefèvre", first_name="KOFI", last_name="Lefevre")

    form = {"first_name": "Kofi", "last_name": "Lefèvre", "shown": "Zoé Lefèvre"}
    answer = as_zoe.post(f"/my/data/members/{zoe.public_id}/name/", form)
    assert answer.status_code == 422 and "porte déjà ce nom" in answer.content.decode()


@pytest.mark.parametrize("name", ["", " ", "x" * 200, "Zoé\x00", "a\u202eb"])
def test_a_wrong_name_gets_a_sentence_and_keeps_what_was_typed(zoe, as_zoe, name):
    form = {"first_name": "Zoë", "last_name": name, "shown": "Zoé Lefèvre"}

    answer = as_zoe.post(f"/my/data/members/{zoe.public_id}/name/", form)

    assert answer.status_code == 422 and 'class="error"' in answer.content.decode() and "Zoë" in answer.content.decode()


def test_she_leaves_a_list_and_what_she_holds_stays_hers(relay, zoe, user, as_zoe, post):
    give(relay, zoe)
    url = f"/my/data/members/{zoe.public_id}/leave/"
    assert "Le billet que vous avez reste valable" in as_zoe.get(url).content.decode()

    for _twice in range(2):
        as_zoe.post(url)
    outbox_actions.send_due()

    assert not Member.objects.of(relay.company).filter(pk=zoe.pk).exists()
    assert "Nuit Ravel" in as_zoe.get("/my/").content.decode()
    assert Ticket.objects.get(member=zoe).status == "distributed"
    assert sum("a quitté la liste" in letter["Subject"] for letter in post.to(relay.user.email)) == 1


def test_consent_is_withdrawn_there_in_one_click(zoe, user, as_zoe):
    members_actions.answer_consent(user=user, yes=True, text="?", page="my_tickets")

    answer = as_zoe.post("/my/offers/", {"answer": "no", "page": "my_data"})

    assert answer["Location"] == "/my/data/"
    assert Consent.objects.get(withdrawn_at=None).page == "my_data"
    assert not Consent.objects.answer_of(user).receives


def test_someone_elses_record_answers_like_none(relay, as_zoe):
    other = factories.MemberFactory(company=relay.company)
    for page in ("name", "leave"):
        for method in (as_zoe.get, as_zoe.post):
            assert method(f"/my/data/members/{other.public_id}/{page}/").status_code == 404
    other.refresh_from_db()
    assert other.left_on is None


def test_she_asks_to_be_erased_and_changes_her_mind_on_the_page(relay, zoe, user, as_zoe):
    give(relay, zoe)
    refused = as_zoe.post("/my/data/erasure/", {})
    assert refused.status_code == 422 and "Rendez-les d’abord" in refused.content.decode()

    as_zoe.post("/my/data/erasure/", {"keeps_tickets": "on"})
    assert "Il se fera après votre dernier billet" in as_zoe.get("/my/data/").content.decode()

    as_zoe.post("/my/data/erasure/call-off/")
    assert Erasure.objects.get().called_off_at
    assert "Demander l’effacement" in as_zoe.get("/my/data/").content.decode()
