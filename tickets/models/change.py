import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Company, User
from tickets.models.catalogue import Event, Product, Venue


class EventChangeQuerySet(models.QuerySet["EventChange"]):
    def latest_of(self, events) -> "dict[int, EventChange]":
        """The last change of each of these events that is not over, by the event's key."""
        last = self.filter(event__in=events, event__valid_until__gt=Now()).order_by("event_id", "-pk").distinct("event_id")
        return {change.event_id: change for change in last.select_related("venue", "event__venue")}

    def to_be_known_by(self, company: Company):
        """The last change of each event to come that the company has, or had, tickets of; soonest first."""
        has_some = Product.objects.in_stock_of(company).filter(event=models.OuterRef("event"))
        known = self.filter(models.Exists(has_some), event__valid_until__gt=Now()).annotate(
            product_id=models.Subquery(has_some.values("public_id")[:1])
        )
        last = known.order_by("event_id", "-pk").distinct("event_id").select_related("venue", "event__venue")
        return sorted(last, key=lambda change: change.event.anchor)


class EventChange(models.Model):
    """An event cancelled, or moved to another time or place: what it was, and what the seller says to do now."""

    class Kind(models.TextChoices):
        CANCELLED = "cancelled", pgettext_lazy("event", "cancelled")
        MOVED = "moved", pgettext_lazy("event", "moved")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="changes", verbose_name=_("event"))
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    advice = models.TextField(_("what to do now"), blank=True)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("by"))
    request_key = models.UUIDField()
    starts_at = models.DateTimeField(_("started at"), null=True)
    valid_from = models.DateTimeField(_("gates admitted from"))
    valid_until = models.DateTimeField(_("gates admitted until"))
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="+", verbose_name=_("it was at"))
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = EventChangeQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("change of an event"), _("changes of events")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(name="a_change_happens_once", fields=["actor", "request_key"]),
            models.UniqueConstraint(name="an_event_is_cancelled_once", fields=["event"], condition=models.Q(kind="cancelled")),
        ]

    def __str__(self):
        return f"{self.event_id} {self.kind}"

    @property
    def venue_changes(self) -> bool:
        return self.venue_id != self.event.venue_id
