"""What the pages that take tickets back were sent, turned into clean values. Nothing is written here."""

import uuid

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Relay
from distribution.forms import as_uuid
from members.models import Member
from portal.forms import RequestKeyField, TextField
from tickets.models import Ticket


class ReclaimForm(forms.Form):
    """Tickets, each with the face that the page showed of it, and a word to those who lose them."""

    data: QueryDict
    message = TextField(label=gettext_lazy("A word to those who lose a ticket, optional"), required=False, max_length=500)
    request_key = RequestKeyField()

    @property
    def shown(self) -> dict[uuid.UUID, str]:
        """The faces by public id; what is no ticket is passed over."""
        pairs = [value.partition(":") for value in self.data.getlist("ticket")] if self.is_bound else []
        return {key: face for text, _colon, face in pairs if (key := as_uuid(text))}


class ReassignForm(ReclaimForm):
    """The same, and who gets them, with a word to that person."""

    welcome = TextField(label=gettext_lazy("Your message, optional"), required=False, max_length=1000)

    def __init__(self, relay: Relay, data: QueryDict | None):
        super().__init__(data)
        chosen = as_uuid(data.get("add") or data.get("to") or "") if data and "other" not in data else None
        self.to = Member.objects.of(relay.company).filter(public_id=chosen).first() if chosen else None

    def add(self, member: Member) -> None:
        self.to = member

    def is_ready(self) -> bool:
        """Say beside what is missing what it is; true when nothing is."""
        if self.to is None:
            self.add_error(None, _("Choose first who gets them."))
        if not self.shown:
            self.add_error(None, _("Choose at least one ticket."))
        return self.is_valid()


class RemindForm(forms.Form):
    message = TextField(label=gettext_lazy("Your message, optional"), required=False, max_length=1000)
    request_key = RequestKeyField()


def asked_for(data: QueryDict, tickets: list[Ticket]) -> list[Ticket]:
    """Those of these tickets that the page's address names, one by one, by who holds them, or all."""
    keys = {as_uuid(raw) for raw in data.getlist("ticket")}
    member = as_uuid(data.get("member", ""))
    return [t for t in tickets if "all" in data or t.public_id in keys or (t.member and t.member.public_id == member)]
