"""Two entries of one person become one: what moves, what stays in the past, and whose address may gain what (TRUST row 6)."""

import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from distribution.actions import correct_address, distribute, merge, reclaim, send_again, undo
from distribution.actions.members import addresses
from distribution.models import Recipient
from distribution.truth import holders
from members.duplicates import pairs
from members.errors import AddressIsTheirs, KeepTheOther, MemberHasChanged
from members.models import Member
from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales import actions as sales_actions
from tests import factories
from tickets import steps as tickets_steps
from tickets.models import Movement, Ticket

pytestmark = pytest.mark.django_db
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def kept(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="zoe@exemple.fr")


@pytest.fixture
def gone(relay):
    return factories.MemberFactory(company=relay.company, first_name="Zoe", last_name="Lefevre", email="zoe@mecavai.fr")


@pytest.fixture
def product(relay):
    return factories.stock(relay.company, 20)


def said(answer) -> str:
    return " ".join(answer.content.decode().replace("\xa0", " ").replace("\u202f", " ").split())


def give(relay, product, member, quantity=1):
    return distribute(relay=relay, product=product, gifts=[(member.pk, quantity, ())], message="", request_key=uuid.uuid4())


def join(relay, gone, kept, key=None):
    gone.refresh_from_db()
    kept.refresh_from_db()
    return merge(relay=relay, gone=gone, kept=kept, shown=addresses(gone, kept), request_key=key or uuid.uuid4())


def come(member, **after):
    """Someone logs in with the address, now or a while after it was written on the member."""
    at = timezone.now() + timedelta(**after or {"seconds": 1})
    User.objects.filter(email=member.email).update(last_seen_at=at)


def left_letters() -> None:
    Delivery.objects.filter(state="pending").update(state="sent", sent_at=timezone.now())


def test_what_is_unused_moves_and_what_was_used_stays_in_the_past(relay, product, gone, kept):
    used, printed, given, cancelled = factories.given(gone, product, 4, by=relay.user)
    factories.printed([printed])
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)
    sales_actions.cancel_tickets(tickets=[cancelled.pk], by=factories.UserFactory(is_staff=True), key="1")

    join(relay, gone, kept)

    moved = Movement.objects.filter(kind="merged").order_by("ticket")
    assert [m.ticket_id for m in moved] == [printed.pk, given.pk]
    assert {(m.from_member, m.to_member, m.actor) for m in moved} == {(gone, kept, relay.user)}
    used.refresh_from_db()
    printed.refresh_from_db()
    assert (used.member, used.status) == (gone, "checked")
    assert (printed.member, printed.status, printed.generation, printed.printed_generation) == (kept, "printed", 0, 0)
    gone.refresh_from_db()
    assert (gone.merged_into, gone.left_on) == (kept, timezone.localdate())
    assert list(Member.objects.of(relay.company)) == [kept] == list(Member.objects.ever_of(relay.company))


def test_a_print_made_before_comes_in_and_the_gate_names_its_bearer(relay, product, gone, kept):
    (ticket,) = factories.printed(factories.given(gone, product, by=relay.user))

    join(relay, gone, kept)

    assert tickets_steps.check(number=ticket.number, event=ticket.event, generation=0)


def test_the_past_is_told_as_it_was_and_her_page_has_all_of_it(as_relay, relay, product, gone, kept):
    act = give(relay, product, gone, 2)
    join(relay, gone, kept)
    home = f"/c/{relay.company.public_id}/"
    ticket = kept.tickets.first()

    assert "Zoe Lefevre (2)" in said(as_relay.get(f"{home}history/"))
    assert act.recipients.get().member == gone
    assert "2 billets en main" in said(page := as_relay.get(f"{home}members/{kept.public_id}/")) and "Reçu jusqu’ici" in said(page)
    assert f"celle de Zoe Lefevre y a été réunie par {relay}" in said(as_relay.get(f"{home}tickets/{ticket.public_id}/"))
    assert as_relay.get(f"{home}members/{gone.public_id}/")["Location"] == f"{home}members/{kept.public_id}/"


