"""Members who have not opened, named or printed are reminded in one click; relays who still hold tickets, by the clock."""

import uuid
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Seller, User
from distribution.actions import correct_address, distribute, reclaim, remind
from distribution.actions.remind import remind_relays
from distribution.models import Distribution, Reminder
from distribution.tasks import remind_relays as task
from distribution.truth import holders
from outbox import actions as outbox_actions
from outbox.models import Delivery
from portal.clock import now
from tests import factories
from tests.outbox.test_letters import written
from tickets import steps as tickets_steps
from tickets.models import Event, Movement, Ticket, Venue

pytestmark = pytest.mark.django_db


def member(relay, first_name, **more):
    return factories.MemberFactory(company=relay.company, first_name=first_name, last_name="Roux", **more)


@pytest.fixture
def product(relay):
    event = factories.EventFactory(starts_at=timezone.now() + timedelta(days=30))
    return factories.stock(relay.company, 20, factories.ProductFactory(event=event))


@pytest.fixture
def people(relay, product):
    """One for each stage, each with two tickets told of yesterday."""
    everyone = {name: member(relay, name) for name in ("Anne", "Bilal", "Chloé", "Dario", "Emma")}
    for person in everyone.values():
        distribute(relay=relay, product=product, gifts=[(person.pk, 2, ())], message="", request_key=uuid.uuid4())
    yesterday = timezone.now() - timedelta(days=1)
    Ticket.objects.filter(member__isnull=False).update(shown_from=yesterday)
    Delivery.objects.exclude(kind="tickets_distributed").delete()
    Delivery.objects.filter(kind="tickets_distributed").update(state="sent", not_before=yesterday, created_at=yesterday)
    Distribution.objects.update(undo_until=yesterday)
    User.objects.filter(email__in=[everyone[name].email for name in ("Bilal", "Chloé", "Dario")]).update(last_seen_at=timezone.now())
    for ticket in everyone["Chloé"].tickets.all():
        tickets_steps.rename(ticket, first_name="Kofi", last_name="Mensah", by=relay.user)
    factories.printed(list(everyone["Dario"].tickets.order_by("pk"))[:1])
    factories.printed(list(everyone["Emma"].tickets.all()))
    return everyone


def address(relay, product, step) -> str:
    return f"/c/{relay.company.public_id}/products/{product.public_id}/remind/?step={step}"


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def reminded(plan) -> list[str]:
    return sorted(holder.member.first_name for holder in plan.reminded)


def click(relay, product, step="printed", message="", key=None):
    return remind(relay=relay, product=product, step=step, message=message, request_key=key or uuid.uuid4())


