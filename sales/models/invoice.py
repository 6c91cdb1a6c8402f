import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from sales.models.ledger import Account, Posting


class Invoice(models.Model):
    """An invoice or a credit note. Its amounts are those of the postings that it tells; it is never changed or deleted."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("account"))
    kind = models.CharField(_("kind"), max_length=11, choices=Kind)
    number = models.PositiveBigIntegerField(_("number"))
    issued_on = models.DateField(_("issued on"))
    due_on = models.DateField(_("due on"), null=True)
    total = models.DecimalField(_("total with VAT"), max_digits=12, decimal_places=2)
    mentions = models.JSONField(help_text=_("Who sold to whom and on what terms, as it was on that day."))
    issued_at = models.DateTimeField(_("issued at"), db_default=Now())

    class Meta:
        verbose_name, verbose_name_plural = _("invoice"), _("invoices")
        ordering = ["-issued_at", "-pk"]
        constraints = [models.UniqueConstraint(name="a_number_is_given_once", fields=["kind", "number"])]

    def __str__(self):
        return self.name

    @property
    def name(self) -> str:
        """F000012 for an invoice, A000003 for a credit note (avoir)."""
        return f"{'F' if self.kind == self.Kind.INVOICE else 'A'}{self.number:06}"


class Invoiced(models.Model):
    """Which invoice tells a posting: one at the most."""

    posting = models.OneToOneField(Posting, on_delete=models.PROTECT, related_name="invoiced")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="invoiced")

    def __str__(self):
        return f"{self.invoice_id} {self.posting_id}"
