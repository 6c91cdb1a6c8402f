import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Relay
from distribution import actions
from distribution.actions.members import addresses
from distribution.forms import MergeForm
from distribution.views.members import member_of, seen
from distribution.views.scope import distributing
from members.duplicates import pairs
from members.errors import AlreadyOnTheList, KeepTheOther, MemberHasChanged
from members.models import Member

MOST_FOUND = 20


@require_GET
def duplicates(request: HttpRequest, company_id) -> HttpResponse:
    """Entries that may be one person twice; nothing is merged before it is looked at."""
    relay = distributing(request, company_id)
    page = Paginator(pairs(relay.company), 30).get_page(request.GET.get("page"))
    return render(request, "distribution/duplicates.html", {"relay": relay, "here": "members", "page": page})


@require_GET
def choose(request: HttpRequest, company_id, member_id) -> HttpResponse:
    """The other entry of this person, looked for by hand."""
    relay = distributing(request, company_id)
    member = get_object_or_404(Member.objects.ever_of(relay.company), public_id=member_id)
    words = request.GET.get("q", member.last_name)[:80]
    others = Member.objects.ever_of(relay.company).exclude(pk=member.pk).found_by(words)
    context = {
        "relay": relay,
        "here": "members",
        "member": member,
        "words": words,
        "found": list(others[:MOST_FOUND]) if words.split() else [],
    }
    return render(request, "distribution/choose_duplicate.html", context)


@dataclass
class Choice:
    """One of two entries as the one to keep, and what that would do."""

    kept: Member
    gone: Member
    tickets: int  # unused, which would move
    groups: list
    owned: bool  # someone has logged in with the address of the one that goes
    shown: str

    @property
    def moves_address(self) -> bool:
        return bool(self.gone.email) and not self.kept.email

    @property
    def leaves_address(self) -> bool:
        return bool(self.gone.email and self.kept.email and self.gone.email != self.kept.email)

    @property
    def refused(self) -> bool:
        return self.owned and self.leaves_address


def choices(one: Member, other: Member) -> list[Choice]:
    """Either as the one to keep; she whose address has been logged in with, then who has an address, comes first."""
    unused = Q(tickets__status__in=["distributed", "printed"], tickets__event__valid_until__gt=Now())
    counted = Member.objects.filter(pk__in=[one.pk, other.pk]).annotate(held=Count("tickets", filter=unused)).prefetch_related("groups")
    rows = {member.pk: member for member in counted}
    both = [rows[one.pk], rows[other.pk]]
    owned = {member.pk: seen(member) is not None for member in both}
    made = [
        Choice(
            kept, gone, gone.held, sorted(set(gone.groups.all()) - set(kept.groups.all()), key=str), owned[gone.pk], addresses(gone, kept)
        )
        for kept, gone in (both, both[::-1])
    ]
    return sorted(made, key=lambda choice: (choice.refused, not owned[choice.kept.pk], not choice.kept.email))


@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, company_id, member_id, duplicate_id) -> HttpResponse:
    """Two entries side by side: what moves with either choice, then the one gesture."""
    relay = distributing(request, company_id)
    one, other = member_of(relay, member_id), member_of(relay, duplicate_id)
    if one == other:
        raise Http404
    both = {member.public_id: member for member in (one, other)}
    if answer := merged_already(relay, one, other):
        return answer
    form = MergeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and form.cleaned_data["keep"] in both:
        kept = both[form.cleaned_data["keep"]]
        gone = other if kept == one else one
        try:
            values = {name: form.cleaned_data[name] for name in ("shown", "request_key")}
            actions.merge(relay=relay, gone=gone, kept=kept, **values)
        except (KeepTheOther, AlreadyOnTheList, MemberHasChanged) as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The two entries are one now: %(name)s.") % {"name": kept})
            return redirect("distribution:member", company_id, kept.public_id)
    context = {
        "relay": relay,
        "here": "members",
        "form": form,
        "request_key": uuid.uuid4(),
        "one": one,
        "other": other,
        "choices": choices(one, other),
    }
    return render(request, "distribution/merge.html", context, status=422 if form.errors else 200)


def merged_already(relay: Relay, one: Member, other: Member) -> HttpResponse | None:
    """Where the one that remains is, once either has been merged."""
    kept = one.merged_into or other.merged_into
    return redirect("distribution:member", relay.company.public_id, kept.public_id) if kept else None
