"""Options: held until a deadline that every reader reads; asked, answered by staff or by the rule, ordered in part, given back, lapsed."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales import actions
from sales.deadlines import deadline_on, end_of_day, last_day_by_rule
from sales.errors import AlreadyAnswered, EventIsOver, NoAccountYet, OptionHoldsFewer, OptionNotLive
from sales.models import Account, Listing, Option, Terms
from sales.steps import ledger
from sales.steps.orders import free_of
from tests import factories
from tickets.errors import QuotaExceeded
from tickets.models import Event, Order, Product, Ticket

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def relay(relay):
    relay.may_buy = True
    relay.save()
    factories.account(relay.company)
    return relay


@pytest.fixture
def staff(db):
    return factories.UserFactory(is_staff=True, is_superuser=True)


@pytest.fixture
def product(seller):
    return factories.listing(factories.ProductFactory(quota=20, event__starts_at=timezone.now() + timedelta(days=60))).product


@pytest.fixture
def rule(db):
    return Terms.objects.create(options_by_rule=True, option_days=14, option_days_before=7, option_limit=10, remind_days=2)


def ask(relay, product, quantity=5, **fields) -> Option:
    values = {"wished_on": None, "note": "", "request_key": uuid.uuid4()} | fields
    return actions.request_option(relay=relay, product=product, quantity=quantity, **values)


def accepted(relay, product, staff, quantity=5) -> Option:
    asked = ask(relay, product, quantity)
    if asked.state == "live":  # the rule was first
        return asked
    return actions.accept_option(option=asked.pk, quantity=quantity, last_day=timezone.localdate() + timedelta(days=9), by=staff)


def let_lapse(option, seconds=1):
    """Its deadline is past: what a night of sleep does."""
    Option.objects.filter(pk=option.pk).update(deadline=timezone.now() - timedelta(seconds=seconds))


def free(product) -> int:
    return free_of([product])[product.pk]


def told(kind) -> list[str]:
    return list(Delivery.objects.filter(kind=kind).order_by("created_at", "pk").values_list("recipient", flat=True))


def order_of(relay, option, quantity) -> Order:
    return actions.confirm_option(relay=relay, option=option, quantity=quantity, price=Decimal("38.00"), request_key=uuid.uuid4())


def test_staff_accept_with_another_quantity_and_deadline_and_it_holds_the_quota(relay, product, staff):
    option = ask(relay, product, 8, note="Pour la sortie du CSE")
    assert (option.state, free(product)) == ("requested", 20)

    live = actions.accept_option(option=option.pk, quantity=6, last_day=timezone.localdate() + timedelta(days=9), by=staff)

    assert (live.state, live.held, free(product)) == ("live", 6, 14)
    assert live.last_day == timezone.localdate() + timedelta(days=9)
    assert told("option_live") == [relay.user.email] == told("option_reminder")
    with pytest.raises(AlreadyAnswered):
        actions.accept_option(option=option.pk, quantity=6, last_day=timezone.localdate() + timedelta(days=9), by=staff)
    with pytest.raises(QuotaExceeded):
        factories.stock(relay.company, 15, product)


def test_the_staff_who_may_decide_are_told_of_what_waits_for_them_and_of_nothing_else(relay, product, staff, rule, post):
    accountant, box_office = factories.UserFactory(is_staff=True), factories.UserFactory(is_staff=True, language="en")
    box_office.user_permissions.add(Permission.objects.get(codename="change_option"))
    relay.user.user_permissions.add(Permission.objects.get(codename="change_option"))  # no staff
    by_rule, answered, asked = ask(relay, product, 4), ask(relay, product, 9), ask(relay, product, 7, note="Pour l’arbre de Noël")
    assert sorted(told("option_asked")) == sorted([staff.email, box_office.email] * 2) and by_rule.state == "live"

    actions.refuse_option(option=answered.pk, reason="Trop", by=staff)
    outbox_actions.send_due()

    (french,), (english,) = post.to(staff.email), post.to(box_office.email)
    assert "demande une option sur 7\xa0billets pour" in french["Subject"] and "an option of 7 tickets" in english["Subject"]
    for letter in (french, english):
        words = letter.get_body(("plain",)).get_content()
        assert "Pour l’arbre de Noël" in words and f"%2Fadmin%2Fsales%2Foption%2F{asked.pk}%2Fanswer%2F" in words
    assert not post.to(accountant.email)
    actions.ask_more_time(relay=relay, option=by_rule, until=by_rule.last_day + timedelta(days=3))
    outbox_actions.send_due()
    assert ["prolongation" in letter["Subject"] for letter in post.to(staff.email)] == [False, True]


def test_staff_refuse_with_a_reason_that_the_company_reads(as_relay, relay, product, staff, post):
    option = ask(relay, product)
    actions.refuse_option(option=option.pk, reason="Complet ce soir-là", by=staff)

    outbox_actions.send_due()
    assert "Complet ce soir-là" in post.to(relay.user.email)[0].get_body(("plain",)).get_content()
    assert "Complet ce soir-là" in as_relay.get(f"/c/{relay.company.public_id}/options/{option.public_id}/").content.decode()


def test_the_rule_accepts_within_its_limit_and_leaves_the_rest_to_staff(relay, product, rule):
    assert [ask(relay, product, quantity).state for quantity in (6, 5, 4)] == ["live", "requested", "live"]
    Listing.objects.update(option_limit=0)
    assert ask(factories.RelayFactory(may_buy=True), product, 1).state == "requested"


def test_the_same_request_is_made_once(relay, product, rule):
    key = uuid.uuid4()
    assert ask(relay, product, request_key=key) == ask(relay, product, request_key=key)
    assert (Option.objects.count(), free(product)) == (1, 15)


def test_a_part_is_ordered_the_rest_stays_held_then_is_given_back(relay, product, staff):
    option = accepted(relay, product, staff, 6)

    order = order_of(relay, option, 4)
    assert (order.channel, order.state, Ticket.objects.count(), free(product)) == ("online", "confirmed", 4, 14)
    assert ledger.owed_by(relay.company.account) == 4 * 38
    option.refresh_from_db()
    assert (option.held, option.confirmed, option.state) == (2, 4, "live")
    with pytest.raises(OptionHoldsFewer):
        order_of(relay, option, 3)
    assert [actions.give_option_back(relay=relay, option=option, held=2) for _ in range(2)] == [True, False]
    option.refresh_from_db()
    assert (option.held, option.state, free(product)) == (0, "confirmed", 16)


def test_the_last_places_held_can_be_ordered_by_who_holds_them(relay, product, staff):
    option = accepted(relay, product, staff, 20)
    assert free(product) == 0
    order_of(relay, option, 20)
    assert (free(product), Option.objects.get().state) == (0, "confirmed")


def test_past_its_deadline_it_is_void_for_every_reader_without_any_sweep(as_relay, relay, product, staff):
    option = accepted(relay, product, staff, 20)
    let_lapse(option)

    assert free(product) == 20
    page = as_relay.get(f"/c/{relay.company.public_id}/options/{option.public_id}/").content.decode()
    assert "Expirée" in page and "Commander ces billets" not in page
    with pytest.raises(OptionNotLive):
        order_of(relay, option, 1)
    with pytest.raises(OptionNotLive):
        actions.ask_more_time(relay=relay, option=option, until=timezone.localdate() + timedelta(days=20))
    factories.stock(relay.company, 20, product)


def test_after_days_without_scheduler_one_sweep_tells_each_once_and_sends_no_late_reminder(relay, product, staff, post):
    options = [accepted(relay, product, staff, 3) for _ in range(3)]
    for option in options:
        let_lapse(option)
    Delivery.objects.filter(kind="option_reminder").update(not_before=timezone.now() - timedelta(days=1), useful_until=timezone.now())

    assert [actions.end_lapsed_options() for _ in range(2)] == [3, 0]

    assert told("option_lapsed") == [relay.user.email] * 3
    outbox_actions.take_up_what_was_left()
    outbox_actions.send_due()
    subjects = [letter["Subject"] for letter in post.to(relay.user.email)]
    assert len([s for s in subjects if "expiré" in s]) == 3 and not [s for s in subjects if "se termine" in s]


def test_what_lapses_is_offered_to_those_who_wait_in_their_order_exactly_once(relay, product, rule, staff):
    first, second, third = (factories.RelayFactory(may_buy=True) for _ in range(3))
    rule.option_limit = 20
    rule.save()
    option = accepted(relay, product, staff, 20)
    waiting = [ask(who, product, quantity) for who, quantity in ((first, 12), (second, 10), (third, 1))]
    assert {o.state for o in waiting} == {"waiting"}
    Delivery.objects.all().delete()
    let_lapse(option)

    for _ in range(3):
        actions.end_lapsed_options()

    for o in waiting:
        o.refresh_from_db()
    assert [(o.state, o.held) for o in waiting] == [("live", 12), ("live", 8), ("waiting", 0)]
    assert told("option_live") == [first.user.email, second.user.email]
    assert free(product) == 0


def test_a_raised_quota_is_offered_by_the_sweep_to_each_waiting_once(relay, product, staff):
    """Where staff decide: nobody is told of tickets that an earlier request may take."""
    first, second = (factories.RelayFactory(may_buy=True) for _ in range(2))
    factories.stock(relay.company, 20, product)
    ask(first, product, 3), ask(second, product, 3)
    for quota in (22, 22, 23):
        Product.objects.update(quota=quota)
        actions.end_lapsed_options()
    assert (told("option_free"), list(Option.objects.waiting().values_list("asked_by", flat=True))) == (
        [first.user.email],
        [second.user.pk],
    )

    Product.objects.update(quota=26)
    for _ in range(2):
        actions.end_lapsed_options()
    assert told("option_free") == [first.user.email, second.user.email]


@pytest.mark.parametrize("how", ["give back", "cancel order", "cancel tickets", "cancel a part"])
def test_what_is_freed_any_other_way_is_offered_too(relay, product, rule, staff, how):
    other = factories.RelayFactory(may_buy=True)
    option = accepted(relay, product, staff, 10)
    factories.stock(relay.company, 10, product)
    waiting = ask(other, product, 3)
    order = Order.objects.get()
    match how:
        case "give back":
            actions.give_option_back(relay=relay, option=option, held=10)
        case "cancel order":
            actions.cancel_order(order=order.pk, by=staff)
        case "cancel tickets":
            actions.cancel_tickets(tickets=[t.pk for t in Ticket.objects.all()[:3]], by=staff, key="k")
        case _:
            line = order.lines.get().pk
            actions.cancel_part(order=order.pk, quantities={line: 3}, shown={line: 10}, by=staff, key="k")

    waiting.refresh_from_db()
    assert (waiting.state, waiting.held) == ("live", 3)


def test_where_staff_decide_who_waits_is_told_and_staff_have_her_request(relay, product, staff):
    other = factories.RelayFactory(may_buy=True)
    option = accepted(relay, product, staff, 20)
    waiting = ask(other, product, 3)
    actions.give_option_back(relay=relay, option=option, held=20)

    waiting.refresh_from_db()
    assert (waiting.state, told("option_free")) == ("requested", [other.user.email])
    assert told("option_asked") == [staff.email] * 2  # of the first option, and of this one now
    assert list(Option.objects.to_answer()) == [waiting]


def test_a_reminder_arrives_in_time_with_the_time_left(relay, product, staff, post):
    option = accepted(relay, product, staff)
    reminder = Delivery.objects.get(kind="option_reminder")
    last = option.last_day
    assert reminder.not_before == datetime(last.year, last.month, last.day, 9, tzinfo=PARIS) - timedelta(days=2)
    Delivery.objects.update(not_before=timezone.now())

    outbox_actions.send_due()

    subjects = [letter["Subject"] for letter in post.to(relay.user.email)]
    assert len(subjects) == 2 and sum("se termine le" in subject for subject in subjects) == 1


def test_more_time_is_asked_and_given_and_the_old_reminder_is_not_sent(relay, product, staff):
    option = accepted(relay, product, staff)
    with pytest.raises(EventIsOver):
        actions.ask_more_time(relay=relay, option=option, until=option.last_day)
    actions.ask_more_time(relay=relay, option=option, until=option.last_day + timedelta(days=10))
    assert list(Option.objects.to_answer()) == [option]

    actions.answer_more_time(option=option.pk, last_day=option.last_day + timedelta(days=5), reason="", by=staff)

    option.refresh_from_db()
    assert (option.last_day, option.more_time_on) == (timezone.localdate() + timedelta(days=14), None)
    from outbox.kinds import kind

    old, new = Delivery.objects.filter(kind="option_reminder").order_by("not_before")
    assert [kind(d.kind).still_due(d.refs) for d in (old, new)] == [False, True]


def test_more_time_is_asked_and_refused_again_and_again_and_each_answer_is_told(relay, product, staff):
    option = accepted(relay, product, staff)
    until = option.last_day + timedelta(days=3)
    for n in (1, 2):
        for _twice in range(2):
            actions.ask_more_time(relay=relay, option=option, until=until)
        actions.answer_more_time(option=option.pk, last_day=None, reason="Complet", by=staff)
        assert (len(told("option_asked")), len(told("option_refused"))) == (n + 1, n)
    for last_day in (until, option.last_day, until):
        Option.objects.update(more_time_on=until)
        actions.answer_more_time(option=option.pk, last_day=last_day, reason="", by=staff)
    assert len(told("option_live")) == 4


def test_an_answer_that_comes_too_late_or_ends_before_it_begins_is_refused(relay, product, staff):
    option, yesterday = ask(relay, product), timezone.localdate() - timedelta(days=1)
    with pytest.raises(EventIsOver):
        actions.accept_option(option=option.pk, quantity=5, last_day=yesterday, by=staff)
    actions.accept_option(option=option.pk, quantity=5, last_day=yesterday + timedelta(days=9), by=staff)
    with pytest.raises(AlreadyAnswered):
        actions.refuse_option(option=option.pk, reason="Complet", by=staff)
    with pytest.raises(AlreadyAnswered):
        actions.answer_more_time(option=option.pk, last_day=None, reason="Complet", by=staff)
    actions.ask_more_time(relay=relay, option=option, until=yesterday + timedelta(days=20))
    with pytest.raises(EventIsOver):
        actions.answer_more_time(option=option.pk, last_day=yesterday, reason="", by=staff)
    assert actions.give_option_back(relay=relay, option=option, held=4) is False
    Account.objects.update(limit=None)
    with pytest.raises(NoAccountYet):
        order_of(relay, option, 1)
    assert (Option.objects.get().held, Option.objects.get().state) == (5, "live")


def test_the_rule_holds_no_longer_than_was_wished(relay, product, rule):
    wished = timezone.localdate() + timedelta(days=3)
    assert ask(relay, product, wished_on=wished).last_day == wished


def test_nothing_is_asked_for_nor_offered_of_what_has_begun(relay, product, staff):
    factories.stock(relay.company, 20, product)
    waiting = ask(relay, product)
    Event.objects.update(starts_at=timezone.now())
    Product.objects.update(quota=40)

    actions.end_lapsed_options()

    waiting.refresh_from_db()
    assert (waiting.state, told("option_free")) == ("waiting", [])
    product.event.refresh_from_db()
    with pytest.raises(EventIsOver):
        ask(relay, product)


def test_an_option_of_another_company_is_nobodys(relay, product, staff):
    option = accepted(relay, product, staff)
    other = factories.RelayFactory(may_buy=True)
    factories.account(other.company)

    with pytest.raises(OptionNotLive):
        order_of(other, option, 1)
    assert actions.give_option_back(relay=other, option=option, held=5) is False


DAYS = [
    (date(2027, 3, 27), "2027-03-27T23:00Z"), (date(2027, 3, 28), "2027-03-28T22:00Z"), (date(2027, 3, 29), "2027-03-29T22:00Z"),
    (date(2027, 10, 30), "2027-10-30T22:00Z"), (date(2027, 10, 31), "2027-10-31T23:00Z"), (date(2027, 11, 1), "2027-11-01T23:00Z"),
    (date(2028, 2, 28), "2028-02-28T23:00Z"), (date(2028, 2, 29), "2028-02-29T23:00Z"), (date(2028, 12, 31), "2028-12-31T23:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(("day", "instant"), DAYS)
def test_a_deadline_is_the_end_of_a_local_day_whatever_the_night(day, instant):
    assert end_of_day(day, "Europe/Paris") == datetime.fromisoformat(instant.replace("Z", "+00:00"))


@pytest.mark.parametrize(
    ("asked", "starts", "last"),
    [
        ("2027-10-20T12:00", "2027-11-30T20:00", date(2027, 11, 3)),
        ("2027-10-20T12:00", "2027-11-07T20:00", date(2027, 10, 31)),
        ("2028-02-15T23:30", "2028-12-01T20:00", date(2028, 2, 29)),
    ],
)
def test_the_rule_takes_the_earlier_of_days_after_the_request_and_days_before_the_event(asked, starts, last):
    at, starts_at = (datetime.fromisoformat(text).replace(tzinfo=PARIS) for text in (asked, starts))
    event = factories.EventFactory.build(starts_at=starts_at, valid_until=starts_at, venue=factories.VenueFactory.build())
    assert last_day_by_rule(event, at.astimezone(UTC), Terms(option_days=14, option_days_before=7)) == last


def test_nothing_is_held_beyond_the_start_of_the_event(product):
    event = Event.objects.select_related("venue").get()
    assert deadline_on(event, date(2999, 1, 1)) == event.starts_at
