"""Text in the forms that are stored and compared."""

import re
import unicodedata

LIGATURES = str.maketrans(
    {"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "Ø": "o", "đ": "d", "Đ": "d", "ł": "l", "Ł": "l", "ı": "i"}
)


def canonical_email(address: str) -> str:
    """The one form in which an address is stored and compared: stripped, NFC, lower case."""
    return unicodedata.normalize("NFC", address.strip()).lower()


def folded(text: str) -> str:
    """Without case, accents or punctuation: what search and order compare ("Zoë" finds "ZOE")."""
    text = unicodedata.normalize("NFKD", text.translate(LIGATURES)).casefold()
    kept = ("" if unicodedata.combining(c) else c if c.isalnum() or c in "@." else " " for c in text)
    return " ".join("".join(kept).split())


def whole_number(text: str) -> int | None:
    """A quantity as typed in ASCII digits; None for anything else."""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text.strip()) else None
