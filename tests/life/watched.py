"""What surrounds each sequence: the transaction that it is undone with, what must hold after each step, how a rule asks."""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from itertools import zip_longest

import pytest
from django.db import connection, transaction
from hypothesis.stateful import RuleBasedStateMachine, invariant

from accounts.models import Relay, User
from control.models import Scan
from distribution.actions.forward import reclaimable_from
from distribution.models import Distribution
from outbox.models import Delivery
from portal.clock import now
from tests import factories
from tests.life.model import HELD, Entry, Model
from tests.life.world import World
from tickets.models import Forward, Movement, Product, Ticket
from tickets.stock import Branch, Figures, stock_of, tree


def pick(choices, number: int):
    return choices[number % len(choices)]


class Watched(RuleBasedStateMachine):
    """One sequence, in a transaction that is rolled back: the world it starts from is made once."""

    world: World
    patience = 1  # what people see is looked at after so many steps

    def __init__(self) -> None:
        super().__init__()
        self.sequence = transaction.atomic()
        self.sequence._from_testcase = True  # as Django's own TestCase: durable actions may run in it
        self.sequence.__enter__()
        self.model: Model = self.world.model()
        self.done: list[tuple[Callable, object]] = []  # acts that may be asked for again, with what they answered
        self.given: list[Distribution] = []
        self.undone: set[int] = set()
        self.late: set[int] = set()  # given too long ago to be undone
        self.below = False
        self.called_off: set[int] = set()  # products whose event is cancelled
        self.admitted: list[Scan] = []
        self.unchecked: set[int] = set()  # admissions that the door manager took back
        self.steps = 0

    def teardown(self) -> None:
        try:
            for company, user in zip_longest(self.world.companies, self.world.users):
                self.look(company or self.world.companies[0], user or self.world.users[0])
            with connection.cursor() as cursor:
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        finally:
            transaction.set_rollback(True)
            self.sequence.__exit__(None, None, None)

    # What must hold after each

    @invariant()
    def every_ticket_is_where_the_model_says(self) -> None:
        past = now()
        rows = {}
        for t in Ticket.objects.all():
            name, seen = (t.beneficiary_first_name, t.beneficiary_last_name), bool(t.shown_from and t.shown_from <= past)
            has_left = t.printed_generation == t.generation
            rows[t.pk] = (t.company_id, t.status, t.member_id, name, t.generation, has_left, t.member_id is not None and seen)
        assert rows == {t.pk: t.row for t in self.model.tickets.values()}
        chains: dict[int, list] = {}
        for forward in Forward.objects.order_by("ticket", "level"):
            chains.setdefault(forward.ticket_id, []).append((forward.from_company_id, forward.to_company_id))
            assert forward.level == len(chains[forward.ticket_id])
        assert chains == {t.pk: t.chain for t in self.model.tickets.values() if t.chain}
        assert sorted(t.number for t in self.model.tickets.values()) == list(range(1, len(rows) + 1))
        factories.assert_conserved()

    @invariant()
    def what_people_see_follows(self) -> None:
        """Read from the same rows: one company and one person at a time, in turn, and all of them at the end."""
        self.steps += 1
        if self.steps % self.patience == 0:
            self.look(pick(self.world.companies, self.steps), pick(self.world.users, self.steps))

    def look(self, company, user) -> None:
        stock = stock_of(company)
        for product in self.world.products:
            right = self.model.figures(company.pk, product.pk)
            assert asdict(stock.get(product.pk, Figures())) == right, (company, product)
            assert frozen(tree(company, product)) == self.model.tree(company.pk, product.pk), (company, product)
            for other in self.world.companies:
                right = {t.pk for t in self.model.reclaimable(company.pk, product.pk, other.pk, self.below)}
                if right or other.pk in self.world.receivers[company.pk]:
                    assert set(reclaimable_from(company, product, other).values_list("pk", flat=True)) == right, (company, product, other)
        seen = Ticket.objects.in_sight_of(self.world.relay_of(company)).values_list("pk", flat=True)
        assert set(seen) == self.model.in_sight(company.pk), company
        mine = self.model.held(user.email, *HELD, "checked", "cancelled")
        assert set(Ticket.objects.given_to(user).values_list("pk", flat=True)) == {t.pk for t in mine}, user

    @invariant()
    def nobody_is_told_twice_or_not_at_all(self) -> None:
        assert Counter(Delivery.objects.values_list("kind", "recipient")) == self.model.owed
        waiting = Delivery.objects.filter(kind="tickets_distributed").can_be_called_off().values_list("recipient", flat=True)
        expected = [address for (_, address), state in self.model.letters.items() if state in ("waiting", "due")]
        assert Counter(waiting) == Counter(expected), (Counter(waiting), Counter(expected))

    def every_invariant(self) -> None:
        self.every_ticket_is_where_the_model_says()
        self.what_people_see_follows()
        self.nobody_is_told_twice_or_not_at_all()

    # Who acts

    def who_has(self, tickets: Callable[[int, int], list[Entry]], number: int, how: str) -> tuple[Relay, Product]:
        """A relay and a product of which her company has such tickets, unless anything goes."""
        pairs = [(relay, product) for relay in self.world.relays for product in self.world.products]
        able = [(relay, product) for relay, product in pairs if tickets(relay.company_id, product.pk)]
        return pick(able if able and how != "wild" else pairs, number)

    def who_holds(self, number: int, how: str) -> User:
        """Somebody who sees tickets in her space, unless anything goes."""
        able = [user for user in self.world.users if self.model.held(user.email, *HELD)]
        return pick(able if able and how != "wild" else self.world.users, number)

    # How a rule asks

    def act(self, action: Callable, refusal: type[Exception] | None, **call):
        """The act, with a request key of its own; it may be asked for again."""
        call["request_key"] = uuid.uuid4()
        return self.once(lambda: action(**call), refusal)

    def once(self, act: Callable, refusal: type[Exception] | None = None):
        answer = self.expect(act, refusal)
        if refusal is None:
            self.done.append((act, answer))
        return answer

    @staticmethod
    def expect(act: Callable, refusal: type[Exception] | None):
        """Its answer; nothing when it is refused as it should be."""
        if refusal is None:
            return act()
        with pytest.raises(refusal):
            act()
        return None

    @staticmethod
    def moved(act: Distribution, kind: str) -> list[Movement]:
        return list(Movement.objects.filter(act=act.public_id, kind=kind).order_by("pk"))

    def taken_back(self, tickets: list[Entry], to: int | None = None) -> None:
        """By a reclaim: what its holder has not seen yet is undone, and she never hears of it."""
        kinds = {t.pk: "undone" if t.member and not t.seen else "reclaimed" for t in tickets}
        last = Movement.objects.filter(ticket__in=kinds).order_by("ticket_id", "-pk").distinct("ticket_id")
        assert dict(last.values_list("ticket", "kind")) == kinds
        self.model.take_back(tickets, to=to)

    def take(self, pk: int, among: list[Entry]) -> Entry:
        """The ticket that was moved: the portal chooses which, among those that may be."""
        entry = self.model.tickets[pk]
        assert entry in among
        return entry

    @staticmethod
    def chosen(among: list[Entry], which: list[int]) -> list[Entry]:
        return list({t.pk: t for t in (pick(among, number) for number in which)}.values()) if among else []

    @staticmethod
    def public(pk: int) -> uuid.UUID:
        return Ticket.objects.values_list("public_id", flat=True).get(pk=pk)


def frozen(branches: list[Branch]) -> dict:
    return {branch.company.pk: (branch.waiting, branch.given, frozen(branch.branches)) for branch in branches}
