"""How every form of the portal is drawn, and the fields that several rooms share."""

import re
import unicodedata
import uuid

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_lazy as _

from portal.uploads import MOST_BYTES, TOO_LARGE


class FormRenderer(TemplatesSetting):
    field_template_name = "components/field.html"


FORBIDDEN_BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
MAX_NAME = 80
MOST_MARKS = 4  # on one letter: more climb into the lines above and below
INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff]|(?<![^ ])[\u200c\u200d]+|[\u200c\u200d]+(?![^ ])")  # joiners join two letters or nothing


def clean_name(value: str) -> str:
    """A person's name in one canonical form (NFC, single spaces, nothing invisible), or ValidationError.

    Refused are control characters, bidirectional overrides, heaps of accents and more than 80 characters
    as people count them; letters of every script, apostrophes and hyphens are names.
    """
    value = " ".join(INVISIBLE.sub("", unicodedata.normalize("NFC", value)).split())
    marks = "".join("m" if unicodedata.combining(c) else " " for c in value)
    if any(unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"} or c in FORBIDDEN_BIDI for c in value) or "m" * (MOST_MARKS + 1) in marks:
        raise ValidationError(_("This name has characters that cannot be printed. Type it again."))
    graphemes = sum(1 for c in value if not unicodedata.combining(c))
    if graphemes > MAX_NAME or len(value) > 2 * MAX_NAME:
        raise ValidationError(_("This name is too long: 80 characters at the most."))
    return value


class NameField(forms.CharField):
    """A first or last name. The widget's limit is generous: the sentence, not the browser, refuses."""

    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})

    def to_python(self, value):
        value = super().to_python(value)
        return clean_name(value) if value else value


class TextField(forms.CharField):
    """Words to someone, several lines: control characters other than the line's end are refused."""

    widget = forms.Textarea(attrs={"rows": 3})

    def to_python(self, value):
        value = unicodedata.normalize("NFC", super().to_python(value) or "").replace("\r\n", "\n")
        if any(unicodedata.category(c) == "Cc" and c not in "\n\t" or c in FORBIDDEN_BIDI for c in value):
            raise ValidationError(_("This text has characters that cannot be shown. Type it again."))
        return value


class SheetField(forms.FileField):
    """A file of a spreadsheet. The browser says at once when it is too large; the server says so too."""

    widget = forms.FileInput

    def __init__(self, **kwargs):
        label = kwargs.pop("label", _("A file: CSV, Excel or LibreOffice"))
        super().__init__(label=label, required=False, allow_empty_file=True, **kwargs)

    def widget_attrs(self, widget):
        return {"accept": ".csv,.tsv,.txt,.xlsx,.xls,.ods", "data-most-bytes": MOST_BYTES, "data-too-large": TOO_LARGE}


class RequestKeyField(forms.UUIDField):
    """The key that makes an act happen once: made with the page, sent back with the form."""

    widget = forms.HiddenInput
    default_error_messages = {
        "required": _("This page is too old. Reload it and try again."),
        "invalid": _("This page is too old. Reload it and try again."),
    }

    def __init__(self, **kwargs):
        super().__init__(initial=uuid.uuid4, **kwargs)

    def bound_data(self, data, initial):
        """The key sent, or a new one when it is none: the page shown again can be sent again."""
        try:
            return self.clean(data)
        except ValidationError:
            return initial


def as_uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except (ValueError, AttributeError, TypeError):
        return None
