"""What each email says, as it would leave: in French and in English, as text and as HTML, from what is owed in truth."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone, translation

from accounts import actions as accounts_actions
from accounts import steps as accounts_steps
from accounts.actions import propose_relay, refuse_proposal, withdraw_relays
from accounts.models import Relay, Seller, User
from distribution.actions import (
    ask_erasure,
    distribute,
    forward,
    give_back,
    merge,
    reclaim,
    reclaim_from,
    remind,
    remind_relays,
    take_back_stranded,
)
from distribution.actions.members import addresses
from members import actions as members_actions
from members.models import Member
from outbox import kinds
from outbox.kinds import kind
from outbox.models import Delivery
from sales import actions as sales_actions
from sales.models import Account, Option
from tests import factories
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def owed(relay, client) -> dict[str, Delivery]:
    """One email of every kind, owed by the acts that owe it."""
    staff = factories.UserFactory(is_staff=True, is_superuser=True)
    with transaction.atomic():
        new = Relay(company=relay.company, first_name="Inès", last_name="Novak")
        accounts_steps.authorise(new, address="ines@exemple.fr", by=staff)
    Seller.objects.update(email="billets@quais.example")
    empty = factories.CompanyFactory(name="Grenoble", parent=relay.company)
    person = {"first_name": "Nadia", "last_name": "Ferhat", "email": "nadia@exemple.fr"}
    proposal = propose_relay(relay=relay, company=empty, **person, request_key=uuid.uuid4())
    refuse_proposal(proposal=proposal.pk, reason="Elle n'est plus là : proposez quelqu'un d'autre ?", by=staff)
    product = factories.stock(relay.company, 7)
    site = factories.RelayFactory(company=factories.CompanyFactory(name="Lyon", parent=relay.company), first_name="Thomas")
    forward(relay=relay, product=product, to=site.company, quantity=2, message="À l'entrée : porte B !", request_key=uuid.uuid4())
    reclaim_from(relay=relay, product=product, other=site.company, quantity=1, request_key=uuid.uuid4())
    withdraw_relays(relays=[site.pk], by=staff)
    take_back_stranded(company=site.company, by=staff)
    zoe = factories.MemberFactory(company=relay.company, first_name="Zoé", last_name="Lefèvre-Diallo")
    distribute(relay=relay, product=product, gifts=[(zoe.pk, 4, ())], message="À l'entrée : porte B !", request_key=uuid.uuid4())
    Ticket.objects.filter(member=zoe).update(shown_from=timezone.now())
    Delivery.objects.filter(kind="tickets_distributed").update(state="sent")
    last = Ticket.objects.filter(member=zoe).order_by("-pk").first()
    give_back(user=factories.login(zoe.email), ticket=last.public_id, generation=0, message="Je suis de garde", request_key=uuid.uuid4())
    first, second, third = Ticket.objects.filter(member=zoe).order_by("pk")
    reclaim(relay=relay, shown=factories.shown(first), request_key=uuid.uuid4())
    sales_actions.cancel_tickets(tickets=[second.pk], by=staff, key="c")
    for kind_of_change in ("moved", "cancelled"):
        change_an_event(relay, zoe, staff, kind_of_change)
    client.post("/login/", {"email": relay.user.email})
    client.post("/login/", {"email": "inconnue@exemple.fr"})
    assert third.member == zoe
    remind(relay=relay, product=product, step="printed", message="À l'entrée : porte B !", request_key=uuid.uuid4())
    factories.stock_came(timezone.now() - timezone.timedelta(days=30))
    remind_relays()
    twice = factories.MemberFactory(company=relay.company, first_name="Zoe", last_name="Lefevre")
    distribute(relay=relay, product=product, gifts=[(twice.pk, 1, ())], message="", request_key=uuid.uuid4())
    Delivery.objects.filter(recipient=twice.email).update(state="sent")
    merge(relay=relay, gone=twice, kept=zoe, shown=addresses(twice, zoe), request_key=uuid.uuid4())
    owe_about_her_data(relay)
    owe_about_sales(relay, staff)
    return {delivery.kind: delivery for delivery in Delivery.objects.all()}


def owe_about_her_data(relay) -> None:
    """What a person does with what is held on her, and what the clock tells one who has not come for years."""
    ana = factories.MemberFactory(company=relay.company, first_name="Ana", last_name="Costa")
    user = factories.login(ana.email)
    members_actions.correct_my_name(user=user, member=ana.public_id, shown=str(ana), first_name="Anna", last_name="Costa")
    members_actions.ask_address_change(user=user, email="anna@perso.example", members=[ana.public_id])
    members_actions.change_address(user=user, code=Delivery.objects.get(kind="address_code").secret)
    members_actions.leave_list(user=User.objects.get(email="anna@perso.example"), member=ana.public_id)
    ask_erasure(user=User.objects.get(email="anna@perso.example"), keeps_tickets=True)
    absent = factories.MemberFactory(company=relay.company)
    long_ago = timezone.now() - timezone.timedelta(days=3 * 365)
    Member.objects.filter(pk=absent.pk).update(bears_address_since=long_ago, created_at=long_ago, last_given_at=None)
    User.objects.filter(email=absent.email).update(created_at=long_ago, last_seen_at=None)
    accounts_actions.apply_retention()


def owe_about_sales(relay, staff) -> None:
    """What is told to those who buy."""
    Relay.objects.filter(pk=relay.pk).update(may_buy=True)
    relay.refresh_from_db()
    Account.objects.filter(company=relay.company).update(limit=10_000)
    product = factories.listing(factories.ProductFactory(quota=9, event__starts_at=timezone.now() + timezone.timedelta(days=60))).product
    sales_actions.fill_basket(relay=relay, quantities={product.pk: 1})
    sales_actions.place_order(relay=relay, total=product.price, request_key=uuid.uuid4())

    def ask(quantity):
        wished = timezone.localdate() + timezone.timedelta(days=30)
        values = {"quantity": quantity, "wished_on": wished, "note": "L'arbre de Noël : merci !", "request_key": uuid.uuid4()}
        return sales_actions.request_option(relay=relay, product=product, **values)

    live, refused = ask(8), ask(1)
    sales_actions.refuse_option(option=refused.pk, reason="Complet : à l'automne !", by=staff)
    sales_actions.accept_option(option=live.pk, quantity=8, last_day=timezone.localdate() + timezone.timedelta(days=20), by=staff)
    ask(2)  # waits
    Option.objects.filter(pk=live.pk).update(deadline=timezone.now())
    sales_actions.end_lapsed_options()


def change_an_event(relay, member, staff, how: str) -> None:
    product = factories.stock(relay.company, 2)
    factories.given(member, product, 1, by=relay.user)
    event, advice = product.event, {"advice": "L'accueil vous répond : appelez-nous !", "request_key": uuid.uuid4()}
    if how == "moved":
        times = event.times_around(event.anchor + timedelta(days=7), event.venue)
        sales_actions.move_event(event=event.pk, by=staff, venue=event.venue, times=times, **advice)
    else:
        sales_actions.cancel_event(event=event.pk, by=staff, **advice)


def written(delivery: Delivery, language: str):
    with translation.override(language):
        return kind(delivery.kind).render(delivery.refs, language, delivery.secret)


EVERY_KIND = sorted(kinds._kinds)


def test_every_email_is_whole_in_french_and_in_english(owed, subtests):
    for name in EVERY_KIND:
        with subtests.test(name):
            is_whole(*(written(owed[name], language) for language in ("fr", "en")))


def is_whole(french, english) -> None:
    for letter, language in ((french, "fr"), (english, "en")):
        assert letter.subject and "\n" not in letter.subject and len(letter.subject) < 120
        assert f'lang="{language}"' in letter.html and "Billetterie des Quais" in letter.html and "Billetterie des Quais" in letter.text
        assert not re.search(r"&\w+;|<\w|None|\{\{|%\(", letter.text), letter.text
        assert "http://localhost:8000/static" not in letter.html and "<script" not in letter.html
        assert set(re.findall(r"https?://[^/\s\"<]+", letter.text)) <= {"http://localhost:8000"}
    assert french.subject != english.subject
    lines = {line for line in french.text.splitlines() if len(line.split()) > 4} & set(english.text.splitlines())
    assert not lines, f"said in one language only: {lines}"


def test_french_emails_have_french_spaces(owed):
    letter = written(owed["tickets_distributed"], "fr")

    assert "À l’entrée\u00a0: porte B\u202f!" in letter.text and "À l’entrée\u00a0: porte B\u202f!" in letter.html
    for delivery in owed.values():
        said = written(delivery, "fr")
        assert not re.search(r"\w'\w| [;:!?»](?!\S*/)", said.subject + said.text), said.text


def test_a_reclaim_takes_one_of_two_people_out_of_the_email_they_share(relay):
    product = factories.stock(relay.company, 2)
    mother, son = (factories.MemberFactory(company=relay.company, first_name=name, email="famille@exemple.fr") for name in ("Anne", "Léo"))
    gifts = [(mother.pk, 1, ()), (son.pk, 1, ())]
    distribute(relay=relay, product=product, gifts=gifts, message="", request_key=uuid.uuid4())
    letter = Delivery.objects.get(kind="tickets_distributed")

    reclaim(relay=relay, shown=factories.shown(mother.tickets.get()), request_key=uuid.uuid4())

    letter.refresh_from_db()
    assert letter.state == "pending" and kind(letter.kind).still_due(letter.refs)
    said = written(letter, "fr")
    assert str(son) in said.text and str(mother) not in said.text
    assert "1 billet" in said.subject + said.text
