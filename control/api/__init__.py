"""API v1. Tokens in the Authorization header; no session; errors as problem+json (RFC 9457)."""

from control.api.answers import api
from control.api.event import router as event
from control.api.scans import router as scans

api.add_router("", scans)
api.add_router("", event)

__all__ = ["api"]
