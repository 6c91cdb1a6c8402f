"""The money of each company with the seller: postings of balanced entries, added and never changed."""

import uuid
from decimal import ROUND_HALF_UP, Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q, Sum
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Company, User
from tickets.models import Order, OrderLine
from tickets.money import EURO


class Account(models.Model):
    """A company's account with the seller. What it owes is the sum of its entries, and never passes the limit."""

    class Kind(models.TextChoices):
        PREPAID = "prepaid", _("prepaid: orders draw on deposits")
        CREDIT = "credit", _("credit: orders are paid afterwards")

    class Billing(models.TextChoices):
        PER_ORDER = "order", _("one for each order")
        PER_MONTH = "month", _("one for each month")

    company = models.OneToOneField(Company, on_delete=models.PROTECT, related_name="account", verbose_name=_("company"))
    kind = models.CharField(_("kind"), max_length=7, choices=Kind, default=Kind.CREDIT)
    limit = models.DecimalField(
        _("credit limit in euros"),
        max_digits=9,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text=_("Empty: none was agreed, and only staff enter orders. Prepaid accounts have 0."),
    )
    terms_days = models.PositiveSmallIntegerField(_("days to pay"), default=30, validators=[MaxValueValidator(60)])
    billing = models.CharField(_("invoices"), max_length=5, choices=Billing, default=Billing.PER_ORDER)
    legal_name = models.CharField(_("name on invoices"), max_length=160, blank=True, help_text=_("Empty: the name of the company."))
    address = models.CharField(_("address on invoices"), max_length=200, blank=True)
    siren = models.CharField("SIREN", max_length=14, blank=True)
    vat_number = models.CharField(_("VAT number"), max_length=20, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("account"), _("accounts")
        ordering = ["company__name"]
        constraints = [
            models.CheckConstraint(name="a_prepaid_account_has_no_credit", condition=~Q(kind="prepaid") | Q(limit=0)),
            models.CheckConstraint(name="a_limit_is_not_negative", condition=Q(limit=None) | Q(limit__gte=0)),
        ]

    def __str__(self):
        return str(self.company)

    def clean(self):
        if self.kind == self.Kind.PREPAID:
            self.limit = Decimal(0)

    @property
    def invoice_name(self) -> str:
        return self.legal_name or self.company.name


class Payment(models.Model):
    """Money that the seller received from a company, recorded by staff. A mistake is undone by a posting of its own."""

    class Method(models.TextChoices):
        TRANSFER = "transfer", _("bank transfer")
        CHEQUE = "cheque", _("cheque")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payments", verbose_name=_("account"))
    method = models.CharField(_("method"), max_length=8, choices=Method, default=Method.TRANSFER)
    amount = models.DecimalField(_("amount in euros"), max_digits=9, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))])
    received_on = models.DateField(_("received on"))
    reference = models.CharField(
        _("reference"), max_length=80, blank=True, help_text=_("Of the transfer, or the cheque's number and bank.")
    )
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", editable=False, verbose_name=_("recorded by"))
    request_key = models.UUIDField(default=uuid.uuid4, editable=False)
    recorded_at = models.DateTimeField(_("recorded at"), db_default=Now(), editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("payment"), _("payments")
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.CheckConstraint(name="a_payment_is_of_something", condition=Q(amount__gt=0)),
            models.UniqueConstraint(name="a_payment_is_recorded_once", fields=["recorded_by", "request_key"]),
        ]

    def __str__(self):
        return f"{self.get_method_display()} {self.amount}"


class PostingQuerySet(models.QuerySet):
    def with_amount(self):
        """Each with what it adds to what the company owes (`amount`), newest last."""
        return self.annotate(amount=Sum("entries__amount", filter=Q(entries__ledger="customer"), default=Decimal(0))).order_by("at", "pk")

    def for_list(self):
        return self.select_related("order", "payment")


