import uuid
import zoneinfo
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _


def valid_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("This is no time zone. For example: Europe/Paris."))


def on_the_clock(instant: datetime, zone: str) -> datetime:
    """What the clocks of a place show then."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


class Venue(models.Model):
    """A place where events are."""

    name = models.CharField(_("name"), max_length=120)
    address = models.CharField(_("address"), max_length=200, blank=True)
    access = models.CharField(_("how to come"), max_length=300, blank=True)
    zone = models.CharField(_("time zone"), max_length=40, default="Europe/Paris", validators=[valid_zone])

    class Meta:
        verbose_name, verbose_name_plural = _("venue"), _("venues")
        ordering = ["name"]

    def __str__(self):
        return self.name


class Event(models.Model):
    """One dated, or open-dated, performance, match or visit. Times are instants, shown in the venue's zone."""

    class Kind(models.TextChoices):
        CONCERT = "concert", _("concert")
        MATCH = "match", _("match")
        THEATRE = "theatre", _("theatre")
        MUSEUM = "museum", _("museum")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    subtitle = models.CharField(_("by whom, or which round"), max_length=120, blank=True)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.CONCERT)
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="events", verbose_name=_("venue"))
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True, help_text=_("Empty for an open date."))
    doors_at = models.DateTimeField(_("doors open at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    valid_from = models.DateTimeField(_("gates admit from"), blank=True, help_text=_("Empty: two hours before the doors."))
    valid_until = models.DateTimeField(_("gates admit until"), blank=True, help_text=_("Empty: six hours after the start."))
    names_until = models.DateTimeField(_("names can be written until"), blank=True, help_text=_("Empty: until it starts."))
    names_required = models.BooleanField(
        _("tickets bear a name that is checked"), default=False, help_text=_("Relays then see the beneficiaries' names.")
    )
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("event"), _("events")
        ordering = ["valid_until"]
        constraints = [models.CheckConstraint(name="an_event_opens_before_it_ends", condition=Q(valid_from__lt=F("valid_until")))]
        indexes = [models.Index(fields=["valid_until"], name="event_by_end")]

    def __str__(self):
        return self.name

    def clean(self):
        if self.starts_at is None and not (self.valid_from and self.valid_until):
            raise ValidationError(_("Give a start, or for an open date from when until when gates admit."))
        self.fill_times()
        if self.valid_from >= self.valid_until:
            raise ValidationError({"valid_until": _("Gates must close after they open.")})

    def fill_times(self) -> None:
        """The usual times where staff gave none."""
        if self.starts_at:
            self.doors_at = self.doors_at or self.starts_at - timedelta(hours=1)
            self.valid_from = self.valid_from or self.doors_at - timedelta(hours=2)
            self.valid_until = self.valid_until or self.starts_at + timedelta(hours=6)
            self.names_until = self.names_until or self.starts_at
        else:
            self.names_until = self.names_until or self.valid_until

    def save(self, *args, **kwargs):
        self.fill_times()
        super().save(*args, **kwargs)

    @property
    def is_open_dated(self) -> bool:
        return self.starts_at is None

    @property
    def anchor(self) -> datetime:
        """The instant that its other times are counted from."""
        return self.starts_at or self.valid_until

    def is_already(self, venue: Venue, times: dict[str, datetime | None]) -> bool:
        return self.venue == venue and all(getattr(self, name) == time for name, time in times.items())

    def times_around(self, anchor: datetime, venue: Venue) -> dict[str, datetime | None]:
        """All its times, were it to start (of an open date: to end) then and there.

        Each keeps its distance on the clock of the place: doors at seven the evening before stay so across a change of hour.
        """
        there, began = ZoneInfo(venue.zone), on_the_clock(self.anchor, self.venue.zone)
        times: dict[str, datetime | None] = {}
        for name in ("starts_at", "doors_at", "ends_at", "valid_from", "valid_until", "names_until"):
            instant = getattr(self, name)
            moved = instant and on_the_clock(anchor, venue.zone) + (on_the_clock(instant, self.venue.zone) - began)
            times[name] = moved and moved.replace(tzinfo=there)
        return times


def place(block: str, row: str, number: str) -> str:
    """Where a seat is, in words."""
    words = [block, _("row %(row)s") % {"row": row} if row else "", _("seat %(number)s") % {"number": number}]
    return ", ".join(str(word) for word in words if word)


class Seat(models.Model):
    """A numbered place of an event."""

    class Kind(models.TextChoices):
        ORDINARY = "ordinary", _("ordinary")
        WHEELCHAIR = "wheelchair", _("wheelchair place")
        COMPANION = "companion", _("companion of a wheelchair place")

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="seats", verbose_name=_("event"))
    block = models.CharField(_("block"), max_length=40, blank=True)
    row = models.CharField(_("row"), max_length=10, blank=True)
    number = models.CharField(_("number"), max_length=10)
    place_in_row = models.PositiveIntegerField(_("place in the row"), default=0)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.ORDINARY)

    class Meta:
        verbose_name, verbose_name_plural = _("seat"), _("seats")
        ordering = ["block", "row", "place_in_row", "pk"]
        constraints = [models.UniqueConstraint(name="a_seat_is_named_once", fields=["event", "block", "row", "number"])]

    def __str__(self):
        return place(self.block, self.row, self.number)


class ProductQuerySet(models.QuerySet):
    def in_stock_of(self, company):
        """What the company bought or received at least one ticket of, past or to come."""
        tickets = apps.get_model("tickets", "Ticket").objects
        forwards = apps.get_model("tickets", "Forward").objects
        bought = tickets.filter(bought_by=company, product=OuterRef("pk"))
        received = forwards.filter(to_company=company, ticket__product=OuterRef("pk"))
        return self.filter(Exists(bought) | Exists(received))

    def for_list(self):
        return self.select_related("event__venue")


class Product(models.Model):
    """What is bought: an event in a category, at a price including VAT, in euros."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="products", verbose_name=_("event"))
    category = models.CharField(_("category"), max_length=60)
    placing = models.CharField(_("placing"), max_length=60, blank=True, help_text=_("For example: free seating, stalls."))
    entrance = models.CharField(_("entrance"), max_length=20, blank=True)
    price = models.DecimalField(_("price with VAT, in euros"), max_digits=8, decimal_places=2, validators=[MinValueValidator(0)])
    vat_rate = models.DecimalField(
        _("VAT rate in %"), max_digits=4, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(99)]
    )
    quota = models.PositiveIntegerField(_("quota"), help_text=_("No more tickets than this are ever issued."))
    numbered = models.BooleanField(_("numbered seats"), default=False)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("product"), _("products")
        ordering = ["event__valid_until", "category"]
        constraints = [
            models.CheckConstraint(name="a_price_is_not_negative", condition=Q(price__gte=0)),
            models.UniqueConstraint(name="a_category_of_an_event_is_sold_at_one_price", fields=["event", "category", "price"]),
        ]

    def __str__(self):
        return f"{self.event.name}, {self.category}"
