"""What every answer goes through."""

from functools import lru_cache

from csp.constants import HEADER as CSP
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_cache_control, patch_vary_headers

from portal.errors import Refused


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
    """What a person or a device is answered is kept by no cache: neither a proxy's nor the back button's."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        return response


class ContentPolicy(CSPMiddleware):
    """The policy of a page; what has brought its own keeps it."""

    def process_response(self, request, response):
        return response if CSP in response else super().process_response(request, response)


class Api:
    """A call of the API goes to its view at once: it has no session, no form and no page, and a queue waits for it."""

    find = staticmethod(lru_cache(maxsize=100)(resolve))
    # Of what shows nothing: OWASP's REST security cheat sheet.
    HEADERS = {CSP: "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "private, no-store"}

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            called = self.find(request.path_info) if request.path_info.startswith("/api/") else None
        except Resolver404:  # the page that says so
            called = None
        if called is None:
            return self.get_response(request)
        request.resolver_match = called
        response = called.func(request, *called.args, **called.kwargs)
        for name, value in self.HEADERS.items():
            response.headers.setdefault(name, value)
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
