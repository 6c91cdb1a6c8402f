from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from distribution import actions
from distribution.moves import RemindForm
from distribution.reminders import STEPS, Plan, counts, plan
from distribution.truth import holders
from distribution.views.scope import acting, distributing, product_of
from portal.clock import now

NAMED_IN_THE_ANSWER = 6


@require_http_methods(["GET", "POST"])
def remind(request: HttpRequest, company_id, product_id) -> HttpResponse:
    """Who has not opened, named or printed: the people behind the figure; one click reminds them."""
    relay = distributing(request, company_id) if request.method == "POST" else acting(request, company_id)
    product = product_of(relay, product_id)
    step = request.GET.get("step", "")
    step = step if step in STEPS else STEPS[0]
    form = RemindForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        done = actions.remind(relay=relay, product=product, step=step, **form.cleaned_data)
        messages.success(request, said(done))
        return redirect(f"{reverse('distribution:remind', args=[company_id, product_id])}?step={step}")
    at = now()
    context = {
        "relay": relay,
        "here": "home",
        "product": product,
        "step": step,
        "counts": counts(holders(relay, product) if product.event.valid_until > at else []),
        "plan": plan(relay, product, step, at),
        "form": form,
    }
    return render(request, "distribution/remind.html", context, status=422 if form.errors else 200)


def said(done: Plan) -> str:
    """Who was reminded, and who was not and why."""
    count = len(done.reminded)
    parts = [_("Nobody reminded.")]
    if count:
        parts = [ngettext("%(count)d person reminded.", "%(count)d people reminded.", count) % {"count": count}]
    if done.skipped:
        names = [f"{holder.member} ({why})" for holder, why in done.skipped[:NAMED_IN_THE_ANSWER]]
        more = len(done.skipped) - len(names)
        names += [ngettext("%(count)d other", "%(count)d others", more) % {"count": more}] if more else []
        parts.append(_("Not reminded: %(names)s.") % {"names": ", ".join(names)})
    return " ".join(parts)
