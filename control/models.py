import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from tickets.models import Event, Ticket


class Gate(models.Model):
    """An access point of an event."""

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="gates", verbose_name=_("event"))
    name = models.CharField(_("name"), max_length=40)
    entrance = models.CharField(
        _("entrance"),
        max_length=20,
        blank=True,
        help_text=_("As products write it: their tickets alone come in here. Empty: every ticket."),
    )
    admits_groups = models.BooleanField(
        _("admits a whole group at once"),
        default=False,
        help_text=_("After one ticket, the others that the same person holds may come in together."),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("gate"), _("gates")
        ordering = ["event", "name"]
        constraints = [models.UniqueConstraint(name="a_gate_is_named_once", fields=["event", "name"])]

    def __str__(self):
        return f"{self.name}, {self.event}"


# How long after its gate has closed a device may still search, and tell what it scanned without network.
AFTER_THE_EVENT = timedelta(hours=12)
TELLS_FOR = timedelta(days=14)


class DeviceQuerySet(models.QuerySet):
    def in_force(self):
        """Not revoked, and within its time: its own, or from now until some hours after its event."""
        begun = Q(valid_from=None) | Q(valid_from__lte=Now())
        return self.filter(begun, revoked_at=None).alias(until=self.ends()).filter(until__gt=Now())

    def may_still_tell(self):
        """Not revoked: what it scanned without network is taken some days longer, so that no empty battery loses it."""
        return self.filter(revoked_at=None).alias(until=self.ends()).filter(until__gt=Now() - TELLS_FOR)

    @staticmethod
    def ends():
        return Coalesce("valid_until", F("gate__event__valid_until") + AFTER_THE_EVENT, output_field=models.DateTimeField())


class Device(models.Model):
    """What scans at a gate: a phone, a laptop, another system, with a token of which only the hash is kept.

    It is paired by a code that staff show, for some minutes and once. It never has a key that signs.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    gate = models.ForeignKey(Gate, on_delete=models.PROTECT, related_name="devices", verbose_name=_("gate"))
    name = models.CharField(_("name"), max_length=60)
    may_scan = models.BooleanField(_("checks tickets"), default=True)
    may_search = models.BooleanField(_("searches for lost tickets"), default=True, help_text=_("By number or name, in its event alone."))
    may_manage = models.BooleanField(
        _("is the door manager's"), default=False, help_text=_("Takes back a check, and sees what two gates admitted without network.")
    )
    valid_from = models.DateTimeField(_("works from"), null=True, blank=True, help_text=_("Empty: as soon as it is paired."))
    valid_until = models.DateTimeField(_("works until"), null=True, blank=True, help_text=_("Empty: twelve hours after its gate closes."))
    token_hash = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    pairing_hash = models.CharField(max_length=64, null=True, blank=True, unique=True, editable=False)
    pairing_until = models.DateTimeField(null=True, editable=False)
    paired_at = models.DateTimeField(_("paired at"), null=True, editable=False)
    # The number of its last scan told after it was without network; none since it was paired: the next one starts the journal.
    journal = models.PositiveIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    objects = DeviceQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("device"), _("devices")
        ordering = ["gate", "name"]

    def __str__(self):
        return self.name


class ScanQuerySet(models.QuerySet):
    def of_event(self, event: Event):
        return self.filter(device__in=Device.objects.filter(gate__event=event).values("pk"))

    def standing(self):
        """Admissions that nobody took back."""
        return self.filter(verdict=Scan.Verdict.ADMITTED, undone_at=None)

    def admission(self, client_id: uuid.UUID):
        """The admission that a client's id names; 404 when there is none."""
        found = self.filter(client_id=client_id, verdict=Scan.Verdict.ADMITTED, ticket__isnull=False).order_by("pk").first()
        if found is None:
            raise Http404
        return found

    def conflicts(self):
        """The bearer came in at a gate without network, and was one too many when the portal heard of it."""
        return self.filter(verdict=Scan.Verdict.REFUSED, said=Scan.Verdict.ADMITTED)


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
        OTHER_GATE = "other_gate", _("other gate")
        TOO_EARLY = "too_early", _("too early")
        TOO_LATE = "too_late", _("too late")
        UNKNOWN = "unknown", _("unknown or forged")

    device = models.ForeignKey(Device, on_delete=models.PROTECT, db_index=False, related_name="scans", verbose_name=_("device"))
    client_id = models.UUIDField()
    verdict = models.CharField(_("verdict"), max_length=8, choices=Verdict)
    reason = models.CharField(_("reason"), max_length=15, choices=Reason, blank=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, db_index=False, null=True, related_name="scans", verbose_name=_("ticket"))
    generation = models.PositiveSmallIntegerField(_("generation"), null=True)
    by_hand = models.BooleanField(_("found by hand"), default=False)
    at = models.DateTimeField(_("at"), db_default=Now())
    # What a gate without network told the bearer, when by its own clock, and the scan's place in the device's journal.
    said = models.CharField(_("said at the gate"), max_length=8, choices=Verdict, blank=True)
    said_at = models.DateTimeField(_("said at"), null=True)
    counter = models.PositiveIntegerField(_("place in the journal"), null=True)
    undone_at = models.DateTimeField(_("taken back at"), null=True)
    undone_by = models.ForeignKey(
        Device, on_delete=models.PROTECT, db_index=False, null=True, related_name="+", verbose_name=_("taken back by")
    )

    objects = ScanQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("scan"), _("scans")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(name="a_reading_is_kept_once", fields=["device", "client_id"]),
            models.CheckConstraint(
                name="a_refusal_has_a_reason", condition=Q(verdict="admitted", reason="") | Q(verdict="refused") & ~Q(reason="")
            ),
            models.CheckConstraint(name="only_an_admission_is_taken_back", condition=Q(undone_at=None) | Q(verdict="admitted")),
        ]
        indexes = [
            models.Index(fields=["ticket"], name="scan_of_a_ticket", condition=Q(ticket__isnull=False)),
            models.Index(fields=["device"], name="scan_in_conflict", condition=Q(verdict="refused", said="admitted")),
        ]

    def __str__(self):
        return f"{self.verdict} {self.reason}"


class Search(models.Model):
    """A doorman looked for a ticket by name: which device, when, and which tickets were shown, by ids and never names."""

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="searches", verbose_name=_("device"))
    tickets = ArrayField(models.BigIntegerField(), verbose_name=_("tickets shown"))
    at = models.DateTimeField(_("at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("search"), _("searches")
        ordering = ["-id"]

    def __str__(self):
        return f"{self.at}"
