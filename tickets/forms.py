from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from tickets.models import Event, Seat


class SeatListForm(forms.Form):
    """Seats pasted from a seating plan: one a line, "block;row;number" and perhaps a kind."""

    event = forms.ModelChoiceField(Event.objects.order_by("valid_until"), label=_("event"))
    seats = forms.CharField(
        label=_("seats"),
        max_length=500_000,
        widget=forms.Textarea(attrs={"rows": 15, "cols": 60}),
        help_text=_("One a line: block;row;number, and if need be wheelchair or companion. For example: Stalls;A;12"),
    )

    def clean_seats(self) -> list[dict]:
        rows, faults = [], []
        for at, line in enumerate(self.cleaned_data["seats"].splitlines(), 1):
            if not line.strip():
                continue
            parts = [part.strip() for part in line.replace("\t", ";").split(";")]
            kind = parts[3] if len(parts) > 3 and parts[3] else Seat.Kind.ORDINARY
            fits = len(parts) in (3, 4) and parts[2] and len(parts[0]) <= 40 and len(parts[1]) <= 10 and len(parts[2]) <= 10
            if not fits or kind not in Seat.Kind.values:
                faults.append(at)
                continue
            rows.append({"block": parts[0], "row": parts[1], "number": parts[2], "place_in_row": at, "kind": kind})
        if faults:
            raise ValidationError(_("Not understood: lines %(lines)s."), params={"lines": ", ".join(map(str, faults[:20]))})
        return rows
