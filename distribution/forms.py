"""Requests turned into clean values. Nothing is written here."""

import uuid
from dataclasses import dataclass, field

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Company, Relay
from distribution.seats import Row, SeatMap, in_words
from members.forms import AddressedForm, PeopleForm, email_field
from members.models import Group, Member
from portal.forms import NameField, RequestKeyField, TextField, as_uuid
from portal.text import canonical_email, whole_number
from tickets.models import Product, Ticket

MOST = 20_000


@dataclass
class Chosen:
    """One person of the draft: how many tickets as typed, which seats, and what is wrong with it.

    Where no seat is chosen, `proposed` are those that the page proposes, `shown` those that it proposed before.
    """

    member: Member
    typed: str = "1"
    seats: list[uuid.UUID] = field(default_factory=list)
    shown: list[uuid.UUID] = field(default_factory=list)
    proposed: list[Ticket] = field(default_factory=list)
    where: str = ""
    error: str = ""

    @property
    def seat_field(self) -> str:
        return f"seat-{self.member.public_id}"

    @property
    def quantity(self) -> int:
        return len(self.seats) or whole_number(self.typed) or 0


class Draft:
    """A distribution as it is being composed: it lives in the form's own fields, so nothing is lost on the way.

    `people` are in the order in which they were chosen; each field is named after the member's public id.
    """

    def __init__(self, relay: Relay, product: Product, data) -> None:
        quantities = {}
        for name in data:
            if name.startswith("quantity-") and (key := as_uuid(name.removeprefix("quantity-"))):
                quantities[key] = data[name]
        members = {m.public_id: m for m in Member.objects.of(relay.company).filter(public_id__in=quantities)}
        self.relay, self.product = relay, product
        self.map = SeatMap(product, Ticket.objects.filter(product=product).left_to_distribute(relay.company))
        self.people = [
            Chosen(members[key], typed, self.map.with_partners(keys_in(data, f"seat-{key}")), keys_in(data, f"proposed-{key}"))
            for key, typed in quantities.items()
            if key in members
        ]
        for chosen in self.people:
            chosen.typed = str(len(chosen.seats)) if chosen.seats else chosen.typed
        self.rows: list[Row] = []  # of the seats, for the one person whose are being chosen
        self.choosing = as_uuid(data["seats_of"] if "seats_of" in data else data.get("choosing", ""))
        self.message = TextForm(data)
        self.request_key = as_uuid(data.get("request_key", "")) or uuid.uuid4()
        self.is_too_old = bool(data) and not as_uuid(data.get("request_key", ""))

    def add(self, member: Member) -> None:
        if all(chosen.member != member for chosen in self.people):
            self.people.append(Chosen(member))

    def change(self, member_id: uuid.UUID | None, by: int) -> None:
        for chosen in self.people:
            if chosen.member.public_id == member_id:
                chosen.typed, chosen.error = str(max(1, (whole_number(chosen.typed) or 0) + by)), ""
                chosen.seats = []  # another number is another proposal

    def remove(self, member_id: uuid.UUID | None) -> None:
        self.people = [chosen for chosen in self.people if chosen.member.public_id != member_id]

    @property
    def quantity(self) -> int:
        return sum(chosen.quantity for chosen in self.people)

    def is_valid(self, left: int) -> bool:
        """Say beside each field what is wrong with it; true when nothing is."""
        for chosen in self.people:
            number = len(chosen.seats) or whole_number(chosen.typed)
            if number is None or number < 1:
                chosen.error = _("Type a number of tickets, 1 or more.")
            elif number > left:
                chosen.error = ngettext("Only %(left)d ticket is left.", "Only %(left)d tickets are left.", left) % {"left": left}
        return self.message.is_valid() and bool(self.people) and not any(chosen.error for chosen in self.people)

    def gifts(self) -> list[tuple[int, int, list[int]]]:
        """Who gets how many, and the seats chosen, or else those that the page showed: what was seen is what is given."""
        taken = self.taken
        gifts = []
        for chosen in self.people:
            stands = len(chosen.shown) == chosen.quantity and not taken.intersection(chosen.shown)
            gifts.append((chosen.member.pk, chosen.quantity, self.map.keys(chosen.seats or (chosen.shown if stands else []))))
        return gifts

    @property
    def taken(self) -> set[uuid.UUID]:
        return {seat for chosen in self.people for seat in chosen.seats}

    def seat(self) -> None:
        """Propose seats for whom none is chosen, among those that are free now."""
        self.map = SeatMap(self.product, Ticket.objects.filter(product=self.product).left_to_distribute(self.relay.company))
        if not self.map:
            return
        for chosen in self.people:
            chosen.seats = [seat for seat in chosen.seats if seat in self.map.by_id]
        waiting = [chosen for chosen in self.people if not chosen.seats and chosen.quantity]
        for chosen, tickets in zip(waiting, self.map.propose([c.quantity for c in waiting], self.taken), strict=True):
            chosen.proposed = tickets
        for chosen in self.people:
            chosen.where = in_words([self.map.by_id[seat] for seat in chosen.seats] or chosen.proposed)
            if chosen.member.public_id == self.choosing:
                chosen.seats = chosen.seats or [ticket.public_id for ticket in chosen.proposed]
                self.rows = self.map.rows(chosen.seats, self.taken.difference(chosen.seats))


def keys_in(data, name: str) -> list[uuid.UUID]:
    return [key for raw in data.getlist(name) if (key := as_uuid(raw))]


class TextForm(forms.Form):
    message = TextField(label=gettext_lazy("Your message, optional"), required=False, max_length=1000)


class AddressForm(AddressedForm):
    email = email_field(gettext_lazy("Email address"))
    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    request_key = RequestKeyField()

    def clean_email(self) -> str:
        return canonical_email(self.cleaned_data["email"])