def test_groups_and_the_last_gift_come_along(relay, product, gone, kept):
    group = factories.GroupFactory(company=relay.company)
    group.members.add(gone)
    give(relay, product, gone)

    join(relay, gone, kept)

    kept.refresh_from_db()
    assert list(group.members.all()) == [kept] and kept.last_given_at


def test_nobody_takes_tickets_from_whoever_has_logged_in_with_an_address(as_relay, relay, product, gone, kept):
    """A relay who makes an entry with an address of her own and merges another person into it gets nothing."""
    own = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="samia@exemple.fr")
    give(relay, product, kept)
    come(kept)

    with pytest.raises(KeepTheOther):
        join(relay, kept, own)

    kept.refresh_from_db()
    assert (kept.merged_into, kept.tickets.count(), own.tickets.count()) == (None, 1, 0)
    page = said(as_relay.get(f"/c/{relay.company.public_id}/members/{own.public_id}/merge/{kept.public_id}/"))
    assert "Impossible : quelqu’un s’est connecté avec zoe@exemple.fr" in page
    assert page.count('name="keep"') == 1 and f'value="{kept.public_id}">Garder cette fiche' in page


def test_two_addresses_that_have_both_been_logged_in_with_are_not_merged(as_relay, relay, gone, kept):
    come(gone)
    come(kept)

    for one, other in ((gone, kept), (kept, gone)):
        with pytest.raises(KeepTheOther):
            join(relay, one, other)
    page = said(as_relay.get(f"/c/{relay.company.public_id}/members/{gone.public_id}/merge/{kept.public_id}/"))
    assert 'name="keep"' not in page


def test_a_merge_never_makes_an_address_free_to_correct_again(relay, gone, kept):
    """Her own address comes along with since when she bears it: who has come stays the only one to change it."""
    bare = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="")
    come(kept)
    join(relay, kept, bare)
    bare.refresh_from_db()
    assert (bare.email, bare.bears_address_since) == (kept.email, kept.bears_address_since)

    same = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefevvre", email="zoe@exemple.fr")
    Member.objects.filter(pk=same.pk).update(bears_address_since=timezone.now() + timedelta(hours=1))
    join(relay, bare, same)
    for_samia = {"shown": "zoe@exemple.fr", "email": "samia@exemple.fr", "request_key": uuid.uuid4()}
    with pytest.raises(AddressIsTheirs):
        correct_address(relay=relay, member=same, **for_samia)


def test_who_had_been_told_at_an_address_that_the_tickets_leave_is_told_so(relay, product, gone, kept, post):
    give(relay, product, gone, 2)
    left_letters()

    join(relay, gone, kept)

    Delivery.objects.filter(state="pending").update(not_before=timezone.now())
    outbox_actions.send_due()
    (moved,) = post.to("zoe@mecavai.fr")
    assert moved["Subject"] == f"Vos billets de {relay.company} vous attendent à votre autre adresse"
    assert "zoe@exemple.fr" not in moved.as_string()  # an address is nobody else's to read
    (told,) = post.to("zoe@exemple.fr")
    assert "2 billets" in told["Subject"] and "Bonjour Zoé" in told.get_body(("plain",)).get_content()


def test_an_address_that_was_refused_is_told_nothing_more(relay, product, gone, kept):
    give(relay, product, gone)
    Delivery.objects.filter(recipient=gone.email).update(state="failed", smtp_reply="550 unknown")

    join(relay, gone, kept)

    assert [d.recipient for d in factories.owed().filter(state="pending")] == ["zoe@exemple.fr"]


def test_an_email_that_has_not_left_leaves_for_the_address_kept_alone(relay, product, gone, kept):
    give(relay, product, gone)

    join(relay, gone, kept)

    assert sorted(factories.owed().values_list("kind", "recipient", "state")) == [
        ("tickets_distributed", "zoe@exemple.fr", "pending"),
        ("tickets_distributed", "zoe@mecavai.fr", "cancelled"),
    ]


