import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tickets.models import Event, Ticket


class Gate(models.Model):
    """An access point of an event."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="gates", verbose_name=_("event"))
    name = models.CharField(_("name"), max_length=40)

    class Meta:
        verbose_name, verbose_name_plural = _("gate"), _("gates")
        ordering = ["event", "name"]
        constraints = [models.UniqueConstraint(name="a_gate_is_named_once", fields=["event", "name"])]

    def __str__(self):
        return f"{self.name}, {self.event}"


class Device(models.Model):
    """What scans at a gate: a laptop or a phone with a token, of which only the hash is kept."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="devices", verbose_name=_("gate"))
    name = models.CharField(_("name"), max_length=60)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("device"), _("devices")
        ordering = ["gate", "name"]

    def __str__(self):
        return self.name


class Scan(models.Model):
    """One reading of a code at a gate, admitted or refused; kept whatever it was."""

    class Verdict(models.TextChoices):
        ADMITTED = "admitted", _("admitted")
        REFUSED = "refused", _("refused")

    class Reason(models.TextChoices):
        ADMITTED = "", _("admitted")
        ALREADY_CHECKED = "already_checked", _("already checked")
        REPLACED = "replaced", _("replaced")
        CANCELLED = "cancelled", _("cancelled")
        NOT_DISTRIBUTED = "not_distributed", _("not distributed")
        OTHER_EVENT = "other_event", _("other event")
        TOO_EARLY = "too_early", _("too early")
        TOO_LATE = "too_late", _("too late")
        UNKNOWN = "unknown", _("unknown or forged")

    device = models.ForeignKey(Device, on_delete=models.PROTECT, db_index=False, related_name="scans", verbose_name=_("device"))
    client_id = models.UUIDField()
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict)
    reason = models.CharField(_("reason"), max_length=15, choices=Reason, blank=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, db_index=False, null=True, related_name="scans", verbose_name=_("ticket"))
    generation = models.PositiveSmallIntegerField(_("generation"), null=True)
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("scan"), _("scans")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="a_reading_is_kept_once", fields=["device", "client_id"]),
            models.CheckConstraint(
                name="a_refusal_has_a_reason", condition=Q(verdict="admitted", reason="") | Q(verdict="refused") & ~Q(reason="")
            ),
        ]
        indexes = [models.Index(fields=["ticket"], name="scan_of_a_ticket", condition=Q(ticket__isnull=False))]

    def __str__(self):
        return f"{self.verdict} {self.reason}"
