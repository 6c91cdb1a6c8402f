"""The API itself, who may speak to it, and how it says no."""

from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from control import limits
from control.access import Remembered, device_of, remembered
from control.errors import CheckStays, HoleInJournal, NoPairing, NotForThisDevice, TooManyRequests
from control.models import Device
from control.pages import COOKIE
from portal.errors import Refused


class DeviceToken(HttpBearer):
    """A device by its token: in the Authorization header or, for the gate's page, in its cookie.

    The cookie never travels from another site (SameSite=Strict), and counts only beside a header that no other site may
    add without asking; so scripts never see the token.
    `telling`: also one whose time is over, for what it scanned before.
    """

    def __init__(self, *, telling: bool = False) -> None:
        super().__init__()
        self.telling = telling

    def __call__(self, request: HttpRequest) -> Device | Remembered | None:
        kind, _space, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not kind and request.META.get("HTTP_X_GATE"):
            return self.authenticate(request, request.COOKIES.get(COOKIE, ""))
        return self.authenticate(request, token) if kind.lower() == "bearer" else None

    def authenticate(self, request: HttpRequest, token: str) -> Device | Remembered | None:
        return device_of(token, telling=self.telling)


class RememberedToken(DeviceToken):
    """The device as it was when it asked last; the view asks whether it still is."""

    def authenticate(self, request: HttpRequest, token: str) -> Device | Remembered | None:
        return remembered(token) or device_of(token)


class Api(NinjaAPI):
    """A problem is described as what it is sent as."""

    def get_openapi_schema(self, **kwargs):
        schema = super().get_openapi_schema(**kwargs)
        for operations in schema["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if int(status) >= 400:
                        answer["content"] = {"application/problem+json": answer["content"]["application/json"]}
        return schema


api = Api(title="Relais", version="1", auth=DeviceToken(), urls_namespace="api", docs_url=None, openapi_url="openapi.json")


class Problem(Schema):
    """`code` is stable, for programs; `detail` is for people, in the language asked for."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str


PROBLEMS = {400: Problem, 401: Problem, 403: Problem, 422: Problem, 429: Problem, 503: Problem}
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 409: "Conflict",
    422: "Unprocessable Content", 429: "Too Many Requests", 503: "Service Unavailable",
}  # fmt: skip


def speaking(request: HttpRequest, *, to: str | None = None, cost: float = 1) -> Device:
    """The device that asks, if it has this right and has not asked too often."""
    device: Device | None = request.auth  # type: ignore[attr-defined]
    if device is None:
        raise AuthenticationError
    limits.spend(device.pk, cost)
    if to and not getattr(device, to):
        raise NotForThisDevice
    return device


def problem(request: HttpRequest, status: int, code: str, detail: str, **headers: str) -> HttpResponse:
    body = Problem(title=TITLES[status], status=status, code=code, detail=detail).dict()
    answer = api.create_response(request, body, status=status)
    answer["Content-Type"] = "application/problem+json"
    for name, value in headers.items():
        answer[name.replace("_", "-")] = value
    return answer


REFUSALS = {CheckStays: 409, HoleInJournal: 409, NoPairing: 404, NotForThisDevice: 403, TooManyRequests: 429}


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    headers = {"Retry_After": str(error.seconds)} if isinstance(error, TooManyRequests) else {}
    return problem(request, REFUSALS[type(error)], error.code, str(error), **headers)


def not_paired(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    detail = _("This device is not paired, or no longer. Ask the staff for a new code.")
    return problem(request, 401, "not_paired", detail, WWW_Authenticate="Bearer")


def database_is_away(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem(request, 503, "restarting", _("The portal is restarting: send the same scan again."), Retry_After="5")


def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    fields = ", ".join(sorted({".".join(str(part) for part in fault["loc"][1:]) for fault in error.errors}))
    return problem(request, 422, "not_understood", _("Not understood: %(fields)s.") % {"fields": fields[:200] or "body"})


def not_json(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem(request, error.status_code, "not_json", _("The body is no JSON."))


def not_there(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(request, 404, "not_found", _("There is no such thing at this event."))


handlers: dict[type[Exception], Callable] = {
    AuthenticationError: not_paired,
    OperationalError: database_is_away,
    InterfaceError: database_is_away,
    ValidationError: not_understood,
    HttpError: not_json,
    Http404: not_there,
    **dict.fromkeys(REFUSALS, refused),
}
for kind, handler in handlers.items():
    api.add_exception_handler(kind, handler)
