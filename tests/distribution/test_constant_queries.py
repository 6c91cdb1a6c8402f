"""The pages and acts of a relay's day ask the database as often for three as for thirty."""

import uuid
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution.actions import distribute, hand_over, render_at_once
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_relay(as_relay, relay):
    """Already seen today: the first request of a session notes it."""
    as_relay.get(f"/c/{relay.company.public_id}/")
    return as_relay


def as_shown(*tickets) -> list[str]:
    return [f"{key}:{face}" for key, face in factories.shown(*tickets).items()]


def queries_of(request) -> int:
    with CaptureQueriesContext(connection) as captured:
        answer = request()
    assert answer.status_code in (200, 302), answer.content[:500]
    return len(captured)


def test_distributing_to_thirty_asks_as_often_as_to_three(as_relay, relay):
    def distribute_to(count: int) -> int:
        product = factories.stock(relay.company, count)
        members = factories.MemberFactory.create_batch(count, company=relay.company)
        form = {f"quantity-{m.public_id}": "1" for m in members} | {"confirm": "1", "request_key": str(uuid.uuid4())}
        url = f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/"
        asked = queries_of(lambda: as_relay.post(url, form))
        assert sum(m.tickets.count() for m in members) == count
        return asked

    assert distribute_to(3) == distribute_to(30)


def test_reclaiming_and_undoing_thirty_asks_as_often_as_three(as_relay, relay):
    def give_and_take(count: int) -> list[int]:
        product = factories.stock(relay.company, count)
        members = factories.MemberFactory.create_batch(count, company=relay.company)
        tickets = [factories.given(m, product, by=relay.user)[0] for m in members]
        url = f"/c/{relay.company.public_id}/products/{product.public_id}/reclaim/"
        form = {"ticket": as_shown(*tickets), "confirm": "1", "request_key": str(uuid.uuid4())}
        return [queries_of(lambda: as_relay.get(url)), queries_of(lambda: as_relay.post(url, form))]

    assert give_and_take(3) == give_and_take(30)


def test_handing_over_thirty_and_their_papers_ask_as_often_as_three(as_relay, relay):
    papers = ["", "sheet.pdf", "slip.pdf", "slip-with-names.pdf", "slip-with-names.csv"]

    def hand_over(count: int) -> dict[str, int]:
        product = factories.stock(relay.company, count)
        form = {"names": "\n".join(f"Zoé N{n}" for n in range(count)), "request_key": str(uuid.uuid4())}
        handing = queries_of(lambda: as_relay.post(f"/c/{relay.company.public_id}/products/{product.public_id}/hand-over/", form))
        act = f"/c/{relay.company.public_id}/distributions/{product.distributions.get().public_id}/"
        printing = queries_of(lambda: as_relay.post(f"{act}print/", {"request_key": str(uuid.uuid4())}))
        return {"handing": handing, "printing": printing} | {page: queries_of(partial(as_relay.get, act + page)) for page in papers}

    assert hand_over(3) == hand_over(30)


def test_printing_for_thirty_members_asks_as_often_as_for_three(as_relay, relay):
    def print_for(count: int) -> list[int]:
        product = factories.stock(relay.company, count)
        members = factories.MemberFactory.create_batch(count, company=relay.company)
        gifts = [(m.pk, 1, ()) for m in members]
        act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
        page = f"/c/{relay.company.public_id}/distributions/{act.public_id}/"
        printing = queries_of(lambda: as_relay.post(f"{page}print/", {"request_key": str(uuid.uuid4())}))
        assert product.tickets.filter(status="printed").count() == count
        return [printing, queries_of(lambda: as_relay.get(f"{page}sheet.pdf"))]

    assert print_for(3) == print_for(30)


def test_a_printout_in_five_files_is_shown_and_zipped_as_one_in_two_save_reading_each_file(as_relay, relay, monkeypatch):
    monkeypatch.setattr("distribution.actions.printouts.MOST_IN_A_FILE", 2)

    def printout_of(files: int) -> list[int]:
        product = factories.stock(relay.company, 2 * files)
        act = hand_over(relay=relay, product=product, quantity=2 * files, names=[], request_key=uuid.uuid4())
        printout = act.printouts.get()
        render_at_once(printout)
        zipped = f"/c/{relay.company.public_id}/printouts/{printout.public_id}/tickets.zip"
        shown = queries_of(lambda: as_relay.get(f"/c/{relay.company.public_id}/distributions/{act.public_id}/"))
        return [shown, queries_of(lambda: as_relay.post(zipped)) - files]

    assert printout_of(2) == printout_of(5)


def test_a_products_pages_ask_as_often_for_thirty_members_as_for_three(as_relay, relay):
    pages = ["", "distribute/", "hand-over/", "tickets/", "figures.csv"]

    def look(count: int) -> dict[str, int]:
        product = factories.stock(relay.company, count + 1)
        for member in factories.MemberFactory.create_batch(count, company=relay.company):
            factories.printed(factories.given(member, product, by=relay.user))
        base = f"/c/{relay.company.public_id}/products/{product.public_id}/"
        return {page: queries_of(partial(as_relay.get, base + page)) for page in pages}

    assert look(3) == look(30)


def test_the_home_asks_as_often_for_nine_products_as_for_one(as_relay, relay):
    def look(more: int) -> int:
        for _ in range(more):
            product = factories.stock(relay.company, 2)
            factories.given(factories.MemberFactory(company=relay.company), product, by=relay.user)
        return queries_of(lambda: as_relay.get(f"/c/{relay.company.public_id}/"))

    assert look(1) == look(8)


def test_the_members_space_asks_as_often_for_twelve_tickets_as_for_one(client, relay):
    member = factories.MemberFactory(company=relay.company)
    client.force_login(factories.login(member.email), backend="django.contrib.auth.backends.ModelBackend")

    client.get("/my/")

    def look(more: int) -> int:
        for _ in range(more):
            factories.given(member, factories.stock(relay.company, 1), by=relay.user)
        return queries_of(lambda: client.get("/my/"))

    assert look(1) == look(11)
