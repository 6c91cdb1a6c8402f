"""The demo's story, told with the portal's own actions, and a crowd of any size for the bench.

Dates are relative to today, so that the story never ages.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone, translation
from tqdm import tqdm

from accounts import steps as accounts_steps
from accounts.models import Company, Relay, Seller, User
from control.models import Device, Gate, Scan
from control.tokens import canonical, hashed
from dashboard import actions as dashboard_actions
from demo import sales
from demo.names import person
from distribution import actions
from distribution.views.member import offers_text
from members import actions as members_actions
from members import steps as members_steps
from members.models import Group, Member
from outbox.models import Delivery, DeliveryEvent
from portal.clock import now
from portal.text import folded
from sales import actions as sales_actions
from tickets import actions as tickets_actions
from tickets import steps as tickets_steps
from tickets.models import Event, Order, OrderLine, Product, Seat, Ticket, Venue

STAFF = "accueil@quais.example"
SAMIA = "samia.belkacem@mecavia.example"
THOMAS = "thomas.grandjean@mecavia.example"
INES = "ines.caron@saintluc.example"
ZOE = "zoe.lefevre-diallo@mecavia.example"
GATE_CODES = ["BRTV-NLKS", "CSTP-MRGX"]  # the door manager's phone and the desk's laptop: each code once
PARIS = ZoneInfo("Europe/Paris")


def on(days: int, hours: int = 20, minutes: int = 0) -> datetime:
    """An instant so many days from today, at this hour in Paris."""
    day = timezone.localdate() + timedelta(days=days)
    return datetime.combine(day, time(hours, minutes), PARIS)


@dataclass
class Story:
    staff: User
    mecavia: Company
    samia: Relay
    members: list[Member]


def tell() -> None:
    """Load the story. The seller's row comes last: it says that the story is whole."""
    bar = tqdm(total=11, desc="Demo data", unit="chapter", leave=False)
    tickets_actions.register_signing_key()
    story = people()
    bar.update(2)
    chapters = ((past_events, 0), (museum, 12), (theatre, 6), (match, 4), (concert, 0), (other_companies, 2), (sales.told, 0))
    for chapter, days in chapters:
        began = now()
        chapter(story)
        back_in_time(days, began)
        bar.update(1)
    actions.remind_relays()
    personal_data(story)
    bar.update(1)
    set_seller()
    sales_actions.issue_due_invoices()
    offers(story)
    closed_statements(story)
    bar.close()


def personal_data(story: Story) -> None:
    """The staff have opened Zoé's record; a colleague has asked to be erased."""
    waiting = keep_waiting()
    members_actions.note_access(member=story.members[0].pk, by=story.staff)
    actions.ask_erasure(user=User.objects.get(email=story.members[281].email), keeps_tickets=False)
    told_others_long_ago(waiting)


def offers(story: Story) -> None:
    """Some of those who have looked at their tickets said yes to the seller's offers, one said no."""
    with translation.override("fr"):
        for n, member in enumerate(story.members[1:9]):
            user = User.objects.get(email=member.email)
            members_actions.answer_consent(user=user, yes=n != 3, text=offers_text(), page="my_tickets")


def closed_statements(story: Story) -> None:
    """The staff have closed the statements of the season's events, save that of the last one."""
    for name, *_rest in PAST[1:]:
        dashboard_actions.close_statement(event=Event.objects.get(name=name).pk, by=story.staff)


def set_seller() -> None:
    Seller.objects.create(
        name="Billetterie des Quais",
        legal_name="Association Billetterie des Quais",
        address="12, quai des Orchestres, 69003 Lyon",
        siret="000 000 000 00017",
        licences="PLATESV-R-2026-000001, PLATESV-R-2026-000002",
        email="billets@quais.example",
        conditions=(
            "Billet valable pour une personne, à la date indiquée. Il n’est ni repris ni échangé, sauf annulation de la séance. "
            "Toute réédition annule ce billet. La revente habituelle de billets sans l’autorisation de l’organisateur est punie "
            "par l’article 313-6-2 du Code pénal."
        ),
    )