@pytest.mark.parametrize(
    ("step", "names"), [("opened", ["Anne"]), ("named", ["Anne", "Bilal", "Dario"]), ("printed", ["Anne", "Bilal", "Chloé", "Dario"])]
)
def test_each_figure_leads_to_who_is_behind_it(as_relay, relay, product, people, step, names):
    shown = said(as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/"))
    assert f"<b>{len(names)}</b> n’" in shown and f"step={step}" in shown

    page = said(as_relay.get(address(relay, product, step)))

    assert [name for name in people if f"<b>{name} Roux</b>" in page] == names
    assert f"Relancer {len(names)} personne" in page


def test_one_click_reminds_the_group_once_in_each_ones_language_with_the_relays_word(as_relay, relay, product, people, post):
    User.objects.filter(email=people["Bilal"].email).update(language="en")
    form = {"message": "Dernier jour pour les noms", "request_key": str(uuid.uuid4())}

    answers = [said(as_relay.post(address(relay, product, "printed"), form, follow=True)) for _ in range(2)]

    assert "4 personnes relancées." in answers[0] and "4 personnes relancées." in answers[1]
    outbox_actions.send_due()
    assert sorted(letter["To"] for letter in post.letters) == sorted(people[name].email for name in ("Anne", "Bilal", "Chloé", "Dario"))
    (french,), (english,) = post.to(people["Anne"].email), post.to(people["Bilal"].email)
    assert "2 billets pour" in french["Subject"] and "vous attendent" in french["Subject"] and "are waiting for you" in english["Subject"]
    assert "Dernier jour pour les noms" in french.get_body(("plain",)).get_content()
    assert "1 billet" in post.to(people["Dario"].email)[0]["Subject"]
    assert set(Delivery.objects.filter(kind="tickets_reminder").values_list("useful_until", flat=True)) == {product.event.valid_until}


def test_nobody_is_reminded_twice_in_a_day_and_the_page_says_so(as_relay, relay, product, people):
    click(relay, product, "opened")
    other = factories.RelayFactory(company=relay.company)

    second = click(other, product, "printed")

    assert reminded(second) == ["Bilal", "Chloé", "Dario"]
    assert [(h.member.first_name, reason[:15]) for h, reason in second.skipped] == [("Anne", "déjà relancée, ")]
    assert "déjà relancée" in said(as_relay.get(address(relay, product, "opened")))
    Reminder.objects.update(at=now() - timedelta(hours=24, seconds=1))
    assert reminded(click(relay, product, "opened")) == ["Anne"]


def test_a_reminder_of_one_outing_does_not_stop_that_of_another(relay, product, people):
    museum = factories.stock(relay.company, 1)
    factories.given(people["Anne"], museum, by=relay.user)
    click(relay, product)

    assert reminded(click(relay, museum)) == ["Anne"]


def test_who_can_not_be_reminded_is_named_with_why(as_relay, relay, product, people):
    factories.given(member(relay, "Odette", email=""), product, by=relay.user)
    Delivery.objects.filter(recipient=people["Anne"].email).update(state="failed", smtp_reply="550 unknown")
    fresh = member(relay, "Fatou")
    distribute(relay=relay, product=product, gifts=[(fresh.pk, 1, ())], message="", request_key=uuid.uuid4())

    answer = said(as_relay.post(address(relay, product, "opened"), {"request_key": str(uuid.uuid4())}, follow=True))

    assert "Personne n’a été relancé." in answer
    assert "Odette Roux (pas d’adresse de courriel)" in answer
    assert "Anne Roux (adresse refusée : corrigez-la d’abord)" in answer
    assert "Fatou Roux (le courriel de ses billets n’est pas encore parti)" in answer
    assert not Delivery.objects.filter(kind="tickets_reminder").exists()


def test_an_address_refused_for_another_outing_or_by_a_reminder_is_not_written_to(relay, product, people):
    anne, bilal = people["Anne"], people["Bilal"]
    museum = factories.stock(relay.company, 1)
    distribute(relay=relay, product=museum, gifts=[(anne.pk, 1, ())], message="", request_key=uuid.uuid4())
    Delivery.objects.filter(recipient=anne.email, state="pending").update(state="failed")
    click(relay, product, "named")
    Delivery.objects.filter(kind="tickets_reminder", recipient=bilal.email).update(state="failed")
    Reminder.objects.update(at=now() - timedelta(days=2))

    again = click(relay, product)

    assert reminded(again) == ["Chloé", "Dario"]
    assert {reason for _, reason in again.skipped} == {"adresse refusée\u00a0: corrigez-la d’abord"}


def test_a_family_that_shares_an_address_gets_one_reminder_that_names_each(relay, product, post):
    for name in ("Anne", "Léo"):
        factories.given(member(relay, name, email="famille@exemple.fr"), product, by=relay.user)

    assert len(click(relay, product).reminded) == 2

    outbox_actions.send_due()
    (letter,) = post.to("famille@exemple.fr")
    text = letter.get_body(("plain",)).get_content()
    assert "1 billet pour Anne Roux" in text and "1 billet pour Léo Roux" in text and "2 billets" in letter["Subject"]


@pytest.mark.parametrize("meanwhile", ["printed", "reclaimed", "over"])
def test_a_reminder_is_dropped_when_there_is_nothing_left_to_remind_of(relay, product, people, post, meanwhile):
    anne = people["Anne"]
    click(relay, product, "opened")
    match meanwhile:
        case "printed":
            factories.printed(list(anne.tickets.all()))
        case "reclaimed":
            Seller.objects.update(tells_of_reclaims=False)
            reclaim(relay=relay, shown=factories.shown(*anne.tickets.all()), request_key=uuid.uuid4())
        case _:
            Event.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=timezone.now() - timedelta(seconds=1))

    outbox_actions.send_due()

    assert post.letters == []
    assert Delivery.objects.get(kind="tickets_reminder").state == "cancelled"


