"""A second look at an address: nobody else of the company has one of its domain, or the domain is nearly another."""

from collections import Counter
from collections.abc import Collection, Iterable

from django.db.models import CharField, Count, F, Func, Value

from accounts.models import Company, Relay
from members.errors import UnfamiliarDomain
from members.models import Member
from members.people import Doubt, Person

ENOUGH = 5  # with fewer addresses a list is too young to say what is unusual on it
PROVIDERS = (
    *("aol.com", "bbox.fr", "club-internet.fr", "free.fr", "gmail.com", "gmx.fr", "hotmail.com", "hotmail.fr", "icloud.com"),
    *("laposte.net", "live.com", "live.fr", "msn.com", "neuf.fr", "numericable.fr", "orange.fr", "outlook.com", "outlook.fr"),
    *("proton.me", "protonmail.com", "sfr.fr", "wanadoo.fr", "yahoo.com", "yahoo.fr"),
)


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


class Domains:
    """The domains that a company's relays and members have, but for those `apart_from` whom the question is asked."""

    def __init__(self, company: Company, *, apart_from: Collection[int] = ()) -> None:
        bearers = Member.objects.ever_of(company).exclude(email="").exclude(pk__in=apart_from).order_by()
        domain = Func(F("email"), Value("@"), Value(-1), function="split_part", output_field=CharField())
        self.used = Counter(dict(bearers.values_list(domain).annotate(n=Count("pk"))))
        self.people = self.used.total()
        self.used.update({domain_of(address) for address in Relay.objects.filter(company=company).values_list("user__email", flat=True)})

    def doubt(self, address: str) -> Doubt | None:
        """What is to be looked at again in an address of somebody new, if anything is."""
        domain = domain_of(address)
        if not domain or domain in self.used:
            return None
        near = "" if domain in PROVIDERS else next((known for known in (*self.used, *PROVIDERS) if is_nearly(domain, known)), "")
        return Doubt(domain, near) if near or self.people >= ENOUGH else None


def is_nearly(domain: str, known: str) -> bool:
    """Whether one slip of the finger parts them, or only what stands after the first dot."""
    if domain.partition(".")[0] == known.partition(".")[0]:
        return True
    start = next((at for at, (one, other) in enumerate(zip(domain, known, strict=False)) if one != other), min(len(domain), len(known)))
    one, other = domain[start:], known[start:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other[1:] or one[1:] == other or one == other[1:]


def look_again(company: Company, address: str, *, said: str, apart_from: Collection[int] = ()) -> None:
    """UnfamiliarDomain for an address to be looked at again, unless the relay has `said` that its domain is right."""
    doubt = Domains(company, apart_from=apart_from).doubt(address) if address else None
    if doubt and doubt.domain != said:
        raise UnfamiliarDomain(doubt)


def look_through(people: Iterable[Person], company: Company) -> int:
    """Write on each row what is to be looked at again in the address that it brings; what several bring is familiar. How many."""
    bringing = [person for person in people if brings_an_address(person)]
    if not bringing:
        return 0
    domains = Domains(company)
    brought = Counter(domain_of(address) for address in {person.email for person in bringing})
    domains.people += brought.total()
    for person in bringing:
        doubt = domains.doubt(person.email)
        person.doubt = doubt if doubt and (doubt.near or brought[doubt.domain] == 1) else None
    return sum(person.doubt is not None for person in bringing)


def brings_an_address(person: Person) -> bool:
    return bool(person.email) and not person.error and (person.member is None or person.member.email != person.email)