@transaction.atomic
def people() -> Story:
    """Staff, the works council of Mécavia with its three sites, its relays and its 300 members."""
    accounts_steps.logins_for([STAFF])
    User.objects.filter(email=STAFF).update(is_staff=True, is_superuser=True)
    staff = User.objects.get(email=STAFF)
    mecavia = Company.objects.create(name="CSE Mécavia")
    sites = [
        Company.objects.create(name=f"Mécavia {site}", parent=mecavia, kind="site") for site in ("Villeurbanne", "Lyon-Gerland", "Grenoble")
    ]
    samia = authorise(staff, mecavia, SAMIA, "Samia", "Belkacem", may_buy=True, may_manage=True, may_see_accounts=True)
    authorise(staff, sites[1], THOMAS, "Thomas", "Grandjean")
    authorise(staff, mecavia, INES, "Inès", "Caron")
    members = [members_steps.add(mecavia, first_name="Zoé", last_name="Lefèvre-Diallo", email=ZOE)]
    for index in range(1, 300):
        first, last = person(index)
        members.append(members_steps.add(mecavia, first_name=first, last_name=last, email=address_of(first, last, index)))
    for index in range(300, 330):
        first, last = person(index)
        members_steps.add(sites[1], first_name=first, last_name=last, email=address_of(first, last, index))
    put_in_groups(mecavia, members)
    return Story(staff, mecavia, samia, members)


def put_in_groups(mecavia: Company, members: list[Member]) -> None:
    """Where they work, at what, and those who work no more: three retirees without an address."""
    by_kind = {"site": ["Villeurbanne", "Lyon-Gerland", "Grenoble"], "department": ["Atelier", "Bureau d’études", "Expédition", "Bureaux"]}
    for kind, names in by_kind.items():
        for at, name in enumerate(names):
            group = Group.objects.create(company=mecavia, name=name, kind=kind)
            members_steps.put_in((group, member) for member in members[at :: len(names)])
    retired = Group.objects.create(company=mecavia, name="Retraités")
    people = [("Suzanne", "Perrin"), ("Marcel", "Vasseur"), ("Yvette", "Chabert")]
    members_steps.put_in((retired, members_steps.add(mecavia, first_name=f, last_name=n, email="")) for f, n in people)


def authorise(staff: User, company: Company, address: str, first: str, last: str, **rights) -> Relay:
    return accounts_steps.authorise(Relay(company=company, first_name=first, last_name=last, **rights), address=address, by=staff)


def address_of(first: str, last: str, index: int) -> str:
    name = ".".join(folded(part).replace(" ", "-") for part in (first, last))
    if index % 23 == 0:
        return ""  # retired, or without an address at work
    return f"{name if name.isascii() else f'collegue{index}'}@mecavia.example"


def event(name: str, kind: str, venue: Venue, subtitle: str = "", **times) -> Event:
    return Event.objects.create(name=name, kind=kind, venue=venue, subtitle=subtitle, **times)


def venue(name: str, address: str, access: str) -> Venue:
    return Venue.objects.get_or_create(name=name, defaults={"address": address, "access": access})[0]


def auditorium() -> Venue:
    return venue(
        "Auditorium Nadia-Boulanger",
        "12, quai des Orchestres, 69003 Lyon",
        "Métro B, arrêt Place-des-Arts, puis 4 min à pied. Accès de plain-pied porte B.",
    )


def product(of: Event, category: str, price: str, vat: str = "5.5", **more) -> Product:
    return Product.objects.create(
        event=of, category=category, price=Decimal(price), vat_rate=Decimal(vat), quota=more.pop("quota", 2000), **more
    )


