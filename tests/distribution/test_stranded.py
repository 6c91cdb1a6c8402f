"""What waits where nobody can act any more is seen by the companies above and by the seller, and both can bring it back."""

import uuid

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.actions import withdraw_relays
from distribution.actions import forward, take_back_stranded
from distribution.models import Distribution
from outbox.models import Delivery
from tests import factories
from tests.portal.walk import BACKEND
from tickets.models import Event, Ticket
from tickets.stock import figures_of, stranded_below

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(db):
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def site(relay):
    return factories.RelayFactory(company=factories.CompanyFactory(name="Lyon", parent=relay.company))


@pytest.fixture
def workshop(site):
    return factories.RelayFactory(company=factories.CompanyFactory(name="Atelier", parent=site.company))


@pytest.fixture
def product(relay, site, workshop):
    """Ten tickets at the site, of which it has distributed two and forwarded three to a workshop."""
    product = factories.stock(relay.company, 12)
    confide(relay, product, site.company, 10)
    confide(site, product, workshop.company, 3)
    factories.given(factories.MemberFactory(company=site.company), product, 2, by=site.user)
    return product


def confide(relay, product, to, quantity):
    forward(relay=relay, product=product, to=to, quantity=quantity, message="", request_key=uuid.uuid4())


def end(relay, staff, how: str) -> None:
    if how == "withdrawn":
        withdraw_relays(relays=[relay.pk], by=staff)
    else:
        relay.until = "2026-01-01"
        relay.save()


def waiting(company) -> list[tuple[str, int]]:
    return [(row["company__name"], row["count"]) for row in stranded_below(company)]


@pytest.mark.parametrize("how", ["withdrawn", "past her last day"])
def test_the_company_above_sees_what_waits_where_the_last_relay_has_gone(as_relay, relay, site, product, staff, how):
    home = reverse("distribution:home", args=[relay.company.public_id])
    assert "plus personne" not in as_relay.get(home).content.decode()

    end(site, staff, how)

    page = as_relay.get(home).content.decode()
    assert "5 billets attendent chez Lyon, où plus personne ne peut les distribuer" in page
    assert reverse("distribution:reclaim_from", args=[relay.company.public_id, product.public_id, site.company.public_id]) in page
    tree = as_relay.get(reverse("distribution:product", args=[relay.company.public_id, product.public_id])).content.decode()
    assert tree.count("plus personne ne peut y distribuer") == 1


def test_another_relay_there_is_enough_and_a_past_event_strands_nothing(relay, site, product, staff):
    second = factories.RelayFactory(company=site.company)
    end(site, staff, "withdrawn")
    assert waiting(relay.company) == []

    end(second, staff, "withdrawn")
    assert waiting(relay.company) == [("Lyon", 5)]
    Event.objects.update(valid_from="2026-01-01T10:00Z", valid_until="2026-01-02T10:00Z")
    assert waiting(relay.company) == []


def test_each_company_above_sees_it_and_no_other(relay, site, workshop, product, staff):
    end(workshop, staff, "withdrawn")

    assert waiting(relay.company) == waiting(site.company) == [("Atelier", 3)]
    assert waiting(workshop.company) == waiting(factories.CompanyFactory()) == []


def test_staff_take_it_back_one_level_up_and_those_above_are_told_once(relay, site, workshop, product, staff):
    end(workshop, staff, "withdrawn")

    assert take_back_stranded(company=workshop.company, by=staff) == 3
    assert take_back_stranded(company=workshop.company, by=staff) == 0

    assert (figures_of(site.company, product).left, figures_of(workshop.company, product).total) == (8, 0)
    told = Delivery.objects.filter(kind="stock_returned").values_list("recipient", flat=True)
    assert list(told) == [site.user.email]
    act = Distribution.objects.get(kind="reclaim")
    assert (act.company, act.other, act.actor, act.quantity) == (site.company, workshop.company, staff, 3)


def test_nothing_is_taken_where_somebody_can_act_nor_what_the_company_bought(relay, site, product, staff):
    assert take_back_stranded(company=site.company, by=staff) == 0
    factories.stock(site.company, 4, product)
    end(site, staff, "withdrawn")

    assert take_back_stranded(company=site.company, by=staff) == 5

    assert Ticket.objects.filter(company=site.company, status="available").count() == 4
    assert Ticket.objects.filter(company=site.company, status="distributed").count() == 2


def test_staff_see_and_filter_them_in_the_list_of_companies_and_take_them_back(client, settings, relay, site, product, staff):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    client.force_login(staff, backend=BACKEND)
    factories.stock(site.company, 4, product)
    end(site, staff, "withdrawn")
    url = reverse("admin:accounts_company_changelist")

    page = client.get(url, {"stranded": "yes"}).content.decode()
    assert (
        '<td class="field-without_relay">9</td>' in page and relay.company.name not in page.partition("result_list")[2].partition("Lyon")[0]
    )
    chosen = {"action": "take_back", "_selected_action": [site.company.pk]}
    said = client.post(url, chosen, follow=True).content.decode()

    assert "billets rendus à la structure au-dessus, 5" in said and "a acheté les billets qui y attendent (4)" in said
    client.force_login(relay.user, backend=BACKEND)
    assert "l’organisme" in client.get(reverse("distribution:history", args=[relay.company.public_id])).content.decode()


def test_staff_without_the_right_to_change_tickets_take_nothing_back(client, settings, site, product, staff):
    settings.STAFF_NEEDS_SECOND_FACTOR = False
    end(site, staff, "withdrawn")
    looks = factories.UserFactory(is_staff=True)
    looks.user_permissions.set(Permission.objects.filter(codename="view_company"))
    client.force_login(looks, backend=BACKEND)

    client.post(reverse("admin:accounts_company_changelist"), {"action": "take_back", "_selected_action": [site.company.pk]})

    assert Ticket.objects.filter(company=site.company, status="available").count() == 5