class LeaveForm(forms.Form):
    """Whether the unused tickets of who leaves come back; asked only when there are some."""

    reclaims = forms.TypedChoiceField(
        coerce=lambda value: value == "yes", widget=forms.RadioSelect, error_messages={"required": gettext_lazy("Choose one of the two.")}
    )
    request_key = RequestKeyField()

    def __init__(self, count: int, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["reclaims"]
        field.label = ngettext("What becomes of this ticket", "What becomes of these %(count)d tickets", count) % {"count": count}
        field.required = bool(count)
        take = ngettext("Take it back: it is yours to give again", "Take the %(count)d back: they are yours to give again", count)
        leave = ngettext("Leave it to this person: it stays valid", "Leave them to this person: they stay valid", count)
        field.choices = [("yes", take % {"count": count}), ("no", leave)]  # type: ignore[attr-defined]


class MergeForm(forms.Form):
    """Which of two entries to keep, and the addresses that the page showed of both."""

    keep = forms.UUIDField()
    shown = forms.CharField(strip=False)
    request_key = RequestKeyField()


class QuantityField(forms.CharField):
    """A number of tickets as typed, 1 or more and never more than `left`, which its form sets; None for nothing typed."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    left = 0

    def to_python(self, value):
        if not self.required and not (value or "").strip():
            return None
        number = whole_number(value or "")
        if not number:
            raise ValidationError(_("Type a number of tickets, 1 or more."))
        if number > self.left:
            raise ValidationError(
                ngettext("Only %(left)d ticket is left.", "Only %(left)d tickets are left.", self.left) % {"left": self.left}
            )
        return number


class ListForm(PeopleForm):
    """A list of people with how many tickets each is to hold, and a word to them."""

    message = TextField(label=gettext_lazy("Your message, optional"), required=False, max_length=1000)
    request_key = RequestKeyField()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rows"].help_text = _("One row each: first name, last name, email, number of tickets. Headings are recognised.")


class SheetForm(PeopleForm):
    """A product's sheet that came back, and a word to those who get a ticket. `shown` is what the page said it would do."""

    message = TextField(label=gettext_lazy("Your message, optional"), required=False, max_length=1000)
    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    request_key = RequestKeyField()


class GroupDistributionForm(forms.Form):
    """As many tickets for each of a group, or of the whole list, and a word to them."""

    group = forms.ModelChoiceField(
        Group.objects.none(),
        to_field_name="public_id",
        label=gettext_lazy("To whom"),
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose one of your groups.")},
    )
    quantity = QuantityField(label=gettext_lazy("How many tickets each is to hold"), initial="1")
    message = TextField(label=gettext_lazy("Your message, optional"), required=False, max_length=1000)
    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    request_key = RequestKeyField()

    def __init__(self, groups, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["group"].queryset = groups  # type: ignore[attr-defined]
        self.fields["quantity"].left = MOST  # type: ignore[attr-defined]


class ForwardForm(forms.Form):
    """To which structure, how many, and a word to its relays."""

    to = forms.ModelChoiceField(
        Company.objects.none(),
        to_field_name="public_id",
        label=gettext_lazy("To which structure"),
        empty_label=gettext_lazy("Choose a structure"),
        error_messages={"required": gettext_lazy("Choose a structure."), "invalid_choice": gettext_lazy("Choose one of your structures.")},
    )
    quantity = QuantityField(label=gettext_lazy("How many tickets"), initial="1")
    message = TextField(label=gettext_lazy("Your message to its relays, optional"), required=False, max_length=1000)
    request_key = RequestKeyField()

    def __init__(self, receivers, left: int, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["to"].queryset = receivers  # type: ignore[attr-defined]
        self.fields["quantity"].left = left  # type: ignore[attr-defined]


class ProposalForm(forms.Form):
    """Who could distribute for a structure that has nobody."""

    first_name = NameField(label=gettext_lazy("First name"))
    last_name = NameField(label=gettext_lazy("Last name"))
    email = email_field(gettext_lazy("Email address"))
    request_key = RequestKeyField()

    def clean_email(self) -> str:
        return canonical_email(self.cleaned_data["email"])


class ReclaimFromForm(forms.Form):
    quantity = QuantityField(label=gettext_lazy("How many tickets"))
    request_key = RequestKeyField()

    def __init__(self, left: int, *args, **kwargs):
        super().__init__(*args, initial={"quantity": left}, **kwargs)
        self.fields["quantity"].left = left  # type: ignore[attr-defined]


class ShownTicketsForm(forms.Form):
    """Tickets with the generation that the page showed of each."""

    data: QueryDict

    def __init__(self, data: QueryDict):
        super().__init__(data)
        self.shown: dict[uuid.UUID, int] = {}

    def clean(self):
        for value in self.data.getlist("ticket"):
            key, _colon, generation = value.partition(":")
            found, number = as_uuid(key), whole_number(generation)
            if found is None or number is None:
                raise ValidationError(_("This page is too old. Reload it and try again."))
            self.shown[found] = number
        return super().clean()


class BeneficiaryForm(forms.Form):
    first_name = NameField(label=gettext_lazy("First name"))
    last_name = NameField(label=gettext_lazy("Last name"))
    generation = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=30_000)


class GiveBackForm(forms.Form):
    message = TextField(label=gettext_lazy("A word to your relay, optional"), required=False, max_length=500)
    generation = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=30_000)
    request_key = RequestKeyField()


class OffersForm(forms.Form):
    answer = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    page = forms.ChoiceField(choices=[("my_tickets", "my_tickets"), ("my_data", "my_data")], required=False)  # where it was asked
