from dataclasses import dataclass
from itertools import groupby

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from icalendar import Calendar
from icalendar import Event as Entry

from accounts.http import SignedInRequest
from accounts.models import Relay, Seller, User
from distribution import actions
from distribution.errors import NamesAreClosed, NothingToPrint, TicketHasChanged
from distribution.forms import BeneficiaryForm, GiveBackForm, OffersForm, ShownTicketsForm, as_uuid
from distribution.models import Distribution
from distribution.views.printing import pdf
from members import actions as members_actions
from members.models import Consent, Member
from portal.clock import now
from portal.download import download
from tickets.changes import in_words
from tickets.documents import qr_data_uri
from tickets.models import Event, EventChange, Movement, Ticket


@require_GET
def my_tickets(request: SignedInRequest) -> HttpResponse:
    """The member's space: what she holds, soonest first, and what was taken back."""
    at = now()
    tickets = list(mine(request.user))
    to_come = [t for t in tickets if t.event.valid_until > at]
    called_off = [t for t in to_come if t.event.cancelled_at]
    coming = [t for t in to_come if t.status != "cancelled" and not t.event.cancelled_at]
    changes = EventChange.objects.latest_of({t.event_id for t in to_come})
    context = {
        "groups": [group_of(event, held, at, changes.get(event.pk)) for event, held in by_event(coming)],
        "called_off": [group_of(event, held, at, changes.get(event.pk)) for event, held in by_event(called_off)],
        "past": [t for t in tickets if t.event.valid_until <= at and t.status != "cancelled"],
        "cancelled": [t for t in tickets if t.status == "cancelled" and t not in called_off],
        "reclaimed": reclaimed(request.user),
        "member": Member.objects.filter(email=request.user.email, left_on=None).first(),
        "consent": Consent.objects.answer_of(request.user),
        "offers_text": offers_text(),
    }
    return render(request, "distribution/my_tickets.html", context)


def by_event(tickets: list[Ticket]) -> list[tuple[Event, list[Ticket]]]:
    """Soonest first."""
    tickets = sorted(tickets, key=lambda t: (t.event.anchor, t.event_id, t.number))
    return [(event, list(held)) for event, held in groupby(tickets, key=lambda t: t.event)]


def mine(user: User):
    return Ticket.objects.given_to(user).for_list().order_by("event__valid_until", "number")


def group_of(event: Event, held: list[Ticket], at, change: EventChange | None) -> dict:
    """The tickets of one event, with what can still be done to them, and what has changed."""
    return {
        "event": event,
        "change": change,
        "changed": in_words(change) if change else "",
        "tickets": held,
        "printable": [t for t in held if t.status in ("distributed", "printed")],
        "names_open": at < event.names_until,
    }


@dataclass
class Lost:
    """A ticket that was taken or given back: by whom, and with which word."""

    movement: Movement
    taker: str = ""
    word: str = ""


def reclaimed(user: User) -> list[Lost]:
    """Tickets to come that were taken back from her, each with by whom and with which word: read from their movements."""
    taken = Movement.objects.filter(
        kind__in=["reclaimed", "given_back"], from_member__email=user.email, ticket__event__valid_until__gt=now()
    )
    lost = list(taken.exclude(ticket__member__email=user.email).select_related("ticket__event__venue").order_by("-pk")[:20])
    known = Distribution.objects.filter(public_id__in=[m.act for m in lost if m.act]).select_related("company")
    acts = {act.public_id: act for act in known}
    names = {(r.user_id, r.company_id): str(r) for r in Relay.objects.filter(user__in=[act.actor_id for act in acts.values()])}
    found = []
    for movement in lost:
        act = acts.get(movement.act) if movement.act else None
        relay = names.get((act.actor_id, act.company_id)) if act else ""
        taker = (f"{relay} ({act.company})" if relay else str(act.company)) if act else ""
        found.append(Lost(movement, taker, act.message if act else ""))
    return found


def offers_text() -> str:
    return _("I would like %(seller)s to tell me of its own offers by email.") % {"seller": Seller.objects.current()}


