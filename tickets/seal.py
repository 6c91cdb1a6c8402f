"""Texts that the key in force signs, so that whoever has its public key may prove that not a letter has changed."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tickets.barcode import SIGNED_BYTES, signer
from tickets.models import SigningKey


def seal(text: str) -> tuple[int, bytes]:
    """The id of the key in force, and its signature."""
    body = text.encode()
    assert len(body) > SIGNED_BYTES  # what a ticket's code signs is shorter: no seal is ever a code
    key_id, key = signer()
    return key_id, key.sign(body)


def is_sealed(text: str, signature: bytes | memoryview, key: SigningKey) -> bool:
    """Whether this key signed this text; a key revoked since signed what it signed."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes(key.public_key)).verify(bytes(signature), text.encode())
    except InvalidSignature:
        return False
    return True
