"""Take back one, several or all unused tickets: what comes back is said before, and nothing moves if that has changed."""

import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Seller
from distribution.actions import distribute, hand_over, merge, reassign, reclaim, undo
from distribution.actions.members import addresses
from distribution.errors import CannotReclaim
from distribution.models import Distribution
from members.models import Member
from outbox import actions as outbox_actions
from sales import actions as sales_actions
from tests import factories
from tickets import steps as tickets_steps
from tickets.models import Movement, Ticket
from tickets.stock import figures_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def zoe(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre")


@pytest.fixture
def karim(relay):
    return factories.MemberFactory(company=relay.company, first_name="Karim", last_name="Benali")


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 9)


def page_of(relay, product, query="") -> str:
    return f"/c/{relay.company.public_id}/products/{product.public_id}/reclaim/{query}"


def sent(*tickets, message="", key=None, **buttons) -> dict:
    """What the page would send for these tickets as they are now."""
    shown = [f"{public_id}:{face}" for public_id, face in factories.shown(*tickets).items()]
    return {"ticket": shown, "message": message, "request_key": str(key or uuid.uuid4()), **(buttons or {"confirm": "1"})}


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_the_preview_says_how_many_come_back_of_whom_which_prints_die_and_who_is_told(as_relay, relay, product, zoe, karim):
    factories.given(zoe, product, 2, by=relay.user)
    factories.printed(factories.given(karim, product, by=relay.user))
    hand_over(relay=relay, product=product, quantity=1, names=[], request_key=uuid.uuid4())

    page = said(as_relay.get(page_of(relay, product, "?all=1")))

    assert "4 billets vous reviennent" in page
    assert "De 2 personnes" in page and "2 impressions sont désormais refusées" in page and "2 courriels partent aussitôt" in page
    assert "Reprendre 4 billets" in page
    assert not Distribution.objects.filter(kind="reclaim").exists()


def test_what_can_not_come_back_is_listed_with_why_and_the_rest_comes_back_in_one_gesture(as_relay, relay, product, zoe):
    used, cancelled, unused = factories.given(zoe, product, 3, by=relay.user)
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)
    sales_actions.cancel_tickets(tickets=[cancelled.pk], by=relay.user, key="c")
    url = page_of(relay, product, f"?member={zoe.public_id}")

    page = said(as_relay.get(url))
    assert "1 billet vous revient" in page and "2 billets restent où ils sont" in page
    assert f"Le billet {used.number} a été contrôlé à l’entrée, " in page and f"Le billet {cancelled.number} a été annulé, " in page

    answer = as_relay.post(url, sent(unused), follow=True)
    assert "1 billet est revenu" in said(answer)
    assert set(zoe.tickets.all()) == {used, cancelled}


def test_a_seller_who_stops_reclaims_at_the_print_says_so_for_each_ticket(as_relay, relay, product, zoe):
    Seller.objects.update(reclaim_until="printed")
    (printed,) = factories.printed(factories.given(zoe, product, by=relay.user))

    page = said(as_relay.get(page_of(relay, product, f"?member={zoe.public_id}")))

    assert "Rien ne peut revenir" in page
    assert f"Le billet {printed.number} a été imprimé " in page and "ne permet plus de le reprendre ensuite" in page


def test_choosing_tickets_then_seeing_then_confirming_moves_only_those(as_relay, relay, product, zoe, karim):
    first, second = factories.given(zoe, product, 2, by=relay.user)
    other = factories.given(karim, product, by=relay.user)[0]
    chosen = as_relay.get(page_of(relay, product))
    assert "Quels billets reprendre" in said(chosen)

    preview = as_relay.post(page_of(relay, product), sent(first, other, look="1"))
    assert "2 billets vous reviennent" in said(preview) and Movement.objects.filter(kind="reclaimed").count() == 0
    again = as_relay.post(page_of(relay, product), sent(first, other, message="Désolée", choose="1"))
    assert said(again).count(" checked") == 2 and 'name="message" value="Désolée"' in said(again)

    as_relay.post(page_of(relay, product), sent(first, other))
    assert Ticket.objects.filter(member__isnull=False).get() == second


def test_nothing_chosen_is_said_and_nothing_moves(as_relay, relay, product, zoe):
    factories.given(zoe, product, by=relay.user)

    answer = as_relay.post(page_of(relay, product), sent(look="1"))

    assert answer.status_code == 422 and "Choisissez les billets à reprendre" in said(answer)