def back_in_time(days: int, since: datetime) -> None:
    """What was done since that instant was done some days ago. The demo alone lies about the past."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tickets_movement DISABLE TRIGGER tickets_movements_are_kept")
        cursor.execute("ALTER TABLE sales_posting DISABLE TRIGGER sales_posting_is_kept")
        dated = (
            ("tickets_movement", "at"),
            ("distribution_distribution", "at"),
            ("tickets_order", "confirmed_at"),
            ("sales_posting", "at"),
        )
        for table, column in dated:
            cursor.execute(f'UPDATE {table} SET "{column}" = "{column}" - %s::interval WHERE "{column}" >= %s', [f"{days} days", since])
        cursor.execute("ALTER TABLE tickets_movement ENABLE TRIGGER tickets_movements_are_kept")
        cursor.execute("ALTER TABLE sales_posting ENABLE TRIGGER sales_posting_is_kept")


def order(story: Story, company: Company, sold: Product, quantity: int, channel: str) -> Order:
    """A confirmed order; its emails are told as sent long ago."""
    made = Order.objects.create(company=company, channel=channel)
    OrderLine.objects.create(order=made, product=sold, quantity=quantity, unit_price=sold.price, vat_rate=sold.vat_rate)
    return sales_actions.confirm_order(order=made.pk, by=story.staff)


def give(story: Story, sold: Product, members: list[Member], each: int = 1, message: str = "", relay: Relay | None = None) -> None:
    gifts = [(member.pk, each, ()) for member in members]
    actions.distribute(relay=relay or story.samia, product=sold, gifts=gifts, message=message, request_key=uuid.uuid4())


def told_long_ago(hours: int = 20) -> None:
    """What has been owed so far left some hours ago, and may be seen."""
    ago = timezone.now() - timedelta(hours=hours)
    Ticket.objects.filter(shown_from__gt=ago).update(shown_from=ago)
    waiting = Delivery.objects.filter(state="pending")
    DeliveryEvent.objects.bulk_create(DeliveryEvent(delivery=delivery, kind="sent") for delivery in waiting)
    waiting.update(state="sent", created_at=ago, sent_at=ago, not_before=ago, smtp_reply="250 OK")


def printed(sold: Product, count: int) -> None:
    """The first members print their tickets."""
    with transaction.atomic():
        tickets = Ticket.objects.filter(product=sold, status="distributed").select_related("member").order_by("member__pk", "pk")[:count]
        for member, held in groupby(tickets, key=lambda ticket: ticket.member):
            assert member is not None
            tickets_steps.mark_printed(list(held), by=User.objects.filter(email=member.email).first())


def opened(members: list[Member]) -> None:
    """These members have looked at their tickets."""
    ago = timezone.now() - timedelta(hours=2)
    User.objects.filter(email__in=[member.email for member in members]).update(last_seen_at=ago)


def given_back(sold: Product, member: Member, word: str) -> None:
    """A member can't come, and says so to her relays."""
    ticket = Ticket.objects.get(product=sold, member=member)
    actions.give_back(
        user=User.objects.get(email=member.email),
        ticket=ticket.public_id,
        generation=ticket.generation,
        message=word,
        request_key=uuid.uuid4(),
    )


def checked(sold: Product, count: int) -> None:
    """So many come in at a door of their own, most in the half hour before it starts; for an open date, day after day."""
    gate = Gate.objects.create(event=sold.event, name="Porte A")
    device = Device.objects.create(gate=gate, name="Douchette de la porte A")
    starts, scans = sold.event.starts_at, []
    with transaction.atomic():
        for n, ticket in enumerate(
            Ticket.objects.filter(product=sold, status__in=["distributed", "printed"]).order_by("-status", "pk")[:count]
        ):
            assert tickets_steps.check(number=ticket.number, event=sold.event, generation=ticket.generation)
            came = starts - timedelta(minutes=(n * n * 7) % 41) if starts else sold.event.valid_from + timedelta(days=n, hours=n % 7)
            scans.append(
                Scan(device=device, client_id=uuid.uuid4(), verdict="admitted", ticket=ticket, generation=ticket.generation, at=came)
            )
        Scan.objects.bulk_create(scans)


