"""A relay sees her company's figures: by outing, structure and season, week by week, what is still to do, and the door live."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dashboard.relay import evolution, sight_of, to_do
from dashboard.seasons import Season
from distribution.actions import distribute, undo
from distribution.reminders import counts
from distribution.truth import holders
from outbox.models import Delivery
from portal.clock import now
from portal.workbook import read_workbook
from sales import actions as sales_actions
from tests import factories
from tests.dashboard.conftest import over
from tests.dashboard.test_seller import csv_rows, page_of, shown
from tests.dashboard.test_tallies import check
from tickets import steps as tickets_steps
from tickets.models import Event, Ticket
from tickets.stock import stock_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(relay):
    return factories.RelayFactory(company=factories.CompanyFactory(name="Gerland", parent=relay.company))


@pytest.fixture
def outing(relay, site):
    """12 tickets of an outing: 3 forwarded to a site, which gave 1; of 5 given, 3 printed and 2 checked; 2 more of the site's own."""
    product = factories.stock(relay.company, 12, factories.ProductFactory(event__name="Nuit Ravel"))
    tickets_steps.forward(list(Ticket.objects.filter(product=product).order_by("-pk")[:3]), to=site.company, by=relay.user, act=None)
    given = factories.given(factories.MemberFactory(company=relay.company), product, 5, by=relay.user)
    check(*factories.printed(given[:3])[:2])
    factories.stock(site.company, 2, product)
    factories.given(factories.MemberFactory(company=site.company), product, 1, by=site.user)
    return product


def address(relay, end: str = "") -> str:
    return f"/c/{relay.company.public_id}/figures/{end}"


def test_by_outing_by_structure_and_by_season(as_relay, relay, outing):
    season = Season.at(outing.event.starts_at)

    assert shown(as_relay.get(address(relay))) == [
        ["Sortie", "Achetés ou reçus", "Distribués", "Non distribués", "Imprimés", "Contrôlés", "Absents"],
        ["Nuit Ravel", "12", "6", "6", "3", "2", ""],
    ]
    assert [row[:6] for row in shown(as_relay.get(address(relay, "?by=site")))[1:]] == [
        [relay.company.name, "9", "5", "4", "3", "2"],
        ["Gerland", "3", "1", "2", "0", "0"],
    ]
    assert [row[:3] for row in shown(as_relay.get(address(relay, "?by=season")))[1:]] == [[str(season), "12", "6"]]
    assert shown(as_relay.get(address(relay, f"?season={season.starts - 1}"))) == []
    assert "6 billets distribués sur 12" in page_of(as_relay.get(address(relay)))


def test_they_are_the_figures_of_her_stock_and_of_no_other_company(relay, site, outing):
    for who in (relay, site):
        mine, line = stock_of(who.company)[outing.pk], sight_of(who).total(None).figures
        assert line == {
            "total": mine.total, "distributed": mine.distributed, "left": mine.left + mine.away, "printed": mine.printed,
            "checked": mine.checked, "absent": 0,
        }  # fmt: skip
    assert sight_of(factories.RelayFactory()).rows == []


@pytest.mark.parametrize("by", ["product", "site", "season"])
def test_each_number_leads_to_its_tickets_save_who_did_not_come(as_relay, relay, site, outing, by):
    over(outing.event)
    own = factories.stock(
        relay.company, 2, factories.ProductFactory(event__name="Ailleurs", event__starts_at=timezone.now() + timedelta(days=400))
    )
    staff = factories.UserFactory(is_staff=True)
    sales_actions.cancel_tickets(tickets=[Ticket.objects.filter(product=own).first().pk], by=staff, key="k")
    page = as_relay.get(address(relay, f"?by={by}")).content.decode()

    links = re.findall(r'<a href="(/c/[^"]+[?][^"]+)">([0-9]+)<span class="hidden"> ([^,<]+), ', page)
    assert {heading for _, _, heading in links} == {"Achetés ou reçus", "Distribués", "Non distribués", "Imprimés", "Contrôlés"}
    for link, number, heading in links:
        found = as_relay.get(link.replace("&amp;", "&"))
        assert found.context["page"].paginator.count == int(number), (link, heading)

    relay.may_distribute, relay.may_see_accounts = False, True  # alone: amounts and no names
    relay.save()
    assert "?place=" not in (alone := as_relay.get(address(relay, f"?by={by}")).content.decode()) and "?state=" not in alone


def test_behind_a_number_are_names_of_her_own_people_alone(as_relay, relay, site, outing):
    members = {who: Ticket.objects.filter(company=who.company, member__isnull=False).first().member for who in (relay, site)}
    for season in ("", f"&season={Season.at(outing.event.starts_at).starts}"):
        page = page_of(as_relay.get(address(relay, f"tickets/?state=distributed{season}")))
        assert str(members[relay]) in page and "Gerland" in page and str(members[site]) not in page

    stranger = factories.RelayFactory().company.public_id
    for nobodys in (stranger, uuid.uuid4(), "x"):
        assert as_relay.get(address(relay, f"tickets/?site={nobodys}")).context["page"].paginator.count == 0


def test_who_did_not_come_is_a_number_after_the_event_and_no_name(as_relay, relay, outing):
    over(outing.event)

    page = as_relay.get(address(relay))

    assert shown(page)[1][-1] == "4"
    assert not [m.last_name for m in relay.company.members.all() if m.last_name in page_of(page)]


