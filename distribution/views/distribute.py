from django.contrib import messages
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Relay
from distribution import actions
from distribution.errors import NotEnoughTickets, OnlyPairsLeft, PairParted, SeatTaken
from distribution.forms import Draft, as_uuid
from distribution.moves import ReassignForm
from distribution.views.scope import already_done, distributing, product_of
from members import actions as members_actions
from members.errors import AddressInUse, NameInUse, UnfamiliarDomain
from members.forms import MemberForm
from members.models import Member
from portal.htmx import go_to, page_or_part
from tickets.models import Product
from tickets.stock import figures_of

MOST_FOUND = 8


@require_http_methods(["GET", "POST"])
def distribute(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Choose people, quantities and a word, see what will leave, confirm: the whole draft is in the form.

    Each button posts the form with its own name; only "confirm" moves tickets, only "new" writes a member.
    """
    relay = distributing(request, company_id)
    product = product_of(relay, product_id)
    draft = Draft(relay, product, request.POST)
    new, status = MemberForm(), 200
    if request.method == "POST":
        draft.change(as_uuid(request.POST.get("more", "")), +1)
        draft.change(as_uuid(request.POST.get("less", "")), -1)
        draft.remove(as_uuid(request.POST.get("remove", "")))
        if member := Member.objects.of(relay.company).filter(public_id=as_uuid(request.POST.get("add", ""))).first():
            draft.add(member)
        if "one_for_me" in request.POST:
            draft.add(members_actions.add_myself(relay=relay))
        if "new" in request.POST:
            new, status = add_new(relay, draft, request.POST)
        if "confirm" in request.POST:
            answer = confirm(request, relay, product, draft)
            if answer:
                return answer
            status = 422
    context = compose(request, relay, product, draft) | {"new": new}
    return page_or_part(request, "distribution/distribute.html", "distribution/_distribute_form.html", context, status)


def add_new(relay: Relay, draft: Draft | ReassignForm, data) -> tuple[MemberForm, int]:
    """Put a new person on the list and in the draft; the form with its errors when that can't be."""
    form = MemberForm(data)
    if not form.is_valid():
        return form, 422
    try:
        member = members_actions.add_member(relay=relay, **form.cleaned_data)
    except UnfamiliarDomain as refusal:
        form.ask_again(refusal)
        return form, 422
    except (AddressInUse, NameInUse) as refusal:
        form.add_error("email" if isinstance(refusal, AddressInUse) else "last_name", str(refusal))
        form.bearers = refusal.members  # type: ignore[attr-defined]
        return form, 422
    draft.add(member)
    return MemberForm(), 200


def confirm(request: HttpRequest, relay: Relay, product: Product, draft: Draft) -> HttpResponse | None:
    """Distribute, or say beside each field why not."""
    figures = figures_of(relay.company, product)
    if draft.is_too_old:
        messages.error(request, _("This page is too old. Reload it and try again."))
        return None
    if not draft.people:
        messages.error(request, _("Choose at least one person first."))
        return None
    if already := already_done(request, relay):
        return go_to(request, "distribution:distribution", relay.company.public_id, already.public_id)
    if not draft.is_valid(figures.left):
        return None
    try:
        act = actions.distribute(
            relay=relay,
            product=product,
            gifts=draft.gifts(),
            message=draft.message.cleaned_data["message"],
            request_key=draft.request_key,
        )
    except (NotEnoughTickets, SeatTaken, OnlyPairsLeft, PairParted) as refusal:
        messages.error(request, str(refusal))
        return None
    return go_to(request, "distribution:distribution", relay.company.public_id, act.public_id)


def compose(request: HttpRequest, relay: Relay, product: Product, draft: Draft) -> dict:
    """What the page shows of a draft: what will remain, the people found, the email that will leave."""
    figures = figures_of(relay.company, product)
    words = request.POST.get("q", "")[:80]
    draft.seat()
    return {
        "relay": relay,
        "here": "home",
        "product": product,
        "figures": figures,
        "after": figures.with_given(min(draft.quantity, figures.left)),
        "too_many": max(0, draft.quantity - figures.left),
        "draft": draft,
        "words": words,
        "found": find(relay, words),
        "first": draft.people[0] if draft.people else None,
    }


def find(relay: Relay, words: str) -> list[Member]:
    """Colleagues by the start of any word of name or address; those given to last come first."""
    found = Member.objects.of(relay.company).found_by(words)
    return list(found.order_by(F("last_given_at").desc(nulls_last=True), "sort_key")[:MOST_FOUND])


@require_GET
def people(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """The list under the search field, as one types."""
    relay = distributing(request, company_id)
    product_of(relay, product_id)
    words = request.GET.get("q", "")[:80]
    context = {"found": find(relay, words), "words": words}
    return render(request, "distribution/_people.html", context)
