import sys

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader

DATABASE_IS_AWAY = (OperationalError, InterfaceError)


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """200 when the portal and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def broken(request: HttpRequest) -> HttpResponse:
    """A page that needs nothing: neither the database nor the person's session.

    Without its database the portal says so and can be tried again (503): an act with the same request key, so that
    it is done once even when its COMMIT went through unheard.
    """
    if not isinstance(sys.exc_info()[1], DATABASE_IS_AWAY):
        return HttpResponseServerError(loader.get_template("500.html").render())
    again = [(name, value) for name in request.POST for value in request.POST.getlist(name)] if "request_key" in request.POST else []
    page = loader.get_template("503.html").render({"again": again})
    return HttpResponse(page, status=503, headers={"Retry-After": "5", "Cache-Control": "no-store"})
