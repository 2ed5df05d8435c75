"""Ids as fixed-width records, and records as the text that is sent.

A shape is a set of ids of one length that share a compact binary form: digests and UUIDs as their
bytes, ids in clear as padded ASCII. Records of a shape sort as their texts do.
"""

from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import numpy.typing as npt

from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.settings import IdSettings

Bytes = npt.NDArray[np.uint8]


class Form(Enum):
    """How a record becomes text."""

    HEX = auto()  # lower-case hexadecimal
    UUID_LOWER = auto()
    UUID_UPPER = auto()
    ASCII = auto()


@dataclass(frozen=True)
class Shape:
    """Records of `width` bytes (a multiple of 8) that stand for ids of `length` characters."""

    form: Form
    length: int
    width: int

    @classmethod
    def hexadecimal(cls, length: int) -> "Shape":
        """Lower-case hex text of a digest."""
        return cls(Form.HEX, length, length // 2)

    @classmethod
    def ascii(cls, length: int) -> "Shape":
        """Plain text of digits."""
        return cls(Form.ASCII, length, (length + 7) // 8 * 8)

    @property
    def even(self) -> bool:
        """Whether the first byte of records is spread evenly."""
        return self.form is not Form.ASCII


SHA256 = Shape.hexadecimal(64)
MD5 = Shape.hexadecimal(32)
UUID_LOWER = Shape(Form.UUID_LOWER, 36, 16)
UUID_UPPER = Shape(Form.UUID_UPPER, 36, 16)

# Two bytes at a time: a table of 65,536 entries is half the work and still fits the cache.
_PAIRS = np.arange(65536, dtype=np.uint16).view(np.uint8)
_NIBBLES = np.stack([_PAIRS >> 4, _PAIRS & 15], axis=1).ravel()
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)[_NIBBLES].view(np.uint32)
_HEX_UPPER = np.frombuffer(b"0123456789ABCDEF", np.uint8)[_NIBBLES].view(np.uint32)
# A UUID's 32 hex digits and its hyphens in 36 places.
_UUID_DIGITS = np.array([i for i in range(36) if i not in (8, 13, 18, 23)])


def shape_of(id_type: IdType, text: str, rules: IdSettings) -> Shape:
    """The shape of an id that `identify` accepted under the same rules."""
    match id_type:
        case IdType.MOBILE_HASH_SHA256:
            return SHA256
        case IdType.IMEI_MD5 | IdType.IDFA_MD5 | IdType.OAID_MD5:
            return MD5
        case IdType.IDFA:
            return UUID_UPPER if rules.idfa_case == "upper" else UUID_LOWER
        case IdType.OAID:
            return UUID_LOWER if len(text) == UUID_LOWER.length else Shape.hexadecimal(len(text))
        case IdType.IMEI | IdType.UID:
            return Shape.ascii(len(text))


def record_of(shape: Shape, text: str) -> bytes:
    """The record of an id."""
    if shape.form is Form.ASCII:
        return text.encode("ascii").ljust(shape.width, b"\0")
    return bytes.fromhex(text.replace("-", ""))


def texts_of(shape: Shape, records: Bytes) -> Bytes:
    """The ASCII text of records, one per row, `shape.length` columns."""
    if shape.form is Form.ASCII:
        return records[:, : shape.length]
    table = _HEX_UPPER if shape.form is Form.UUID_UPPER else _HEX
    pairs = np.ascontiguousarray(records).view(np.uint16)
    digits = np.take(table, pairs).view(np.uint8)
    if shape.form is Form.HEX:
        return digits
    texts = np.full((len(records), 36), ord("-"), np.uint8)
    texts[:, _UUID_DIGITS] = digits
    return texts


def digits_of_uuids(texts: Bytes) -> Bytes:
    """The 32 hex digits of hyphenated UUIDs."""
    return np.concatenate(
        [texts[:, 0:8], texts[:, 9:13], texts[:, 14:18], texts[:, 19:23], texts[:, 24:36]], axis=1
    )
