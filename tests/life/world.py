"""Where every sequence starts: a group of companies with relays and members, two products and their gates."""

from dataclasses import dataclass

from accounts.models import Company, Relay, User
from control.models import Device
from members.models import Member
from tests import factories
from tests.life.model import Model
from tickets.models import Product, Seat

FAMILY = "famille@exemple.fr"


@dataclass
class World:
    companies: list[Company]
    relays: list[Relay]
    members: dict[int, list[Member]]
    products: list[Product]
    devices: list[Device]
    users: list[User]
    staff: User
    receivers: dict[int, set[int]]
    seats: dict[int, int]

    @property
    def names(self) -> dict[int, tuple[str, str]]:
        return {m.pk: (m.first_name, m.last_name) for members in self.members.values() for m in members}

    def relay_of(self, company: Company) -> Relay:
        return next(r for r in self.relays if r.company_id == company.pk)

    def model(self) -> Model:
        everybody = [m for members in self.members.values() for m in members]
        return Model(
            relays={c.pk: [r.user.email for r in self.relays if r.company_id == c.pk] for c in self.companies},
            addresses={m.pk: m.email for m in everybody},
            quota={p.pk: p.quota for p in self.products},
            seats=self.seats,
        )


def make() -> World:
    """A group over two sites, one of them over a workshop; a club that is a partner of the group, of a site and of the workshop.

    A family shares an address across two companies; one member has none; one site has two relays.
    """
    factories.SellerFactory(undo_seconds=3600)
    factories.signing_key()
    group = factories.CompanyFactory(name="Groupe")
    lyon, paris = (factories.CompanyFactory(name=name, parent=group) for name in ("Lyon", "Paris"))
    workshop = factories.CompanyFactory(name="Atelier", parent=lyon)
    club = factories.CompanyFactory(name="Amicale")
    for partner in (group, lyon, workshop):
        club.partners.add(partner)
    companies = [group, lyon, paris, workshop, club]
    relays = [factories.RelayFactory(company=company) for company in [*companies, lyon]]
    members = {company.pk: factories.MemberFactory.create_batch(2, company=company) for company in companies}
    members[group.pk].append(factories.MemberFactory(company=group, email=""))
    for company in (group, lyon):
        members[company.pk].append(factories.MemberFactory(company=company, first_name="Kofi", email=FAMILY))
        members[company.pk].append(factories.MemberFactory(company=company, first_name="Adjoa", email=FAMILY))
    free = factories.ProductFactory(quota=12)
    numbered = factories.ProductFactory(quota=8, numbered=True)
    Seat.objects.bulk_create(Seat(event=numbered.event, row="A", number=str(n), place_in_row=n) for n in range(1, 8))
    down = {c.pk: {child.pk for child in companies if child.parent_id == c.pk} for c in companies}
    sideways = {c.pk: set(c.partners.values_list("pk", flat=True)) for c in companies}
    addresses = sorted({m.email for of in members.values() for m in of if m.email})
    return World(
        companies=companies,
        relays=relays,
        members=members,
        products=[free, numbered],
        devices=[factories.DeviceFactory(gate__event=p.event) for p in (free, numbered)],
        users=[factories.login(address) for address in addresses],
        staff=factories.UserFactory(is_staff=True),
        receivers={c.pk: down[c.pk] | sideways[c.pk] for c in companies},
        seats={numbered.pk: 7},
    )