def test_whoever_was_in_the_same_email_is_still_told(relay, product, gone, kept):
    brother = factories.MemberFactory(company=relay.company, first_name="Paul", last_name="Lefevre", email=gone.email)
    gifts = [(gone.pk, 1, ()), (brother.pk, 1, ())]
    distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())

    join(relay, gone, kept)

    standing = factories.owed().filter(state="pending")
    assert sorted(standing.values_list("recipient", flat=True)) == ["zoe@exemple.fr", "zoe@mecavai.fr"]
    assert len(standing.get(recipient="zoe@mecavai.fr").refs["recipients"]) == 1


def test_the_same_address_is_told_nothing_twice(relay, product, kept):
    twin = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefevvre", email=kept.email)
    give(relay, product, twin)
    left_letters()

    join(relay, twin, kept)

    assert factories.owed().count() == 1 and kept.tickets.count() == 1


def test_what_an_entry_without_address_holds_is_told_at_the_address_kept(relay, product, kept):
    bare = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre", email="")
    give(relay, product, bare)

    join(relay, bare, kept)

    assert list(factories.owed().values_list("recipient", "state")) == [("zoe@exemple.fr", "pending")]


def test_after_a_merge_a_distribution_is_undone_reclaimed_and_sent_again_as_ever(relay, product, gone, kept):
    act = give(relay, product, gone)
    join(relay, gone, kept)
    again = send_again(relay=relay, recipient=Recipient.objects.get(), request_key=uuid.uuid4())
    assert again.delivery.recipient == "zoe@exemple.fr"

    undo(relay=relay, distribution=act)
    assert not kept.tickets.exists() and not factories.owed().filter(state="pending").exists()

    give(relay, product, kept)
    reclaim(relay=relay, shown=factories.shown(kept.tickets.get()), request_key=uuid.uuid4())
    assert not factories.owed().filter(state="pending").exists()


def test_a_ticket_that_came_along_and_is_taken_back_before_she_heard_is_never_spoken_of(relay, product, gone, kept):
    give(relay, product, gone)
    join(relay, gone, kept)

    reclaim(relay=relay, shown=factories.shown(kept.tickets.get()), request_key=uuid.uuid4())

    assert set(factories.owed().values_list("kind", "state")) == {("tickets_distributed", "cancelled")}


def test_one_of_two_tickets_that_came_along_is_taken_back_and_the_email_still_tells_of_the_other(relay, product, gone, kept):
    give(relay, product, gone, 2)
    join(relay, gone, kept)

    reclaim(relay=relay, shown=factories.shown(kept.tickets.first()), request_key=uuid.uuid4())

    assert list(factories.owed().filter(state="pending").values_list("kind", "recipient")) == [("tickets_distributed", "zoe@exemple.fr")]


def test_how_far_her_tickets_have_come_is_told_on_one_line(relay, product, gone, kept):
    give(relay, product, gone, 2)
    give(relay, product, kept)
    used = gone.tickets.first()
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)

    join(relay, gone, kept)

    (holder,) = holders(relay, product)
    assert (holder.member, len(holder.tickets), holder.word) == (kept, 3, "Contrôlé")


def test_what_was_merged_into_the_one_that_goes_follows(relay, product, gone, kept):
    first = factories.MemberFactory(company=relay.company, first_name="Z", last_name="Lefevre", email="")
    give(relay, product, first)
    join(relay, first, gone)

    join(relay, gone, kept)

    first.refresh_from_db()
    assert first.merged_into == kept and kept.tickets.count() == 1


