"""API v1. Tokens in the Authorization header; no session, no cookie; errors as problem+json (RFC 9457)."""

import uuid
from datetime import datetime

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer
from psycopg_pool import PoolTimeout
from pydantic import Field

from control import actions, verdicts
from control.access import device_of
from control.models import Device


class DeviceToken(HttpBearer):
    def authenticate(self, request: HttpRequest, token: str) -> Device | None:
        return device_of(token)


api = NinjaAPI(title="Relais", version="1", auth=DeviceToken(), urls_namespace="api", docs_url=None, openapi_url="openapi.json")


class ScanIn(Schema):
    """One reading. `scan_id` is the client's own: sent again, it gets the first answer."""

    code: str = Field(max_length=400)
    scan_id: uuid.UUID


class ScanOut(Schema):
    """`reason` is stable, for programs; `title` and `sentence` are for people, in the language asked for."""

    scan_id: uuid.UUID
    verdict: str
    reason: str
    title: str
    sentence: str
    ticket: int | None
    beneficiary: str
    gate: str
    at: datetime


class Problem(Schema):
    type: str = "about:blank"
    title: str
    status: int
    detail: str


@api.post("/scans", response={200: ScanOut, 401: Problem, 422: Problem, 503: Problem}, summary="Check a ticket")
def create_scan(request: HttpRequest, reading: ScanIn):
    """Admit once, or refuse with a reason and a sentence; every scan is kept."""
    device: Device = request.auth  # type: ignore[attr-defined]
    scan = verdicts.informed(actions.scan(device=device, code=reading.code, client_id=reading.scan_id), device)
    ticket = scan.ticket
    return {
        "scan_id": scan.client_id,
        "verdict": scan.verdict,
        "reason": scan.reason,
        "title": verdicts.title(scan),
        "sentence": verdicts.sentence(scan),
        "ticket": ticket.number if ticket else None,
        "beneficiary": ticket.beneficiary if ticket and scan.verdict == "admitted" else "",
        "gate": device.gate.name,
        "at": scan.at,
    }


def problem(request: HttpRequest, status: int, title: str, detail: str):
    body = Problem(title=title, status=status, detail=detail).dict()
    answer = api.create_response(request, body, status=status)
    answer["Content-Type"] = "application/problem+json"
    return answer


@api.exception_handler(AuthenticationError)
def not_paired(request: HttpRequest, error: AuthenticationError):
    answer = problem(request, 401, "Unauthorized", _("This device is not paired, or no longer. Ask the staff for a new token."))
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(OperationalError)
@api.exception_handler(InterfaceError)
@api.exception_handler(PoolTimeout)
def database_is_away(request: HttpRequest, error: Exception):
    answer = problem(request, 503, "Service Unavailable", _("The portal is restarting: send the same scan again."))
    answer["Retry-After"] = "5"
    return answer


@api.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError):
    fields = ", ".join(sorted({".".join(str(part) for part in fault["loc"][2:]) for fault in error.errors}))
    return problem(request, 422, "Unprocessable Content", _("Not understood: %(fields)s.") % {"fields": fields or "body"})
