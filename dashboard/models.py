import json
import uuid
from base64 import b64encode

from django.db import models
from django.db.models import Count, F, IntegerField, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Company, User
from tickets.models import Event, Order, Product, SigningKey
from tickets.seal import is_sealed


def summed(expression, **options) -> Coalesce:
    return Coalesce(Sum(expression, **options), Value(0), output_field=IntegerField())


# What every table says of its lines. A ticket that went through a state counts in it. Who was given a ticket and did not
# come is known once the event is over, and stored nowhere.
FIGURES = {
    "bought": summed("n_bought"),
    "distributed": summed("n_distributed"),
    "left": summed("n_bought") - summed("n_distributed"),
    "printed": summed("n_printed"),
    "checked": summed("n_checked"),
    "absent": summed(F("n_distributed") - F("n_checked"), filter=Q(over=True)),
}


class TallyQuerySet(models.QuerySet["Tally"]):
    def figures_by(self, key: str) -> QuerySet:
        """One line for each value of the key, with all its figures."""
        return self.order_by().values(key).annotate(**FIGURES)

    def figures(self, key: str) -> dict[str, int]:
        """The figures of them all, and how many lines (`lines`) they make by this key."""
        found = self.figures_by(key).aggregate(**{f"all_{name}": summed(name) for name in FIGURES}, all_lines=Count("*"))
        return {name.removeprefix("all_"): value for name, value in found.items()}

    def with_some_left(self):
        """Where tickets wait to be distributed, for an event that has not begun; each with when it does (`begins`)."""
        begins = Coalesce("event__starts_at", "event__valid_until")
        return self.annotate(begins=begins).filter(begins__gt=Now(), n_bought__gt=F("n_distributed"))


class Tally(models.Model):
    """How many tickets of a product a company bought on a channel and holds, or another does, and how far they have come.

    Counted anew every minute by `actions.count`, its only writer, for pages that sum a million tickets; whoever
    acts on tickets counts the tickets themselves. Cancelled tickets count nowhere.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    bought_by = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="+")
    held_by = models.ForeignKey(Company, on_delete=models.CASCADE, db_index=False, related_name="+")
    channel = models.CharField(max_length=10, choices=Order.Channel)
    over = models.BooleanField()  # whether the event was, when it was counted
    n_bought = models.PositiveIntegerField()
    n_distributed = models.PositiveIntegerField()
    n_printed = models.PositiveIntegerField()
    n_checked = models.PositiveIntegerField()

    objects = TallyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="tickets_are_tallied_once", fields=["product", "bought_by", "held_by", "channel"]),
        ]

    def __str__(self):
        return f"{self.product_id} {self.bought_by_id} {self.n_bought}"


class Counted(models.Model):
    """When the tallies were last counted: one row."""

    at = models.DateTimeField()

    def __str__(self):
        return f"{self.at}"


class Export(models.Model):
    """The addresses of those who said yes to the seller's offers were taken away: by whom and when. Lines are added, never changed."""

    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self):
        return f"{self.at}"


class ClosedStatement(models.Model):
    """What the statement of an event said when staff closed it: a text that is signed, and never changed or deleted.

    What changes later (a ticket cancelled, scans that a gate sends days after) is told by another one; the earlier ones stay.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="closed_statements")
    text = models.TextField()  # JSON, exactly as it was signed
    key = models.ForeignKey(SigningKey, on_delete=models.PROTECT, db_index=False, related_name="+")
    signature = models.BinaryField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name, verbose_name_plural = _("closed statement"), _("closed statements")
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.at}"

    @property
    def said(self) -> dict:
        return json.loads(self.text)

    @property
    def is_authentic(self) -> bool:
        """Whether its text is the one that was signed."""
        return is_sealed(self.text, self.signature, self.key)

    @property
    def proof(self) -> tuple[str, str]:
        """The signature and the public key that verifies it, in base64."""
        return b64encode(self.signature).decode(), b64encode(self.key.public_key).decode()
