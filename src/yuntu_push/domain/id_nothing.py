"""Digests that look like ids and are the digests of nothing."""

import hashlib

ZERO_UUID = "00000000-0000-0000-0000-000000000000"
_NOTHINGS = (
    "", "0", "-", "null", "NULL", "None", "nan", "NaN", "unknown", "N/A",
    ZERO_UUID, "0" * 14, "0" * 15, "0" * 16, "0" * 32, "0" * 64,
)  # fmt: skip
DIGESTS_OF_NOTHING = frozenset(
    [hashlib.md5(v.encode(), usedforsecurity=False).hexdigest() for v in _NOTHINGS]
    + [hashlib.sha256(v.encode()).hexdigest() for v in _NOTHINGS]
    + ["0" * 32, "0" * 64]
)
"""Digests that stand for no device: of an empty value, of placeholders, of all zeros."""
