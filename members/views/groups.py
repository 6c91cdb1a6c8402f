from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from accounts.http import keeping
from members import actions
from members.errors import GroupNameTaken
from members.forms import GroupForm
from members.models import Group
from members.views.people import found
from portal.forms import as_uuid


@require_http_methods(["GET", "POST"])
def groups(request: HttpRequest, company_id) -> HttpResponse:
    """The company's groups with how many are in each, and a new one."""
    relay = keeping(request, company_id)
    form = GroupForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        group = actions.create_group(relay=relay, **form.cleaned_data)
        messages.success(request, _("“%(name)s” is one of your groups. Tick people on the list to put them in.") % {"name": group})
        return redirect("members:groups", company_id)
    context = {"relay": relay, "here": "members", "form": form, "groups": list(Group.objects.of(relay.company).counted())}
    return render(request, "members/groups.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def group(request: HttpRequest, company_id, group_id) -> HttpResponse:
    """One group: its name, its kind, and the end of it."""
    relay = keeping(request, company_id)
    mine = get_object_or_404(Group.objects.of(relay.company).counted(), public_id=group_id)
    initial = {"name": mine.name, "kind": mine.kind}
    form = GroupForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            actions.rename_group(relay=relay, group=mine, **form.cleaned_data)
        except GroupNameTaken as refusal:
            form.add_error("name", str(refusal))
        else:
            return redirect("members:groups", company_id)
    context = {"relay": relay, "here": "members", "group": mine, "form": form}
    return render(request, "members/group.html", context, status=422 if form.errors else 200)


@require_POST
def delete_group(request: HttpRequest, company_id, group_id) -> HttpResponse:
    relay = keeping(request, company_id)
    mine = get_object_or_404(Group.objects.of(relay.company), public_id=group_id)
    actions.delete_group(relay=relay, group=mine)
    messages.success(request, _("“%(name)s” is no longer one of your groups. Its people are still on your list.") % {"name": mine})
    return redirect("members:groups", company_id)


@require_POST
def fill_group(request: HttpRequest, company_id) -> HttpResponse:
    """Put the people ticked on the list, or all those found, in a group or out of it."""
    relay = keeping(request, company_id)
    kept, chosen = found(relay, request.POST)
    target = Group.objects.of(relay.company).filter(public_id=as_uuid(request.POST.get("into", ""))).first()
    ticked = [key for raw in request.POST.getlist("member") if (key := as_uuid(raw))]
    people = list(kept.values_list("public_id", flat=True)) if "everyone" in request.POST else ticked
    back = {"q": chosen["words"], "group": chosen["group"].public_id if chosen["group"] else "", "page": request.POST.get("page", "")}
    to = f"{reverse('members:people', args=[company_id])}?{urlencode({name: value for name, value in back.items() if value})}"
    if not target or not people:
        messages.error(request, _("Tick at least one person, and choose a group.") if target else _("Choose a group."))
        return redirect(to)
    inside = "out" not in request.POST
    count = actions.fill_group(relay=relay, group=target, members=people, inside=inside)
    if inside:
        said = ngettext("%(count)d person is in “%(name)s”.", "%(count)d people are in “%(name)s”.", count)
    else:
        said = ngettext("%(count)d person is no longer in “%(name)s”.", "%(count)d people are no longer in “%(name)s”.", count)
    messages.success(request, said % {"count": count, "name": target})
    return redirect(to)
