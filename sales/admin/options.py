"""Options: what waits for an answer, on a calendar, and by product."""

import calendar
from datetime import date

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, Sum
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.admin import ReadOnlyAdmin
from portal.clock import now
from portal.errors import Refused
from sales import actions
from sales.deadlines import last_day_by_rule
from sales.forms import QuantityField
from sales.models import Option, Terms
from sales.steps.orders import free_of
from tickets.models import Product


class AnswerForm(forms.Form):
    quantity = QuantityField(label=_("tickets to hold"))
    last_day = forms.DateField(label=_("until this day, included"), required=False, widget=AdminDateWidget)
    reason = forms.CharField(
        label=_("or refuse, with this reason"), required=False, max_length=300, widget=forms.TextInput(attrs={"size": 60})
    )

    def clean(self):
        values = super().clean() or {}
        if "refuse" in self.data:
            for name in ("quantity", "last_day"):
                self.errors.pop(name, None)
            if not values.get("reason"):
                self.add_error("reason", _("Say why: the company reads it."))
        elif not self.errors and not values.get("last_day"):
            self.add_error("last_day", _("Say until which day."))
        return values


class ToAnswer(admin.SimpleListFilter):
    title, parameter_name = _("to answer"), "answer"

    def lookups(self, request, model_admin):
        return [("yes", _("waits for an answer")), ("live", _("live"))]

    def queryset(self, request, queryset):
        if self.value() == "yes":
            return queryset.filter(pk__in=Option.objects.to_answer().values("pk"))
        return queryset.live() if self.value() == "live" else queryset


@admin.register(Option)
class OptionAdmin(ReadOnlyAdmin):
    list_display = ["asked_at", "company", "product", "quantity", "shown_state", "held", "confirmed", "deadline", "more_time_on"]
    list_filter = [ToAnswer, "state"]
    list_select_related = ["company", "product__event__venue"]
    search_fields = ["company__name", "product__event__name"]
    date_hierarchy = "deadline"
    change_form_template = "admin/sales/option.html"
    change_list_template = "admin/sales/options.html"
    fields = [
        "company", "product", "shown_state", "quantity", "wished_on", "note", "granted", "held", "confirmed", "deadline", "more_time_on",
        "reason", "asked_by", "asked_at", "answered_by", "ended_at",
    ]  # fmt: skip

    @admin.display(description=_("state"), ordering="state")
    def shown_state(self, option):
        return option.word

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("calendar/", view(self.calendar_view), name="sales_option_calendar"),
            path("products/", view(self.products_view), name="sales_option_products"),
            path("<int:option_id>/answer/", view(self.answer_view), name="sales_option_answer"),
            *super().get_urls(),
        ]

    def page(self, request, template, title, context):
        shared = {**self.admin_site.each_context(request), "title": title, "opts": self.model._meta}
        return render(request, f"admin/sales/{template}.html", shared | context)

    def answer_view(self, request, option_id):
        """Accept a request with any quantity and deadline, refuse it, or answer a request for more time."""
        if not request.user.has_perm("sales.change_option"):
            raise PermissionDenied
        found = get_object_or_404(Option.objects.for_list(), pk=option_id)
        event = found.product.event
        wished = found.more_time_on or found.wished_on or last_day_by_rule(event, now(), Terms.objects.current())
        form = AnswerForm(request.POST if request.method == "POST" else None, initial={"quantity": found.quantity, "last_day": wished})
        if found.more_time_on:
            del form.fields["quantity"]
        if form.is_valid():
            try:
                self.answer(request, found, form.cleaned_data)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Answered: the company is told by email."))
                return redirect("admin:sales_option_change", option_id)
        free = max(0, free_of([found.product])[found.product_id])
        return self.page(request, "answer", _("Answer"), {"option": found, "form": form, "free": free})

    def answer(self, request, found, values) -> None:
        refused, more = "refuse" in request.POST, found.more_time_on is not None
        if more:
            last_day = None if refused else values["last_day"]
            actions.answer_more_time(option=found.pk, last_day=last_day, reason=values["reason"], by=request.user)
        elif refused:
            actions.refuse_option(option=found.pk, reason=values["reason"], by=request.user)
        else:
            actions.accept_option(option=found.pk, quantity=values["quantity"], last_day=values["last_day"], by=request.user)

    def calendar_view(self, request):
        """A month, each day with the options that end on it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        month = month_of(request.GET.get("month", ""))
        begins, ends = month, next_month(month)
        options = Option.objects.filter(deadline__date__gte=begins, deadline__date__lte=ends, granted__gt=0).for_list().order_by("deadline")
        by_day: dict[date, list] = {}
        for option in options:
            by_day.setdefault(option.last_day, []).append(option)
        dates = calendar.Calendar().monthdatescalendar(month.year, month.month)
        weeks = [[(day, day.month == month.month, by_day.get(day, [])) for day in week] for week in dates]
        before = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
        return self.page(request, "calendar", _("Options on a calendar"), {"month": month, "weeks": weeks, "before": before, "after": ends})

    def products_view(self, request):
        """Each product with options: held, confirmed, lapsed."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        live, at = Q(options__state="live"), now()
        over = Q(options__state="lapsed") | (live & Q(options__deadline__lte=at))
        products = Product.objects.filter(options__isnull=False).annotate(
            held=Sum("options__held", filter=live & Q(options__deadline__gt=at), default=0),
            bought=Sum("options__confirmed", default=0),
            lapsed=Sum(F("options__granted") - F("options__confirmed"), filter=over, default=0),
            asked=Sum("options__quantity", filter=Q(options__state__in=["requested", "waiting"]), default=0),
        )
        found = list(products.select_related("event__venue").order_by("event__valid_until")[:500])
        free = free_of(found)
        return self.page(request, "products", _("Options by product"), {"rows": [(p, free[p.pk]) for p in found]})


def month_of(text: str) -> date:
    """The first day of the month written "2026-11"; of the present one when nothing is written."""
    if not text:
        return timezone.localdate().replace(day=1)
    try:
        year, month = text.split("-")
        found = date(int(year), int(month), 1)
    except ValueError as error:
        raise Http404 from error
    if not 2000 < found.year < 3000:
        raise Http404
    return found


def next_month(month: date) -> date:
    return date(month.year + (month.month == 12), month.month % 12 + 1, 1)
