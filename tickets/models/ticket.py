import uuid
from datetime import datetime
from hashlib import blake2b

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, When
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Relay, User
from members.models import Member
from tickets.models.catalogue import Event, Product, Seat
from tickets.models.order import OrderLine


class TicketQuerySet(models.QuerySet):
    def in_sight_of(self, relay: Relay):
        """What the relay's company bought or received, wherever it is now."""
        received = Forward.objects.filter(to_company=relay.company_id).values("ticket")
        return self.filter(Q(bought_by=relay.company_id) | Q(pk__in=received))

    def given_to(self, user: User):
        """What the members who bear this person's address hold, once the relay can no longer undo it."""
        return self.filter(member__email=user.email, shown_from__lte=Now()).exclude(status=Ticket.Status.AVAILABLE)

    def standing(self):
        """Not cancelled: cancelled tickets count nowhere."""
        return self.exclude(status=Ticket.Status.CANCELLED)

    def left_to_distribute(self, company: Company):
        """In the company's hands, not yet distributed, for an event still to come."""
        return self.filter(company=company, status=Ticket.Status.AVAILABLE, event__valid_until__gt=Now())

    def to_come(self):
        """For an event that is not over."""
        return self.filter(event__valid_until__gt=Now())

    def held_to_come(self):
        """In a member's hands, to be used at an event that is not over."""
        return self.to_come().filter(status__in=["distributed", "printed"], member__isnull=False)

    def not_through(self, company: Company):
        """Tickets that this company never had on their present way down: only those may be forwarded to it."""
        return self.exclude(bought_by=company).exclude(forwards__to_company=company)

    def forwarded_by(self, company: Company):
        """Tickets that the company forwarded, wherever below it they are now."""
        return self.filter(Exists(Forward.objects.filter(ticket=OuterRef("pk"), from_company=company)))

    def gone_through(self, company: Company):
        """Tickets that the company received, wherever below it they are now."""
        return self.filter(Exists(Forward.objects.filter(ticket=OuterRef("pk"), to_company=company)))

    def stranded(self):
        """Waiting, for an event to come, at a company for which nobody can act any more."""
        able = Relay.objects.authorised().seeing_tickets().filter(company=OuterRef("company"))
        return self.filter(~Exists(able), status=Ticket.Status.AVAILABLE, event__valid_until__gt=Now())

    def with_gift(self):
        """Each with the act (`given_by`) and the member (`given_to`) of its last distribution: given again, it is the later act's."""
        given = Movement.objects.filter(ticket=OuterRef("pk"), kind="distributed").order_by("-pk")
        return self.annotate(given_by=Subquery(given.values("act")[:1]), given_to=Subquery(given.values("to_member")[:1]))

    def for_list(self):
        """Everything that a ticket's row shows, in one query."""
        return self.select_related("event__venue", "product", "member", "seat", "company")

    def for_print(self):
        """Everything that its PDF shows, in one query."""
        return self.select_related("event__venue", "product", "member", "seat", "bought_by", "company", "order_line__order")

    def given_in(self, act: uuid.UUID):
        """What this act put in somebody's hands and no later one took back or gave anew."""
        giving = Movement.objects.filter(kind__in=[Movement.Kind.DISTRIBUTED, Movement.Kind.HANDED_OVER])
        last = giving.filter(ticket=OuterRef("pk")).order_by("-pk").values("act")[:1]
        held = self.filter(status__in=[Ticket.Status.DISTRIBUTED, Ticket.Status.PRINTED, Ticket.Status.CHECKED])
        return held.filter(pk__in=giving.filter(act=act).values("ticket")).alias(last_act=Subquery(last)).filter(last_act=act)

    def with_last_movement(self):
        """Each with the instant (`moved_at`) of its last movement."""
        last = Movement.objects.filter(ticket=OuterRef("pk")).order_by("-pk")
        return self.annotate(moved_at=Subquery(last.values("at")[:1]))

    def by_seat(self):
        return self.order_by("seat__block", "seat__row", "seat__place_in_row", "number")

    def by_holder(self):
        """By the member's name, as in a list that people sign."""
        return self.order_by("member__sort_key", "member", "seat__block", "seat__row", "seat__place_in_row", "number")


def beneficiary(first_name: str, last_name: str, member: object) -> str:
    """The name written on a ticket; the member's until one is."""
    return f"{first_name} {last_name}".strip() or str(member or "")


