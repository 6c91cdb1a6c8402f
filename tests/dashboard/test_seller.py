"""The seller sees every company's figures, filters them by their address, and follows each number to its tickets."""

import html
import io
import re
import zipfile
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Seller
from dashboard.actions import count
from dashboard.models import Counted
from dashboard.seasons import Season
from distribution.actions import remind_relays_now
from outbox.models import Delivery
from portal.workbook import read_workbook
from tests import factories
from tests.dashboard.conftest import over
from tests.dashboard.test_tallies import check
from tests.portal.walk import BACKEND
from tickets import steps as tickets_steps
from tickets.models import Event, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def evening(relay):
    """An event to come: 20 bought online by one company, 6 by phone by another; 8 given, 5 printed, 2 checked."""
    product = factories.stock(relay.company, 20, factories.ProductFactory(event__name="Nuit Ravel"), channel="online")
    factories.stock(factories.CompanyFactory(name="Éclair SA"), 6, product, channel="phone")
    given = factories.given(factories.MemberFactory(company=relay.company), product, 8, by=relay.user)
    check(*factories.printed(given[:5])[:2])
    count()
    return product


def shown(answer) -> list[list[str]]:
    """The table of a page, cell by cell, without what only screen readers hear."""
    assert answer.status_code == 200
    table = re.search(r'<table class="figures">.*?</table>', answer.content.decode(), re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", table[0], re.DOTALL) if table else []
    return [[said(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)] for row in rows]


def said(markup: str) -> str:
    without = re.sub(r"<(span)[^>]*>.*?</\1>", "", re.sub(r'<span class="hidden">.*?</span>', "", markup, flags=re.DOTALL), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", without)).split())


def page_of(answer) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def test_by_event_by_company_by_channel(as_staff, relay, evening):
    assert shown(as_staff.get("/dashboard/")) == [
        ["Séance", "Achetés", "Distribués", "Non distribués", "Imprimés", "Contrôlés", "Absents"],
        ["Nuit Ravel", "26", "8", "18", "5", "2", ""],
    ]
    assert shown(as_staff.get("/dashboard/?by=company"))[1:] == [
        [relay.company.name, "20", "8", "12", "5", "2", "0"],
        ["Éclair SA", "6", "0", "6", "0", "0", "0"],
    ]
    assert [row[:4] for row in shown(as_staff.get("/dashboard/?by=channel"))[1:]] == [
        ["en ligne", "20", "8", "12"],
        ["par téléphone", "6", "0", "6"],
    ]
    assert "18 billets ne sont pas distribués" in page_of(as_staff.get("/dashboard/"))


def test_who_did_not_come_is_known_after_the_event_alone(as_staff, relay, evening):
    over(evening.event)
    count()

    assert shown(as_staff.get("/dashboard/")) == []
    assert shown(as_staff.get("/dashboard/?when=past"))[1] == ["Nuit Ravel", "26", "8", "18", "5", "2", "6"]
    assert [row[-1] for row in shown(as_staff.get("/dashboard/?when=past&by=company"))[1:]] == ["6", "0"]


def test_the_address_is_the_view(as_staff, relay, evening):
    later = factories.stock(
        relay.company, 3, factories.ProductFactory(event__name="Été", event__starts_at=timezone.now() + timedelta(days=400))
    )
    count()

    def names(query: str) -> list[str]:
        return [row[0] for row in shown(as_staff.get(f"/dashboard/?{query}"))[1:]]

    assert names("") == ["Nuit Ravel", "Été"]
    assert names("sort=left") == ["Nuit Ravel", "Été"] and names("sort=bought&q=ete") == ["Été"]
    assert names(f"season={Season.at(later.event.starts_at).starts}") == ["Été"]
    assert names("channel=online") == ["Nuit Ravel"]
    assert names(f"by=company&event={later.event.public_id}") == [relay.company.name]
    assert names(f"company={relay.company.public_id}&channel=phone") == ["Été"]
    assert names("by=company&q=eclair") == ["Éclair SA"]
    assert names("when=no&by=no&sort=no&season=x&channel=no&page=no") == ["Nuit Ravel", "Été"]
    assert as_staff.get("/dashboard/?event=no").status_code == 404
    assert as_staff.get(f"/dashboard/?company={evening.public_id}").status_code == 404


def test_each_number_leads_to_its_tickets(as_staff, relay, evening):
    over(evening.event)
    count()
    for by in ("event", "company", "channel"):
        page = as_staff.get(f"/dashboard/?by={by}&when=past").content.decode()
        links = re.findall(r'<a href="(/dashboard/tickets/\?[^"]+)">([0-9]+)<', page)
        assert len(links) == {"event": 6, "company": 8, "channel": 8}[by]
        for link, number in links:
            answer = as_staff.get(html.unescape(link))
            assert answer.context["page"].paginator.count == int(number), link
    assert relay.company.name in page_of(as_staff.get("/dashboard/tickets/?when=past&state=absent"))


def test_the_list_of_tickets_names_nobody(as_staff, relay, evening):
    member = relay.company.members.get()

    page = page_of(as_staff.get("/dashboard/tickets/"))

    assert "26 billets" in page and member.last_name not in page and member.email not in page


def test_it_says_of_when_the_figures_are_and_when_nothing_counts_any_more(as_staff, relay):
    assert "Rien n’est encore compté" in page_of(as_staff.get("/dashboard/"))
    count()
    assert "Comptés à" in page_of(as_staff.get("/dashboard/"))
    Counted.objects.update(at=timezone.now() - timedelta(minutes=6))
    assert "rien n’a été compté" in page_of(as_staff.get("/dashboard/"))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_line_of_a_table_leaves_as_a_file_not_a_page_of_it(as_staff, relay, evening, kind, monkeypatch):
    monkeypatch.setattr("dashboard.table.ON_A_PAGE", 1)

    answer = as_staff.get(f"/dashboard/figures.{kind}?by=company&sort=left")

    assert answer.streaming and answer["Content-Disposition"] == f'attachment; filename="chiffres.{kind}"'
    content = b"".join(answer.streaming_content)
    rows = read_workbook(content, most_rows=9, most_columns=9).rows if kind == "xlsx" else csv_rows(content)
    assert rows == [
        ["Structure", "Achetés", "Distribués", "Non distribués", "Imprimés", "Contrôlés", "Absents"],
        [relay.company.name, "20", "8", "12", "5", "2", "0"],
        ["Éclair SA", "6", "0", "6", "0", "0", "0"],
    ]


def test_a_file_speaks_the_language_of_its_page(as_staff, evening):
    answer = as_staff.get("/dashboard/figures.csv", headers={"accept-language": "en"})

    assert csv_rows(b"".join(answer.streaming_content))[0][:4] == ["Event", "Date", "Venue", "Bought"]


def csv_rows(content: bytes) -> list[list[str]]:
    return [line.split(";") for line in content.decode("utf-8-sig").splitlines()]


def test_a_name_that_looks_like_a_formula_is_a_text_in_the_workbook(as_staff, relay, evening):
    Event.objects.update(name="=1+1 <b>\x08")

    content = b"".join(as_staff.get("/dashboard/figures.xlsx").streaming_content)

    assert read_workbook(content, most_rows=9, most_columns=9).rows[1][0] == "=1+1 <b>"
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")


def asked(client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
        b"".join(answer.streaming_content) if answer.streaming else None
    assert answer.status_code == 200
    return len(captured)


@pytest.mark.parametrize("url", ["", "?by=company&q=cse", "?by=channel", "tickets/", "figures.csv"])
def test_as_many_queries_for_eight_events_and_companies_as_for_two(as_staff, seller, signing_key, url):
    def look(more: int) -> int:
        for _ in range(more):
            factories.stock(factories.RelayFactory().company, 2)
        count()
        return asked(as_staff, f"/dashboard/{url}")

    assert look(2) == look(6)


class TestWhoMaySeeIt:
    PAGES = ["/dashboard/", "/dashboard/tickets/", "/dashboard/figures.csv", "/dashboard/figures.xlsx"]

    def test_for_a_relay_it_does_not_exist(self, as_relay):
        assert {as_relay.get(page).status_code for page in self.PAGES} == {404}
        assert as_relay.post("/dashboard/remind/").status_code == 404

    def test_staff_without_their_second_factor_are_sent_to_it(self, as_staff, settings):
        settings.STAFF_NEEDS_SECOND_FACTOR = True
        for page in self.PAGES:
            assert as_staff.get(page)["Location"] == "/account/second-factor/"

    def test_staff_see_it_and_remind_by_the_rights_they_have(self, client, settings, evening):
        settings.STAFF_NEEDS_SECOND_FACTOR = False
        some = factories.UserFactory(is_staff=True)
        client.force_login(some, backend=BACKEND)
        assert {client.get(page).status_code for page in self.PAGES} == {403}
        some.user_permissions.add(Permission.objects.get(codename="view_ticket"))

        assert {client.get(page).status_code for page in self.PAGES} == {200}
        assert "Relancer" not in page_of(client.get("/dashboard/"))
        assert client.post("/dashboard/remind/").status_code == 403


class TestRemindingRelays:
    """Bought, not distributed, and the event is near: one click."""

    @pytest.fixture(autouse=True)
    def told_of_orders(self, evening):
        Delivery.objects.all().delete()

    def owed(self) -> list[str]:
        return sorted(Delivery.objects.filter(kind="stock_reminder").values_list("recipient", flat=True))

    def test_it_says_how_many_wait_where_and_one_click_reminds(self, as_staff, relay, evening):
        done = factories.RelayFactory()
        factories.stock(done.company, 1, evening)
        factories.given(factories.MemberFactory(company=done.company), evening, by=done.user)
        Delivery.objects.all().delete()
        count()
        page = page_of(as_staff.get("/dashboard/"))
        assert "Non distribués, dans les 7 jours" in page and "18 billets dans 2 structures" in page

        answer = as_staff.post("/dashboard/remind/?by=company", {"event": evening.event.public_id}, follow=True)

        assert self.owed() == [relay.user.email]  # nobody acts for the other company
        assert answer.redirect_chain == [("/dashboard/?by=company", 302)]
        assert "1 courriel part vers les relais" in page_of(answer) and "Relais relancés" in page_of(answer)
        assert "Relancer les relais" not in page_of(answer)

    def test_twice_in_a_day_it_reminds_nobody_and_says_so(self, as_staff, relay):
        as_staff.post("/dashboard/remind/")

        answer = as_staff.post("/dashboard/remind/", follow=True)

        assert self.owed() == [relay.user.email] and "Plus personne à relancer aujourd’hui" in page_of(answer)

    def test_only_those_of_the_event_chosen(self, as_staff, relay):
        near = factories.stock(factories.RelayFactory().company, 2)
        count()
        as_staff.post("/dashboard/remind/", {"event": near.event.public_id})
        assert len(self.owed()) == 1 and relay.user.email not in self.owed()

    def test_as_near_as_the_sellers_setting_says(self, as_staff, evening):
        Event.objects.update(starts_at=timezone.now() + timedelta(days=10), valid_until=timezone.now() + timedelta(days=11))
        assert "Non distribués, dans" not in page_of(as_staff.get("/dashboard/"))
        as_staff.post("/dashboard/remind/", {"event": evening.event.public_id})
        assert self.owed() == []
        Seller.objects.update(relay_reminder_days=12)
        assert "Non distribués, dans les 12 jours" in page_of(as_staff.get("/dashboard/"))

    def test_nothing_waits_once_the_event_has_begun(self, as_staff, staff, evening):
        Event.objects.update(starts_at=timezone.now() - timedelta(minutes=1))
        assert "Non distribués, dans" not in page_of(as_staff.get("/dashboard/"))
        as_staff.post("/dashboard/remind/")
        assert remind_relays_now(products=[evening.pk], by=staff) == 0
        assert self.owed() == []

    def test_a_company_that_holds_what_another_bought_is_the_one_that_is_reminded(self, as_staff, relay, evening):
        site = factories.RelayFactory(company=factories.CompanyFactory(parent=relay.company))
        left = list(Ticket.objects.filter(company=relay.company, status="available").order_by("pk"))
        tickets_steps.forward(left, to=site.company, by=relay.user, act=None)
        count()
        as_staff.post("/dashboard/remind/")
        assert self.owed() == [site.user.email]
