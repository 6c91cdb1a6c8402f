import uuid
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Company, Relay, User
from portal.templatetags.words import local
from tickets.models import Product
from tickets.models.order import MOST_IN_A_LINE


class OptionQuerySet(models.QuerySet):
    def of(self, company: Company):
        return self.filter(company=company)

    def live(self):
        """Holding tickets at this instant: past its deadline an option is void for every reader, swept or not."""
        return self.filter(state="live", deadline__gt=Now(), held__gt=0)

    def past(self):
        """Void, and nobody has been told yet."""
        return self.filter(state="live", deadline__lte=Now())

    def waiting(self):
        """Asked for when no ticket was free: told in this order when some are."""
        return self.filter(state="waiting").order_by("asked_at", "pk")

    def to_answer(self):
        """What staff have to answer: a request, or a request for more time of a live option."""
        return self.filter(Q(state="requested") | Q(pk__in=Option.objects.live().filter(more_time_on__isnull=False).values("pk")))

    def held_by_product(self, products) -> dict[int, int]:
        """How many tickets of each product live options hold."""
        rows = self.live().filter(product__in=products).order_by().values_list("product").annotate(n=Sum("held"))
        return dict(rows)

    def for_list(self):
        return self.select_related("product__event__venue", "company")


class Option(models.Model):
    """Tickets held for a company until a deadline, not yet bought."""

    class State(models.TextChoices):
        REQUESTED = "requested", pgettext_lazy("option", "requested")
        WAITING = "waiting", pgettext_lazy("option", "waiting for tickets")
        LIVE = "live", pgettext_lazy("option", "live")
        CONFIRMED = "confirmed", pgettext_lazy("option", "confirmed")
        GIVEN_BACK = "given_back", pgettext_lazy("option", "given back")
        LAPSED = "lapsed", pgettext_lazy("option", "lapsed")
        REFUSED = "refused", pgettext_lazy("option", "refused")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="options", verbose_name=_("company"))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="options", verbose_name=_("product"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.REQUESTED)
    quantity = models.PositiveIntegerField(_("asked"), validators=[MinValueValidator(1), MaxValueValidator(MOST_IN_A_LINE)])
    wished_on = models.DateField(_("until, as wished"), null=True, blank=True)
    note = models.TextField(_("note"), blank=True)
    granted = models.PositiveIntegerField(_("granted"), default=0)
    held = models.PositiveIntegerField(_("held"), default=0, help_text=_("Of the tickets granted: neither bought nor given back yet."))
    confirmed = models.PositiveIntegerField(_("bought"), default=0)
    deadline = models.DateTimeField(_("deadline"), null=True)
    more_time_on = models.DateField(_("more time asked, until"), null=True)
    reason = models.CharField(_("reason of a refusal"), max_length=300, blank=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", verbose_name=_("asked by"))
    asked_at = models.DateTimeField(_("asked at"), db_default=Now())
    request_key = models.UUIDField()
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=_("answered by"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    objects = OptionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("option"), _("options")
        ordering = ["-asked_at"]
        constraints = [
            models.UniqueConstraint(name="an_option_is_asked_once", fields=["asked_by", "request_key"]),
            models.CheckConstraint(
                name="a_live_option_holds_until_a_deadline", condition=~Q(state="live") | Q(held__gte=1, deadline__isnull=False)
            ),
            models.CheckConstraint(name="only_a_live_option_holds", condition=Q(state="live") | Q(held=0)),
        ]
        indexes = [
            models.Index(fields=["product", "deadline"], name="option_live", condition=Q(state="live")),
            models.Index(fields=["company", "-asked_at"], name="option_latest"),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.product}"

    @property
    def last_day(self) -> date | None:
        """The last day on which it holds, at the venue: a deadline is the end of a local day, or the event's start."""
        return local(self.deadline - timedelta(microseconds=1), self.product.event.venue.zone).date() if self.deadline else None

    @property
    def days_left(self) -> int:
        """Of how many days to come it holds, after today: 0 on its last day."""
        today = timezone.localdate(timezone=ZoneInfo(self.product.event.venue.zone))
        return (self.last_day - today).days if self.last_day else 0

    @property
    def is_live(self) -> bool:
        """Holding tickets at this instant, as a page shows it: the deadline is read, not executed."""
        return self.state == self.State.LIVE and self.deadline is not None and self.deadline > timezone.now()

    @property
    def word(self) -> str:
        """Its state as it is at this instant."""
        lapsed = self.state == self.State.LIVE and not self.is_live
        return str(self.State.LAPSED.label if lapsed else self.get_state_display())


class CalendarFeed(models.Model):
    """The secret address at which a relay's calendar reads the deadlines of her company's options: kept hashed."""

    relay = models.OneToOneField(Relay, on_delete=models.CASCADE, related_name="calendar_feed")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self):
        return f"{self.relay_id}"
