"""What a value looks like, to guess what its column really holds."""

import re

from yuntu_push.domain.id_device import is_identity_card
from yuntu_push.domain.id_phone import mainland_mobile
from yuntu_push.domain.id_types import cleaned

NONE = ""
_LOOKS = (
    ("SHA-256", re.compile(r"[0-9a-fA-F]{64}")),
    ("SHA-1", re.compile(r"[0-9a-fA-F]{40}")),
    ("UUID", re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")),
    ("IMEI", re.compile(r"[0-9]{15}")),
    ("MD5", re.compile(r"[0-9a-fA-F]{32}")),
    ("e-mail", re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")),
)


def likeness(value: str) -> str:
    """The kind of value this looks like; empty when it looks like none that is known."""
    text = cleaned(value)
    if mainland_mobile(text):
        return "phone"
    if is_identity_card(text):
        return "identity card"
    return next((name for name, pattern in _LOOKS if pattern.fullmatch(text)), NONE)
