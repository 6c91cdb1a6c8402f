"""Every number of a product's page leads to exactly the tickets that it counts, and to no name of another company."""

import re
import uuid
from html import unescape

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Relay
from distribution.actions import distribute, forward, hand_over, reclaim
from distribution.models import Distribution
from sales import actions as sales_actions
from tests import factories
from tests.portal.walk import BACKEND
from tickets import actions as tickets_actions
from tickets.models import Event, Product, Ticket

pytestmark = pytest.mark.django_db
CANARY = "Canari"
NUMBERS = re.compile(r'href="([^"]*/tickets/\?place=[^"]*)">(?:<span class="hidden">)?([\d\u202f]+)')


def relay_of(name: str, parent=None, **fields) -> Relay:
    return factories.RelayFactory(company=factories.CompanyFactory(name=name, parent=parent), last_name=f"{CANARY}-{name}", **fields)


def member_of(relay: Relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name=f"{CANARY}{relay.company.name}", email="")


def give(relay: Relay, product: Product, quantity: int = 1, *, printed: int = 0, checked: int = 0):
    tickets = factories.given(member_of(relay), product, quantity, by=relay.user)
    factories.printed(tickets[:printed])
    for ticket in tickets[:checked]:
        ticket.refresh_from_db()
        assert tickets_actions.steps.check(number=ticket.number, event=ticket.event, generation=ticket.generation)
    return tickets


def confide(relay: Relay, product: Product, to: Relay, quantity: int):
    forward(relay=relay, product=product, to=to.company, quantity=quantity, message="", request_key=uuid.uuid4())


def given_on(top: Relay, site: Relay, product: Product) -> Distribution:
    """A ticket that was given above, taken back, forwarded and given again below: the act above."""
    gifts = [(member_of(top).pk, 1, ())]
    act = distribute(relay=top, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    ticket = Ticket.objects.get(movements__act=act.public_id)
    reclaim(relay=top, shown=factories.shown(ticket), request_key=uuid.uuid4())
    forward(relay=top, product=product, to=site.company, quantity=1, chosen=[ticket.pk], message="", request_key=uuid.uuid4())
    with transaction.atomic():
        tickets_actions.steps.distribute([(ticket, member_of(site))], by=site.user, shown_from=timezone.now(), act=uuid.uuid4())
    return act


@pytest.fixture
def group(seller, signing_key):
    """A group, two sites, a workshop two levels below, a club that receives from the group and from the workshop."""
    top = relay_of("Groupe")
    lyon, paris = relay_of("Lyon", top.company), relay_of("Paris", top.company)
    workshop, club = relay_of("Atelier", lyon.company), relay_of("Amicale")
    for partner in (top, workshop):
        club.company.partners.add(partner.company)
    product = factories.stock(top.company, 80, factories.ProductFactory(event=factories.EventFactory(names_required=True)))
    give(top, product, 5, printed=3, checked=1)
    hand_over(relay=top, product=product, quantity=2, names=[], request_key=uuid.uuid4())
    confide(top, product, lyon, 60)
    confide(top, product, paris, 3)
    confide(top, product, club, 2)
    confide(lyon, product, workshop, 56)
    confide(workshop, product, club, 4)
    give(lyon, product, 2, printed=1)
    give(workshop, product, 52, checked=1)
    give(club, product, 3)
    cancelled = Ticket.objects.filter(company=paris.company).first()
    sales_actions.cancel_tickets(tickets=[cancelled.pk], by=factories.UserFactory(is_staff=True), key="k")
    return {"top": top, "lyon": lyon, "workshop": workshop, "club": club, "product": product}


def listed(client, link: str) -> list[int]:
    """The numbers of the tickets of a list, page after page."""
    found: list[int] = []
    while link:
        page = client.get(link).content.decode()
        found += [int(number) for number in re.findall(r'<th scope="row" class="person"><b><a [^>]*>(\d+)</a>', page)]
        following = re.search(r'href="([^"]+)" rel="next"', page)
        link = link.partition("?")[0] + unescape(following[1]) if following else ""
    return found


@pytest.mark.parametrize("who", ["top", "lyon", "workshop"])
def test_each_number_leads_to_the_tickets_that_it_counts(client, group, who):
    relay, product = group[who], group["product"]
    client.force_login(relay.user, backend=BACKEND)
    page = client.get(f"/c/{relay.company.public_id}/products/{product.public_id}/").content.decode()
    numbers = [(unescape(link), int(re.sub(r"\D", "", number))) for link, number in NUMBERS.findall(page)]

    assert len(numbers) == page.count('<div class="node">') + page.count("<dt>") + page.count('class="figure"')
    assert page.count('<div class="node">') == {"top": 16, "lyon": 8, "workshop": 5}[who]
    for link, number in numbers:
        found = listed(client, link)
        assert len(found) == len(set(found)) == number, link


def test_what_was_not_used_is_found_after_the_event(client, group):
    relay, product = group["top"], group["product"]
    client.force_login(relay.user, backend=BACKEND)
    Event.objects.update(starts_at="2026-01-01T20:00Z", valid_from="2026-01-01T18:00Z", valid_until="2026-01-02T00:00Z")
    page = client.get(f"/c/{relay.company.public_id}/products/{product.public_id}/").content.decode()

    link, number = next((link, number) for link, number in NUMBERS.findall(page) if "place=unused" in link)

    assert len(listed(client, link)) == int(number) > 0


def test_a_path_that_is_not_hers_leads_to_nothing_and_names_nobody(client, group):
    lyon, product = group["lyon"], group["product"]
    client.force_login(lyon.user, backend=BACKEND)
    base = f"/c/{lyon.company.public_id}/products/{product.public_id}/tickets/?place=there&at="

    for company in (group["top"].company, factories.CompanyFactory(name="Étrangère")):
        page = client.get(f"{base}{company.public_id}").content.decode()
        nothing = client.get(f"{base}{(random := uuid.uuid4())}").content.decode()
        assert blank(page, company.public_id) == blank(nothing, random)
        assert "Aucun billet" in page


def blank(page: str, key: uuid.UUID) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page).replace(str(key), "")


