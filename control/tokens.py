"""A device's token, and the short code that pairs it: each shown once, kept as its hash."""

import hashlib
import secrets

# No vowel and nothing that looks like something else: no word appears, and a code is read aloud without doubt.
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def new_pairing_code() -> str:
    """Eight letters in two groups: 2.6 × 10¹⁰ of them, each good for some minutes and once."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def canonical(code: str) -> str:
    return "".join(letter for letter in code.upper() if letter in LETTERS)


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
