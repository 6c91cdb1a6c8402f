"""What a relay asks to have on paper, turned into clean values."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from distribution.actions.hand_over import MOST_IN_AN_ACT
from distribution.forms import QuantityField
from distribution.models import Printout
from members.people import HEADINGS
from portal.forms import RequestKeyField, clean_name
from portal.text import folded


class PerPageField(forms.ChoiceField):
    """One ticket a page, or four to cut out; one where it is not said."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs):
        super().__init__(label=gettext_lazy("On each page"), choices=Printout.PerPage.choices, initial=1, required=False, **kwargs)
        self.error_messages["invalid_choice"] = gettext_lazy("Choose one ticket a page, or four.")

    def clean(self, value) -> int:
        return int(super().clean(value) or 1)


class NamesField(forms.CharField):
    """Names to print, one a line or two columns of a spreadsheet; as pairs of first and last name."""

    def clean(self, value):
        lines = [line for line in super().clean(value).splitlines() if line.strip()]
        rows = [line.split("\t") if "\t" in line else list(line.strip().partition(" ")[::2]) for line in lines]
        headings = [folded(cell) for cell in rows[0]] if rows else []
        swapped = len(headings) == 2 and headings[0] in HEADINGS["last_name"] and headings[1] in HEADINGS["first_name"]
        if swapped or (len(headings) == 2 and headings[0] in HEADINGS["first_name"] and headings[1] in HEADINGS["last_name"]):
            rows = rows[1:]
        names = [read_name(row, number) for number, row in enumerate(rows, 1)]
        return [(first, last) for last, first in names] if swapped else names


def read_name(cells: list[str], number: int) -> tuple[str, str]:
    """A row's two names, or ValidationError that says which row."""
    if any(cell.strip() for cell in cells[2:]):
        raise ValidationError(_("Row %(number)d has more than two columns: keep first name and last name.") % {"number": number})
    try:
        first, last = (clean_name(cell) for cell in (cells + [""])[:2])
    except ValidationError as fault:
        raise ValidationError(_("Row %(number)d: %(fault)s") % {"number": number, "fault": fault.messages[0]}) from fault
    return first, last


class HandOverForm(forms.Form):
    """How many tickets, or whose; `chosen` seats count for themselves."""

    quantity = QuantityField(
        label=gettext_lazy("How many tickets"), required=False, help_text=gettext_lazy("Leave it empty to print one for each name below.")
    )
    names = NamesField(
        strip=False,
        label=gettext_lazy("Names to print, one a line: first name, then last name"),
        required=False,
        max_length=500_000,
        help_text=gettext_lazy(
            "Or two columns pasted from a spreadsheet. Leave it empty to write the names by hand; with fewer names than tickets, "
            "the last ones stay blank."
        ),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )
    per_page = PerPageField()
    request_key = RequestKeyField()

    def __init__(self, left: int, chosen: int, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.left, self.chosen = left, chosen
        self.fields["quantity"].left = left  # type: ignore[attr-defined]

    def clean(self):
        values = super().clean() or {}
        names, typed = values.get("names"), values.get("quantity")
        if names is None or "quantity" in self.errors:
            return values
        quantity = self.chosen or typed or len(names)
        if not quantity:
            self.add_error("quantity", _("Type a number of tickets, 1 or more."))
        elif quantity > MOST_IN_AN_ACT:
            self.add_error("quantity", _("5,000 tickets at most at a time: hand the others over next."))
        elif len(names) > quantity:
            self.add_error("names", _("There are more names than tickets: raise the number or take names out."))
        elif quantity > self.left and not self.chosen:  # a seat that is gone is said as such
            self.add_error(
                "names", ngettext("Only %(left)d ticket is left.", "Only %(left)d tickets are left.", self.left) % {"left": self.left}
            )
        return values | {"quantity": quantity}


class PrintForm(forms.Form):
    """How to print what an act gave, and for whom: for everybody when it is not said."""

    whom = forms.ChoiceField(
        label=gettext_lazy("For whom"),
        choices=[("without_email", ""), ("everybody", "")],
        initial="without_email",
        required=False,
        widget=forms.RadioSelect,
    )
    per_page = PerPageField()
    request_key = RequestKeyField()

    def offer(self, everybody: int, without_email: int) -> "PrintForm":
        """Say how many tickets each choice means; when both mean the same there is nothing to choose."""
        if not 0 < without_email < everybody:
            del self.fields["whom"]
            return self
        some = ngettext("Those without an email address: %(n)d ticket", "Those without an email address: %(n)d tickets", without_email)
        whole = ngettext("Everybody: %(n)d ticket", "Everybody: %(n)d tickets", everybody)
        self.fields["whom"].choices = [  # type: ignore[attr-defined]
            ("without_email", some % {"n": without_email}),
            ("everybody", whole % {"n": everybody}),
        ]
        return self

    def clean(self):
        values = super().clean() or {}
        return values | {"without_email": values.pop("whom", "") == "without_email"}
