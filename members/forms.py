"""Requests about the company's list turned into clean values. Nothing is written here."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from members.errors import UnfamiliarDomain
from members.models import Group
from portal.forms import NameField, RequestKeyField, SheetField, clean_name
from portal.text import canonical_email, folded

MOST_GROUP, MOST_KEY = 80, 160  # a name folded may be longer than typed
SEPARATORS = ",;|"  # what parts the groups of one person in a file: no group's name has them


def email_field(label, **options) -> forms.EmailField:
    return forms.EmailField(
        label=label,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"invalid": gettext_lazy("This is no email address. It looks like camille.roux@company.fr.")},
        **options,
    )


def clean_group(text: str) -> str:
    """The name of a group, or ValidationError."""
    name = clean_name(text)
    key = folded(name)
    if any(sign in name for sign in SEPARATORS) or not key or len(key) > MOST_KEY or len(name) > MOST_GROUP:
        raise ValidationError(_("The name of a group has letters or numbers, 80 at the most, and none of these signs: , ; |"))
    return name


class AddressedForm(forms.Form):
    """An address that may have to be looked at again: `right_domain` is what the relay says is right, as the page showed it."""

    right_domain = forms.CharField(required=False, max_length=254)
    in_doubt = ""

    def ask_again(self, refusal: UnfamiliarDomain) -> None:
        self.add_error("email", str(refusal))
        self.in_doubt = refusal.doubt.domain

    @property
    def asked(self) -> str:
        """The domain that the page asks about; once ticked it stays, whatever else is to be corrected."""
        return self.in_doubt or self["right_domain"].value() or ""


class MemberForm(AddressedForm):
    """A person to put on the list, with an address or without one."""

    first_name = NameField(label=gettext_lazy("First name"))
    last_name = NameField(label=gettext_lazy("Last name"))
    email = email_field(gettext_lazy("Email address, if any"), required=False)
    shares_address = forms.BooleanField(label=gettext_lazy("They share this address"), required=False)
    namesakes = forms.IntegerField(
        label=gettext_lazy("This is someone else of the same name"), required=False, min_value=0, max_value=5000
    )  # a box whose value is how many of that name the page showed

    def clean_email(self) -> str:
        return canonical_email(self.cleaned_data["email"])

    def clean_namesakes(self) -> int:
        return self.cleaned_data["namesakes"] or 0


class EditForm(forms.Form):
    """The names of a member and the groups that she is in."""

    first_name = NameField(label=gettext_lazy("First name"))
    last_name = NameField(label=gettext_lazy("Last name"))
    groups = forms.ModelMultipleChoiceField(
        Group.objects.none(), label=gettext_lazy("Groups"), required=False, to_field_name="public_id", widget=forms.CheckboxSelectMultiple
    )
    shown = forms.CharField(widget=forms.HiddenInput, strip=False)

    def __init__(self, groups, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["groups"].queryset = groups  # type: ignore[attr-defined]


class GroupForm(forms.ModelForm):
    """A group's name, which can stand in a list of several, and its kind."""

    name = NameField(label=gettext_lazy("Name of the group"))

    class Meta:
        model = Group
        fields = ["name", "kind"]
        labels = {"kind": gettext_lazy("It is a")}

    def clean_name(self) -> str:
        return clean_group(self.cleaned_data["name"])


class PeopleForm(forms.Form):
    """A list of people, in a file or pasted; what is pasted is also what the page gives back to correct."""

    file = SheetField()
    rows = forms.CharField(
        label=gettext_lazy("Or rows pasted from a spreadsheet"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "wrap": "off"}),
    )
    shares = forms.BooleanField(label=gettext_lazy("People of different names may share an address"), required=False)

    def clean(self):
        values = super().clean() or {}
        if not values.get("file") and not (values.get("rows") or "").strip():
            self.add_error("rows", _("Choose a file, or paste rows."))
        return values


class ImportForm(PeopleForm):
    """A list to bring the company's own up to date."""

    namesakes = forms.BooleanField(label=gettext_lazy("People of the same name may be different people"), required=False)
    request_key = RequestKeyField()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["rows"].help_text = _("One row each: first name, last name, email, site, department, labels. Headings are recognised.")
