import uuid
from datetime import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.http import keeping
from accounts.models import Relay, Seller, User
from distribution import actions
from distribution.actions.members import unused
from distribution.forms import AddressForm, LeaveForm
from distribution.models import Recipient
from distribution.reclaimable import why_not
from distribution.views.scope import distributing, product_of
from members.errors import AddressIsTheirs, AlreadyOnTheList, UnfamiliarDomain
from members.models import Member
from portal.clock import now
from tickets.models import Ticket

MOST = 100


def member_of(relay: Relay, member_id) -> Member:
    return get_object_or_404(Member.objects.filter(company=relay.company).select_related("merged_into"), public_id=member_id)


@require_GET
def member(request: HttpRequest, company_id, member_id) -> HttpResponse:
    """One person: what she holds and received, her groups, her address and whether someone has logged in with it."""
    relay = keeping(request, company_id)
    found = member_of(relay, member_id)
    if found.merged_into:
        return redirect("distribution:member", company_id, found.merged_into.public_id)
    hers = Q(member=found) | Q(member__merged_into=found)
    held = Ticket.objects.in_sight_of(relay).filter(hers, company=relay.company).standing().for_list()
    acts = Recipient.objects.in_sight_of(relay).filter(hers).select_related("distribution__product__event__venue", "delivery")
    at, seen_at = now(), seen(found)
    tickets = list(held.order_by("event__valid_until", "number")[:MOST])
    context = {
        "relay": relay,
        "here": "members",
        "member": found,
        "groups": list(found.groups.all()),
        "seen_at": seen_at,
        "may_be_corrected": not found.left_on and relay.may_distribute and seen_at is None,
        "coming": [ticket for ticket in tickets if usable(ticket, at)],
        "past": [ticket for ticket in tickets if not usable(ticket, at)],
        "received": list(acts.order_by("-distribution__at")[:MOST]),
        "givers": dict(Relay.objects.filter(company=relay.company).values_list("user", "first_name")),
    }
    return render(request, "distribution/member.html", context)


def usable(ticket: Ticket, at: datetime) -> bool:
    return ticket.status != Ticket.Status.CHECKED and ticket.event.valid_until > at


def seen(member: Member):
    """When someone last logged in with the member's address, if that was since she bears it."""
    found = User.objects.filter(email=member.email, last_seen_at__gte=member.bears_address_since) if member.email else User.objects.none()
    return found.values_list("last_seen_at", flat=True).first()


@require_http_methods(["GET", "POST"])
def correct_address(request: HttpRequest, company_id, member_id, product_id=None) -> HttpResponse:
    """Correct an address that nobody has logged in with yet; the emails leave anew. From a product's page or the member's."""
    relay = distributing(request, company_id)
    product = product_of(relay, product_id) if product_id else None
    member = get_object_or_404(Member.objects.of(relay.company), public_id=member_id)
    initial = {"email": member.email, "shown": member.email, "request_key": uuid.uuid4()}
    form = AddressForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            corrected = actions.correct_address(relay=relay, member=member, **form.cleaned_data)
        except UnfamiliarDomain as refusal:
            form.ask_again(refusal)
        except (AddressIsTheirs, AlreadyOnTheList) as refusal:
            form.add_error("email", str(refusal))
        else:
            words = {"name": corrected, "address": corrected.email}
            messages.success(request, _("The emails to %(name)s now go to %(address)s.") % words)
            if product:
                return redirect("distribution:product", company_id, product_id)
            return redirect("distribution:member", company_id, member_id)
    context = {"relay": relay, "here": "home" if product else "members", "product": product, "member": member, "form": form}
    return render(request, "distribution/correct_address.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, company_id, member_id) -> HttpResponse:
    """She has left the company: what she still holds is shown, to be taken back in the same gesture or left to her."""
    relay = keeping(request, company_id)
    found = get_object_or_404(Member.objects.ever_of(relay.company), public_id=member_id)
    if found.left_on:
        return redirect("distribution:member", company_id, member_id)
    tickets = list(unused(found).for_list())
    stay = why_not(tickets)
    back = [ticket for ticket in tickets if ticket.pk not in stay] if relay.may_distribute else []
    form = LeaveForm(len(back), request.POST if request.method == "POST" else None)
    if form.is_valid():
        actions.leave(relay=relay, member=found, **form.cleaned_data)
        said = _("%(name)s is off your list.") % {"name": found}
        if form.cleaned_data["reclaims"] and back:
            more = ngettext("%(count)d ticket is yours to give again.", "%(count)d tickets are yours to give again.", len(back))
            said = f"{said} {more % {'count': len(back)}}"
        messages.success(request, said)
        return redirect("distribution:member", company_id, member_id)
    context = {
        "relay": relay,
        "here": "members",
        "member": found,
        "form": form,
        "tickets": [(ticket, ticket in back) for ticket in tickets],
        "back": len(back),
        "stay": len(tickets) - len(back),
        "tells": Seller.objects.current().tells_of_reclaims,
    }
    return render(request, "distribution/leave.html", context, status=422 if form.errors else 200)


@require_POST
def put_back(request: HttpRequest, company_id, member_id) -> HttpResponse:
    relay = keeping(request, company_id)
    found = get_object_or_404(Member.objects.ever_of(relay.company), public_id=member_id)
    try:
        actions.put_back(relay=relay, member=found)
    except AlreadyOnTheList as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(name)s is on your list.") % {"name": found})
    return redirect("distribution:member", company_id, member_id)