class Ticket(models.Model):
    """One entry to one event. Only tickets/steps.py writes it."""

    class Status(models.TextChoices):
        AVAILABLE = "available", _("available")
        DISTRIBUTED = "distributed", _("distributed")
        PRINTED = "printed", _("printed")
        CHECKED = "checked", _("checked")
        CANCELLED = "cancelled", _("cancelled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.PositiveBigIntegerField(_("number"), unique=True)
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("order line"))
    event = models.ForeignKey(Event, on_delete=models.PROTECT, db_index=False, related_name="tickets", verbose_name=_("event"))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, db_index=False, related_name="tickets", verbose_name=_("product"))
    bought_by = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_index=False, related_name="bought_tickets", verbose_name=_("bought by")
    )
    company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False, related_name="tickets", verbose_name=_("company"))
    member = models.ForeignKey(Member, on_delete=models.PROTECT, null=True, blank=True, related_name="tickets", verbose_name=_("member"))
    seat = models.ForeignKey(
        Seat, on_delete=models.PROTECT, db_index=False, null=True, blank=True, related_name="tickets", verbose_name=_("seat")
    )
    beneficiary_first_name = models.CharField(_("beneficiary's first name"), max_length=160, blank=True)
    beneficiary_last_name = models.CharField(_("beneficiary's last name"), max_length=160, blank=True)
    generation = models.PositiveSmallIntegerField(_("generation"), default=0)
    printed_generation = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(_("state"), max_length=11, choices=Status, default=Status.AVAILABLE)
    shown_from = models.DateTimeField(null=True, blank=True)
    # Its seat, which is free again once it is cancelled.
    seat_taken = models.GeneratedField(
        expression=Case(When(~Q(status="cancelled"), then=F("seat"))), output_field=models.BigIntegerField(), db_persist=True
    )

    moved_at: datetime  # by with_last_movement()

    objects = TicketQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("ticket"), _("tickets")
        ordering = ["number"]
        constraints = [
            models.CheckConstraint(
                name="an_available_ticket_has_no_member",
                condition=~Q(status="available") | Q(member=None, beneficiary_first_name="", beneficiary_last_name=""),
            ),
            models.CheckConstraint(name="a_distributed_ticket_has_a_member", condition=~Q(status="distributed") | Q(member__isnull=False)),
            models.CheckConstraint(
                name="a_ticket_is_printed_in_its_generation",
                condition=Q(printed_generation=None) | Q(printed_generation=F("generation")),
            ),
            models.CheckConstraint(
                name="printed_means_that_the_barcode_has_left",
                condition=~Q(status="printed") | Q(printed_generation__isnull=False),
            ),
            models.CheckConstraint(
                name="what_waits_was_never_printed",
                condition=~Q(status__in=["available", "distributed"]) | Q(printed_generation=None),
            ),
            models.UniqueConstraint(name="a_seat_is_given_once", fields=["event", "seat_taken"]),
        ]
        # None has the state in it, not even as a condition: to print or check a ticket then writes no index, and takes half the time.
        indexes = [
            models.Index(fields=["company", "product"], name="ticket_stock"),
            models.Index(fields=["bought_by", "product"], name="ticket_bought"),
            models.Index(fields=["product"], name="ticket_of_product"),
        ]

    def __str__(self):
        return f"{self.number}"

    @property
    def beneficiary(self) -> str:
        """Whose name is, or would be, printed on it."""
        return beneficiary(self.beneficiary_first_name, self.beneficiary_last_name, self.member)

    @property
    def is_named(self) -> bool:
        return bool(self.beneficiary_first_name or self.beneficiary_last_name)

    @property
    def copy(self) -> int:
        return self.generation + 1

    @property
    def face(self) -> str:
        """Who holds it, then its state and copy, as a page gives them back: another face tells that it has changed since."""
        parts = (f"{self.member_id}", f"{self.status} {self.generation}")
        return ".".join(blake2b(part.encode(), digest_size=4).hexdigest() for part in parts)


class Forward(models.Model):
    """One level of a ticket's way down: a reclaim at level n deletes n and below; movements keep the history."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, db_index=False, related_name="forwards")
    level = models.PositiveSmallIntegerField()
    from_company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="+")
    to_company = models.ForeignKey(Company, on_delete=models.PROTECT, db_index=False, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(name="a_ticket_is_forwarded_once_a_level", fields=["ticket", "level"])]
        indexes = [models.Index(fields=["to_company", "ticket"], name="forward_received")]

    def __str__(self):
        return f"{self.ticket_id} {self.level}"


class Movement(models.Model):
    """One line of a ticket's history, by ids. Never changed or deleted: the database refuses it."""

    class Kind(models.TextChoices):
        ISSUED = "issued", _("issued")
        DISTRIBUTED = "distributed", _("distributed")
        FORWARDED = "forwarded", _("forwarded")
        PRINTED = "printed", _("printed")
        HANDED_OVER = "handed_over", _("handed over")
        RENAMED = "renamed", _("renamed")
        RECLAIMED = "reclaimed", _("reclaimed")
        UNDONE = "undone", _("undone")
        GIVEN_BACK = "given_back", _("given back")
        MERGED = "merged", _("merged")
        REISSUED = "reissued", _("reissued")
        CHECKED = "checked", _("checked")
        UNCHECKED = "unchecked", _("check taken back")
        CANCELLED = "cancelled", _("cancelled")

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="movements", verbose_name=_("ticket"))
    kind = models.CharField(_("kind"), max_length=11, choices=Kind)
    from_company = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("from company")
    )
    to_company = models.ForeignKey(
        Company, on_delete=models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("to company")
    )
    from_member = models.ForeignKey(
        Member, on_delete=models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("from member")
    )
    to_member = models.ForeignKey(
        Member, on_delete=models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("to member")
    )
    actor = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("by"))
    generation = models.PositiveSmallIntegerField(_("generation"))
    act = models.UUIDField(_("act"), null=True, help_text=_("The distribution that it was part of."))
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("movement"), _("movements")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["act"], name="movement_of_an_act", condition=Q(act__isnull=False)),
            models.Index(fields=["from_member"], name="movement_from_a_member", condition=Q(from_member__isnull=False)),
        ]

    def __str__(self):
        return f"{self.ticket_id} {self.kind}"


class Series(models.Model):
    """Numbers that the law wants without gaps, one row each (arrêté of 5 October 2007 for tickets)."""

    name = models.CharField(max_length=20, primary_key=True)
    last = models.PositiveBigIntegerField(default=0)

    def __str__(self):
        return f"{self.name} {self.last}"


class SigningKey(models.Model):
    """The public half of a key that signs tickets; the private half is in the settings of the server alone."""

    id = models.PositiveSmallIntegerField(primary_key=True)
    public_key = models.BinaryField(unique=True, max_length=32)
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    revoked_at = models.DateTimeField(_("revoked at"), null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("signing key"), _("signing keys")

    def __str__(self):
        return f"{self.id}"
