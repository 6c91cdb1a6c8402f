import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

TYPED = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}


class PairingForm(forms.Form):
    """The short code that staff show."""

    code = forms.CharField(label=_("Code shown by the staff"), max_length=40, widget=forms.TextInput(attrs={**TYPED, "data-ready": ""}))


class CodeForm(forms.Form):
    """What a hand-held scanner types."""

    code = forms.CharField(label=_("Code of the ticket"), max_length=400, widget=forms.TextInput(attrs={**TYPED, "data-ready": ""}))
    scan_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class FoundForm(forms.Form):
    """A ticket that the doorman found by number or name."""

    ticket = forms.IntegerField(min_value=1, max_value=2**48 - 1, widget=forms.HiddenInput)
    scan_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)


class SearchForm(forms.Form):
    words = forms.CharField(
        label=_("Number of the ticket, or name of its bearer"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class ScanForm(forms.Form):
    """One scan of this device's event, by its client's id."""

    scan_id = forms.UUIDField(widget=forms.HiddenInput)
