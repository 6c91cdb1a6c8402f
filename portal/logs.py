"""Logs as JSON lines. What is logged carries ids, never a name, an address or a path."""

import logging
from collections.abc import MutableMapping

import structlog


def without_paths(logger: object, method: str, event: MutableMapping) -> MutableMapping:
    """Django's own records hold the request: keep its route, which has no id and no address."""
    record = event.get("_record")
    request = getattr(record, "request", None)
    if request is not None:
        match = getattr(request, "resolver_match", None)
        event["route"] = getattr(match, "route", "unresolved")
        event["event"] = getattr(record, "msg", "").split(":")[0]
    return event


def json_formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            without_paths,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )
