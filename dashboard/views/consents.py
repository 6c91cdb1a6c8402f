from collections.abc import Iterator

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.http import SignedInRequest, for_staff
from dashboard import actions
from dashboard.models import Export
from members.models import Consent
from portal.sheets import as_file
from portal.templatetags.words import local

see = for_staff("members.view_consent")


@require_GET
@see
def consents(request: HttpRequest) -> HttpResponse:
    """Who said yes to the seller's offers and has not said no since, each with the proof; and who took the list away."""
    page = Paginator(Consent.objects.for_offers(), 50).get_page(request.GET.get("page"))
    exports = Export.objects.select_related("by")[:20]
    return render(request, "dashboard/consents.html", {"here": "consents", "page": page, "exports": exports})


@require_POST
@see
def take_consents(request: SignedInRequest, kind: str) -> HttpResponseBase:
    """The list with its proofs. That it was taken, when and by whom is kept."""
    actions.note_export(by=request.user)
    return as_file(rows_of(), _("offers"), kind)


def rows_of() -> Iterator[list]:
    yield [_("Email address"), _("Language"), _("Said yes at"), _("What was asked"), _("On the page")]
    for consent in Consent.objects.for_offers().iterator(chunk_size=2000):
        said = f"{local(consent.given_at):%Y-%m-%d %H:%M:%S}"
        yield [consent.user.email, consent.user.language, said, consent.text, consent.page]
