import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class DeliveryQuerySet(models.QuerySet):
    def can_be_called_off(self):
        """Not yet begun with the mail server: waiting, or taken by a worker before DATA."""
        return self.filter(models.Q(state="pending") | models.Q(state="sending", phase="claimed"))


class Delivery(models.Model):
    """One email owed, and what became of it. Written in the transaction of the fact that owes it."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENDING = "sending", _("being sent")
        SENT = "sent", _("sent")
        UNKNOWN = "unknown", _("perhaps sent")
        FAILED = "failed", _("refused")
        CANCELLED = "cancelled", _("called off")

    class Phase(models.TextChoices):
        CLAIMED = "claimed"  # taken by a worker: a crash here surely sent nothing
        DATA = "data"  # committed just before DATA: a crash here is the only doubtful moment

    class Priority(models.IntegerChoices):
        LOGIN = 0
        ORDINARY = 5

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=40)
    dedupe_key = models.CharField(max_length=200, unique=True)
    recipient = models.EmailField(_("recipient"))  # empty once erased
    language = models.CharField(_("language"), max_length=2)
    refs = models.JSONField(help_text=_("Ids only: the words are written when it is sent."))
    priority = models.SmallIntegerField(choices=Priority, default=Priority.ORDINARY)
    not_before = models.DateTimeField(_("not before"))
    useful_until = models.DateTimeField(_("useful until"), null=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PENDING)
    phase = models.CharField(max_length=7, choices=Phase, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True)
    worker = models.CharField(max_length=80, blank=True)
    message_id = models.CharField(max_length=120, unique=True)
    secret = models.CharField(max_length=40, blank=True)
    smtp_reply = models.CharField(_("the mail server's answer"), max_length=500, blank=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    created_at = models.DateTimeField(_("owed at"), db_default=Now())

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("email"), _("emails")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["priority", "not_before"], name="delivery_due", condition=models.Q(state="pending")),
            models.Index(fields=["lease_until"], name="delivery_in_hand", condition=models.Q(state__in=["sending", "unknown"])),
            models.Index(fields=["-created_at"], name="delivery_latest"),
            models.Index(fields=["recipient"], name="delivery_by_address"),
        ]
        constraints = [
            models.CheckConstraint(
                name="an_email_being_sent_has_a_phase_and_a_lease",
                condition=~models.Q(state="sending") | models.Q(phase__in=["claimed", "data"], lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="a_sent_email_keeps_no_secret",
                condition=~models.Q(state__in=["sent", "cancelled", "failed"]) | models.Q(secret=""),
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.id}"


class DeliveryEvent(models.Model):
    """Every change of a delivery, in order. Lines are added, never changed."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), db_default=Now())
    kind = models.CharField(_("what happened"), max_length=20)
    detail = models.CharField(_("detail"), max_length=500, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("event of an email"), _("events of emails")
        ordering = ["id"]

    def __str__(self):
        return f"{self.kind} {self.at}"
