"""Opening a member's record leaves a trace, which nobody edits and she is shown."""

import pytest
from django.urls import reverse

from members.models import Access
from tests import factories
from tests.portal.walk import BACKEND

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company)


@pytest.fixture
def staff(settings):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def as_staff(client, staff):
    client.force_login(staff, backend=BACKEND)
    return client


def test_opening_a_record_says_who_whom_and_when_and_lists_say_nothing(as_staff, staff, zoe):
    as_staff.get(reverse("admin:members_member_changelist"), {"q": "Zoé"})
    assert not Access.objects.exists()

    as_staff.get(reverse("admin:members_member_change", args=[zoe.pk]))

    access = Access.objects.get()
    assert (access.member, access.by) == (zoe, staff)


def test_who_may_not_see_it_leaves_no_trace(client, settings, zoe):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(factories.UserFactory(is_staff=True), backend=BACKEND)

    assert client.get(reverse("admin:members_member_change", args=[zoe.pk])).status_code == 403
    assert not Access.objects.exists()


def test_a_record_that_is_not_there_leaves_no_trace(as_staff, zoe):
    assert as_staff.get(reverse("admin:members_member_change", args=[zoe.pk + 9])).status_code == 302
    assert not Access.objects.exists()


def test_the_trail_is_read_only(as_staff, zoe):
    as_staff.get(reverse("admin:members_member_change", args=[zoe.pk]))
    access = Access.objects.get()

    for page, method in (("change", as_staff.post), ("delete", as_staff.post), ("delete", as_staff.get)):
        assert method(reverse(f"admin:members_access_{page}", args=[access.pk]), {"post": "yes"}).status_code == 403
    assert as_staff.get(reverse("admin:members_access_add")).status_code == 403
    as_staff.post(reverse("admin:members_access_changelist"), {"action": "delete_selected", "_selected_action": [access.pk], "post": "yes"})
    assert Access.objects.get() == access


def test_she_is_shown_it_and_not_who_of_the_staff_it_was(client, staff, as_staff, zoe):
    as_staff.get(reverse("admin:members_member_change", args=[zoe.pk]))
    client.force_login(factories.login(zoe.email), backend=BACKEND)

    page = " ".join(client.get("/my/data/").content.decode().split())

    assert "Le personnel de Billetterie des Quais a ouvert votre fiche" in page
    assert staff.email not in page
