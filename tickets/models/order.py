import uuid
from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Company, User
from tickets.models.catalogue import Product
from tickets.money import vat_within

MOST_IN_A_LINE = 20_000


class Order(models.Model):
    """A company's purchase, from a sales channel. Confirming it issues its tickets, at once or when it is paid."""

    class Channel(models.TextChoices):
        ONLINE = "online", _("online")
        PHONE = "phone", _("by phone")
        BOX_OFFICE = "box_office", _("at the box office")

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        AWAITING = "awaiting", _("waiting for its payment")
        CONFIRMED = "confirmed", _("confirmed")
        CANCELLED = "cancelled", pgettext_lazy("order", "cancelled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="orders", verbose_name=_("company"))
    channel = models.CharField(_("sales channel"), max_length=10, choices=Channel, default=Channel.PHONE)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.DRAFT, editable=False)
    number = models.PositiveBigIntegerField(_("number"), null=True, unique=True, editable=False)
    request_key = models.UUIDField(default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    confirmed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("confirmed by")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("order"), _("orders")
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                name="a_confirmed_order_has_a_number", condition=~Q(state__in=["awaiting", "confirmed"]) | Q(number__isnull=False)
            ),
            models.UniqueConstraint(name="an_order_is_placed_once", fields=["confirmed_by", "request_key"]),
        ]

    def __str__(self):
        return f"{self.number}" if self.number else str(_("draft"))


class OrderLine(models.Model):
    """A quantity of one product, at the price of the day of the order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines", verbose_name=_("order"))
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="order_lines", verbose_name=_("product"))
    quantity = models.PositiveIntegerField(_("quantity"), validators=[MinValueValidator(1), MaxValueValidator(MOST_IN_A_LINE)])
    unit_price = models.DecimalField(_("unit price with VAT, in euros"), max_digits=8, decimal_places=2, blank=True)
    vat_rate = models.DecimalField(_("VAT rate in %"), max_digits=4, decimal_places=2, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("order line"), _("order lines")
        constraints = [
            models.CheckConstraint(name="a_line_has_a_quantity", condition=Q(quantity__gte=1, quantity__lte=MOST_IN_A_LINE)),
            models.CheckConstraint(name="a_unit_price_is_not_negative", condition=Q(unit_price__gte=0)),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.product_id}"

    @property
    def vat(self) -> Decimal:
        """The VAT within the unit price, in euros."""
        return vat_within(self.unit_price, self.vat_rate)

    @property
    def total(self) -> Decimal:
        return self.unit_price * self.quantity