@require_http_methods(["GET", "POST"])
def name(request: SignedInRequest, ticket_id) -> HttpResponse:
    """Write who will come on one ticket."""
    ticket = get_object_or_404(mine(request.user).filter(status__in=["distributed", "printed"]), public_id=ticket_id)
    member = ticket.member
    initial = {
        "first_name": ticket.beneficiary_first_name if ticket.is_named else member.first_name,
        "last_name": ticket.beneficiary_last_name if ticket.is_named else member.last_name,
        "generation": ticket.generation,
    }
    form = BeneficiaryForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        try:
            actions.rename(user=request.user, ticket=ticket_id, **form.cleaned_data)
        except TicketHasChanged as refusal:
            messages.error(request, str(refusal))
            return redirect("distribution:my_tickets")
        except NamesAreClosed as refusal:
            form.add_error(None, str(refusal))
        else:
            words = {"name": "{first_name} {last_name}".format(**form.cleaned_data)}
            messages.success(request, _("The ticket is in the name of %(name)s.") % words)
            return redirect("distribution:my_tickets")
    context = {"ticket": ticket, "event": ticket.event, "form": form, "names_open": now() < ticket.event.names_until}
    return render(request, "distribution/name.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def give_back(request: SignedInRequest, ticket_id) -> HttpResponse:
    """ "I can't come": the ticket goes back to the relay, who is told at once."""
    key = as_uuid(request.POST.get("request_key", ""))
    if key and request.user.distributions.filter(request_key=key).exists():
        return redirect("distribution:my_tickets")
    held = mine(request.user).filter(status__in=["distributed", "printed"], event__valid_until__gt=now())
    ticket = get_object_or_404(held, public_id=ticket_id)
    form = GiveBackForm(request.POST if request.method == "POST" else None, initial={"generation": ticket.generation})
    if form.is_valid():
        try:
            actions.give_back(user=request.user, ticket=ticket_id, **form.cleaned_data)
        except TicketHasChanged as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Thank you: %(company)s can give this ticket to someone else.") % {"company": ticket.company})
        return redirect("distribution:my_tickets")
    context = {"ticket": ticket, "event": ticket.event, "form": form}
    return render(request, "distribution/give_back.html", context, status=422 if form.errors else 200)


@require_POST
def print_mine(request: SignedInRequest) -> HttpResponse:
    """One, some or all of her tickets in one PDF."""
    form = ShownTicketsForm(request.POST)
    try:
        if not form.is_valid():
            raise TicketHasChanged
        keys = actions.print_mine(user=request.user, shown=form.shown)
    except (TicketHasChanged, NothingToPrint) as refusal:
        messages.error(request, str(refusal))
        return redirect("distribution:my_tickets")
    return pdf(keys, Ticket.objects.select_related("event").get(pk=keys[0]).event.name)


@require_POST
def show(request: SignedInRequest, ticket_id) -> HttpResponse:
    """One ticket's code on the phone: like a print, it leaves the system."""
    form = ShownTicketsForm(request.POST)
    try:
        if not form.is_valid() or set(form.shown) != {ticket_id}:
            raise TicketHasChanged
        keys = actions.print_mine(user=request.user, shown=form.shown)
    except TicketHasChanged as refusal:
        messages.error(request, str(refusal))
        return redirect("distribution:my_tickets")
    ticket = Ticket.objects.filter(pk=keys[0]).for_print().get()
    return render(request, "distribution/show.html", {"ticket": ticket, "event": ticket.event, "qr": qr_data_uri(ticket)})


@require_GET
def calendar(request: SignedInRequest, event_id) -> HttpResponse:
    """The event for the member's own calendar."""
    ticket = mine(request.user).filter(event__public_id=event_id).first()
    event = get_object_or_404(Event.objects.select_related("venue"), pk=ticket.event_id if ticket else None)
    entry = Entry()
    entry.add("sequence", event.changes.count())
    entry.add("status", "CANCELLED" if event.cancelled_at else "CONFIRMED")
    entry.add("uid", f"{event.public_id}@relais")
    entry.add("dtstamp", now())
    entry.add("summary", event.name)
    entry.add("dtstart", event.starts_at or event.valid_from)
    entry.add("dtend", event.ends_at or event.valid_until)
    entry.add("location", ", ".join(part for part in (event.venue.name, event.venue.address) if part))
    feed = Calendar()
    feed.add("prodid", "-//Relais//FR")
    feed.add("version", "2.0")
    feed.add_component(entry)
    return download(feed.to_ical(), "event.ics", "text/calendar; charset=utf-8")


@require_POST
def offers(request: SignedInRequest) -> HttpResponse:
    """Her answer about the seller's own offers, kept with what was asked and where; back to that page."""
    form = OffersForm(request.POST)
    if not form.is_valid():
        return redirect("distribution:my_tickets")
    yes, page = form.cleaned_data["answer"] == "yes", form.cleaned_data["page"] or "my_tickets"
    members_actions.answer_consent(user=request.user, yes=yes, text=offers_text(), page=page)
    said = pgettext("offers", "You will hear of our offers.") if yes else pgettext("offers", "You will not receive our offers.")
    messages.success(request, said)
    return redirect(f"distribution:{page}")