@pytest.mark.parametrize("change", ["checked", "printed", "named", "given", "back"])
def test_if_one_ticket_has_changed_since_the_preview_nothing_moves_and_the_fresh_preview_says_what(
    as_relay, relay, product, zoe, karim, change
):
    kept, moved = factories.given(zoe, product, 2, by=relay.user)
    if change == "named":
        (moved,) = factories.printed([moved])
    form = sent(kept, moved, message="Désolée")
    match change:
        case "checked":
            assert tickets_steps.check(number=moved.number, event=moved.event, generation=0)
        case "printed":
            factories.printed([moved])
        case "named":
            tickets_steps.rename(moved, first_name="Kofi", last_name="Mensah", by=factories.login(zoe.email))
        case "given":
            reassign(relay=relay, product=product, shown=factories.shown(moved), to=karim, request_key=uuid.uuid4())
        case _:
            reclaim(relay=relay, shown=factories.shown(moved), request_key=uuid.uuid4())
    before = Movement.objects.count()

    answer = as_relay.post(page_of(relay, product), form)

    assert answer.status_code == 422 and Movement.objects.count() == before
    page = said(answer)
    what = {
        "checked": "contrôlé à l’entrée",
        "printed": "imprimé, ou montré",
        "named": "nom écrit",
        "given": "distribué à Karim",
        "back": "repris",
    }
    assert "Rien n’a été repris" in page and f"Billet {moved.number} : {what[change]}" in page
    comes_back = {"checked": 1, "printed": 2, "named": 2, "given": 1, "back": 1}[change]
    assert page.count('type="hidden" name="ticket"') == comes_back
    assert "Désolée" in page
    if change == "given":
        assert f"Le billet {moved.number} a été redonné depuis, à Karim Benali" in page


def test_a_ticket_whose_holders_two_entries_became_one_still_comes_back_once_seen_again(as_relay, relay, product, zoe):
    twice = factories.MemberFactory(company=relay.company, first_name="Zoe", last_name="Lefevre")
    (ticket,) = factories.given(twice, product, by=relay.user)
    form = sent(ticket)
    merge(relay=relay, gone=twice, kept=zoe, shown=addresses(twice, zoe), request_key=uuid.uuid4())

    answer = as_relay.post(page_of(relay, product), form)

    assert answer.status_code == 422 and "1 billet vous revient" in said(answer) and zoe.tickets.get() == ticket
    as_relay.post(page_of(relay, product), sent(ticket))
    assert not zoe.tickets.exists()


def test_an_act_is_taken_back_whole_days_later_and_what_is_no_longer_its_own_stays(as_relay, relay, product, zoe, karim):
    gifts = [(zoe.pk, 3, ()), (karim.pk, 1, ())]
    act = distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    ago = timezone.now() - timezone.timedelta(days=3)
    Distribution.objects.update(undo_until=ago)
    Ticket.objects.update(shown_from=ago)
    used, again, unused = zoe.tickets.order_by("pk")
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)
    reclaim(relay=relay, shown=factories.shown(again), request_key=uuid.uuid4())
    distribute(relay=relay, product=product, gifts=[(karim.pk, 6, ())], message="", request_key=uuid.uuid4())  # with that one among them
    shown_act = f"/c/{relay.company.public_id}/distributions/{act.public_id}/"
    assert f'href="{shown_act}reclaim/"' in said(as_relay.get(shown_act))

    page = said(as_relay.get(f"{shown_act}reclaim/"))
    assert "2 billets vous reviennent" in page and "2 billets restent où ils sont" in page
    assert f"Le billet {again.number} a été redonné depuis, à Karim Benali" in page

    as_relay.post(f"{shown_act}reclaim/", sent(unused, *karim.tickets.filter(movements__act=act.public_id).exclude(pk=again.pk)))
    assert zoe.tickets.get() == used
    assert karim.tickets.count() == 6


def test_an_undone_or_reclaiming_act_has_nothing_to_take_back(as_relay, relay, product, zoe):
    undone = distribute(relay=relay, product=product, gifts=[(zoe.pk, 1, ())], message="", request_key=uuid.uuid4())
    undo(relay=relay, distribution=undone)
    taken = reclaim(relay=relay, shown=factories.shown(*factories.given(zoe, product, by=relay.user)), request_key=uuid.uuid4())

    for act in (undone, taken):
        assert as_relay.get(f"/c/{relay.company.public_id}/distributions/{act.public_id}/reclaim/").status_code == 404


