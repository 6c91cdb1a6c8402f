import uuid

import pytest
from django.test import Client

from control import limits
from control.actions import ask_pairing
from control.models import Device
from tests import factories
from tickets.barcode import encode, signer
from tickets.models import Ticket


@pytest.fixture(autouse=True)
def nothing_spent():
    limits.left.clear()


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 4)


@pytest.fixture
def device(product):
    return factories.DeviceFactory(gate__event=product.event, gate__name="Porte B", token="jeton", may_manage=True)


@pytest.fixture
def ticket(relay, product):
    member = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")
    return factories.printed(factories.given(member, product, by=relay.user))[0]


@pytest.fixture
def api(device):
    return speaking("jeton")


def speaking(token: str) -> Client:
    return Client(headers={"authorization": f"Bearer {token}", "accept-language": "fr"})


def code_of(ticket: Ticket) -> str:
    ticket.refresh_from_db()
    return encode(ticket, signer())


def key() -> str:
    return str(uuid.uuid4())


def paired(client: Client, device: Device) -> Client:
    """A browser that has become this device, by the code that staff show."""
    assert client.post("/gate/pair/", {"code": ask_pairing(device=device.pk)}).status_code == 302
    return client
