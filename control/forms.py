import uuid

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.uploads import MOST_BYTES

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


class ScansFileForm(forms.Form):
    """What another system scanned: a file, then the same text again to be confirmed."""

    file = forms.FileField(label=_("CSV file with columns code and at"), required=False)
    text = forms.CharField(required=False, strip=False, widget=forms.HiddenInput)

    def clean_file(self):
        file = self.cleaned_data["file"]
        if file and (file.size or 0) > MOST_BYTES:
            raise forms.ValidationError(_("This file is larger than 5 MB: cut it in two."))
        return file

    def clean(self):
        found = super().clean() or {}
        file, text = found.get("file"), found.get("text")
        if not self.errors and not file and not text:
            self.add_error("file", _("Choose a file."))
        found["content"] = file.read() if file else (text or "").encode()
        return found
