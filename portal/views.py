from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.template import loader


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """200 when the portal and its database answer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def broken(request: HttpRequest) -> HttpResponse:
    """A page that needs nothing: neither the database nor the person's session."""
    return HttpResponseServerError(loader.get_template("500.html").render())
