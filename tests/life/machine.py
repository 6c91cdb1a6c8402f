"""Any sequence of what people do to tickets, by the portal's own actions on PostgreSQL, beside the model of what should be.

Arguments are small numbers, each taken modulo how many choices there are: a sequence that Hypothesis has found can be
written down as it printed it, and played again without it.
"""

import uuid
from collections import Counter
from datetime import timedelta

from django.db.models import F
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from accounts.models import Seller
from control import actions as control_actions
from control.errors import CheckStays
from distribution import actions
from distribution.errors import CannotForward, CannotReclaim, NotEnoughTickets, NothingToPrint, TicketHasChanged, UndoTooLate
from distribution.models import Distribution
from outbox import actions as outbox_actions
from outbox.models import Delivery
from sales import actions as sales_actions
from tests import factories
from tests.life.model import HELD, Entry
from tests.life.watched import Watched, pick
from tickets import actions as tickets_actions
from tickets.barcode import encode, signer
from tickets.errors import EventIsCancelled, NoSeatsLeft, OrderNotOpen, QuotaExceeded, TicketIsChecked
from tickets.models import Event, Movement, Order, Ticket

SOME = st.integers(0, 11)
FEW = st.sampled_from([1, 1, 1, 2, 2, 3])
MANY = st.lists(SOME, min_size=1, max_size=3, unique=True)
YES = st.booleans()
# Mostly what may be done; sometimes anything at all, or from a page that is out of date.
HOW = st.sampled_from(["right", "right", "right", "wild", "stale"])
HOURS = timedelta(hours=2)


def enough(quantity: int, tickets: list[Entry]) -> int:
    """So many, or as many as there are."""
    return min(quantity, max(1, len(tickets)))


