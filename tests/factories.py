"""The smallest valid rows, and how to bring a ticket to a state: by the portal's own steps."""

import uuid
from datetime import timedelta
from decimal import Decimal

import factory
from django.db import connection, transaction
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts import steps as accounts_steps
from accounts.models import Company, Relay, Seller, User
from control.models import Device, Gate
from control.tokens import hashed
from members import steps as members_steps
from members.models import Group, Member
from outbox.models import Delivery
from portal.text import folded
from sales import actions as sales_actions
from sales.models import Account, Listing, Payment
from sales.steps import ledger, orders
from tickets import actions as tickets_actions
from tickets import steps as tickets_steps
from tickets.models import Event, Movement, Order, OrderLine, Product, SigningKey, Ticket, Venue


class SellerFactory(DjangoModelFactory):
    class Meta:
        model = Seller

    name = "Billetterie des Quais"
    undo_seconds = 30


class CompanyFactory(DjangoModelFactory):
    class Meta:
        model = Company

    name = factory.Sequence(lambda n: f"CSE {n}")


def login(address: str, **fields) -> User:
    with transaction.atomic():
        accounts_steps.logins_for([address])
    User.objects.filter(email=address).update(**fields)
    return User.objects.get(email=address)


class UserFactory(DjangoModelFactory):
    class Meta:
        model = User

    email = factory.Sequence(lambda n: f"personne{n}@exemple.fr")

    @classmethod
    def _create(cls, model_class, *args, email, **fields):
        return login(email, **fields)


class RelayFactory(DjangoModelFactory):
    class Meta:
        model = Relay

    user = factory.SubFactory(UserFactory)
    company = factory.SubFactory(CompanyFactory)
    first_name = "Samia"
    last_name = factory.Sequence(lambda n: f"Belkacem{n}")


class MemberFactory(DjangoModelFactory):
    class Meta:
        model = Member

    company = factory.SubFactory(CompanyFactory)
    first_name = "Zoé"
    last_name = factory.Sequence(lambda n: f"Lefèvre{n}")
    email = factory.Sequence(lambda n: f"zoe{n}@exemple.fr")

    @classmethod
    def _create(cls, model_class, *args, company, **fields):
        namesakes = Member.objects.of(company).filter(sort_key=folded(f"{fields['last_name']} {fields['first_name']}")).count()
        with transaction.atomic():
            return members_steps.add(company, **fields, shares_address=True, namesakes=namesakes)


class GroupFactory(DjangoModelFactory):
    class Meta:
        model = Group

    company = factory.SubFactory(CompanyFactory)
    name = factory.Sequence(lambda n: f"Atelier {n}")


class VenueFactory(DjangoModelFactory):
    class Meta:
        model = Venue

    name = "Auditorium"
    address = "12, quai des Orchestres, 69003 Lyon"


class EventFactory(DjangoModelFactory):
    class Meta:
        model = Event

    name = "Nuit Ravel"
    venue = factory.SubFactory(VenueFactory)
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = Product

    event = factory.SubFactory(EventFactory)
    category = "1re catégorie"
    price = Decimal("38.00")
    vat_rate = Decimal("5.50")
    quota = 10_000


class GateFactory(DjangoModelFactory):
    class Meta:
        model = Gate

    event = factory.SubFactory(EventFactory)
    name = factory.Sequence(lambda n: f"Porte {n}")


class DeviceFactory(DjangoModelFactory):
    class Meta:
        model = Device

    class Params:
        token = factory.LazyFunction(lambda: uuid.uuid4().hex)

    gate = factory.SubFactory(GateFactory)
    name = "Douchette"
    token_hash = factory.LazyAttribute(lambda device: hashed(device.token))


def signing_key() -> SigningKey:
    """The public half of the key in the settings, registered as staff would."""
    return tickets_actions.register_signing_key()


def order(company: Company, product: Product, quantity: int, channel: str = "phone") -> Order:
    """A draft."""
    made = Order.objects.create(company=company, channel=channel)
    OrderLine.objects.create(order=made, product=product, quantity=quantity, unit_price=product.price, vat_rate=product.vat_rate)
    return made


def stock(company: Company, quantity: int, product: Product | None = None, channel: str = "phone") -> Product:
    """Tickets issued to a company by a confirmed order."""
    product = product or ProductFactory()
    sales_actions.confirm_order(order=order(company, product, quantity, channel).pk, by=None)
    return product


def given(member: Member, product: Product, quantity: int = 1, *, by: User) -> list[Ticket]:
    """Tickets in a member's hands, already shown to her."""
    with transaction.atomic():
        stock = Ticket.objects.filter(product=product).left_to_distribute(member.company).order_by("pk")
        tickets = list(stock.select_for_update(of=("self",))[:quantity])
        assert len(tickets) == quantity
        ago = timezone.now() - timedelta(minutes=5)
        tickets_steps.distribute([(ticket, member) for ticket in tickets], by=by, shown_from=ago, act=uuid.uuid4())
    return list(Ticket.objects.filter(pk__in=[t.pk for t in tickets]).order_by("pk"))


