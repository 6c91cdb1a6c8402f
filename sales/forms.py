"""What relays type: a search, quantities, a deadline."""

from datetime import date
from decimal import Decimal

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from portal.forms import RequestKeyField, TextField
from portal.text import whole_number
from sales.models import BasketLine
from tickets.models import Event, OrderLine
from tickets.models.order import MOST_IN_A_LINE


class QuantityField(forms.CharField):
    """A number of tickets as typed, `least` or more and never more than `most`, which its form may lower."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})

    def __init__(self, *, least: int = 1, most: int = MOST_IN_A_LINE, **kwargs):
        super().__init__(**kwargs)
        self.least, self.most = least, most

    def to_python(self, value):
        number = whole_number(value or "")
        if number is None or number < self.least:
            raise ValidationError(_("Type a number of tickets, %(least)d or more.") % {"least": self.least})
        if number > self.most:
            raise ValidationError(
                ngettext("No more than %(most)d ticket here.", "No more than %(most)d tickets here.", self.most) % {"most": self.most}
            )
        return number


class SearchForm(forms.Form):
    """The filters of the catalogue; what is wrong is left out."""

    q = forms.CharField(required=False, max_length=80)
    kind = forms.ChoiceField(required=False, choices=Event.Kind.choices)
    venue = forms.IntegerField(required=False, min_value=1, max_value=2**31)
    first = forms.DateField(required=False)
    last = forms.DateField(required=False)

    def filters(self) -> dict:
        self.is_valid()
        found = self.cleaned_data
        return {
            "words": found.get("q", ""),
            "kind": found.get("kind", ""),
            "venue": found.get("venue"),
            "first": found.get("first"),
            "last": found.get("last"),
        }


class PutForm(forms.Form):
    quantity = QuantityField(label=gettext_lazy("How many tickets"), least=0)


class BasketForm(forms.Form):
    """The quantities of the basket, one field a line, and the total that the page showed."""

    total = forms.DecimalField(widget=forms.HiddenInput, max_digits=12, decimal_places=2, required=False)
    request_key = RequestKeyField()

    def __init__(self, basket: list[BasketLine], data: QueryDict | None = None):
        super().__init__(data)
        self.basket, self.refusal = basket, ""
        for line in basket:
            field = QuantityField(label=str(line.product), least=0)
            field.widget.attrs["class"] = "input count"
            self.fields[self.name(line)] = field
            self.initial[self.name(line)] = line.quantity

    @staticmethod
    def name(line: BasketLine) -> str:
        return f"quantity-{line.product.public_id}"

    def rows(self):
        """Each line of the basket with its field."""
        return [(line, self[self.name(line)]) for line in self.basket]

    def quantities(self) -> dict[int, int]:
        return {line.product_id: self.cleaned_data[self.name(line)] for line in self.basket}

    def shown(self) -> Decimal:
        """The total that the page showed; below zero, which no total is, when it was not sent."""
        total = self.cleaned_data.get("total")
        return Decimal(-1) if total is None else total


class OptionForm(forms.Form):
    """A request: how many tickets to hold, until when, and a word to the seller."""

    quantity = QuantityField(label=gettext_lazy("How many tickets"))
    wished_on = forms.DateField(
        label=gettext_lazy("Until which day, optional"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("This is no date. For example: 27/11/2026.")},
    )
    note = TextField(label=gettext_lazy("A word to the seller, optional"), required=False, max_length=500)
    request_key = RequestKeyField()


class ConfirmForm(forms.Form):
    """How many of the tickets held to order, at the price that the page showed."""

    quantity = QuantityField(label=gettext_lazy("How many tickets"))
    price = forms.DecimalField(widget=forms.HiddenInput, max_digits=8, decimal_places=2)
    request_key = RequestKeyField()


class HeldForm(forms.Form):
    """What the page showed as held: when that has changed, nothing is given back."""

    held = forms.IntegerField(min_value=0, max_value=MOST_IN_A_LINE)


class MoreTimeForm(forms.Form):
    until = forms.DateField(
        label=gettext_lazy("Until which day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": gettext_lazy("This is no date. For example: 27/11/2026.")},
    )


class PeriodForm(forms.Form):
    """A period, both days included; what is wrong is left out."""

    first = forms.DateField(required=False)
    last = forms.DateField(required=False)

    def period(self) -> tuple[date | None, date | None]:
        self.is_valid()
        known = {name: day for name, day in self.cleaned_data.items() if day and 1990 < day.year < 2200}
        return known.get("first"), known.get("last")


class PartForm(forms.Form):
    """How many tickets of each line of an order to cancel, with how many stood when the page was shown."""

    key = RequestKeyField()

    def __init__(self, lines: list[OrderLine], stands: dict[int, int], data: QueryDict | None = None):
        super().__init__(data)
        self.lines = [line for line in lines if stands.get(line.pk)]
        for line in self.lines:
            label = _("%(product)s, of %(stands)d") % {"product": line.product, "stands": stands[line.pk]}
            self.fields[f"cancel-{line.pk}"] = QuantityField(label=label, least=0, most=stands[line.pk], initial="0")
            self.fields[f"shown-{line.pk}"] = forms.IntegerField(widget=forms.HiddenInput, initial=stands[line.pk])

    def quantities(self) -> dict[int, int]:
        return {line.pk: self.cleaned_data[f"cancel-{line.pk}"] for line in self.lines}

    def shown(self) -> dict[int, int]:
        return {line.pk: self.cleaned_data[f"shown-{line.pk}"] for line in self.lines}