class Life(Watched):
    """What people may do, in any order."""

    @initialize(seen=YES, sent=YES)
    def something_has_happened_already(self, seen, sent) -> None:
        """The group and the club have bought; the group has forwarded to a site and given to three members, the site to one."""
        for company, product, quantity in ((0, 0, 6), (0, 1, 4), (4, 0, 2)):
            self.order(company, product, quantity)
        for what, to in ((0, [0]), (0, [3, 4]), (1, [0])):
            self.distribute(who=what, to=to, each=1, how="right")
        self.forward(who=0, to=0, quantity=2, how="right")
        self.distribute(who=2, to=[0], each=1, how="right")
        if seen:
            self.the_delay_to_undo_passes()
        if seen and sent:
            self.the_emails_leave()

    # What relays do

    @rule(who=SOME, to=MANY, each=FEW, how=HOW)
    def distribute(self, who, to, each, how) -> None:
        relay, product = self.who_has(self.model.here, who, how)
        stock = self.model.here(relay.company_id, product.pk)
        each = each if how == "wild" else enough(each, stock)
        members = list(dict.fromkeys(pick(self.world.members[relay.company_id], number) for number in to))
        members = members if how == "wild" else members[: enough(len(members), stock[::each])]
        gifts = [(member.pk, each, ()) for member in members]
        act = self.act(
            actions.distribute,
            NotEnoughTickets if len(stock) < each * len(members) else None,
            relay=relay,
            product=product,
            gifts=gifts,
            message="",
        )
        if act:
            moved = self.moved(act, "distributed")
            assert Counter(m.to_member_id for m in moved) == {member.pk: each for member in members}
            given = [self.take(m.ticket_id, stock) for m in moved]
            for movement, entry in zip(moved, given, strict=True):
                entry.member, entry.status, entry.act = movement.to_member_id, "distributed", act.pk
            self.model.announce(act.pk, given)
            self.given.append(act)

    @rule(which=SOME, how=HOW)
    def undo(self, which, how) -> None:
        if not self.given:
            return
        can_be = [act for act in self.given if act.pk not in self.late | self.undone]
        act = pick(can_be if can_be and how != "wild" else self.given, which)
        relay = next(r for r in self.world.relays if r.company_id == act.company_id)
        undone = self.once(lambda: actions.undo(relay=relay, distribution=act), UndoTooLate if act.pk in self.late else None)
        if undone and act.pk not in self.undone:
            self.undone.add(act.pk)
            for entry in self.model.tickets.values():
                if entry.act == act.pk and entry.status in HELD:
                    entry.come_back()
            self.model.call_off([letter for letter in self.model.letters if letter[0] == act.pk])

    @rule(who=SOME, to=SOME, quantity=FEW, how=HOW)
    def forward(self, who, to, quantity, how) -> None:
        relay, product = self.who_has(self.model.here, who, how)
        receivers = [c for c in self.world.companies if c.pk in self.world.receivers[relay.company_id]]
        other = pick(self.world.companies if how == "wild" else receivers or self.world.companies, to)
        stock = [t for t in self.model.here(relay.company_id, product.pk) if other.pk not in t.through]
        quantity = quantity if how == "wild" else enough(quantity, stock)
        allowed = other.pk in self.world.receivers[relay.company_id]
        act = self.act(
            actions.forward,
            CannotForward if not allowed else NotEnoughTickets if len(stock) < quantity else None,
            relay=relay,
            product=product,
            to=other,
            quantity=quantity,
            message="",
        )
        if act:
            moved = [self.take(m.ticket_id, stock) for m in self.moved(act, "forwarded")]
            assert len(moved) == quantity
            for entry in moved:
                entry.chain.append((entry.company, other.pk))
                entry.company = other.pk
            self.model.tell_relays("tickets_forwarded", [other.pk])

    @rule(who=SOME, names=st.integers(0, 2), more=st.integers(1, 2), how=HOW)
    def hand_over(self, who, names, more, how) -> None:
        relay, product = self.who_has(self.model.here, who, how)
        stock = self.model.here(relay.company_id, product.pk)
        names = names if how == "wild" else min(names, max(0, len(stock) - more))
        more = more if how == "wild" else enough(more, stock)
        written = [("Kofi", f"Mensah{n}") for n in range(names)]
        act = self.act(
            actions.hand_over,
            NotEnoughTickets if len(stock) < names + more else None,
            relay=relay,
            product=product,
            quantity=names + more,
            names=written,
        )
        if act:
            moved = [self.take(m.ticket_id, stock) for m in self.moved(act, "handed_over")]
            on_paper = {
                t.pk: (t.beneficiary_first_name, t.beneficiary_last_name) for t in Ticket.objects.filter(pk__in=[e.pk for e in moved])
            }
            assert sorted(on_paper.values()) == sorted([*written, *[("", "")] * more])
            for entry in moved:
                entry.status, entry.has_left, entry.name = "printed", True, on_paper[entry.pk]

    @rule(who=SOME, which=MANY, how=HOW)
    def reclaim(self, who, which, how) -> None:
        """What is not in the company's hands is refused."""
        relay, product = self.who_has(self.model.with_people, who, how)
        mine = self.model.with_people(relay.company_id, product.pk)
        seen = [t for t in self.model.tickets.values() if relay.company_id in t.through]
        if not (chosen := self.chosen(mine if how != "wild" and mine else seen, which)):
            return
        right = how != "stale" and all(t.company == relay.company_id and t.status in HELD for t in chosen)
        faces = {t.public_id: t.face for t in Ticket.objects.filter(pk__in=[t.pk for t in chosen])}
        shown = dict.fromkeys(faces, "another.face") if how == "stale" else faces
        if self.act(actions.reclaim, None if right else CannotReclaim, relay=relay, shown=shown):
            self.taken_back(chosen)

    @rule(who=SOME, other=SOME, quantity=FEW, how=HOW)
    def reclaim_from(self, who, other, quantity, how) -> None:
        relay, product = self.who_has(self.model.gone_down, who, how)
        mine = {c: self.model.reclaimable(relay.company_id, product.pk, c.pk, self.below) for c in self.world.companies}
        there = pick([c for c in mine if mine[c] and how != "wild"] or self.world.companies, other)
        possible = mine[there]
        quantity = quantity if how == "wild" else enough(quantity, possible)
        act = self.act(
            actions.reclaim_from,
            CannotReclaim if len(possible) < quantity else None,
            relay=relay,
            product=product,
            other=there,
            quantity=quantity,
        )
        if act:
            moved = [self.take(m.ticket_id, possible) for m in Movement.objects.filter(act=act.public_id).order_by("pk")]
            assert len(moved) == quantity
            waiting = sum(t.status == "available" for t in possible)
            assert sum(t.status == "available" for t in moved) == min(quantity, waiting), "those that nobody has come back first"
            self.taken_back(moved, to=relay.company_id)
            self.model.tell_relays("forward_reclaimed", [there.pk])

    @rule(who=SOME, which=MANY, how=HOW)
    def print_for_members(self, who, which, how) -> None:
        relay, product = self.who_has(self.model.with_people, who, how)
        mine = self.model.with_people(relay.company_id, product.pk)
        self.printing(lambda shown: actions.print_for_members(relay=relay, shown=shown), mine, which, how)

    # What members do

    @rule(who=SOME, which=MANY, how=HOW)
    def print_mine(self, who, which, how) -> None:
        user = self.who_holds(who, how)
        self.printing(lambda shown: actions.print_mine(user=user, shown=shown), self.model.held(user.email, *HELD), which, how)

    def printing(self, act, allowed: list[Entry], which, how) -> None:
        chosen = self.chosen(allowed if how != "wild" else list(self.model.tickets.values()), which)
        stale = how == "stale" and bool(chosen)
        shown = {self.public(t.pk): t.generation + stale for t in chosen}
        refusal = NothingToPrint if not chosen else TicketHasChanged if stale or not all(t in allowed for t in chosen) else None
        printed = self.expect(lambda: act(shown), refusal)
        if not refusal:
            assert sorted(printed) == sorted(t.pk for t in chosen)
            for entry in chosen:
                entry.status, entry.has_left = "printed", True
                if entry.member and entry.name == ("", ""):
                    entry.name = self.world.names[entry.member]

    @rule(who=SOME, which=SOME, name=st.integers(0, 2), how=HOW)
    def rename(self, who, which, name, how) -> None:
        user = self.who_holds(who, how)
        mine = self.model.held(user.email, *HELD)
        for entry in self.chosen(mine if how != "wild" else list(self.model.tickets.values()), [which]):
            written = {"first_name": "Adjoa", "last_name": f"Owusu{name}"}
            shown = {"ticket": self.public(entry.pk), "generation": entry.generation + (how == "stale")}
            refusal = None if entry in mine and how != "stale" else TicketHasChanged
            self.expect(lambda: actions.rename(user=user, **shown, **written), refusal)  # noqa: B023  (called at once)
            if not refusal and entry.name != tuple(written.values()):
                entry.renew()
                entry.name, entry.status = tuple(written.values()), "distributed"

    @rule(who=SOME, which=SOME, how=HOW)
    def give_back(self, who, which, how) -> None:
        user = self.who_holds(who, how)
        mine = self.model.held(user.email, *HELD)
        for entry in self.chosen(mine if how != "wild" else list(self.model.tickets.values()), [which]):
            call = {"user": user, "ticket": self.public(entry.pk), "generation": entry.generation + (how == "stale"), "message": ""}
            if self.act(actions.give_back, None if entry in mine and how != "stale" else TicketHasChanged, **call):
                entry.come_back()
                self.model.tell_relays("ticket_given_back", [entry.company])

    # What the seller's staff and the gate do

    @rule(who=SOME, what=SOME, quantity=FEW)
    def order(self, who, what, quantity) -> None:
        company, product = pick(self.world.companies, who), pick(self.world.products, what)
        draft = factories.order(company, product, quantity)
        free = self.model.seats.get(product.pk, quantity + sum(t.seat is not None for t in self.model.of(product.pk)))
        taken = sum(t.seat is not None for t in self.model.of(product.pk))
        refusal = QuotaExceeded if self.model.room(product.pk) < quantity else NoSeatsLeft if free - taken < quantity else None
        refusal = EventIsCancelled if product.pk in self.called_off else refusal
        if self.expect(lambda: sales_actions.confirm_order(order=draft.pk, by=self.world.staff), refusal):
            self.done.append((lambda: self.confirm_again(draft.pk), draft.pk))
            for t in Ticket.objects.filter(order_line__order=draft).order_by("pk"):
                self.model.tickets[t.pk] = Entry(t.pk, t.number, product.pk, draft.pk, company.pk, company.pk, t.seat_id)
            self.model.tell_relays("tickets_ready", [company.pk])

    def confirm_again(self, order: int) -> int:
        cancelled = Order.objects.get(pk=order).state == "cancelled"  # of a confirmed one the answer stays the same
        self.expect(lambda: sales_actions.confirm_order(order=order, by=self.world.staff), OrderNotOpen if cancelled else None)
        return order

    @rule(which=MANY)
    def cancel(self, which) -> None:
        chosen, key = self.chosen(list(self.model.tickets.values()), which), str(uuid.uuid4())
        keys = [t.pk for t in chosen]
        used = any(t.status == "checked" for t in chosen)
        self.cancelled(lambda: sales_actions.cancel_tickets(tickets=keys, by=self.world.staff, key=key), chosen, used)

    @rule(which=SOME)
    def cancel_order(self, which) -> None:
        orders = list(dict.fromkeys(t.order for t in self.model.tickets.values()))
        if not orders:
            return
        order = pick(orders, which)
        if Order.objects.get(pk=order).state == "cancelled":
            return
        chosen = [t for t in self.model.tickets.values() if t.order == order]
        used = any(t.status == "checked" for t in chosen)
        self.cancelled(lambda: sales_actions.cancel_order(order=order, by=self.world.staff), chosen, used)

    def cancelled(self, act, chosen: list[Entry], used: bool) -> None:
        standing = [t for t in chosen if t.status != "cancelled"]
        count = self.expect(act, TicketIsChecked if used else None)
        if used:
            return
        assert count == len(standing)
        self.done.append((act, 0))
        self.model.tell_relays("tickets_cancelled", [company for t in standing for company in t.through])
        self.model.tell_members("ticket_cancelled", [t for t in standing if t.seen])
        for entry in standing:
            entry.status = "cancelled"

    @rule(what=SOME, sure=st.integers(0, 3))
    def cancel_event(self, what, sure) -> None:
        """Seldom: nothing more happens to its tickets."""
        product = pick(self.world.products, what)
        if sure or product.pk in self.called_off:
            return
        self.called_off.add(product.pk)
        key = uuid.uuid4()
        self.once(lambda: sales_actions.cancel_event(event=product.event_id, by=self.world.staff, advice="", request_key=key))
        self.tell_of_change("event_cancelled", product.pk)
        for entry in self.model.of(product.pk):
            entry.status = "checked" if entry.status == "checked" else "cancelled"

    @rule(what=SOME)
    def move_event(self, what) -> None:
        """By a minute: the gates still admit."""
        product = pick(self.world.products, what)
        event = Event.objects.select_related("venue").get(pk=product.event_id)
        call = {"event": event.pk, "by": self.world.staff, "venue": event.venue, "advice": "", "request_key": uuid.uuid4()}
        call["times"] = event.times_around(event.anchor + timedelta(minutes=1), event.venue)
        self.once(lambda: sales_actions.move_event(**call), EventIsCancelled if product.pk in self.called_off else None)
        if product.pk not in self.called_off:
            self.tell_of_change("event_moved", product.pk)

    def tell_of_change(self, kind: str, product: int) -> None:
        """Each address once, as relay of a company that has some and as holder of what she has been shown."""
        tickets = self.model.of(product)
        addresses = {address for t in tickets for company in t.through for address in self.model.relays[company]}
        addresses |= {self.model.addresses[t.member] for t in tickets if t.member and t.seen} - {""}
        self.model.owed.update((kind, address) for address in addresses)

    @rule(which=SOME)
    def reissue(self, which) -> None:
        if not self.model.tickets:
            return
        entry = pick(list(self.model.tickets.values()), which)
        over = entry.status in ("checked", "cancelled")
        self.expect(lambda: tickets_actions.reissue_ticket(ticket=entry.pk, by=self.world.staff), TicketIsChecked if over else None)
        if not over:
            entry.generation, entry.has_left = entry.generation + 1, False
            entry.status = "distributed" if entry.member else "available"
            entry.name = entry.name if entry.member else ("", "")

    @rule(which=SOME, older=st.integers(0, 3), gate=SOME)
    def check(self, which, older, gate) -> None:
        """A code that exists: of the present print, or of an older one."""
        if not self.model.tickets:
            return
        entry = pick(list(self.model.tickets.values()), which)
        device = pick(self.world.devices, gate)
        ticket = Ticket.objects.get(pk=entry.pk)
        ticket.generation = max(0, entry.generation - older)
        code, client_id = encode(ticket, signer()), uuid.uuid4()
        right = self.model.verdict(entry, ticket.generation, device.gate.event_id == ticket.event_id)
        scan = self.once(lambda: control_actions.scan(device=device, code=code, client_id=client_id))
        assert scan.reason == right
        if not right:
            entry.status = "checked"
            self.admitted.append(scan)

    @rule(which=SOME)
    def take_a_check_back(self, which) -> None:
        """By the door manager: once, whatever is asked again, and not when the event is cancelled."""
        if not self.admitted:
            return
        scan = pick(self.admitted, which)
        entry, done_before = self.model.tickets[scan.ticket_id], scan.pk in self.unchecked
        stays = entry.product in self.called_off and not done_before
        self.once(lambda: control_actions.undo(scan=scan.pk), CheckStays if stays else None)
        if not stays and not done_before:
            self.unchecked.add(scan.pk)
            entry.status = "printed" if entry.has_left else "distributed"

    # What the clock, the mail and a second click do

    @rule()
    def the_delay_to_undo_passes(self) -> None:
        """What the tables say of it is moved back: nobody waits."""
        Ticket.objects.update(shown_from=F("shown_from") - HOURS)
        Distribution.objects.update(undo_until=F("undo_until") - HOURS)
        Delivery.objects.filter(state="pending").update(not_before=F("not_before") - HOURS)
        self.late |= {act.pk for act in self.given} - self.undone
        self.model.time_passes()

    @rule()
    def the_emails_leave(self) -> None:
        """Through the real mail server, each as it is written then."""
        outbox_actions.send_due()
        assert not Delivery.objects.filter(state__in=["failed", "sending", "unknown"]).exists()
        self.model.emails_leave()

    @rule(allowed=YES)
    def the_seller_lets_what_is_distributed_below_come_back(self, allowed) -> None:
        Seller.objects.update(reclaims_below=allowed)
        self.below = allowed

    @rule(which=SOME)
    def again(self, which) -> None:
        """The same request once more gets the same answer and moves nothing: the invariants look."""
        if self.done:
            act, answer = pick(self.done, which)
            assert act() == answer