def test_the_weeks_lead_to_todays_figures(as_relay, relay, outing):
    ago = timezone.now() - timedelta(weeks=2)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE tickets_movement SET at = %s WHERE kind IN ('distributed', 'printed')", [ago])
        cursor.execute("SET LOCAL session_replication_role = origin")

    weeks = [(week.distributed, week.printed, week.checked) for week in evolution(relay, None, now())]

    assert weeks == [(0, 0, 0), (6, 3, 0), (6, 3, 0), (6, 3, 2)]
    assert evolution(relay, Season(2001), now()) == []
    chart = re.search(r'<svg[^>]*role="img".*?</svg>', as_relay.get(address(relay)).content.decode(), re.DOTALL)[0]
    assert "aria-label=" in chart and chart.count("<rect") == 3 + 3 + 1


def test_who_has_something_to_do_is_counted_as_on_the_products_page_and_leads_there(as_relay, relay, outing):
    people = factories.MemberFactory.create_batch(4, company=relay.company)
    gifts = [(person.pk, 1, ()) for person in people]
    distribute(relay=relay, product=outing, gifts=gifts, message="", request_key=uuid.uuid4())
    factories.login(people[0].email, last_seen_at=timezone.now() + timedelta(minutes=1))
    factories.login(people[1].email, last_seen_at=timezone.now() - timedelta(days=1))
    Ticket.objects.filter(member=people[2]).update(beneficiary_first_name="Léa")
    factories.printed(list(Ticket.objects.filter(member=people[3])))

    (line,) = to_do(relay, {outing.pk: outing})

    assert {"opened": line.opened, "named": line.named, "printed": line.printed} == counts(holders(relay, outing))
    assert (line.opened, line.named, line.printed) == (3, 3, 4)
    page = as_relay.get(address(relay)).content.decode()
    assert f"/products/{outing.public_id}/remind/?step=opened" in page


def test_once_the_outing_is_over_nobody_has_anything_to_do(relay, outing):
    assert to_do(relay, {outing.pk: outing})
    over(outing.event)
    assert to_do(relay, {}) == []


def test_a_distribution_that_was_taken_back_told_nobody(relay):
    product, person = factories.stock(relay.company, 2), factories.MemberFactory(company=relay.company)
    gift = {"relay": relay, "product": product, "gifts": [(person.pk, 1, ())], "message": ""}
    distribute(**gift, request_key=uuid.uuid4())
    Delivery.objects.update(created_at=timezone.now() - timedelta(hours=2))
    factories.login(person.email, last_seen_at=timezone.now() - timedelta(hours=1))
    undo(relay=relay, distribution=distribute(**gift, request_key=uuid.uuid4()))
    (line,) = to_do(relay, {product.pk: product})
    assert (line.opened, line.printed) == (0, 1)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_table_leaves_as_a_file(as_relay, relay, outing, kind):
    content = b"".join(as_relay.get(address(relay, f"table.{kind}?by=site")).streaming_content)

    rows = read_workbook(content, most_rows=9, most_columns=9).rows if kind == "xlsx" else csv_rows(content)
    assert [row[:3] for row in rows[1:]] == [[relay.company.name, "9", "5"], ["Gerland", "3", "1"]]


class TestAtTheDoor:
    @pytest.fixture(autouse=True)
    def doors_are_open(self, outing):
        ago = timezone.now() - timedelta(hours=1)
        Event.objects.update(valid_from=ago, doors_at=ago)

    def test_the_page_says_who_came_and_asks_again_by_itself(self, as_relay, relay):
        page = as_relay.get(address(relay))

        assert "2 entrés, sur 5 qui ont un billet" in page_of(page)
        assert f'hx-get="{address(relay, "doors/")}"' in page.content.decode()

    def test_nothing_is_sent_again_until_somebody_comes(self, as_relay, relay):
        first = as_relay.get(address(relay, "doors/"))
        mark = first["ETag"]

        again = as_relay.get(address(relay, "doors/"), headers={"if-none-match": mark})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", mark)
        check(Ticket.objects.filter(company=relay.company, status="printed").first())

        after = as_relay.get(address(relay, "doors/"), headers={"if-none-match": mark})
        assert after.status_code == 200 and "3 entrés" in page_of(after)

    def test_it_costs_few_queries(self, as_relay, relay):
        as_relay.get(address(relay))
        with CaptureQueriesContext(connection) as captured:
            as_relay.get(address(relay, "doors/"))
        assert len(captured) <= 6

    def test_another_companys_people_are_not_there(self, as_relay, relay, site):
        assert "entrés, sur" not in page_of_other(as_relay, factories.RelayFactory())

    def test_before_the_doors_open_and_on_an_open_date_nothing_is_said(self, as_relay, relay):
        at = timezone.now()
        for times in ({"doors_at": at + timedelta(minutes=30)}, {"doors_at": at - timedelta(hours=1), "starts_at": None}):
            Event.objects.update(**times)
            answer = as_relay.get(address(relay))
            assert answer.status_code == 200 and "entrés, sur" not in page_of(answer)


def page_of_other(client, other) -> str:
    client.force_login(other.user, backend="django.contrib.auth.backends.ModelBackend")
    said = page_of(client.get(address(other)))
    assert client.get(address(other)).status_code == 200
    return said


@pytest.mark.parametrize("end", ["", "?by=site", "doors/", "table.csv"])
def test_as_many_queries_for_eight_outings_and_sites_as_for_two(as_relay, relay, end):
    as_relay.get("/help/")

    def look(more: int) -> int:
        for _ in range(more):
            product = factories.stock(relay.company, 4)
            site = factories.CompanyFactory(parent=relay.company)
            ticket = Ticket.objects.filter(product=product).order_by("-pk").first()
            tickets_steps.forward([ticket], to=site, by=relay.user, act=None)
            factories.given(factories.MemberFactory(company=relay.company), product, 2, by=relay.user)
        with CaptureQueriesContext(connection) as captured:
            answer = as_relay.get(address(relay, end))
            b"".join(answer.streaming_content) if answer.streaming else None
        return len(captured)

    assert look(2) == look(6)
