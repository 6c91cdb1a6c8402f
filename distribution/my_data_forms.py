"""What a person types about herself, turned into clean values."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from members.forms import email_field
from members.models import Member
from portal.forms import NameField
from portal.text import canonical_email


class MyNameForm(forms.Form):
    first_name = NameField(label=_("First name"), widget=forms.TextInput(attrs={"autocomplete": "given-name", "spellcheck": "false"}))
    last_name = NameField(label=_("Last name"), widget=forms.TextInput(attrs={"autocomplete": "family-name", "spellcheck": "false"}))
    shown = forms.CharField(widget=forms.HiddenInput, max_length=400)


class MyAddressForm(forms.Form):
    """A new address, and for whom of those who share the present one."""

    email = email_field(_("Your new address"))
    member = forms.TypedMultipleChoiceField(
        label=_("For whom"),
        coerce=str,
        error_messages={"required": _("Choose at least one person."), "invalid_choice": _("Choose people who have your address.")},
    )

    def __init__(self, present: str, members: list[Member], data: QueryDict | None):
        super().__init__(data)
        self.present, self.members, self.typed = present, members, data
        self.fields["email"].widget.attrs["autocomplete"] = "email"
        self.fields["member"].choices = [(str(m.public_id), str(m)) for m in members]  # type: ignore[attr-defined]
        if len(members) < 2:  # nobody to choose from
            self.fields.pop("member")

    def clean_email(self) -> str:
        address = canonical_email(self.cleaned_data["email"])
        if address == self.present:
            raise forms.ValidationError(_("This is your address already."))
        return address

    @property
    def chosen(self) -> list:
        return self.cleaned_data.get("member", [member.public_id for member in self.members])

    @property
    def ticked(self) -> list[str]:
        """Everybody at first; then whom she ticked."""
        return self.typed.getlist("member") if self.typed is not None else [str(member.public_id) for member in self.members]


class CodeForm(forms.Form):
    code = forms.CharField(max_length=40)


class ErasureForm(forms.Form):
    keeps_tickets = forms.BooleanField(label=_("I keep my tickets to come: erase me after the last one"), required=False)