@pytest.mark.parametrize("who", ["top", "lyon", "workshop", "club"])
def test_no_page_or_file_tells_who_holds_the_tickets_of_another_company_or_who_gave_them(client, group, who):
    relay, product = group[who], group["product"]
    act = given_on(group["top"], group["lyon"], product)
    client.force_login(relay.user, backend=BACKEND)
    base = f"/c/{relay.company.public_id}/products/{product.public_id}/"
    mine = {f"{CANARY}{relay.company.name}", f"{CANARY}-{relay.company.name}"}
    pages = [base, f"{base}tickets/", f"{base}figures.csv", f"{base}reclaim/", f"/c/{relay.company.public_id}/history/"]
    pages += [f"{base}tickets/?page={page}" for page in (2, 3)]
    pages += [f"/c/{relay.company.public_id}/distributions/{act.public_id}/{name}" for name in ("", "reclaim/") if who == "top"]
    seen = Ticket.objects.in_sight_of(relay)
    kinds = {(t.company_id, t.status, t.member_id is None, t.generation): t for t in seen}.values()
    pages += [f"/c/{relay.company.public_id}/tickets/{t.public_id}/" for t in {*kinds, *seen.filter(movements__act=act.public_id)}]

    for url in pages:
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert set(re.findall(rf"{CANARY}-?\w+", answer.content.decode())) <= mine, url


def test_a_search_does_not_find_tickets_by_the_members_of_another_company(client, group):
    top, product = group["top"], group["product"]
    client.force_login(top.user, backend=BACKEND)
    url = f"/c/{top.company.public_id}/products/{product.public_id}/tickets/?q={CANARY}"

    assert listed(client, f"{url}Lyon") == []
    assert len(listed(client, f"{url}Groupe")) == 5


def test_the_history_says_whose_part_it_was_where_it_may_not_say_who(client, group):
    top, club = group["top"], group["club"]
    client.force_login(top.user, backend=BACKEND)
    ticket = Ticket.objects.filter(company=club.company, status="distributed", forwards__level=3).first()

    page = client.get(f"/c/{top.company.public_id}/tickets/{ticket.public_id}/").content.decode()

    assert "Distribué à un membre de la structure Amicale par un relais de la structure Amicale" in page
    assert "Confié par Lyon à Atelier (un relais de la structure Lyon)" in page
    assert f"Confié par Groupe à Lyon (Samia {CANARY}-Groupe)" in page


def test_the_tree_asks_as_often_for_forty_structures_on_four_levels_as_for_three(client, seller, signing_key):
    def asked(count: int) -> int:
        top = relay_of(f"Tête {count}")
        product = factories.stock(top.company, count)
        companies, above = [top.company], [0]
        with transaction.atomic():
            for n, ticket in enumerate(Ticket.objects.filter(product=product).order_by("pk"), 1):
                companies.append(factories.CompanyFactory(name=f"Site {n}", parent=companies[(n - 1) // 3]))
                above.append((n - 1) // 3)
                path = [n]
                while above[path[0]]:
                    path.insert(0, above[path[0]])
                for step in path:
                    tickets_actions.steps.forward([ticket], to=companies[step], by=top.user, act=None)
                    ticket.company = companies[step]
        client.force_login(top.user, backend=BACKEND)
        url = f"/c/{top.company.public_id}/products/{product.public_id}/"
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(url).content.decode()
        assert page.count('<div class="node">') == 2 * count + 1
        return len(queries)

    assert asked(3) == asked(40)
