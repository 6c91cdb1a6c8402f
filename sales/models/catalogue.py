from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, Relay
from tickets.models import Product
from tickets.models.order import MOST_IN_A_LINE


class TermsManager(models.Manager["Terms"]):
    def current(self) -> "Terms":
        """The seller's terms; the default ones until staff have written them."""
        return self.first() or Terms()


class Terms(models.Model):
    """On what terms the seller sells to companies: one row."""

    class Debits(models.TextChoices):
        DEBITS = "debits", _("on debits (option chosen)")
        RECEIPTS = "receipts", _("on receipts")

    paid_first_from = models.DecimalField(
        _("tickets only once paid, from this total in euros"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("For orders placed online. Empty: tickets at once; 0: always once paid."),
    )
    options_by_rule = models.BooleanField(_("options are accepted by the rule below, without staff"), default=False)
    option_days = models.PositiveSmallIntegerField(_("an option lasts, in days"), default=14, validators=[MaxValueValidator(365)])
    option_days_before = models.PositiveSmallIntegerField(
        _("and ends so many days before the event"), default=7, validators=[MaxValueValidator(365)]
    )
    option_limit = models.PositiveIntegerField(
        _("tickets that a company may hold on option of a product"), default=50, help_text=_("Beyond it, staff decide.")
    )
    remind_days = models.PositiveSmallIntegerField(
        _("days before the end of an option to send a reminder"), default=2, validators=[MaxValueValidator(60)]
    )
    legal_form = models.CharField(
        _("legal form and register"), max_length=160, blank=True, help_text=_("For example: association loi 1901; or SARL, capital, RCS.")
    )
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)
    vat_due = models.CharField(_("VAT is due"), max_length=8, choices=Debits, default=Debits.RECEIPTS)
    bank = models.CharField(_("where to pay: IBAN, BIC"), max_length=120, blank=True)
    discount = models.CharField(_("discount for early payment"), max_length=160, default="Pas d’escompte pour paiement anticipé.")
    penalties = models.CharField(
        _("penalties for late payment"), max_length=200, default="Pénalités de retard : trois fois le taux d’intérêt légal."
    )

    objects = TermsManager()

    class Meta:
        verbose_name, verbose_name_plural = _("terms of sale"), _("terms of sale")
        constraints = [models.CheckConstraint(name="there_is_one_set_of_terms", condition=Q(pk=1))]

    def __str__(self):
        return str(_("terms of sale"))

    def save(self, *args, **kwargs):
        self.pk = 1
        super().save(*args, **kwargs)


class ListingQuerySet(models.QuerySet):
    def open_to(self, company: Company):
        """What this company may buy at this instant, for an event still to come and not cancelled."""
        theirs = Listing.companies.through.objects.filter(listing=OuterRef("pk"), company=company)
        return self.filter(
            Q(open_to_all=True) | Exists(theirs),
            Q(from_at=None) | Q(from_at__lte=Now()),
            Q(until_at=None) | Q(until_at__gt=Now()),
            Q(product__event__starts_at=None) | Q(product__event__starts_at__gt=Now()),
            product__event__valid_until__gt=Now(),
            product__event__cancelled_at=None,
        )

    def for_list(self):
        return self.select_related("product__event__venue")


class Listing(models.Model):
    """A product in the catalogue: who may buy it, and from when until when."""

    product = models.OneToOneField(Product, on_delete=models.PROTECT, related_name="listing", verbose_name=_("product"))
    open_to_all = models.BooleanField(_("open to every company"), default=True)
    companies = models.ManyToManyField(
        Company, blank=True, related_name="+", verbose_name=_("companies"), help_text=_("Who may buy it when it is not open to all.")
    )
    from_at = models.DateTimeField(_("on sale from"), null=True, blank=True)
    until_at = models.DateTimeField(_("on sale until"), null=True, blank=True)
    option_limit = models.PositiveIntegerField(
        _("tickets that a company may hold on option"),
        null=True,
        blank=True,
        help_text=_("Empty: as the terms of sale say; 0: staff decide."),
    )

    objects = ListingQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("product on sale"), _("products on sale")
        constraints = [
            models.CheckConstraint(
                name="a_sale_begins_before_it_ends", condition=Q(from_at=None) | Q(until_at=None) | Q(from_at__lt=F("until_at"))
            )
        ]

    def __str__(self):
        return str(self.product)


class BasketLine(models.Model):
    """What a relay means to order: it holds nothing, and is still there when she comes back."""

    relay = models.ForeignKey(Relay, on_delete=models.CASCADE, related_name="basket")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MOST_IN_A_LINE)])
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="a_product_is_once_in_a_basket", fields=["relay", "product"]),
            models.CheckConstraint(name="a_basket_line_has_a_quantity", condition=Q(quantity__gte=1, quantity__lte=MOST_IN_A_LINE)),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.product_id}"

    @property
    def total(self) -> Decimal:
        """What it comes to at the price of today, VAT included."""
        return self.quantity * self.product.price
