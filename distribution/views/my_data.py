"""A person's own data: all of it shown, taken away, corrected, erased."""

import json

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import SignedInRequest
from accounts.models import Seller
from distribution import actions, steps
from distribution.documents import my_data_pdf
from distribution.errors import HoldsTickets, StillActs
from distribution.models import Distribution
from distribution.my_data import KEYS, data_of, subject_of
from distribution.my_data_forms import CodeForm, ErasureForm, MyAddressForm, MyNameForm
from distribution.views.member import offers_text
from members import actions as members_actions
from members.errors import AddressHasLogin, AlreadyOnTheList, CodeIsOver, StaffAddress, TooManyCodes
from members.models import Consent, Member
from outbox.letters import login_path
from outbox.models import Delivery
from portal.clock import now
from portal.download import download
from tickets.models import Movement, Ticket


def hers(request: SignedInRequest) -> list[Member]:
    """Whom she is: those whose list she is still on come first."""
    members = Member.objects.bearing(request.user).select_related("company")
    return list(members.order_by(F("left_on").desc(nulls_first=True), "company__name", "sort_key"))


def shown(request: SignedInRequest) -> dict:
    """Her data in the words of a page."""
    at = now()
    data = data_of(request.user, at)
    states, sent = dict(Ticket.Status.choices), dict(Delivery.State.choices)
    moves, acts = dict(Movement.Kind.choices), dict(Distribution.Kind.choices)
    for ticket in data["tickets"]:
        ticket["word"] = states[ticket["state"]]
        for line in ticket["history"]:
            line["word"] = moves[line["what"]]
    for act in data["acts"]:
        act["word"] = acts[act["what"]]
    for email in data["emails"]:
        email["subject"], email["word"] = subject_of(email["kind"]), sent[email["state"]]
    to_come = [t for t in data["tickets"] if t["valid_until"] > at and t["state"] in ("distributed", "printed")]
    return {"data": data, "to_come": to_come, "others": [t for t in data["tickets"] if t not in to_come]}


@require_GET
def my_data(request: SignedInRequest) -> HttpResponse:
    """Everything that is kept about her, and what she can do about it."""
    members = hers(request)
    context = shown(request) | {
        "members": members,
        "member": members[0] if members else None,
        "consent": Consent.objects.answer_of(request.user),
        "offers_text": offers_text(),
        "erasure": request.user.erasures.filter(called_off_at=None, done_at=None).first(),
        "erasure_days": Seller.objects.current().erasure_days,
    }
    return render(request, "distribution/my_data.html", context)


@require_GET
def my_data_json(request: SignedInRequest) -> HttpResponse:
    """The same for a machine; the file says what its keys mean."""
    data = {"keys": {key: str(words) for key, words in KEYS.items()}, **data_of(request.user, now())}
    text = json.dumps(data, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)
    return download(text, _("my-data") + ".json", "application/json")


@require_GET
def my_data_document(request: SignedInRequest) -> HttpResponse:
    """The same on paper."""
    return download(my_data_pdf(shown(request)), _("my-data") + ".pdf")


