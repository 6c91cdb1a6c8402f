"""Which two entries of a company's list may be one person: said to the relay, who alone decides."""

from difflib import SequenceMatcher
from itertools import combinations, groupby

from django.db.models import Count

from accounts.models import Company
from members.models import Member

ALIKE = 0.9  # of two names: one letter wrong in ten


def pairs(company: Company) -> list[tuple[Member, Member]]:
    """People of the same name, then people of one address whose names are alike; in two queries."""
    everyone = Member.objects.of(company)
    keys = everyone.order_by().values("sort_key").annotate(n=Count("pk")).filter(n__gt=1).values("sort_key")
    found = []
    for _key, rows in groupby(everyone.filter(sort_key__in=keys).order_by("sort_key", "-email", "pk"), key=lambda m: m.sort_key):
        first, *others = rows
        found += [(first, other) for other in others]
    shared = everyone.exclude(email="").order_by().values("email").annotate(n=Count("pk")).filter(n__gt=1).values("email")
    for _email, rows in groupby(everyone.filter(email__in=shared).order_by("email", "pk"), key=lambda m: m.email):
        found += [(one, other) for one, other in combinations(list(rows)[:20], 2) if alike(one, other)]
    return found


def alike(one: Member, other: Member) -> bool:
    """Two spellings of one name: the words in another order, some left out, or a letter wrong."""
    a, b = sorted(one.sort_key.split()), sorted(other.sort_key.split())
    return set(a) <= set(b) or set(b) <= set(a) or SequenceMatcher(None, " ".join(a), " ".join(b)).ratio() > ALIKE
