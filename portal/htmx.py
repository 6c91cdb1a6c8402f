"""Answers that differ for htmx: a part instead of the page, nothing where it has not changed, a header instead of a redirect."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render


def is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def page_or_part(request: HttpRequest, page: str, part: str, context: dict, status: int = 200) -> HttpResponse:
    """Render the part for htmx, else the page that includes it."""
    response = render(request, part if is_htmx(request) else page, context, status=status)
    response["Vary"] = "HX-Request"
    return response


def live_part(request: HttpRequest, part: str, context: dict) -> HttpResponse:
    """Render the part of a page that asks again every few seconds: a 304 where it has what `mark`, in the context, stands for."""
    has_it = request.headers.get("If-None-Match") == context["mark"]
    response = HttpResponseNotModified() if has_it else render(request, part, context)
    response["ETag"] = context["mark"]
    return response


def go_to(request: HttpRequest, to, *args, **kwargs) -> HttpResponse:
    """Send the browser to a page: `HX-Redirect` for htmx, a redirect otherwise."""
    response = redirect(to, *args, **kwargs)
    if is_htmx(request):
        return HttpResponse(status=204, headers={"HX-Redirect": response["Location"]})
    return response
