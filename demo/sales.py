"""What Mécavia buys: a credit account, products on sale, a live option that ends in two days, one that staff have to answer."""

import uuid
from datetime import timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import Company, Relay
from demo import loader
from portal.clock import now
from sales import actions
from sales.models import Account, Listing, Payment, Terms
from sales.steps import ledger
from tickets.models import Product

# name, kind, subtitle, days from today, hour, category, price, VAT, quota
TO_COME = [
    ("Le Lac des cygnes", "theatre", "Ballet de la Presqu’île", 34, 20, "Balcon", "42.00", "5.5", 120),
    ("Soirée Piazzolla", "concert", "Quintette Rive gauche", 41, 20, "Parterre", "29.00", "5.5", 80),
    ("Deux-Rives – Plateau", "match", "Championnat, 17e journée", 48, 18, "Tribune Est", "19.00", "5.5", 400),
    ("Le Petit Chaperon rouge", "theatre", "Dès 4 ans", 52, 15, "Placement libre", "14.00", "5.5", 60),
    ("Nuit des guitares", "concert", "Sept scènes, une nuit", 75, 21, "Pass une nuit", "35.00", "5.5", 250),
]


def told(story: "loader.Story") -> None:
    """The terms, the accounts and the catalogue, then what Samia did with them."""
    waiting = loader.keep_waiting()
    Terms.objects.create(
        legal_form="Association loi 1901, n° W000000000",
        vat_number="FR00000000000",
        bank="IBAN FR76 0000 0000 0000 0000 0000 000, BIC QUAIFRPP",
        options_by_rule=True,
        option_limit=40,
    )
    Account.objects.filter(company=story.mecavia).update(
        limit=Decimal(15_000), legal_name="CSE de Mécavia", address="3, rue des Ateliers, 69100 Villeurbanne", siren="000 000 001"
    )
    Account.objects.filter(company__name="CSE TransAlpes").update(terms_days=0)  # late: it ordered two days ago
    sold = on_sale()
    with transaction.atomic():
        account = ledger.lock_account(story.mecavia)
        today = timezone.localdate()
        paid = Payment(account=account, amount=Decimal(6_200), received_on=today, reference="MECAVIA 0412", recorded_by=story.staff)
        ledger.receive(paid, order=None, at=now())
    buys(story, sold)
    loader.told_others_long_ago(waiting)


def on_sale() -> list[Product]:
    """Some products are open to all, one to Mécavia alone, one to others."""
    found = []
    for name, kind, subtitle, days, hour, category, price, vat, quota in TO_COME:
        event = loader.event(name, kind, loader.auditorium(), subtitle, starts_at=loader.on(days, hour))
        found.append(loader.product(event, category, price, vat, quota=quota))
    ravel, museum = (Product.objects.get(event__name=name) for name in ("Nuit Ravel", "Pierres vives, mille ans de bâtisseurs"))
    Listing.objects.bulk_create(Listing(product=product) for product in (ravel, museum, *found[:3], found[4]))
    Listing.objects.create(product=found[3], open_to_all=False).companies.add(Company.objects.get(name="CSE Mécavia"))
    return found


def buys(story: "loader.Story", sold: list[Product]) -> None:
    """An order placed online, an option confirmed in part, one that ends in two days, a request, and a basket."""
    ballet, tango, match, tale, guitars = sold
    samia = story.samia
    actions.fill_basket(relay=samia, quantities={ballet.pk: 10})
    actions.place_order(relay=samia, total=ballet.price * 10, request_key=uuid.uuid4())
    tonight = ask(samia, tango, 60, "Pour la fête de fin d’année")
    last_day = timezone.localdate() + timedelta(days=2)
    actions.accept_option(option=tonight.pk, quantity=50, last_day=last_day, by=story.staff)
    actions.confirm_option(relay=samia, option=tonight, quantity=20, price=tango.price, request_key=uuid.uuid4())
    ask(samia, match, 45, "")
    other = Relay.objects.filter(company__name="CSE Rhône Textile").first()
    assert other
    other.may_buy = True
    other.save(update_fields=["may_buy"])
    ask(other, guitars, 12, "")
    actions.fill_basket(relay=samia, quantities={tale.pk: 8, guitars.pk: 4})


def ask(relay: Relay, product: Product, quantity: int, note: str):
    return actions.request_option(relay=relay, product=product, quantity=quantity, wished_on=None, note=note, request_key=uuid.uuid4())
