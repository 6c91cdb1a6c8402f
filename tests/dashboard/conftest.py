from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories
from tests.portal.walk import BACKEND
from tickets.models import Event


@pytest.fixture
def staff(seller, signing_key, settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def as_staff(client, staff):
    client.force_login(staff, backend=BACKEND)
    client.get("/help/")  # writes when she was last seen, once a minute
    return client


def over(event: Event) -> None:
    """As if the event had ended some hours ago."""
    ago = timezone.now() - timedelta(hours=1)
    times = {"starts_at": ago - timedelta(hours=3), "valid_from": ago - timedelta(hours=6), "valid_until": ago}
    Event.objects.filter(pk=event.pk).update(**times)
    event.refresh_from_db()
