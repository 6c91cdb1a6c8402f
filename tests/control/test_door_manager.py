"""What the door manager sees on a device of hers: how many come in by the minute, and whom two gates let in by one ticket."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from control.models import Device, Scan
from tests import factories
from tests.control.conftest import paired
from tests.dashboard.test_seller import page_of

pytestmark = pytest.mark.django_db
AS_PART = {"hx-request": "true"}


@pytest.fixture
def manager(client, device):
    return paired(client, device)


def came(device, ticket=None, **more) -> Scan:
    return Scan.objects.create(device=device, client_id=uuid.uuid4(), ticket=ticket, **{"verdict": "admitted"} | more)


def test_entries_by_the_minute_at_every_gate_sent_again_only_when_somebody_has_come(manager, device):
    assert "Personne n’est encore entré" in page_of(manager.get("/gate/entries/"))
    other = factories.DeviceFactory(gate__event=device.gate.event, gate__name="Porte A")
    came(device, at=timezone.now() - timedelta(minutes=2))
    came(other)

    page = manager.get("/gate/entries/")
    assert "Entrées par minute" in page_of(page) and page.content.count(b"<rect") == 2 and b"htmx.min.js" in page.content
    mark = page.context["mark"]
    assert manager.get("/gate/entries/", headers=AS_PART | {"if-none-match": mark}).status_code == 304
    came(other)
    part = manager.get("/gate/entries/", headers=AS_PART | {"if-none-match": mark})
    assert part.status_code == 200 and b"<html" not in part.content and 'hx-get="/gate/entries/"' in part.content.decode()


def test_conflicts_first_by_time_with_what_the_portal_says_of_each(manager, device, ticket):
    assert "Aucun billet n’a fait entrer deux personnes" in page_of(manager.get("/gate/conflicts/"))
    other = factories.DeviceFactory(gate__event=device.gate.event, gate__name="Porte A")
    at = timezone.now()
    came(other, ticket, said="admitted", said_at=at - timedelta(minutes=10))
    taken_back = factories.DeviceFactory(gate__event=device.gate.event, gate__name="Porte D")
    came(taken_back, ticket, undone_at=at, at=at - timedelta(minutes=40))
    twice = {"verdict": "refused", "reason": "already_checked", "said": "admitted"}
    came(device, ticket, said_at=at - timedelta(minutes=30), **twice)
    third = factories.DeviceFactory(gate__event=device.gate.event, gate__name="Porte C")
    came(third, ticket, said_at=at - timedelta(minutes=20), **twice)
    came(device, said_at=at, **twice | {"reason": "unknown"})

    page = page_of(manager.get("/gate/conflicts/"))
    assert f"Billet {ticket.number}" in page and "Zoé Lefèvre" in page and "Un code qui n’est pas un des nôtres" in page
    assert page.index("Porte B (") < page.index("Porte C (") < page.index("Porte A (") < page.index("un des nôtres")
    assert "Porte D" not in page
    assert "hors ligne : Déjà contrôlé" in page and "hors ligne : Admis" in page
    assert "3 conflits" in page_of(manager.get("/gate/"))


def test_a_doorman_who_is_not_the_manager_sees_neither_and_no_link_to_them(manager, device):
    Device.objects.update(may_manage=False)

    page = page_of(manager.get("/gate/"))
    for path in ("/gate/entries/", "/gate/conflicts/"):
        assert manager.get(path).status_code == 409 and path not in page
