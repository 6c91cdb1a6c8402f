from datetime import datetime
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.forms import RequestKeyField, TextField
from tickets.errors import EventIsThere
from tickets.models import Event, Seat, Venue
from tickets.models.catalogue import on_the_clock


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


class CancelEventForm(forms.Form):
    """What the seller says to whoever loses an event."""

    advice = TextField(
        label=_("What to do now, optional"),
        required=False,
        max_length=1000,
        help_text=_("For example how money comes back, or which other evening is offered. It is in the email and in everybody's space."),
    )
    request_key = RequestKeyField()


class LocalTimeField(forms.DateTimeField):
    """A date and an hour on the clock of the venue, as the browser's own field gives them."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
    input_formats = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]

    def prepare_value(self, value):
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value

    def to_python(self, value):
        value = super().to_python(value)
        return value and value.replace(tzinfo=None)


class MoveEventForm(CancelEventForm):
    """Another start, another venue, or both; of an open date, other days."""

    venue = forms.ModelChoiceField(Venue.objects.all(), label=_("Venue"), empty_label=None)
    starts_at = LocalTimeField(label=_("starts at"))
    doors_at = LocalTimeField(label=_("doors open at"), required=False, help_text=_("Empty: as long before the start as now."))
    ends_at = LocalTimeField(label=_("ends at"), required=False, help_text=_("Empty: as long after the start as now."))
    valid_from = LocalTimeField(label=_("gates admit from"))
    valid_until = LocalTimeField(label=_("gates admit until"))
    field_order = ["venue", "starts_at", "doors_at", "ends_at", "valid_from", "valid_until", "advice", "request_key"]

    def __init__(self, event: Event, *args, **kwargs):
        shown = ["valid_from", "valid_until"] if event.is_open_dated else ["starts_at"]
        initial = {name: on_the_clock(getattr(event, name), event.venue.zone) for name in shown}
        super().__init__(*args, initial={"venue": event.venue, **initial}, **kwargs)
        self.event = event
        for name in ["starts_at", "doors_at", "ends_at"] if event.is_open_dated else ["valid_from", "valid_until"]:
            del self.fields[name]

    def clean(self):
        values = super().clean() or {}
        opens, closes = values.get("valid_from"), values.get("valid_until")
        if opens and closes and opens >= closes:
            self.add_error("valid_until", _("Gates must close after they open."))
        start, doors, ends = values.get("starts_at"), values.get("doors_at"), values.get("ends_at")
        if start and doors and doors > start:
            self.add_error("doors_at", _("Doors open before the start."))
        if start and ends and ends <= start:
            self.add_error("ends_at", _("It ends after the start."))
        if not self.errors and self.event.is_already(values["venue"], self.times()):
            self.add_error(None, str(EventIsThere()))
        return values

    def times(self) -> dict[str, datetime | None]:
        """All the event's times as asked: those that were not follow."""
        values = self.cleaned_data
        zone = ZoneInfo(values["venue"].zone)
        asked = {name: values[name].replace(tzinfo=zone) for name in self.fields if isinstance(values.get(name), datetime)}
        return self.event.times_around(asked.get("starts_at") or asked["valid_until"], values["venue"]) | asked
