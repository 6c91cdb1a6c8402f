"""What every answer goes through."""

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers
from psycopg_pool import PoolTimeout

from portal.errors import Refused


class DatabaseDown:
    """Without its database the portal says so, in French and English, and can be tried again (503)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, OperationalError | InterfaceError | PoolTimeout):
            return unavailable()
        return None


def unavailable() -> HttpResponse:
    page = loader.get_template("503.html").render()
    return HttpResponse(page, status=503, headers={"Retry-After": "5", "Cache-Control": "no-store"})


class Language:
    """The person's language: her choice, else what the browser asks for, else French."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        if chosen not in dict(settings.LANGUAGES):
            chosen = translation.get_language_from_request(request)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", chosen)
            patch_vary_headers(response, ["Cookie", "Accept-Language"])
        return response


class PrivateAnswers:
    """What a signed-in person sees is kept by no cache: neither a proxy's nor the back button's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        return response


class Refusals:
    """A refusal that no view could place beside a field becomes one plain page (409)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, Refused):
            return render(request, "refused.html", {"sentence": str(exception)}, status=409)
        return None
