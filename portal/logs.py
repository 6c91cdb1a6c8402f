"""Logs as JSON lines. What is logged carries ids, never a name, an address or a path."""

import logging
import traceback
from collections.abc import Iterator, MutableMapping
from http.client import responses

import structlog


def without_paths(logger: object, method: str, event: MutableMapping) -> MutableMapping:
    """Django's own records hold the request: keep its route, which has no id and no address."""
    record = event.get("_record")
    request = getattr(record, "request", None)
    if request is not None:
        match = getattr(request, "resolver_match", None)
        event["route"] = getattr(match, "route", "unresolved")
        event["event"] = responses.get(getattr(record, "status_code", 0)) or str(getattr(record, "msg", "")).split(":")[0]
    return event


def without_words(logger: object, method: str, event: MutableMapping) -> MutableMapping:
    """An error without its words: those of a database quote the row, names and addresses included.

    What was written about it quotes it too: its template alone is kept, and the name of Celery's task.
    """
    _kind, error, _frames = event.pop("exc_info", None) or (None, None, None)
    if error is not None:
        record = event["_record"]
        if "route" not in event:
            event["event"] = str(record.msg).split(":")[0]
        event["exception"] = "\n".join(told(error))
        about = getattr(record, "data", None)
        if isinstance(about, dict) and "name" in about:
            event["task"] = about["name"]
    return event


def told(error: BaseException) -> Iterator[str]:
    """The error's frames and its type, with the broken constraint; before it, the error that led to it."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from told(before)
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    constraint = getattr(getattr(error, "diag", None), "constraint_name", None)
    yield f"{type(error).__module__}.{type(error).__qualname__}" + (f" on {constraint}" if constraint else "")


def json_formatter() -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper(fmt="iso"),
            without_paths,
            without_words,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ]
    )