class Posting(models.Model):
    """One event of money: its entries sum to zero, and it names the order or the payment that it is about."""

    class Kind(models.TextChoices):
        SALE = "sale", _("order")
        CANCELLATION = "cancellation", _("cancellation")
        PAYMENT = "payment", _("payment")
        REVERSAL = "reversal", _("payment undone")

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="postings", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True, related_name="postings", verbose_name=_("order"))
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, null=True, related_name="postings", verbose_name=_("payment"))
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", verbose_name=pgettext_lazy("posting", "by"))
    at = models.DateTimeField(_("at"))

    objects = PostingQuerySet.as_manager()
    amount: Decimal  # by with_amount()

    class Meta:
        verbose_name, verbose_name_plural = _("posting"), _("postings")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_posting_names_its_order_or_its_payment",
                condition=Q(kind__in=["sale", "cancellation"], order__isnull=False, payment=None)
                | Q(kind__in=["payment", "reversal"], order=None, payment__isnull=False),
            ),
            models.UniqueConstraint(name="an_order_is_posted_once", fields=["order"], condition=Q(kind="sale")),
            models.UniqueConstraint(name="a_payment_is_posted_once_and_undone_once", fields=["payment", "kind"], condition=Q(order=None)),
        ]
        indexes = [models.Index(fields=["account", "at"], name="posting_of_an_account")]

    def __str__(self):
        return f"{self.get_kind_display()} {self.pk}"


class Entry(models.Model):
    """One side of a posting, in euros: positive is a debit. The database refuses to change or delete it."""

    class Ledger(models.TextChoices):
        CUSTOMER = "customer", _("customers")
        REVENUE = "revenue", _("sales of tickets")
        VAT = "vat", _("VAT collected")
        BANK = "bank", _("bank")
        CHEQUES = "cheques", _("cheques to cash")

    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="entries", verbose_name=_("posting"))
    ledger = models.CharField(_("ledger"), max_length=8, choices=Ledger)
    amount = models.DecimalField(_("amount"), max_digits=12, decimal_places=2)
    currency = models.CharField(_("currency"), max_length=3, default=EURO)
    vat_rate = models.DecimalField(_("VAT rate in %"), max_digits=4, decimal_places=2, null=True)

    class Meta:
        verbose_name, verbose_name_plural = _("entry"), _("entries")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="an_entry_moves_something", condition=~Q(amount=0)),
            models.CheckConstraint(name="an_entry_is_in_euros", condition=Q(currency=EURO)),
        ]

    def __str__(self):
        return f"{self.ledger} {self.amount}"


class PostedLine(models.Model):
    """How many tickets of an order line a sale posted, or a cancellation took back: what an invoice tells."""

    posting = models.ForeignKey(Posting, on_delete=models.PROTECT, related_name="lines")
    order_line = models.ForeignKey(OrderLine, on_delete=models.PROTECT, related_name="posted")
    quantity = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="a_line_is_posted_once", fields=["posting", "order_line"]),
            models.CheckConstraint(name="a_posted_line_has_a_quantity", condition=Q(quantity__gte=1)),
        ]

    def __str__(self):
        return f"{self.quantity} × {self.order_line_id}"

    @property
    def total(self) -> Decimal:
        return self.quantity * self.order_line.unit_price

    @property
    def unit_net(self) -> Decimal:
        """The price of one without VAT, in hundredths of a cent: shown, never added up."""
        line = self.order_line
        return (line.unit_price * 100 / (100 + line.vat_rate)).quantize(Decimal("0.0001"), ROUND_HALF_UP)


class Settlement(models.Model):
    """What of a payment pays what of an order: a matching, which may change; the ledger does not."""

    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="settlements")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="settlements")
    amount = models.DecimalField(max_digits=9, decimal_places=2)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="a_payment_settles_an_order_once", fields=["payment", "order"]),
            models.CheckConstraint(name="a_settlement_is_of_something", condition=Q(amount__gt=0)),
        ]

    def __str__(self):
        return f"{self.payment_id} {self.order_id} {self.amount}"