def stock_came(at) -> None:
    """As if every ticket had come to the company that holds it at this instant: movements are kept, so their trigger sleeps."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE tickets_movement SET at = %s WHERE kind IN ('issued', 'forwarded')", [at])
        cursor.execute("SET LOCAL session_replication_role = origin")


def shown(*tickets: Ticket) -> dict:
    """Tickets as a page that is read now shows them."""
    return {ticket.public_id: ticket.face for ticket in Ticket.objects.filter(pk__in=[t.pk for t in tickets])}


def owed():
    """The emails owed, save those that told a relay of her order."""
    return Delivery.objects.exclude(kind="tickets_ready").order_by("created_at")


def printed(tickets: list[Ticket]) -> list[Ticket]:
    with transaction.atomic():
        keys = [t.pk for t in tickets]
        tickets_steps.mark_printed(list(Ticket.objects.filter(pk__in=keys).select_related("member").order_by("pk")), by=None)
    return list(Ticket.objects.filter(pk__in=keys).order_by("pk"))


def replay(movements: list[Movement]) -> dict:
    """The state that a ticket's movements lead to, in order of id."""
    state: dict = {"company": None, "member": None, "status": None, "generation": 0}
    for m in movements:
        match m.kind:
            case "issued":
                state |= {"company": m.to_company_id, "status": "available"}
            case "distributed":
                state |= {"member": m.to_member_id, "status": "distributed"}
            case "merged":
                state |= {"member": m.to_member_id}
            case "forwarded":
                state |= {"company": m.to_company_id}
            case "printed" | "handed_over":
                state |= {"status": "printed"}
            case "renamed":
                state |= {"status": "distributed"}
            case "reclaimed" | "undone" | "given_back":
                state |= {"member": None, "status": "available", "company": m.to_company_id or state["company"]}
            case "reissued":
                state |= {"status": "distributed" if state["member"] else "available"}
            case "unchecked":
                state |= {"status": state["before"]}
            case "checked" | "cancelled":
                state |= {"before": state["status"]}
                state |= {"status": m.kind}
        state["generation"] = m.generation
    return {name: state[name] for name in ("company", "member", "status", "generation")}


def assert_conserved() -> None:
    """For every ticket, today's row is what its movements say; none is lost, none was made twice."""
    movements: dict[int, list[Movement]] = {}
    for m in Movement.objects.order_by("pk"):
        movements.setdefault(m.ticket_id, []).append(m)
    tickets = list(Ticket.objects.all())
    assert {t.pk for t in tickets} == set(movements)
    for t in tickets:
        row = {"company": t.company_id, "member": t.member_id, "status": t.status, "generation": t.generation}
        assert replay(movements[t.pk]) == row, f"ticket {t.number}: {replay(movements[t.pk])} != {row}"


def account(company: Company, **fields) -> Account:
    """The company's account: a credit of 10,000 euros unless said otherwise."""
    return Account.objects.create(company=company, **{"limit": Decimal(10_000)} | fields)


def listing(product: Product, **fields) -> Listing:
    """The product on sale to every company, unless said otherwise."""
    return Listing.objects.create(product=product, **fields)


def pay(company: Company, amount, *, by: User | None = None) -> Payment:
    """A transfer recorded by staff, with the tickets of orders that it pays."""
    with transaction.atomic():
        held = ledger.lock_account(company)
        by = by or UserFactory(is_staff=True)
        payment = Payment(account=held, amount=Decimal(amount), received_on=timezone.localdate(), recorded_by=by)
        ledger.receive(payment, order=None, at=timezone.now())
        orders.release_paid(held, by=by)
    return payment


WRONG_MONEY = {
    "a posting does not balance": "SELECT posting_id, sum(amount) FROM sales_entry GROUP BY 1 HAVING sum(amount) <> 0",
    "an order does not come to what stands of it": """
        SELECT id, stands, posted FROM (SELECT o.id,
            coalesce((SELECT sum(e.amount) FROM sales_entry e JOIN sales_posting p ON p.id = e.posting_id
                WHERE p.order_id = o.id AND e.ledger = 'customer'), 0) posted,
            (SELECT coalesce(sum(l.unit_price * CASE WHEN o.state = 'awaiting' AND e.cancelled_at IS NULL THEN l.quantity ELSE
                (SELECT count(*) FROM tickets_ticket t WHERE t.order_line_id = l.id AND t.status <> 'cancelled') END), 0)
                FROM tickets_orderline l JOIN tickets_product p ON p.id = l.product_id JOIN tickets_event e ON e.id = p.event_id
                WHERE l.order_id = o.id) stands
        FROM tickets_order o WHERE o.state <> 'draft') AS sums WHERE stands <> posted""",
    "an account owes more than its limit": """
        SELECT a.id, sum(e.amount) FROM sales_account a JOIN sales_posting p ON p.account_id = a.id
        JOIN sales_entry e ON e.posting_id = p.id AND e.ledger = 'customer' GROUP BY a.id HAVING sum(e.amount) > a.limit""",
}


def assert_balanced() -> None:
    """Every posting sums to zero; each order comes to what stands of it; no account owes more than its limit."""
    with connection.cursor() as cursor:
        for wrong, query in WRONG_MONEY.items():
            cursor.execute(query)
            assert not (rows := cursor.fetchall()), f"{wrong}: {rows}"


def assert_within_quotas() -> None:
    """Invariant 4, for every product: issued and not cancelled, awaited and on live option never pass the quota."""
    for product, free in orders.free_of(list(Product.objects.all())).items():
        assert free >= 0, f"product {product} is oversold by {-free}"