@require_http_methods(["GET", "POST"])
def my_name(request: SignedInRequest, member_id) -> HttpResponse:
    """Her own name on the list of one company."""
    members = Member.objects.bearing(request.user).filter(left_on=None).select_related("company")
    member = get_object_or_404(members, public_id=member_id)
    initial = {"first_name": member.first_name, "last_name": member.last_name, "shown": str(member)}
    form = MyNameForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            corrected = members_actions.correct_my_name(user=request.user, member=member_id, **form.cleaned_data)
        except AlreadyOnTheList:
            form.add_error(None, _("Somebody of this name is on that list already, with your address."))
        else:
            words = {"name": corrected, "company": corrected.company}
            messages.success(request, _("You are %(name)s on the list of %(company)s.") % words)
            return redirect("distribution:my_data")
    return render(request, "distribution/my_name.html", {"member": member, "form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def leave_list(request: SignedInRequest, member_id) -> HttpResponse:
    """Off a company's list by her own wish; what she still holds is said first."""
    member = get_object_or_404(Member.objects.bearing(request.user).select_related("company"), public_id=member_id)
    if request.method == "POST":
        members_actions.leave_list(user=request.user, member=member_id)
        messages.success(request, _("%(name)s is no longer on the list of %(company)s.") % {"name": member, "company": member.company})
        return redirect("distribution:my_data")
    held = list(Ticket.objects.filter(member=member).held_to_come().for_list().order_by("event__valid_until", "number"))
    return render(request, "distribution/leave_list.html", {"member": member, "held": held})


@require_http_methods(["GET", "POST"])
def my_address(request: SignedInRequest) -> HttpResponse:
    """A new address: a code goes there. Whoever has that address already, the page is the same."""
    members = hers(request)
    form = MyAddressForm(request.user.email, members, request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            members_actions.ask_address_change(user=request.user, email=form.cleaned_data["email"], members=form.chosen)
        except (StaffAddress, TooManyCodes) as refusal:
            form.add_error("email", str(refusal))
        else:
            return redirect("distribution:my_address_code")
    context = {"members": members, "member": members[0] if members else None, "form": form}
    return render(request, "distribution/my_address.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def my_address_code(request: SignedInRequest) -> HttpResponse:
    """The code that proves the new address."""
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        old = request.user.email
        try:
            moved = members_actions.change_address(user=request.user, **form.cleaned_data)
        except (AddressHasLogin, CodeIsOver) as refusal:
            messages.error(request, str(refusal))
            return redirect("distribution:my_address")
        except AlreadyOnTheList:
            messages.error(request, _("A list has you under this address already: ask your relay to merge the two entries."))
            return redirect("distribution:my_address")
        if moved:
            return moved_to(request, moved, old)
    waiting = request.user.address_changes.filter(valid_until__gt=now()).first()
    if waiting is None:
        messages.error(request, str(CodeIsOver()))
        return redirect("distribution:my_address")
    if form.is_bound:
        wrong = ngettext(
            "This is not the code. You have %(n)d try left.", "This is not the code. You have %(n)d tries left.", waiting.tries_left
        )
        form.add_error("code", wrong % {"n": waiting.tries_left})
    context = {"email": waiting.email, "form": form, "member": Member.objects.bearing(request.user).first()}
    return render(request, "distribution/my_address_code.html", context, status=422 if form.errors else 200)


def moved_to(request: SignedInRequest, moved: members_actions.Moved, old: str) -> HttpResponse:
    """Where she goes on: here, or at the login when nothing is left under the old address."""
    new = moved.login.email
    if moved.wholly:
        request.session.flush()
        messages.success(request, _("Your tickets are now at %(new)s: log in with that address.") % {"new": new})
        return redirect(login_path(new, reverse("distribution:my_tickets")))
    if moved.login.pk == request.user.pk:
        messages.success(request, _("Your address is now %(new)s. Both addresses have been told.") % {"new": new})
    else:
        words = {"new": new, "old": old}
        messages.success(
            request, _("What you chose is now at %(new)s: log in with that address to see it. The rest stays at %(old)s.") % words
        )
    return redirect("distribution:my_data")


@require_http_methods(["GET", "POST"])
def erasure(request: SignedInRequest) -> HttpResponse:
    """To ask that all be erased: what goes, what stays, and what she still holds, said first."""
    form = ErasureForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            actions.ask_erasure(user=request.user, **form.cleaned_data)
        except (HoldsTickets, StillActs) as refusal:
            form.add_error("keeps_tickets" if isinstance(refusal, HoldsTickets) else None, str(refusal))
        else:
            messages.success(request, _("Your wish is noted. An email confirms it."))
            return redirect("distribution:my_data")
    context = {
        "form": form,
        "member": Member.objects.bearing(request.user).first(),
        "held": list(steps.to_come(request.user.email).for_list().order_by("event__valid_until", "number")),
        "days": Seller.objects.current().erasure_days,
    }
    return render(request, "distribution/erasure.html", context, status=422 if form.errors else 200)


@require_POST
def call_off_erasure(request: SignedInRequest) -> HttpResponse:
    actions.call_off_erasure(user=request.user)
    messages.success(request, _("Nothing will be erased: your data stays."))
    return redirect("distribution:my_data")