def test_merging_twice_is_done_once_and_an_old_page_does_nothing(as_relay, relay, product, gone, kept):
    give(relay, product, gone)
    url = f"/c/{relay.company.public_id}/members/{gone.public_id}/merge/{kept.public_id}/"
    form = {"keep": kept.public_id, "shown": addresses(gone, kept), "request_key": str(uuid.uuid4())}

    assert as_relay.post(url, form | {"shown": "other@exemple.fr|zoe@exemple.fr"}).status_code == 422
    assert kept.tickets.count() == 0
    for _ in range(2):
        assert as_relay.post(url, form)["Location"].endswith(f"/members/{kept.public_id}/")
    assert Movement.objects.filter(kind="merged").count() == 1
    with pytest.raises(MemberHasChanged):
        merge(relay=relay, gone=factories.MemberFactory(company=relay.company), kept=kept, shown="|", request_key=uuid.uuid4())


@pytest.mark.parametrize("keep", ["", "x", "7d0a1f34-5c7b-4b86-9a53-0e7d5a8f2c11"])
def test_keeping_nobody_changes_nothing(as_relay, relay, gone, kept, keep):
    url = f"/c/{relay.company.public_id}/members/{gone.public_id}/merge/{kept.public_id}/"

    as_relay.post(url, {"keep": keep, "shown": addresses(gone, kept), "request_key": str(uuid.uuid4())})

    assert Member.objects.of(relay.company).count() == 2


def test_people_of_two_companies_are_never_one(as_relay, relay, gone):
    stranger = factories.MemberFactory()

    assert as_relay.get(f"/c/{relay.company.public_id}/members/{gone.public_id}/merge/{stranger.public_id}/").status_code == 404
    assert merge(relay=relay, gone=gone, kept=stranger, shown="", request_key=uuid.uuid4()) == stranger
    gone.refresh_from_db()
    assert gone.merged_into is None


def test_the_past_of_an_address_stays_with_it_and_gains_nothing(client, relay, product, gone, kept):
    used, unused = factories.given(gone, product, 2, by=relay.user)
    assert tickets_steps.check(number=used.number, event=used.event, generation=0)
    join(relay, gone, kept)

    client.force_login(factories.login("zoe@mecavai.fr"), backend=BACKEND)
    page = said(client.get("/my/"))

    assert f"Billet {used.number}" in page and f"Billet {unused.number}" not in page


def test_likely_doubles_are_suggested_and_a_family_is_not(relay):
    def member(first, last, email):
        return factories.MemberFactory(company=relay.company, first_name=first, last_name=last, email=email)

    same_name = member("Anne", "Roux", "anne@exemple.fr"), member("ANNE", "Roux", "")
    misspelt = member("Jean", "Lefèvre", "jean@exemple.fr"), member("Jean", "Lefèvrre", "jean@exemple.fr")
    shorter = member("Camille", "Martin Dupont", "c@exemple.fr"), member("Dupont", "Camille", "c@exemple.fr")
    member("Zoé", "Petit", "petit@exemple.fr"), member("Paul", "Petit", "petit@exemple.fr"), member("Lou", "Petit", "petit@exemple.fr")
    factories.MemberFactory(first_name="Anne", last_name="Roux", email="")  # of another company

    assert {frozenset(pair) for pair in pairs(relay.company)} == {frozenset(pair) for pair in (same_name, misspelt, shorter)}


def test_suggestions_and_a_merge_ask_as_often_for_thirty_as_for_three(as_relay, relay):
    as_relay.get("/spaces/")

    def asked(count: int) -> list[int]:
        product = factories.stock(relay.company, count)
        for at in range(count):
            factories.MemberFactory.create_batch(2, company=relay.company, first_name="A", last_name=f"N{count} {at}", email="")
        gone = factories.MemberFactory(company=relay.company)
        kept = factories.MemberFactory(company=relay.company)
        for _ in range(count):
            give(relay, product, gone)
        url = f"/c/{relay.company.public_id}/members/"
        answers = []
        for page in (f"{url}duplicates/", f"{url}{gone.public_id}/merge/{kept.public_id}/", f"{url}{gone.public_id}/"):
            with CaptureQueriesContext(connection) as captured:
                assert as_relay.get(page).status_code == 200
            answers.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            join(relay, gone, kept)
        assert Ticket.objects.filter(member=kept).count() == count
        return [*answers, len(captured)]

    assert asked(3) == asked(30)
