"""Staff cancel or move an event from its page: what will happen is said before, and it happens once."""

import uuid
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from outbox.models import Delivery
from tests import factories
from tests.portal.walk import BACKEND, counted
from tickets.models import Event, EventChange, Ticket

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def as_staff(client, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True, is_superuser=True), backend=BACKEND)
    client.get("/admin/")
    return client


@pytest.fixture
def event(relay):
    product = factories.stock(relay.company, 5)
    factories.given(factories.MemberFactory(company=relay.company, email="zoe@exemple.fr"), product, 2, by=relay.user)
    factories.given(factories.MemberFactory(company=relay.company, email=""), product, 1, by=relay.user)
    Delivery.objects.all().delete()
    return Event.objects.select_related("venue").get()


def page(event: Event, name: str) -> str:
    return reverse(f"admin:tickets_event_{name}", args=[event.pk])


def form(event: Event, **more) -> dict:
    start = (event.starts_at + timedelta(days=7)).astimezone(PARIS)
    asked = {
        "venue": event.venue.pk,
        "starts_at": f"{start:%Y-%m-%dT%H:%M}",
        "advice": "Appelez l'accueil",
        "request_key": str(uuid.uuid4()),
    }
    return asked | more


def test_the_page_of_an_event_leads_to_both_until_it_is_cancelled(as_staff, event):
    change = reverse("admin:tickets_event_change", args=[event.pk])
    assert page(event, "cancel") in as_staff.get(change).content.decode()

    as_staff.post(page(event, "cancel"), form(event, confirm="1"))

    shown = as_staff.get(change).content.decode()
    assert page(event, "cancel") not in shown and "Annulée le" in shown


def test_a_preview_says_how_many_and_what_the_emails_say_and_writes_nothing(as_staff, event):
    before = counted()

    cancel = as_staff.post(page(event, "cancel"), form(event)).content.decode()
    move = as_staff.post(page(event, "move"), form(event)).content.decode()

    assert "5 billets sont annulés" in cancel and "1 adresse de membre reçoit" in cancel and "1 relais en reçoit un aussi" in cancel
    assert "1 billet est sur papier, ou chez quelqu’un sans adresse" in cancel
    assert (
        "Séance annulée\u00a0: «\u00a0Nuit Ravel\u00a0»" in cancel
        and "5 billets de la structure" in cancel
        and "Appelez l’accueil" in cancel
    )
    assert "5 billets restent valables" in move and "est déplacée du" in move and "Vos 2 billets restent valables" in move
    assert counted() == before


def test_confirming_does_it_once_and_says_what_was_done(as_staff, event):
    asked = form(event, confirm="1")

    first = as_staff.post(page(event, "cancel"), asked, follow=True).content.decode()
    second = as_staff.post(page(event, "cancel"), asked, follow=True).content.decode()

    for said in (first, second):
        assert "Billets annulés\u00a0: 5" in said and "Personnes prévenues par courriel\u00a0: 2" in said
    assert Delivery.objects.count() == 2 and EventChange.objects.count() == 1


def test_a_move_carries_the_other_times_along_and_is_done_once(as_staff, event):
    asked = form(event, confirm="1")

    for _ in range(2):
        said = as_staff.post(page(event, "move"), asked, follow=True).content.decode()

    assert "Ses billets restent valables" in said and EventChange.objects.count() == 1
    moved = Event.objects.get()
    minute = timedelta(minutes=1)
    for name in ("starts_at", "doors_at", "valid_from", "valid_until", "names_until"):
        assert abs(getattr(moved, name) - getattr(event, name) - timedelta(days=7)) < minute, name


def test_one_can_come_back_from_the_preview_with_what_was_typed(as_staff, event):
    back = as_staff.post(page(event, "move"), form(event, edit="1", advice="Bientôt")).content.decode()

    assert "Bientôt" in back and "Voir ce qui va se passer" in back and "Ce qui va se passer</h2>" not in back


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"starts_at": "demain"}, "date"),
        ({"venue": "9999"}, "choix"),
        ({"starts_at": "2020-01-01T20:00", "confirm": "1"}, "dans le passé"),
        ({"request_key": "x"}, "trop ancienne"),
        ({"doors_at": "2030-01-01T20:00"}, "portes ouvrent avant"),
        ({"ends_at": "2020-01-01T20:00"}, "après le début"),
        ({"advice": "a\u202eb"}, "caractères"),
    ],
)
def test_bad_input_gets_a_sentence_and_keeps_what_was_typed(as_staff, event, wrong, said):
    answer = as_staff.post(page(event, "move"), form(event) | wrong)

    assert answer.status_code == 422 and said in answer.content.decode()
    assert not EventChange.objects.exists()


def test_an_open_date_moves_its_days(as_staff, relay):
    now = factories.timezone.now()
    museum = factories.EventFactory(name="Musée", starts_at=None, valid_from=now - timedelta(days=1), valid_until=now + timedelta(days=9))
    factories.stock(relay.company, 1, factories.ProductFactory(event=museum))
    shown = as_staff.get(page(museum, "move")).content.decode()
    assert 'name="valid_until"' in shown and 'name="starts_at"' not in shown
    later = f"{(now + timedelta(days=20)).astimezone(PARIS):%Y-%m-%dT%H:%M}"
    asked = {"venue": museum.venue.pk, "valid_from": f"{now.astimezone(PARIS):%Y-%m-%dT%H:%M}", "valid_until": later}

    as_staff.post(page(museum, "move"), asked | {"advice": "", "request_key": str(uuid.uuid4()), "confirm": "1"})

    museum.refresh_from_db()
    assert abs(museum.valid_until - now - timedelta(days=20)) < timedelta(minutes=1)
    assert EventChange.objects.get().event == museum


def test_once_an_event_has_tickets_its_own_page_no_longer_moves_it_in_silence(as_staff, event):
    change = reverse("admin:tickets_event_change", args=[event.pk])
    shown = as_staff.get(change).content.decode()
    empty = factories.EventFactory()

    assert 'name="starts_at_0"' not in shown
    assert 'name="starts_at_0"' in as_staff.get(reverse("admin:tickets_event_change", args=[empty.pk])).content.decode()


@pytest.mark.parametrize("right", [None, "change_event", "change_ticket"])
def test_staff_without_both_rights_neither_look_nor_do(client, settings, event, right):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=right))
    client.force_login(user, backend=BACKEND)

    for name in ("cancel", "move"):
        assert client.get(page(event, name)).status_code == 403
        assert client.post(page(event, name), form(event, confirm="1")).status_code == 403
    assert not Ticket.objects.filter(status="cancelled").exists()
