"""The code that a ticket bears: base45 text, signed with Ed25519, verifiable offline with the public key alone.

Layout, big-endian: version (1 byte), key id (2), event id (4), ticket number (6), generation (2), signature (64)
over what precedes it. The algorithm is fixed by the version, never read from the code. No personal data.
"""

import base64
import hmac
import struct
from functools import lru_cache
from typing import NamedTuple

import base45
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.db import connection

from tickets.errors import NoSigningKey
from tickets.models import SigningKey, Ticket

VERSION = 1
SIGNED_BYTES = 15


class Claim(NamedTuple):
    """What an authentic code says; whether it is still the current generation is the server's to know."""

    event: int
    number: int
    generation: int


class Forged(Exception):
    """Not a code of ours: unreadable, altered, or signed by a key that is unknown or revoked."""


@lru_cache(maxsize=1)
def private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(settings.SIGNING_KEY))


@lru_cache(maxsize=1)
def own_public_key() -> bytes:
    return private_key().public_key().public_bytes_raw()


def signer() -> tuple[int, Ed25519PrivateKey]:
    """The id of the key in force and the key itself, for any number of codes."""
    key = private_key()
    row = SigningKey.objects.filter(public_key=own_public_key(), revoked_at=None).first()
    if row is None:
        raise NoSigningKey
    return row.pk, key


def encode(ticket: Ticket, signed_by: tuple[int, Ed25519PrivateKey]) -> str:
    """The code of the ticket's present generation."""
    key_id, key = signed_by
    body = b"".join(
        [
            VERSION.to_bytes(1),
            key_id.to_bytes(2),
            ticket.event_id.to_bytes(4),
            ticket.number.to_bytes(6),
            ticket.generation.to_bytes(2),
        ]
    )
    return base45.b45encode(body + key.sign(body)).decode()


class Signed(NamedTuple):
    """A claim and the key that signed it; whether that key is still in force is asked with the admission."""

    claim: Claim
    key_id: int
    public_key: bytes


DIGITS = bytes.maketrans(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", bytes(range(45)))
LETTERS = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
LENGTH = 119  # of the text: 39 pairs of bytes, three letters each, and a last byte in two


def unpacked(text: str) -> bytes:
    """The bytes of a code (RFC 9285), for its one length: a library that takes any is four times as slow."""
    if len(text) != LENGTH or not LETTERS.issuperset(text):
        raise Forged
    digits = text.encode().translate(DIGITS)
    pairs = [a + b * 45 + c * 2025 for a, b, c in zip(digits[0:117:3], digits[1:117:3], digits[2:117:3], strict=True)]
    last = digits[117] + digits[118] * 45
    try:
        return struct.pack(">39HB", *pairs, last)
    except struct.error as error:
        raise Forged from error


def read(code: str) -> Signed:
    """What a code says, its signature verified; Forged when it is not one of ours."""
    raw = unpacked(code.strip().upper())
    body, signature = raw[:SIGNED_BYTES], raw[SIGNED_BYTES:]
    if len(raw) != SIGNED_BYTES + 64 or body[0] != VERSION:
        raise Forged
    key_id = int.from_bytes(body[1:3])
    # Ed25519 gives a text one signature: to sign again takes a third of the time of verifying, and a queue waits.
    ours = hmac.compare_digest(private_key().sign(body), signature)
    public = own_public_key() if ours else verified_by(key_id, body, signature)
    return Signed(Claim(int.from_bytes(body[3:7]), int.from_bytes(body[7:13]), int.from_bytes(body[13:15])), key_id, public)


def verified_by(key_id: int, body: bytes, signature: bytes) -> bytes:
    """The public key of this id, which must have signed: codes of an earlier season's key are verified so."""
    public = public_key(key_id)
    if public is None:
        raise Forged
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, body)
    except InvalidSignature as error:
        raise Forged from error
    return public


def decode(code: str) -> Claim:
    """What a code signed by a key in force says; Forged when it is not one of ours, or its key was revoked."""
    signed = read(code)
    if public_key(signed.key_id) != signed.public_key:
        raise Forged
    return signed.claim


def public_key(key_id: int) -> bytes | None:
    """The key of this id, asked for at every use (a revocation holds at once), so without what a queryset costs."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT public_key FROM tickets_signingkey WHERE id = %s AND revoked_at IS NULL", [key_id])
        row = cursor.fetchone()
    return bytes(row[0]) if row else None
