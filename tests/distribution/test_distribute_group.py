"""As many tickets to each of a group, or of the whole list: who gets what is said before, in the order of the list."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution.actions import undo
from distribution.models import Distribution
from members.models import Member
from tests import factories
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db
NAMES = ["Adam", "Brun", "Colin", "Dumas"]


@pytest.fixture
def group(relay):
    group = factories.GroupFactory(company=relay.company, name="Atelier")
    group.members.add(*[factories.MemberFactory(company=relay.company, last_name=name) for name in NAMES])
    factories.MemberFactory(company=relay.company, last_name="Zola")
    return group


def page(relay, product) -> str:
    return f"/c/{relay.company.public_id}/products/{product.public_id}/distribute/group/"


def said(answer) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())


def look(client, url, group=None, quantity="1"):
    return client.post(
        url, {"group": group.public_id if group else "", "quantity": quantity, "check": "1", "request_key": str(uuid.uuid4())}
    )


def send(client, url, group=None, quantity="1", key=None):
    """Look, then confirm what was shown, as the page does."""
    shown = look(client, url, group, quantity).context["shown"]
    form = {"quantity": quantity, "shown": shown, "confirm": "1", "message": "À demain", "request_key": key or str(uuid.uuid4())}
    return client.post(url, form | {"group": group.public_id if group else ""}, follow=True)


def held() -> dict[str, int]:
    return {member.last_name: member.tickets.count() for member in Member.objects.all()}


def test_everybody_of_the_group_gets_as_many_in_one_act_that_can_be_undone(as_relay, relay, group):
    product = factories.stock(relay.company, 20)

    send(as_relay, page(relay, product), group, "2")

    act = Distribution.objects.get()
    assert (act.quantity, act.recipients.count()) == (8, 4)
    assert held() == {"Adam": 2, "Brun": 2, "Colin": 2, "Dumas": 2, "Zola": 0}
    assert factories.owed().count() == 4
    undo(relay=relay, distribution=act)
    assert figures_of(relay.company, product).left == 20


def test_the_whole_list_is_everybody_but_who_left(as_relay, relay, group):
    product = factories.stock(relay.company, 20)
    Member.objects.filter(last_name="Brun").update(left_on="2026-03-03")

    send(as_relay, page(relay, product))

    assert held() == {"Adam": 1, "Brun": 0, "Colin": 1, "Dumas": 1, "Zola": 1}


def test_what_somebody_holds_counts_and_the_same_again_has_nothing_to_do(as_relay, relay, group):
    product = factories.stock(relay.company, 20)
    factories.given(Member.objects.get(last_name="Adam"), product, 1, by=relay.user)
    factories.given(Member.objects.get(last_name="Brun"), product, 2, by=relay.user)

    send(as_relay, page(relay, product), group, "2")
    assert Distribution.objects.get().quantity == 5

    assert "Rien à faire" in said(send(as_relay, page(relay, product), group, "2"))
    assert Distribution.objects.count() == 1


def test_when_there_are_too_few_those_who_get_nothing_are_named_before(as_relay, relay, group):
    product = factories.stock(relay.company, 5)

    shown = said(look(as_relay, page(relay, product), group, "2"))
    assert "ces personnes n’ont rien : Zoé Colin, Zoé Dumas." in shown and "Envoyer 4 billets à 2 personnes" in shown
    assert not Distribution.objects.exists()

    send(as_relay, page(relay, product), group, "2")
    assert held() == {"Adam": 2, "Brun": 2, "Colin": 0, "Dumas": 0, "Zola": 0}


def test_the_order_of_the_list_is_kept_even_if_somebody_further_down_needs_less(as_relay, relay, group):
    product = factories.stock(relay.company, 4)
    factories.given(Member.objects.get(last_name="Colin"), product, 1, by=relay.user)

    send(as_relay, page(relay, product), group, "2")  # 3 left: Adam needs 2, Brun 2, Colin 1

    assert held() == {"Adam": 2, "Brun": 0, "Colin": 1, "Dumas": 0, "Zola": 0}


def test_when_it_is_no_longer_what_the_page_showed_nothing_leaves(as_relay, relay, group):
    product = factories.stock(relay.company, 4)
    url = page(relay, product)
    shown = look(as_relay, url, group).context["shown"]
    factories.given(Member.objects.get(last_name="Zola"), product, 1, by=relay.user)
    form = {
        "group": group.public_id,
        "quantity": "1",
        "shown": shown,
        "confirm": "1",
        "message": "À demain",
        "request_key": str(uuid.uuid4()),
    }

    answer = as_relay.post(url, form)

    assert answer.status_code == 422 and "ont changé depuis l’affichage" in said(answer)
    assert "cette personne n’a rien : Zoé Dumas." in said(answer) and "À demain" in said(answer)
    assert not Distribution.objects.exists()
    assert as_relay.post(url, form | {"shown": ""}).status_code == 422  # never shown at all
    assert not Distribution.objects.exists()


def test_sent_twice_is_done_once(as_relay, relay, group):
    product = factories.stock(relay.company, 20)
    key = str(uuid.uuid4())

    for _ in range(2):
        send(as_relay, page(relay, product), group, key=key)

    assert Distribution.objects.count() == 1 and figures_of(relay.company, product).left == 16


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1,5", "deux", "999999999"])
def test_a_wrong_number_gets_a_sentence(as_relay, relay, group, quantity):
    product = factories.stock(relay.company, 5)
    answer = look(as_relay, page(relay, product), group, quantity)

    assert answer.status_code == 422 and 'class="error"' in said(answer) and not Distribution.objects.exists()


def test_another_companys_group_is_no_choice(as_relay, relay, group):
    answer = look(as_relay, page(relay, factories.stock(relay.company, 5)), factories.GroupFactory(name="Secret"))

    assert answer.status_code == 422 and "Choisissez l’un de vos groupes" in said(answer) and "Secret" not in said(answer)


def test_an_empty_group_has_nobody_to_give_to(as_relay, relay):
    answer = look(as_relay, page(relay, factories.stock(relay.company, 5)), factories.GroupFactory(company=relay.company))

    assert "Personne n’est dans ce groupe" in said(answer) and 'name="confirm"' not in said(answer)


def test_three_hundred_people_ask_as_often_as_three(as_relay, relay):
    as_relay.get("/spaces/")

    def asked(count: int) -> list[int]:
        product = factories.stock(relay.company, count)
        group = factories.GroupFactory(company=relay.company)
        members = [
            Member(company=relay.company, first_name="Zoé", last_name=f"N{count}-{i}", email=f"n{count}-{i}@e.fr") for i in range(count)
        ]
        for member in members:
            member.set_keys()
        group.members.add(*Member.objects.bulk_create(members))
        url, answers = page(relay, product), []
        for act in (lambda: look(as_relay, url, group), lambda: send(as_relay, url, group)):
            with CaptureQueriesContext(connection) as captured:
                assert act().status_code == 200
            answers.append(len(captured))
        assert figures_of(relay.company, product).left == 0
        return answers

    assert asked(3) == asked(300)
