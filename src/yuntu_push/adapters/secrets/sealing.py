"""Authenticated encryption of small values: AES-256-GCM under a key derived from a secret."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12


def derived_key(material: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose from random material of any length (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(
        material
    )


def sealed(key: bytes, plain: bytes, *, bound_to: bytes) -> bytes:
    """A fresh nonce and the ciphertext; it opens only with the same key and `bound_to`."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def opened(key: bytes, content: bytes, *, bound_to: bytes) -> bytes | None:
    """What was sealed, or None when the content is torn, changed or sealed otherwise."""
    try:
        return AESGCM(key).decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], bound_to)
    except (InvalidTag, ValueError):
        return None
