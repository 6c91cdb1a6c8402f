import io

from allauth.account.forms import RequestLoginCodeForm as AllauthRequestLoginCodeForm
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from accounts.models import Relay, Seller, User
from portal.forms import NameField, TextField
from portal.text import canonical_email

MAX_LOGO_BYTES = 2_000_000
MAX_LOGO_SIDE = 4_000


class RelayForm(forms.ModelForm):
    """Staff authorise a person by address; the address of an authorisation never changes."""

    email = forms.EmailField(label=_("Email address"))
    first_name = NameField(label=_("First name"))
    last_name = NameField(label=_("Last name"))

    class Meta:
        model = Relay
        fields = ["company", "first_name", "last_name", "may_distribute", "may_buy", "may_manage", "may_see_accounts", "until"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("email", "company"):
                self.fields.pop(name, None)

    def clean_email(self):
        return canonical_email(self.cleaned_data["email"])

    def clean(self):
        values = super().clean() or {}
        if not self.instance.pk and values.get("company") and values.get("email"):
            known = Relay.objects.filter(user__email=values["email"], company=values["company"], withdrawn_at=None)
            if known.exists():
                self.add_error("email", _("This person is already a relay of this company."))
        return values


class RefusalForm(forms.Form):
    """Why a proposed relay is refused: the relay who proposed her reads it."""

    reason = TextField(label=_("Why"), max_length=500)


class SellerForm(forms.ModelForm):
    logo_file = forms.FileField(label=_("Logo"), required=False, help_text=_("PNG or JPEG, 2 MB at the most."))

    class Meta:
        model = Seller
        exclude: list[str] = []

    def clean_logo_file(self):
        """The picture drawn again as PNG: nothing but its pixels is kept."""
        sent = self.cleaned_data["logo_file"]
        if not sent:
            return None
        try:
            if sent.size > MAX_LOGO_BYTES:
                raise ValueError
            picture = Image.open(sent, formats=["PNG", "JPEG"])
            if max(picture.size) > MAX_LOGO_SIDE:
                raise ValueError
            picture.thumbnail((512, 512))
            drawn = io.BytesIO()
            picture.convert("RGBA").save(drawn, "PNG")
        except (ValueError, OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
            raise ValidationError(_("Send a PNG or JPEG picture of 2 MB and 4,000 pixels a side at the most.")) from error
        return drawn.getvalue()


class LanguageForm(forms.Form):
    language = forms.ChoiceField(choices=User._meta.get_field("language").choices or [])
    next = forms.CharField(required=False)


class RequestLoginCodeForm(AllauthRequestLoginCodeForm):
    """allauth's form in our words."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["email"]
        field.label = _("Email address")
        field.error_messages["invalid"] = _("This is no email address. It looks like camille.roux@company.fr.")
        field.widget.attrs = {"type": "email", "autocomplete": "email", "class": "input"}