def concert(story: Story) -> None:
    """35 tickets, 20 bought online and 15 by phone: 12 are left. One address is refused."""
    began, waiting, starts = now(), keep_waiting(), on(3)
    night = event(
        "Nuit Ravel", "concert", auditorium(), "Orchestre des Deux-Rives", starts_at=starts, doors_at=starts - timedelta(hours=1),
        valid_from=on(-1), names_until=on(2, 18), names_required=True,
    )  # fmt: skip
    stalls = product(night, "1re catégorie", "38.00", placing="libre au parterre", entrance="B")
    order(story, story.mecavia, stalls, 20, "online")
    order(story, story.mecavia, stalls, 15, "phone")
    back_in_time(10, began)
    give(
        story, stalls, story.members[1:11], 2, "Rendez-vous à 19 h 30 devant les grilles, je serai là avec le groupe. Belle soirée à tous !"
    )
    told_others_long_ago(waiting)
    printed(stalls, 11)
    opened(story.members[1:9])
    back_in_time(2, began)
    give(story, stalls, [story.members[0]], 2, "Rendez-vous à 19 h 30 devant les grilles. Belle soirée !")
    with transaction.atomic():
        camille = members_steps.add(story.mecavia, first_name="Camille", last_name="Roux", email="camille.roux@mecavai.example")
    give(story, stalls, [camille], 1)
    gate = Gate.objects.create(event=night, name="Porte B")
    for name, code in zip(("Téléphone de la responsable", "Ordinateur de l’accueil"), GATE_CODES, strict=True):
        device = Device(gate=gate, name=name, may_manage=code == GATE_CODES[0], pairing_until=on(30))
        device.pairing_hash = hashed(canonical(code))
        device.save()
    leave_at_once()


def leave_at_once() -> None:
    """The emails of the story leave when the demo starts: nobody waits for the delay to undo."""
    at = timezone.now()
    Ticket.objects.filter(shown_from__gt=at).update(shown_from=at)
    Delivery.objects.filter(state="pending").update(not_before=at)


def match(story: Story) -> None:
    """60 numbered tickets, 15 of them forwarded to the site of Lyon-Gerland, which has given 9."""
    stadium = venue("Stade des Confluents", "1, allée des Tribunes, 69007 Lyon", "Métro B, arrêt Stade. Tribune Ouest, entrée 4.")
    day = event("Deux-Rives – Littoral", "match", stadium, "Championnat, 14e journée", starts_at=on(11, 20, 45))
    waiting = keep_waiting()
    rows = [("Ouest", row, str(number)) for row in "ABCDEF" for number in range(1, 21)]
    kinds = {("B", "19"): Seat.Kind.WHEELCHAIR, ("B", "20"): Seat.Kind.COMPANION}
    Seat.objects.bulk_create(
        Seat(event=day, block=b, row=r, number=n, place_in_row=int(n), kind=kinds.get((r, n), Seat.Kind.ORDINARY)) for b, r, n in rows
    )
    west = product(day, "Tribune Ouest", "24.00", numbered=True, quota=120, entrance="4")
    order(story, story.mecavia, west, 60, "online")
    gerland = Company.objects.get(name="Mécavia Lyon-Gerland")
    with transaction.atomic():
        moved = list(Ticket.objects.filter(product=west, company=story.mecavia).order_by("-pk")[:15])
        tickets_steps.forward(moved, to=gerland, by=story.samia.user, act=None)
    give(story, west, story.members[20:46])
    thomas = Relay.objects.get(user__email=THOMAS)
    give(story, west, list(Member.objects.of(gerland)[:9]), relay=thomas)
    told_others_long_ago(waiting)
    printed(west, 6)
    given_back(west, story.members[40], "Je suis de garde ce soir-là, donnez-le à quelqu’un qui aime le rugby.")
    told_others_long_ago(waiting)


def keep_waiting() -> list:
    return list(Delivery.objects.filter(state="pending").values_list("pk", flat=True))


def twice_on_the_list(story: Story, sold: Product) -> None:
    """Two people with two entries each: one without her address, who was given tickets; one with a letter wrong."""
    first, second = story.members[4], story.members[7]
    with transaction.atomic():
        again = members_steps.add(story.mecavia, first_name=first.first_name, last_name=first.last_name, email="", namesakes=1)
        wrong = f"{second.last_name[:-1]}{second.last_name[-1] * 2}"
        members_steps.add(story.mecavia, first_name=second.first_name, last_name=wrong, email=second.email, shares_address=True)
    give(story, sold, [again], 2)


