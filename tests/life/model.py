"""What should be, in memory: the rules of DESIGN.md on plain objects, without the portal's code or a database.

Companies, members, products, orders and tickets are the keys of their rows; addresses are texts.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

GIVEN = ("distributed", "printed", "checked")
HELD = ("distributed", "printed")


@dataclass
class Entry:
    """One ticket."""

    pk: int
    number: int
    product: int
    order: int
    bought_by: int
    company: int
    seat: int | None = None
    chain: list[tuple[int, int]] = field(default_factory=list)  # its forwards, level after level
    status: str = "available"
    member: int | None = None
    name: tuple[str, str] = ("", "")
    generation: int = 0
    has_left: bool = False  # the current barcode was printed or shown
    act: int | None = None  # that gave it to whoever holds it
    letter: tuple | None = None  # (act, address): the email that announces it to her
    seen: bool = False  # its holder may see it: the delay to undo is over

    @property
    def row(self) -> tuple:
        return (self.company, self.status, self.member, self.name, self.generation, self.has_left, self.member is not None and self.seen)

    @property
    def through(self) -> list[int]:
        """The companies that have had it on its present way down."""
        return [self.bought_by, *(to for _, to in self.chain)]

    def renew(self) -> None:
        self.generation += self.has_left
        self.has_left = False

    def come_back(self, to: int | None = None) -> None:
        """To whoever holds the stock, or to a company above."""
        self.renew()
        self.status, self.member, self.name, self.letter, self.seen = "available", None, ("", ""), None, False
        self.act = None
        if to is not None:
            self.chain = self.chain[: [source for source, _ in self.chain].index(to)]
            self.company = to


@dataclass
class Model:
    """`relays` by company, `addresses` by member; quotas and seats by product."""

    relays: dict[int, list[str]]
    addresses: dict[int, str]
    quota: dict[int, int]
    seats: dict[int, int]
    tickets: dict[int, Entry] = field(default_factory=dict)
    letters: dict[tuple, str] = field(default_factory=dict)  # (act, address): waiting, due, sent or off
    owed: Counter = field(default_factory=Counter)  # every email ever owed: (kind, address)

    # Reading

    def of(self, product: int) -> list[Entry]:
        return [t for t in self.tickets.values() if t.product == product and t.status != "cancelled"]

    def here(self, company: int, product: int) -> list[Entry]:
        """What the company can distribute or forward."""
        return [t for t in self.of(product) if t.company == company and t.status == "available"]

    def with_people(self, company: int, product: int) -> list[Entry]:
        """What the company has given, on paper or not, and nobody has used."""
        return [t for t in self.of(product) if t.company == company and t.status in HELD]

    def gone_down(self, company: int, product: int) -> list[Entry]:
        """What the company has forwarded."""
        return [t for t in self.of(product) if company in [source for source, _ in t.chain]]

    def held(self, address: str, *states: str) -> list[Entry]:
        """What whoever proves the address may see."""
        return [t for t in self.tickets.values() if t.member and self.addresses[t.member] == address and t.seen and t.status in states]

    def in_sight(self, company: int) -> set[int]:
        return {t.pk for t in self.tickets.values() if company in t.through}

    def reclaimable(self, company: int, product: int, other: int, below: bool) -> list[Entry]:
        """What the company may take back from another that it went to."""
        states = ("available", *HELD) if below else ("available",)
        mine = [t for t in self.gone_down(company, product) if t.status in states]
        return [t for t in mine if other in [to for _, to in t.chain]]

    def figures(self, company: int, product: int) -> dict[str, int]:
        mine = [t for t in self.of(product) if company in t.through]
        return {
            "bought": sum(t.bought_by == company for t in mine),
            "received": sum(t.bought_by != company for t in mine),
            "distributed": sum(t.status in GIVEN for t in mine),
            "printed": sum(t.status in ("printed", "checked") and t.has_left for t in mine),
            "checked": sum(t.status == "checked" for t in mine),
            "left": sum(t.status == "available" and t.company == company for t in mine),
            "unused": 0,
        }

    def tree(self, company: int, product: int) -> dict:
        """{company: (waiting, given, the same for those below)} of what this one forwarded."""
        roots: dict = {}
        for t in self.of(product):
            if company in [source for source, _ in t.chain]:
                path, level, node = t.through[t.through.index(company) + 1 :], roots, None
                for step in path:
                    node = level.setdefault(step, [0, 0, {}])
                    level = node[2]
                node[0] += t.status == "available"
                node[1] += t.status in GIVEN
        return frozen(roots)

    def verdict(self, entry: Entry, generation: int, at_its_event: bool) -> str:
        """What the gate says of a code of this generation; nothing is "come in"."""
        if not at_its_event:
            return "other_event"
        if entry.status == "cancelled":
            return "cancelled"
        if generation != entry.generation:
            return "replaced"
        if entry.status == "checked":
            return "already_checked"
        return "" if entry.status in HELD else "not_distributed"

    def room(self, product: int) -> int:
        """How many more the quota lets be issued."""
        return self.quota[product] - len(self.of(product))

    # Emails

    def tell_relays(self, kind: str, companies: Iterable[int]) -> None:
        self.owed.update((kind, address) for company in set(companies) for address in self.relays[company])

    def tell_members(self, kind: str, entries: Iterable[Entry]) -> None:
        addresses = {self.addresses[t.member] for t in entries if t.member}
        self.owed.update((kind, address) for address in addresses if address)

    def announce(self, act: int, entries: Iterable[Entry]) -> None:
        """Each address gets one email for the act, when the delay to undo is over."""
        for t in entries:
            address = self.addresses[t.member]
            t.letter = (act, address) if address else None
            if t.letter and t.letter not in self.letters:
                self.letters[t.letter] = "waiting"
                self.owed["tickets_distributed", address] += 1

    def call_off(self, letters: Iterable[tuple]) -> set[tuple]:
        """Those of these emails that had not left: they never will."""
        off = {letter for letter in letters if self.letters.get(letter) in ("waiting", "due")}
        self.letters |= dict.fromkeys(off, "off")
        return off

    def time_passes(self) -> None:
        for t in self.tickets.values():
            t.seen = t.seen or t.member is not None
        self.letters |= {letter: "due" for letter, state in self.letters.items() if state == "waiting"}

    def emails_leave(self) -> None:
        """Those that are due, save what announces nothing any more."""
        announced = {t.letter for t in self.tickets.values() if t.status != "cancelled"}
        self.letters |= {letter: "sent" if letter in announced else "off" for letter, state in self.letters.items() if state == "due"}

    def take_back(self, entries: list[Entry], to: int | None = None) -> None:
        """Reclaim. Whoever has seen a ticket, and was told of it, is told; what nobody has seen is undone without a word."""
        before, acts = [(t, t.letter, t.seen, t.member) for t in entries], {t.act for t in entries}
        for t in entries:
            t.come_back(to)
        announced = {t.letter for t in self.tickets.values() if t.status != "cancelled"}
        empty = {letter for letter in self.letters if letter[0] in acts and letter not in announced}
        off = self.call_off(empty)
        addresses = {self.addresses[member] for _, letter, seen, member in before if member and seen and letter not in off}
        self.owed.update(("tickets_reclaimed", address) for address in addresses if address)


def frozen(level: dict) -> dict:
    return {company: (waiting, given, frozen(below)) for company, (waiting, given, below) in level.items()}
