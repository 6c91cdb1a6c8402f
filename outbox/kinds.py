"""The kinds of email that are owed. The app that owes one registers its page here; outbox imports no app."""

from collections.abc import Callable
from typing import NamedTuple


class Attachment(NamedTuple):
    """A PDF that goes with an email."""

    name: str
    content: bytes


class Letter(NamedTuple):
    """What an email says, the name it comes from, and what goes with it."""

    subject: str
    text: str
    html: str
    sender: str
    attachments: tuple[Attachment, ...] = ()


class Kind(NamedTuple):
    render: Callable[[dict, str, str], Letter]
    still_due: Callable[[dict], bool]


_kinds: dict[str, Kind] = {}


def register(name: str, render: Callable, still_due: Callable) -> None:
    """`render(refs, language, secret)` gives a Letter; `still_due(refs)` is read just before sending."""
    _kinds[name] = Kind(render, still_due)


def kind(name: str) -> Kind:
    return _kinds[name]
