"""An event is cancelled or moved in one act: tickets follow, every level and every holder is told once, and knows what to do."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from icalendar import Calendar

from control.actions import scan
from distribution.actions import distribute, forward, hand_over, print_mine
from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales import actions
from tests import factories
from tests.portal.walk import BACKEND
from tickets import steps
from tickets.barcode import encode, signer
from tickets.errors import EventIsCancelled, EventIsOver, EventIsThere
from tickets.models import Event, EventChange, Movement, Ticket

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
FAMILY = "famille@exemple.fr"


@pytest.fixture
def staff(db):
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def event(relay):
    """Of 12 tickets: three with a family, one checked, one without address, two on paper, three at a site of which one is given."""
    product = factories.stock(relay.company, 12)
    event = product.event
    anne, leo = (factories.MemberFactory(company=relay.company, first_name=name, email=FAMILY) for name in ("Anne", "Léo"))
    factories.given(anne, product, 2, by=relay.user)
    factories.given(leo, product, 1, by=relay.user)
    used = factories.given(factories.MemberFactory(company=relay.company, email="venue@exemple.fr"), product, by=relay.user)[0]
    assert steps.check(number=used.number, event=event, generation=0)
    factories.given(factories.MemberFactory(company=relay.company, email=""), product, by=relay.user)
    hand_over(relay=relay, product=product, quantity=2, names=[], request_key=uuid.uuid4())
    site = factories.RelayFactory(company=factories.CompanyFactory(name="Lyon", parent=relay.company))
    forward(relay=relay, product=product, to=site.company, quantity=3, message="", request_key=uuid.uuid4())
    factories.given(factories.MemberFactory(company=site.company, email="loin@exemple.fr"), product, by=site.user)
    Delivery.objects.all().delete()
    event.refresh_from_db()
    return event


def cancel(event: Event, staff, advice: str = "", key=None) -> EventChange:
    return actions.cancel_event(event=event.pk, by=staff, advice=advice, request_key=key or uuid.uuid4())


def move(event: Event, staff, by: timedelta = timedelta(days=7), venue=None, advice: str = "", key=None) -> EventChange:
    found = Event.objects.select_related("venue").get(pk=event.pk)
    venue = venue or found.venue
    times = found.times_around(found.anchor + by, venue)
    return actions.move_event(event=event.pk, by=staff, venue=venue, times=times, advice=advice, request_key=key or uuid.uuid4())


def told() -> list[str]:
    return sorted(Delivery.objects.values_list("recipient", flat=True))


def everybody(relay) -> list[str]:
    site = relay.company.children.get().relays.get()
    return sorted([relay.user.email, site.user.email, FAMILY, "venue@exemple.fr", "loin@exemple.fr"])


def test_a_cancelled_event_cancels_its_tickets_wherever_they_are_save_those_checked(event, staff):
    change = cancel(event, staff)

    assert sorted(Ticket.objects.values_list("status", flat=True)) == ["cancelled"] * 11 + ["checked"]
    assert Movement.objects.filter(kind="cancelled", act=change.public_id, actor=staff).count() == 11
    event.refresh_from_db()
    assert event.cancelled_at


@pytest.mark.parametrize("act", [cancel, move])
def test_every_level_and_every_holder_is_told_once_by_address(relay, event, staff, act):
    key = uuid.uuid4()

    assert act(event, staff, key=key) == act(event, staff, key=key)

    assert told() == everybody(relay)
    assert EventChange.objects.count() == 1


def test_cancelling_again_changes_nothing(relay, event, staff):
    assert cancel(event, staff) == cancel(event, factories.UserFactory(is_staff=True))
    assert told() == everybody(relay)


def test_who_is_relay_and_member_gets_one_email_that_says_both(relay, event, staff, post):
    herself = factories.MemberFactory(company=relay.company, first_name="Samia", last_name="Belkacem", email=relay.user.email)
    factories.given(herself, Ticket.objects.first().product, by=relay.user)

    cancel(event, staff)
    outbox_actions.send_due()

    (letter,) = post.to(relay.user.email)
    text = letter.get_body(("plain",)).get_content()
    assert "11 billets de la structure" in text and "Samia Belkacem" in text


def test_a_holder_is_shown_her_own_tickets_and_the_relay_whom_to_tell(relay, event, staff, post):
    cancel(event, staff, advice="Remboursement à l'accueil : écrivez-nous !")
    outbox_actions.send_due()

    (letter,) = post.to(FAMILY)
    text = letter.get_body(("plain",)).get_content()
    assert "Anne" in text and "Léo" in text and text.count("\n- Billet") == 3
    assert "Remboursement à l’accueil\u00a0: écrivez-nous\u202f!" in text
    assert "loin" not in text and "Lyon" not in text
    (letter,) = post.to(relay.user.email)
    text = letter.get_body(("plain",)).get_content()
    assert "11 billets de la structure" in text and "les porteurs de 3 billets" in text
    (letter,) = post.to("venue@exemple.fr")
    assert "déjà contrôlé" in letter.get_body(("plain",)).get_content()


def test_whom_a_ticket_has_not_been_shown_yet_never_hears_of_it(relay, event, staff, post):
    late = factories.MemberFactory(company=relay.company, email="tard@exemple.fr")
    distribute(relay=relay, product=Ticket.objects.first().product, gifts=[(late.pk, 1, ())], message="", request_key=uuid.uuid4())

    cancel(event, staff)
    Delivery.objects.update(not_before=timezone.now())
    outbox_actions.send_due()

    assert post.to("tard@exemple.fr") == []
    assert Delivery.objects.get(recipient="tard@exemple.fr").state == "cancelled"


def test_nothing_more_is_sold_of_a_cancelled_event_nor_is_it_moved(relay, event, staff):
    draft = factories.order(relay.company, event.products.get(), 1)
    cancel(event, staff)

    with pytest.raises(EventIsCancelled):
        actions.confirm_order(order=draft.pk, by=staff)
    with pytest.raises(EventIsCancelled):
        move(event, staff)
    assert Ticket.objects.count() == 12


def test_a_moved_events_printed_tickets_admit_on_the_new_date(relay, event, staff):
    device = factories.DeviceFactory(gate__event=event)
    member = Ticket.objects.filter(member__email=FAMILY).first().member
    user = factories.login(FAMILY)
    ticket = member.tickets.first()
    print_mine(user=user, shown={ticket.public_id: 0})
    code = encode(ticket, signer())
    statuses = sorted(Ticket.objects.values_list("pk", "status", "generation"))

    move(event, staff, by=timedelta(days=2))

    assert sorted(Ticket.objects.values_list("pk", "status", "generation")) == statuses
    device.refresh_from_db()
    assert scan(device=device, code=code, client_id=uuid.uuid4()).reason == "too_early"
    move(event, staff, by=-timedelta(days=2))
    device = type(device).objects.get(pk=device.pk)
    assert scan(device=device, code=code, client_id=uuid.uuid4()).verdict == "admitted"


def test_the_other_times_keep_their_distance_on_the_clock_of_the_place(seller):
    """Across the night of 25 October 2026, when clocks go back, and to an island where they are elsewhere."""
    start = datetime(2026, 10, 22, 20, tzinfo=PARIS)
    event = factories.EventFactory(
        starts_at=start, doors_at=start - timedelta(hours=1), names_until=datetime(2026, 10, 21, 18, tzinfo=PARIS), valid_until=None
    )

    def on_the_clock(anchor: datetime, venue, zone: ZoneInfo) -> list[str]:
        times = event.times_around(anchor, venue)
        return [f"{times[name].astimezone(zone):%d %H:%M}" for name in ("starts_at", "doors_at", "names_until", "valid_until")]

    there = ZoneInfo("Indian/Reunion")
    expected = ["29 20:00", "29 19:00", "28 18:00", "30 02:00"]
    assert on_the_clock(datetime(2026, 10, 29, 20, tzinfo=PARIS), event.venue, PARIS) == expected
    assert on_the_clock(datetime(2026, 10, 29, 20, tzinfo=there), factories.VenueFactory(zone=there.key), there) == expected


def test_a_move_to_the_past_or_to_where_it_is_already_is_refused(event, staff):
    with pytest.raises(EventIsOver):
        move(event, staff, by=-timedelta(days=30))
    with pytest.raises(EventIsThere):
        move(event, staff, by=timedelta())
    assert told() == []


def test_the_calendars_file_has_a_higher_sequence_at_each_change(client, event, staff):
    client.force_login(factories.login(FAMILY), backend=BACKEND)

    def entry():
        return Calendar.from_ical(client.get(f"/my/events/{event.public_id}/calendar.ics").content).walk("VEVENT")[0]

    first = entry()
    move(event, staff)
    moved = entry()
    cancel(event, staff)
    gone = entry()

    assert [e["sequence"] for e in (first, moved, gone)] == [0, 1, 2]
    assert len({str(e["uid"]) for e in (first, moved, gone)}) == 1
    assert moved["dtstart"].dt - first["dtstart"].dt == timedelta(days=7)
    assert [str(e["status"]) for e in (first, moved, gone)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]


@pytest.mark.parametrize(("act", "word"), [(cancel, "est annulée"), (move, "est déplacée")])
def test_members_and_relays_find_in_their_space_what_changed_and_what_to_do(client, relay, event, staff, act, word):
    act(event, staff, advice="Appelez le 01")
    base = f"/c/{relay.company.public_id}/"

    client.force_login(relay.user, backend=BACKEND)
    home = client.get(base).content.decode()
    product = client.get(f"{base}products/{event.products.get().public_id}/").content.decode()
    client.force_login(factories.login(FAMILY), backend=BACKEND)
    mine = client.get("/my/").content.decode()

    assert word in home and word in product and word in mine
    assert "Appelez le 01" in product and "Appelez le 01" in mine
    assert "porteurs de 3 billets" in product
    assert ("Montrer sur ce téléphone" in mine) == (act is move)
    Event.objects.update(starts_at="2026-01-01T20:00Z", valid_from="2026-01-01T18:00Z", valid_until="2026-01-02T00:00Z")
    assert word not in client.get("/my/").content.decode()
    client.force_login(relay.user, backend=BACKEND)
    assert word not in client.get(base).content.decode()


def test_another_company_is_not_told(client, relay, event, staff):
    other = factories.RelayFactory()
    factories.stock(other.company, 1)
    Delivery.objects.all().delete()
    cancel(event, staff)

    client.force_login(other.user, backend=BACKEND)

    assert "annulée" not in client.get(f"/c/{other.company.public_id}/").content.decode()
    assert other.user.email not in told()


@pytest.mark.parametrize("many", [300, pytest.param(5_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("act", [cancel, move])
def test_a_full_house_costs_as_many_statements_as_five_holders(relay, staff, act, many):
    def change(count: int) -> int:
        product = factories.stock(relay.company, count)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO members_member (public_id, company_id, first_name, last_name, email, search_key, sort_key)"
                " SELECT gen_random_uuid(), %s, 'Zoé', 'N' || n, %s || n || '@exemple.fr', '', %s || n FROM generate_series(1, %s) n"
                " RETURNING id",
                [relay.company_id, f"m{count}-", f"k{count}-", count],
            )
            members = [pk for (pk,) in cursor.fetchall()]
        gifts = [(pk, 1, ()) for pk in members]
        distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
        Ticket.objects.update(shown_from=timezone.now())
        with CaptureQueriesContext(connection) as queries:
            act(product.event, staff)
        assert Delivery.objects.filter(kind__startswith="event_", recipient__startswith=f"m{count}-").count() == count
        return len(queries)

    assert change(5) == change(many)
