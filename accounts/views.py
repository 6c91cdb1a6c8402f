from allauth.account import views as allauth_views
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import actions, retention
from accounts.context import relays_of
from accounts.forms import LanguageForm
from accounts.http import SignedInRequest
from accounts.models import Seller
from outbox.letters import address_in
from portal.colours import css


class RequestLoginCode(allauth_views.RequestLoginCodeView):
    """allauth's page, with the address that a link of ours was signed for."""

    def get_initial(self):
        return {**super().get_initial(), "email": address_in(self.request.GET.get("for", ""))}

    def _redirect_to_pending_stage(self, request, stage):
        """A code that waits for another address holds nobody back: a new request voids it."""
        return


request_login_code = login_not_required(RequestLoginCode.as_view())


@login_not_required
def confirm_login_code(request: HttpRequest) -> HttpResponse:
    """allauth's page; of two posts of one code from one browser, the second finds it used."""
    if request.method != "POST" or request.POST.get("action") == "resend":
        return allauth_views.confirm_login_code(request)
    with transaction.atomic():
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        Session.objects.select_for_update().filter(session_key=key).first()
        request.session = type(request.session)(key)  # read again: what waited here must see what the first one did
        response = allauth_views.confirm_login_code(request)
        if request.session.modified:
            request.session.save()
        if hasattr(response, "render"):
            response.render()
        return response


@require_GET
def home(request: SignedInRequest) -> HttpResponse:
    """To the one space a person has; to the choice when she has several."""
    relays = relays_of(request.user)
    if len(relays) == 1:
        return redirect("distribution:home", relays[0].company.public_id)
    if relays:
        return redirect("spaces")
    if request.user.is_staff:
        return redirect("admin:index")
    return redirect("distribution:my_tickets")


@require_GET
def spaces(request: SignedInRequest) -> HttpResponse:
    """One login, every space: the companies a person acts for, her own tickets, the staff's pages."""
    return render(request, "accounts/spaces.html")


@require_GET
def account(request: SignedInRequest) -> HttpResponse:
    """The person's own settings: language, password, passkeys, sessions."""
    return render(request, "accounts/account.html")


@require_POST
def log_out_everywhere(request: SignedInRequest) -> HttpResponse:
    actions.log_out_everywhere(user=request.user)
    request.session.flush()
    return redirect("account_request_login_code")


@login_not_required
@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """The language of the pages, kept by the browser, and of the person's emails when she is signed in."""
    form = LanguageForm(request.POST)
    if not form.is_valid():
        raise Http404
    if request.user.is_authenticated:
        actions.choose_language(user=request.user, language=form.cleaned_data["language"])
    back = form.cleaned_data["next"]
    response = redirect(back if url_has_allowed_host_and_scheme(back, None) else "home")
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        form.cleaned_data["language"],
        max_age=365 * 24 * 3600,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


@login_not_required
@require_GET
@cache_control(public=True, max_age=300)
def house(request: HttpRequest) -> HttpResponse:
    """The seller's colours, as the stylesheet's layer "house"."""
    return HttpResponse(css(Seller.objects.current().accent), content_type="text/css")


@login_not_required
@require_GET
@cache_control(public=True, max_age=300)
def logo(request: HttpRequest) -> HttpResponse:
    picture = Seller.objects.current().logo
    if not picture:
        raise Http404
    return HttpResponse(bytes(picture), content_type="image/png")


@login_not_required
@require_http_methods(["GET", "HEAD"])
def page(request: HttpRequest, name: str) -> HttpResponse:
    """The pages that the foot of each page names."""
    return render(request, f"pages/{name}.html")


@login_not_required
@require_http_methods(["GET", "HEAD"])
def privacy(request: HttpRequest) -> HttpResponse:
    """What is kept, why and for how long: written from the table that the nightly task applies."""
    seller = Seller.objects.current()
    lines = [(line.what, line.basis, line.kept(seller)) for line in retention.table().values()]
    return render(request, "pages/privacy.html", {"lines": lines, "seller": seller})
