from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.http import keeping
from accounts.models import Relay
from members import actions
from members.actions import as_shown
from members.errors import AddressInUse, AlreadyOnTheList, MemberHasChanged, NameInUse, UnfamiliarDomain
from members.forms import EditForm, MemberForm
from members.models import Group, Member
from portal.forms import as_uuid

ON_A_PAGE = 50


def found(relay: Relay, data):
    """The people that a search and a filter of the list keep, and that filter: a group, those who left, or all of today."""
    words, left = data.get("q", "")[:80], bool(data.get("left"))
    group = Group.objects.of(relay.company).filter(public_id=as_uuid(data.get("group", ""))).first()
    people = Member.objects.of(relay.company)
    if left:
        people = Member.objects.ever_of(relay.company).exclude(left_on=None)
    elif group:
        people = people.filter(groups=group)
    return people.found_by(words), {"words": words, "group": group, "left": left}


@require_GET
def people(request: HttpRequest, company_id) -> HttpResponse:
    """The company's list: searched, filtered by group, paged."""
    relay = keeping(request, company_id)
    kept, chosen = found(relay, request.GET)
    everyone = Member.objects.ever_of(relay.company)
    context = chosen | {
        "relay": relay,
        "here": "members",
        "page": Paginator(kept.prefetch_related("groups"), ON_A_PAGE).get_page(request.GET.get("page")),
        "groups": list(Group.objects.of(relay.company).counted()),
        "count": everyone.filter(left_on=None).count(),
        "gone": everyone.exclude(left_on=None).count(),
    }
    return render(request, "members/people.html", context)


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, company_id) -> HttpResponse:
    """Put one person on the list, with an address or without."""
    relay = keeping(request, company_id)
    form = MemberForm(request.POST if request.method == "POST" else None)
    bearers: list[Member] = []
    if form.is_valid():
        try:
            member = actions.add_member(relay=relay, **form.cleaned_data)
        except UnfamiliarDomain as refusal:
            form.ask_again(refusal)
        except (AddressInUse, NameInUse) as refusal:
            form.add_error("email" if isinstance(refusal, AddressInUse) else "last_name", str(refusal))
            bearers = refusal.members
        else:
            messages.success(request, _("%(name)s is on your list.") % {"name": member})
            return redirect("distribution:member", company_id, member.public_id)
    context = {"relay": relay, "here": "members", "form": form, "bearers": bearers}
    return render(request, "members/add.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, company_id, member_id) -> HttpResponse:
    """Write a person's names and put her in groups."""
    relay = keeping(request, company_id)
    member = get_object_or_404(Member.objects.ever_of(relay.company).prefetch_related("groups"), public_id=member_id)
    groups = list(member.groups.all())
    initial = {
        "first_name": member.first_name,
        "last_name": member.last_name,
        "groups": [group.public_id for group in groups],
        "shown": as_shown(member, groups),
    }
    form = EditForm(Group.objects.of(relay.company), request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            actions.edit_member(relay=relay, member=member, **form.cleaned_data)
        except AlreadyOnTheList as refusal:
            form.add_error("last_name", str(refusal))
        except MemberHasChanged as refusal:
            messages.error(request, str(refusal))
            return redirect("members:edit", company_id, member_id)
        else:
            return redirect("distribution:member", company_id, member_id)
    context = {"relay": relay, "here": "members", "member": member, "form": form, "has_groups": Group.objects.of(relay.company).exists()}
    return render(request, "members/edit.html", context, status=422 if form.errors else 200)