def test_all_that_a_person_holds_comes_back_for_every_outing_in_one_gesture_and_one_email(as_relay, relay, product, zoe, post):
    museum = factories.stock(relay.company, 2, factories.ProductFactory(event=factories.EventFactory(name="Pierres vives")))
    tickets = factories.given(zoe, product, 2, by=relay.user) + factories.given(zoe, museum, by=relay.user)
    Member.objects.update(left_on=timezone.localdate())  # she has left the company
    url = f"/c/{relay.company.public_id}/members/{zoe.public_id}/reclaim/"
    assert "3 billets vous reviennent" in said(as_relay.get(url))
    here = as_relay.get(page_of(relay, product, f"?member={zoe.public_id}"))
    assert "Zoé a aussi 1 billet pour une autre sortie" in said(here) and f'href="{url}"' in said(here)
    key = uuid.uuid4()

    for _ in range(2):
        as_relay.post(url, sent(*tickets, message="Bonne retraite", key=key))

    assert sorted(Distribution.objects.values_list("product__event__name", "quantity")) == [("Nuit Ravel", 2), ("Pierres vives", 1)]
    assert figures_of(relay.company, product).left == 9 and figures_of(relay.company, museum).left == 2
    outbox_actions.send_due()
    (letter,) = post.to(zoe.email)
    text = letter.get_body(("plain",)).get_content()
    assert "3 billets ne sont plus à vous" in letter["Subject"]
    assert "2 billets, «\u00a0Nuit Ravel" in text and "1 billet, «\u00a0Pierres vives" in text and "Bonne retraite" in text


def test_a_seller_may_choose_that_holders_are_not_told(as_relay, relay, product, zoe):
    Seller.objects.update(tells_of_reclaims=False)
    (ticket,) = factories.given(zoe, product, by=relay.user)
    url = page_of(relay, product, f"?ticket={ticket.public_id}")
    page = said(as_relay.get(url))
    assert "Aucun courriel ne part" in page and "<textarea" not in page

    as_relay.post(url, sent(ticket))

    assert ticket.movements.latest("pk").kind == "reclaimed"
    assert not factories.owed().exists()


def test_the_members_space_says_by_whom_when_and_why_a_ticket_is_gone(client, relay, product, zoe):
    (ticket,) = factories.given(zoe, product, by=relay.user)
    reclaim(relay=relay, shown=factories.shown(ticket), message="Il en faut un pour une apprentie", request_key=uuid.uuid4())
    client.force_login(factories.login(zoe.email), backend="django.contrib.auth.backends.ModelBackend")

    page = said(client.get("/my/"))

    assert f"{relay} ({relay.company}) a repris le billet {ticket.number}" in page
    assert "« Il en faut un pour une apprentie »" in page


def test_the_history_and_the_act_say_from_whom_and_with_which_word(as_relay, relay, product, zoe):
    (ticket,) = factories.given(zoe, product, by=relay.user)
    act = reclaim(relay=relay, shown=factories.shown(ticket), message="Changement de date", request_key=uuid.uuid4())
    company = f"/c/{relay.company.public_id}/"

    for page in ("history/", f"distributions/{act.public_id}/", f"tickets/{ticket.public_id}/"):
        shown = said(as_relay.get(company + page))
        assert "Zoé Lefèvre" in shown and "Changement de date" in shown, page


def test_tickets_of_another_company_are_not_taken_from_its_page(as_relay, relay, product):
    other = factories.RelayFactory()
    factories.stock(other.company, 1, product)
    (theirs,) = factories.given(factories.MemberFactory(company=other.company), product, by=other.user)

    answer = as_relay.post(page_of(relay, product), sent(theirs))

    assert answer.status_code == 422 and f"Billet {theirs.number} :" not in said(answer)
    assert Ticket.objects.filter(member__isnull=False).count() == 1


def test_one_ticket_that_is_not_the_companys_stops_all_of_them(relay, product, zoe):
    other = factories.RelayFactory()
    factories.stock(other.company, 1, product)
    (theirs,) = factories.given(factories.MemberFactory(company=other.company), product, by=other.user)
    (mine,) = factories.given(zoe, product, by=relay.user)

    with pytest.raises(CannotReclaim, match="Choisissez des billets que détient votre structure"):
        reclaim(relay=relay, shown=factories.shown(mine, theirs), request_key=uuid.uuid4())

    assert zoe.tickets.count() == 1


def test_many_refusals_are_counted_beyond_the_first_five(relay, product, zoe):
    tickets = factories.given(zoe, product, 7, by=relay.user)
    shown = factories.shown(*tickets)
    factories.printed(tickets)

    with pytest.raises(CannotReclaim, match="Et 2 autres"):
        reclaim(relay=relay, shown=shown, request_key=uuid.uuid4())


def test_five_hundred_tickets_come_back_in_as_many_queries_as_one(relay):
    def asked(count: int) -> int:
        product = factories.stock(relay.company, count)
        members = factories.MemberFactory.create_batch(min(count, 20), company=relay.company)
        gifts = [(member.pk, count // len(members), ()) for member in members]
        distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
        half = list(Ticket.objects.filter(product=product, member__isnull=False).order_by("pk"))
        Ticket.objects.filter(pk__in=[t.pk for t in half[: count // 2]]).update(shown_from=timezone.now())
        shown = factories.shown(*half)
        with CaptureQueriesContext(connection) as captured:
            reclaim(relay=relay, shown=shown, request_key=uuid.uuid4())
        assert figures_of(relay.company, product).left == count
        return len(captured)

    assert asked(2) == asked(500)