def told_others_long_ago(waiting: list) -> None:
    """Everything is told long ago, save what was to leave when the demo starts."""
    Delivery.objects.filter(pk__in=waiting).update(state="cancelled")
    told_long_ago()
    Delivery.objects.filter(pk__in=waiting).update(state="pending")


def theatre(story: Story) -> None:
    """18 tickets, all given."""
    house = venue("Théâtre du Griffon", "5, place du Griffon, 69001 Lyon", "Métro A, arrêt Hôtel-de-Ville.")
    play = event("Le Malade imaginaire", "theatre", house, "Mise en scène d’Inès Ouedraogo", starts_at=on(21, 19, 30))
    seats = product(play, "Orchestre", "31.50", "2.1")
    waiting = keep_waiting()
    order(story, story.mecavia, seats, 18, "box_office")
    give(story, seats, story.members[50:59], 2)
    told_others_long_ago(waiting)
    printed(seats, 9)


def museum(story: Story) -> None:
    """An open date: 120 tickets, some of them already used."""
    place = venue("Musée des Beaux-Métiers", "20, rue des Ateliers, 69004 Lyon", "Bus 13, arrêt Croix-Rousse.")
    visit = event("Pierres vives, mille ans de bâtisseurs", "museum", place, valid_from=on(-60, 9), valid_until=on(54, 18))
    entry = product(visit, "Plein tarif", "12.00")
    waiting = keep_waiting()
    order(story, story.mecavia, entry, 120, "online")
    give(story, entry, story.members[60:107], 2)
    twice_on_the_list(story, entry)
    told_others_long_ago(waiting)
    printed(entry, 74)
    checked(entry, 52)


PAST = [
    ("Jazz au fil de l’eau", "concert", -10, 24, 22),
    ("Deux-Rives – Montagne", "match", -17, 40, 33),
    ("Requiem de Fauré", "concert", -31, 30, 30),
    ("Les Précieuses ridicules", "theatre", -38, 16, 11),
    ("Une nuit au musée", "museum", -52, 12, 12),
]


def past_events(story: Story) -> None:
    """Outings of the season: who came, and who did not."""
    waiting = keep_waiting()
    for at, (name, kind, days, bought, came) in enumerate(PAST):
        began = now()
        shown = event(name, kind, auditorium(), starts_at=on(days))
        sold = product(shown, "Tarif unique", "20.00")
        order(story, story.mecavia, sold, bought, "phone")
        # While it is told, the event is still to come: nobody distributes a past one.
        Event.objects.filter(pk=shown.pk).update(valid_until=on(1))
        give(story, sold, story.members[at * 40 : at * 40 + bought - 2])
        told_others_long_ago(waiting)
        printed(sold, came)
        checked(sold, came)
        Event.objects.filter(pk=shown.pk).update(valid_until=shown.valid_until)
        back_in_time(-days, began)


def other_companies(story: Story) -> None:
    """A dozen companies; a relay of two of them who is also a member of a third."""
    names = ["Amicale Hôpital Saint-Luc", "CSE Rhône Textile", "CE Banque des Alpes", "Association des Postiers", "CSE Verrerie Morin",
             "Mairie de Bellecombe", "CSE TransAlpes", "COS Université Lumière"]  # fmt: skip
    ravel = Product.objects.get(event__name="Nuit Ravel")
    waiting = keep_waiting()
    for at, name in enumerate(names):
        company = Company.objects.create(name=name, kind="association" if "A" in name[:2] else "works_council")
        with transaction.atomic():
            first, last = person(400 + at)
            relay_address = INES if at == 0 else f"relais{at}@{'-'.join(folded(name).split())}.example"
            who = ("Inès", "Caron") if at == 0 else (first, last)
            authorise(story.staff, company, relay_address, *who)
            if at == 1:
                members_steps.add(company, first_name="Inès", last_name="Caron", email=INES)
        order(story, company, ravel, 10 + at, "online")
    told_others_long_ago(waiting)