def test_delivery_truth_tells_what_became_of_a_reminder(as_relay, relay, product, people, post):
    click(relay, product, "opened")

    def truth():
        return next(h for h in holders(relay, product) if h.member == people["Anne"])

    assert (truth().word, truth().reminded) == ("Envoyé", "Relance en attente")
    post.handler.answers[people["Anne"].email] = "550 5.1.1 No such user"
    outbox_actions.send_due()
    assert (truth().word, truth().reminded[:16]) == ("Adresse refusée", "Relance refusée,")
    page = said(as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/"))
    assert "550 5.1.1 No such user" in page
    Delivery.objects.filter(kind="tickets_reminder").update(state="sent")
    assert truth().reminded.startswith("Relancé ")


def test_an_address_corrected_after_a_refused_reminder_is_refused_no_more(relay, product, people):
    anne = people["Anne"]
    click(relay, product, "opened")
    Delivery.objects.filter(kind="tickets_reminder").update(state="failed")

    correct_address(relay=relay, member=anne, shown=anne.email, email="anne@exemple.fr", request_key=uuid.uuid4())

    assert next(h for h in holders(relay, product) if h.member == anne).word == "Envoi en attente"


def test_nobody_is_reminded_of_what_is_over(as_relay, relay, product, people):
    Event.objects.update(valid_from=timezone.now() - timedelta(days=2), valid_until=timezone.now() - timedelta(seconds=1))
    product.event.refresh_from_db()

    assert click(relay, product).reminded == []
    assert "Plus personne à relancer" in said(as_relay.get(address(relay, product, "printed")))
    assert "step=" not in said(as_relay.get(f"/c/{relay.company.public_id}/products/{product.public_id}/"))


def test_one_who_only_looks_sees_who_but_reminds_nobody(as_relay, relay, product, people):
    relay.may_distribute = False
    relay.save()

    page = as_relay.get(address(relay, product, "opened"))
    answer = as_relay.post(address(relay, product, "opened"), {"request_key": str(uuid.uuid4())})

    assert page.status_code == 200 and "Relancer" not in said(page).partition("<main")[2].replace("<title>", "")
    assert answer.status_code == 403 and not Reminder.objects.exists()


def test_another_companys_holders_are_neither_shown_nor_reminded(relay, product, people):
    other = factories.RelayFactory()
    factories.stock(other.company, 1, product)
    factories.given(member(other, "Zoé"), product, by=other.user)

    assert reminded(click(other, product)) == ["Zoé"]


def test_reminding_thirty_asks_as_often_as_three(as_relay, relay):
    as_relay.get(f"/c/{relay.company.public_id}/")

    def asked(count: int) -> list[int]:
        product = factories.stock(relay.company, count)
        for person in factories.MemberFactory.create_batch(count, company=relay.company):
            factories.given(person, product, by=relay.user)
        found = []
        for request in (
            lambda: as_relay.get(address(relay, product, "printed")),
            lambda: as_relay.post(address(relay, product, "printed"), {"request_key": str(uuid.uuid4())}),
        ):
            with CaptureQueriesContext(connection) as captured:
                request()
            found.append(len(captured))
        assert Reminder.objects.filter(product=product).count() == count
        return found

    assert asked(3) == asked(30)


class TestRelays:
    """Those who still hold tickets some days before an event."""

    @pytest.fixture(autouse=True)
    def long_ago(self, relay, product):
        """The order is a month old, and the emails of it are forgotten."""
        self.relay, self.product = relay, product
        factories.stock_came(timezone.now() - timedelta(days=30))
        Delivery.objects.all().delete()

    def starts(self, days: int, **times):
        """The event is so many dates from today, at its venue."""
        event = self.product.event
        zone = ZoneInfo(event.venue.zone)
        day = now().astimezone(zone).date() + timedelta(days=days)
        start = datetime(day.year, day.month, day.day, 20, tzinfo=zone)
        Event.objects.update(starts_at=start, valid_from=start - timedelta(days=90), valid_until=start + timedelta(hours=6), **times)

    def owed(self):
        return Delivery.objects.filter(kind="stock_reminder")

    def test_a_relay_is_told_how_many_are_left_for_what_with_a_link_to_the_product(self, post):
        self.starts(5)

        task()

        outbox_actions.send_due()
        (letter,) = post.to(self.relay.user.email)
        text = letter.get_body(("plain",)).get_content()
        assert "20 billets pour" in letter["Subject"] and "restent à distribuer" in letter["Subject"]
        assert "20 billets à distribuer (1re catégorie)" in text
        assert "/login/" in text and str(self.product.public_id) in text and str(self.relay.company.public_id) in text

    def test_it_leaves_once_whatever_runs_twice_or_late(self):
        self.starts(1)  # the deadline was six days ago: nothing ran since
        assert [remind_relays() for _ in range(3)] == [1, 0, 0]
        assert self.owed().get().useful_until == Event.objects.get().starts_at
        self.owed().update(state="sent")
        assert remind_relays() == 0

    def test_another_deadline_reminds_again(self):
        self.starts(5)
        assert remind_relays() == 1
        Seller.objects.update(relay_reminder_days=6)
        assert remind_relays() == 1
        assert remind_relays() == 0

    def test_not_before_the_morning_of_the_day(self):
        self.starts(8)
        assert remind_relays() == 0

    def test_never_where_the_seller_says_zero(self):
        at = timezone.now()
        noon = f"Etc/GMT{at.hour - 12:+d}"  # where it is about noon now: the morning of the event has come
        Venue.objects.update(zone=noon)
        Event.objects.update(starts_at=at + timedelta(hours=1), valid_from=at - timedelta(days=1), valid_until=at + timedelta(hours=6))
        Seller.objects.update(relay_reminder_days=0)
        assert remind_relays() == 0

    def test_not_when_nothing_is_left_nor_for_tickets_that_came_after_the_deadline(self):
        self.starts(5)
        factories.stock_came(timezone.now() - timedelta(days=1))
        assert remind_relays() == 0
        factories.stock_came(timezone.now() - timedelta(days=9))
        for person in factories.MemberFactory.create_batch(20, company=self.relay.company):
            factories.given(person, self.product, by=self.relay.user)
        assert remind_relays() == 0

    def test_it_is_dropped_when_the_last_ticket_is_given_or_the_relay_withdrawn_meanwhile(self, post):
        other = factories.RelayFactory(company=self.relay.company)
        self.starts(5)
        assert remind_relays() == 2
        Delivery.objects.exclude(kind="stock_reminder").delete()
        other.withdrawn_at = timezone.now()
        other.save()
        outbox_actions.send_due()
        assert [letter["To"] for letter in post.letters] == [self.relay.user.email]

    def test_only_relays_who_may_distribute_hear_of_it(self):
        type(self.relay).objects.update(may_distribute=False)
        factories.RelayFactory(company=self.relay.company, withdrawn_at=timezone.now())
        self.starts(5)
        assert remind_relays() == 0

    def test_a_site_that_received_tickets_is_reminded_of_its_own(self):
        site = factories.RelayFactory(company=factories.CompanyFactory(name="Lyon", parent=self.relay.company))
        tickets_steps.forward(list(Ticket.objects.order_by("pk")[:3]), to=site.company, by=self.relay.user, act=None)
        factories.stock_came(timezone.now() - timedelta(days=30))
        Delivery.objects.all().delete()
        self.starts(5)
        assert remind_relays() == 2
        assert "3 billets" in written(self.owed().get(recipient=site.user.email), "fr").subject

    @pytest.mark.parametrize(("zone", "ahead"), [("Pacific/Kiritimati", True), ("Pacific/Pago_Pago", False)])
    def test_the_day_is_the_venues_not_the_servers(self, zone, ahead):
        from distribution.actions.remind import deadline

        self.product.event.venue.zone = zone
        self.product.event.starts_at = datetime(2026, 11, 27, 2, tzinfo=ZoneInfo(zone))

        found = deadline(self.product.event, 7)

        assert (found.date().isoformat(), found.hour, str(found.tzinfo)) == ("2026-11-20", 8, zone)

    def test_as_many_queries_for_ten_companies_as_for_two(self):
        self.starts(5)

        def asked(count: int) -> int:
            for relay in factories.RelayFactory.create_batch(count):
                factories.stock(relay.company, 2, self.product)
            factories.stock_came(timezone.now() - timedelta(days=30))
            with CaptureQueriesContext(connection) as captured:
                assert remind_relays() >= count
            return len(captured)

        assert asked(2) == asked(10)
        assert Movement.objects.exists()


def test_a_refused_reminder_is_on_the_home_and_in_the_history_until_the_address_is_corrected(as_relay, relay, product, people):
    anne = people["Anne"]
    home, history = f"/c/{relay.company.public_id}/", f"/c/{relay.company.public_id}/history/"
    click(relay, product, "opened")
    assert "pas arrivé" not in said(as_relay.get(home)) and "refusée" not in said(as_relay.get(history))
    Delivery.objects.filter(kind="tickets_reminder", recipient=anne.email).update(state="failed")

    assert "1 courriel n’est pas arrivé" in said(as_relay.get(home)) and product.public_id.urn[9:] in said(as_relay.get(home))
    assert "1 adresse refusée" in said(as_relay.get(history))
    correct_address(relay=relay, member=anne, shown=anne.email, email="anne@exemple.fr", request_key=uuid.uuid4())
    assert "pas arrivé" not in said(as_relay.get(home)) and "refusée" not in said(as_relay.get(history))


def test_what_arrived_later_or_was_printed_since_is_no_more_to_be_mended(as_relay, relay, product, people):
    anne, home = people["Anne"], f"/c/{relay.company.public_id}/"
    click(relay, product, "opened")
    hers = Delivery.objects.filter(recipient=anne.email)
    hers.filter(kind="tickets_distributed").update(state="failed")
    assert "pas arrivé" not in said(as_relay.get(home))
    hers.update(state="failed")
    assert "1 courriel n’est pas arrivé" in said(as_relay.get(home))
    factories.printed(list(anne.tickets.all()))
    assert "pas arrivé" not in said(as_relay.get(home))


def test_another_company_is_not_told_of_a_refused_reminder(as_relay, relay, product, people):
    click(relay, product, "opened")
    Delivery.objects.filter(recipient=people["Anne"].email).update(state="failed")
    other = factories.RelayFactory()
    as_relay.force_login(other.user, backend="django.contrib.auth.backends.ModelBackend")

    assert "pas arrivé" not in said(as_relay.get(f"/c/{other.company.public_id}/"))
