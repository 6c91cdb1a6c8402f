from datetime import timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from icalendar import Calendar
from icalendar import Event as Entry

from accounts.models import Relay
from portal.errors import Refused
from sales import actions
from sales.actions.options import hashed
from sales.errors import EventIsOver
from sales.forms import ConfirmForm, HeldForm, MoreTimeForm, OptionForm
from sales.models import CalendarFeed, Listing, Option
from sales.steps.orders import free_of
from sales.views.scope import buying, page


@require_GET
def options(request: HttpRequest, company_id) -> HttpResponse:
    """The company's options: those that hold tickets first, the soonest deadline first."""
    relay = buying(request, company_id)
    mine = Option.objects.of(relay.company).for_list()
    live = list(mine.live().order_by("deadline"))
    others = Paginator(mine.exclude(pk__in=[option.pk for option in live]), 30).get_page(request.GET.get("page"))
    feed = CalendarFeed.objects.filter(relay=relay).first()
    return page(request, relay, "options", "options", {"live": live, "others": others, "feed": feed})


@require_http_methods(["GET", "POST"])
def request_option(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Ask for tickets of a product to be held, or to be told when some are free."""
    relay = buying(request, company_id)
    listing = get_object_or_404(Listing.objects.open_to(relay.company).for_list(), product__public_id=product_id)
    product = listing.product
    form = OptionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            asked = actions.request_option(relay=relay, product=product, **form.cleaned_data)
        except EventIsOver as refusal:
            form.add_error("wished_on", str(refusal))
        else:
            messages.success(request, said_of(asked))
            return redirect("sales:option", company_id, asked.public_id)
    free = max(0, free_of([product])[product.pk])
    return page(request, relay, "options", "request_option", {"product": product, "form": form, "free": free}, 422 if form.errors else 200)


def said_of(option: Option) -> str:
    if option.state == Option.State.LIVE:
        said = ngettext("%(n)d ticket is held for you.", "%(n)d tickets are held for you.", option.held)
        return said % {"n": option.held}
    if option.state == Option.State.WAITING:
        return _("Not so many tickets are free today. Your request waits: you get an email when some are.")
    return _("Your request is with the seller: you get an email with the answer.")


def option_of(relay: Relay, option_id) -> Option:
    return get_object_or_404(Option.objects.of(relay.company).for_list(), public_id=option_id)


def show(request: HttpRequest, relay: Relay, found: Option, confirm: ConfirmForm, more: MoreTimeForm) -> HttpResponse:
    context = {"option": found, "product": found.product, "event": found.product.event, "confirm": confirm, "more": more}
    return page(request, relay, "options", "option", context, 422 if confirm.errors or more.errors else 200)


def fresh_confirm(found: Option) -> ConfirmForm:
    return ConfirmForm(initial={"quantity": found.held, "price": found.product.price})


@require_http_methods(["GET", "POST"])
def option(request: HttpRequest, company_id, option_id) -> HttpResponse:
    """One option: the time left, and the order of all or a part of it."""
    relay = buying(request, company_id)
    found = option_of(relay, option_id)
    if request.method == "GET":
        return show(request, relay, found, fresh_confirm(found), MoreTimeForm())
    confirm = ConfirmForm(request.POST)
    if confirm.is_valid():
        try:
            order = actions.confirm_option(relay=relay, option=found, **confirm.cleaned_data)
        except Refused as refusal:
            quantity = request.POST["quantity"]
            confirm = ConfirmForm({**request.POST.dict(), "price": str(found.product.price), "quantity": quantity})
            confirm.add_error("quantity", str(refusal))
        else:
            messages.success(request, _("Order %(number)s is placed.") % {"number": order.number})
            return redirect("sales:order", company_id, order.public_id)
    return show(request, relay, found, confirm, MoreTimeForm())


@require_POST
def give_back(request: HttpRequest, company_id, option_id) -> HttpResponse:
    """Give back all that it holds, or withdraw the request."""
    relay = buying(request, company_id)
    found = option_of(relay, option_id)
    form = HeldForm(request.POST)
    if form.is_valid() and actions.give_option_back(relay=relay, option=found, **form.cleaned_data):
        messages.success(request, _("The option is given back: it holds nothing any more."))
    else:
        messages.error(request, _("This option has changed meanwhile: look at it again."))
    return redirect("sales:option", company_id, option_id)


@require_POST
def more_time(request: HttpRequest, company_id, option_id) -> HttpResponse:
    """Ask the seller to hold the tickets longer."""
    relay = buying(request, company_id)
    found = option_of(relay, option_id)
    form = MoreTimeForm(request.POST)
    if form.is_valid():
        try:
            actions.ask_more_time(relay=relay, option=found, **form.cleaned_data)
        except Refused as refusal:
            form.add_error("until", str(refusal))
        else:
            messages.success(request, _("The seller has your request for more time: you get an email with the answer."))
            return redirect("sales:option", company_id, option_id)
    return show(request, relay, found, fresh_confirm(found), form)


@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest, company_id) -> HttpResponse:
    """The secret address at which her calendar reads the deadlines: made, shown once, and revoked."""
    relay = buying(request, company_id)
    address = ""
    if request.method == "POST" and "revoke" in request.POST:
        actions.revoke_calendar_feed(relay=relay)
        messages.success(request, _("The address is dead: no calendar reads it any more."))
        return redirect("sales:calendar", company_id)
    if request.method == "POST":
        token = actions.make_calendar_feed(relay=relay)
        address = settings.PUBLIC_BASE_URL.rstrip("/") + reverse("sales:feed", args=[token])
    feed_made = CalendarFeed.objects.filter(relay=relay).first()
    return page(request, relay, "options", "calendar", {"address": address, "feed": feed_made})


@login_not_required
@require_GET
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The deadlines of live options, for a calendar that knows the secret; any other token is a 404."""
    known = CalendarFeed.objects.filter(token_hash=hashed(token), relay__in=Relay.objects.authorised().filter(may_buy=True))
    found = known.select_related("relay__company", "relay__user").first()
    if found is None:
        raise Http404
    with translation.override(found.relay.user.language):
        entries = deadlines(found.relay)
    return HttpResponse(entries.to_ical(), content_type="text/calendar; charset=utf-8")


def deadlines(relay: Relay) -> Calendar:
    """A day for the last day of each live option of her company."""
    entries = Calendar()
    entries.add("prodid", "-//Relais//FR")
    entries.add("version", "2.0")
    entries.add("x-wr-calname", _("Options of %(company)s") % {"company": relay.company})
    for live in Option.objects.of(relay.company).live().for_list().order_by("deadline"):
        entry = Entry()
        words = {"n": live.held, "name": live.product.event.name}
        entry.add("uid", f"{live.public_id}@relais")
        entry.add("dtstamp", live.asked_at)
        entry.add("summary", ngettext("Option: %(n)d ticket, %(name)s", "Option: %(n)d tickets, %(name)s", live.held) % words)
        entry.add("dtstart", live.last_day)
        entry.add("dtend", live.last_day + timedelta(days=1) if live.last_day else None)
        link = reverse("sales:option", args=[relay.company.public_id, live.public_id])
        entry.add("url", settings.PUBLIC_BASE_URL.rstrip("/") + link)
        entries.add_component(entry)
    return entries
