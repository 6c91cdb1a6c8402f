import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Relay, User
from members.models import Member
from outbox.models import Delivery
from tickets.models import Movement, Product, Ticket
from tickets.models.ticket import TicketQuerySet


class DistributionQuerySet(models.QuerySet):
    def in_sight_of(self, relay: Relay):
        """What the relays of her company did: they share one stock and see the same."""
        return self.filter(company=relay.company_id)

    def given(self):
        """Acts that gave tickets to people and were not undone."""
        return self.filter(kind__in=Distribution.GIVING, undone_at=None)

    def for_list(self):
        return self.select_related("product__event__venue", "actor", "other")


class Distribution(models.Model):
    """One act of a relay on tickets of one product. Its row holds the key that makes it happen once."""

    class Kind(models.TextChoices):
        DISTRIBUTE = "distribute", _("distribution")
        HAND_OVER = "hand_over", _("handed over")
        RECLAIM = "reclaim", _("reclaim")
        FORWARD = "forward", _("forwarded")
        GIVE_BACK = "give_back", _("given back")
        REASSIGN = "reassign", _("given to someone else")

    GIVING = (Kind.DISTRIBUTE, Kind.HAND_OVER, Kind.REASSIGN)  # to people, from whom it may be taken back

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="distributions")
    other = models.ForeignKey(Company, on_delete=models.PROTECT, null=True, related_name="+")  # forwarded to, or reclaimed from
    # To the other company's relays, or to those who lose a ticket; of the member who gives back.
    message = models.TextField(blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="distributions")
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="distributions")
    kind = models.CharField(max_length=10, choices=Kind)
    request_key = models.UUIDField()
    quantity = models.PositiveIntegerField()
    undo_until = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    at = models.DateTimeField(db_default=Now())

    objects = DistributionQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(name="an_act_happens_once", fields=["actor", "request_key"]),
            models.CheckConstraint(name="an_act_moves_something", condition=Q(quantity__gte=1)),
            models.CheckConstraint(name="a_forward_has_another_company", condition=~Q(kind="forward") | Q(other__isnull=False)),
        ]
        indexes = [models.Index(fields=["company", "-at"], name="distribution_latest")]

    def __str__(self):
        return f"{self.kind} {self.public_id}"

    def tickets_given(self) -> TicketQuerySet:
        """What it put in people's hands and is still there, in the order in which it is printed and signed for."""
        given = Ticket.objects.given_in(self.public_id)
        return given.by_seat() if self.kind == self.Kind.HAND_OVER else given.by_holder()


class RecipientQuerySet(models.QuerySet):
    def in_sight_of(self, relay: Relay):
        return self.filter(distribution__company=relay.company_id)

    def to_be_told(self):
        """Who still holds an unused ticket of the act, for an event to come."""
        given = Movement.objects.filter(
            kind="distributed",
            act=OuterRef("distribution__public_id"),
            to_member=OuterRef("member"),
            ticket__status__in=["distributed", "printed"],
            ticket__event__valid_until__gt=Now(),
            ticket__member=Coalesce(OuterRef("member__merged_into"), OuterRef("member")),
        )
        return self.filter(Exists(given))

    def for_letters(self):
        """All that an email to these people needs, in one query."""
        return self.select_related("distribution", "member__merged_into", "delivery").order_by("pk")


class Recipient(models.Model):
    """One person in one act, with the email that tells her."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    distribution = models.ForeignKey(Distribution, on_delete=models.PROTECT, related_name="recipients")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="received")
    quantity = models.PositiveIntegerField()
    message = models.TextField(blank=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.SET_NULL, null=True, related_name="+")

    objects = RecipientQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="a_person_is_once_in_an_act", fields=["distribution", "member"]),
            models.CheckConstraint(name="a_recipient_receives_something", condition=Q(quantity__gte=1)),
        ]

    def __str__(self):
        return f"{self.member_id} × {self.quantity}"

    @property
    def person(self) -> Member:
        """Who she is today: the member she was given tickets as, or the one that this was merged into."""
        return self.member.merged_into or self.member


class Reminder(models.Model):
    """One person reminded of the tickets of one product that wait for her, with the email that does it."""

    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="reminders")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="reminders")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    request_key = models.UUIDField()
    message = models.TextField(blank=True)
    delivery = models.ForeignKey(Delivery, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(name="a_person_is_reminded_once_an_act", fields=["actor", "request_key", "member"])]
        indexes = [models.Index(fields=["product", "member", "-at"], name="reminder_latest")]

    def __str__(self):
        return f"{self.member_id} {self.at}"


class PrintoutQuerySet(models.QuerySet):
    def in_sight_of(self, relay: Relay):
        return self.filter(act__company=relay.company_id)


class Printout(models.Model):
    """Tickets of an act, marked printed already, as files that are rendered and kept for some hours.

    These rows are the record; Celery only rings. The row stays when its files are dropped.
    """

    class PerPage(models.IntegerChoices):
        ONE = 1, _("One ticket a page")
        FOUR = 4, _("Four tickets a page, to cut out")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    act = models.ForeignKey(Distribution, on_delete=models.PROTECT, related_name="printouts")
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="printouts")
    request_key = models.UUIDField()
    per_page = models.PositiveSmallIntegerField(choices=PerPage)
    language = models.CharField(max_length=2)
    quantity = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())
    cancelled_at = models.DateTimeField(null=True)

    objects = PrintoutQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(name="a_printout_is_made_once", fields=["actor", "request_key"]),
            models.CheckConstraint(name="a_printout_prints_something", condition=Q(quantity__gte=1)),
        ]

    def __str__(self):
        return f"{self.public_id}"


class PrintoutFileQuerySet(models.QuerySet):
    def in_sight_of(self, relay: Relay):
        return self.filter(printout__act__company=relay.company_id)

    def for_list(self):
        """What a page says of them, without what they hold."""
        return self.defer("tickets", "generations", "content").order_by("first")

    def with_tickets(self):
        """Those that hold a ticket at least, or will; without their content."""
        return self.filter(left_out__lt=F("quantity")).defer("content")


class PrintoutFile(models.Model):
    """Some tickets of a printout, in order, and their PDF once it is rendered."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    printout = models.ForeignKey(Printout, on_delete=models.CASCADE, db_index=False, related_name="files")
    number = models.PositiveSmallIntegerField()  # its turn to be rendered
    first = models.PositiveIntegerField()  # the place of its first ticket in the printout
    quantity = models.PositiveIntegerField()
    tickets = ArrayField(models.BigIntegerField())
    generations = ArrayField(models.PositiveSmallIntegerField())
    content = models.BinaryField(null=True)
    rendered_at = models.DateTimeField(null=True)
    left_out = models.PositiveIntegerField(default=0)  # no longer as they were marked printed, when it was rendered
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.UUIDField(null=True)

    objects = PrintoutFileQuerySet.as_manager()

    class Meta:
        ordering = ["printout", "number"]
        constraints = [
            models.UniqueConstraint(name="a_file_is_once_in_a_printout", fields=["printout", "number"]),
            models.CheckConstraint(
                name="a_rendered_file_has_its_content",
                condition=Q(content=None, rendered_at=None) | Q(content__isnull=False, rendered_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["number", "id"], name="file_to_render", condition=Q(rendered_at=None))]

    def __str__(self):
        return f"{self.printout_id} {self.number}"

    @property
    def last(self) -> int:
        return self.first + self.quantity - 1

    @property
    def held(self) -> int:
        """How many tickets the rendered file holds."""
        return self.quantity - self.left_out if self.rendered_at else 0
