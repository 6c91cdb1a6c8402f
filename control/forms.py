import uuid

from django import forms
from django.utils.translation import gettext_lazy as _


class TokenForm(forms.Form):
    token = forms.CharField(
        label=_("The device's token"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )


class CodeForm(forms.Form):
    """What a hand-held scanner types."""

    code = forms.CharField(
        label=_("Code of the ticket"),
        max_length=400,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters", "data-ready": ""}),
    )
    scan_id = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
