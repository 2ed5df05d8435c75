"""The fast lanes: shapes of values that are recognised in bulk, by their length.

A lane says yes only where the rule of the domain says yes too, with the same id; every other value
goes through that rule, one by one. So a lane may be narrow, but never wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yuntu_push.adapters.engine import hashing
from yuntu_push.adapters.engine.shapes import (
    MD5,
    SHA256,
    UUID_LOWER,
    UUID_UPPER,
    Bytes,
    Shape,
    digits_of_uuids,
)
from yuntu_push.domain.id_nothing import DIGESTS_OF_NOTHING
from yuntu_push.domain.identifiers import Form, IdType
from yuntu_push.domain.segment_build import IdColumn
from yuntu_push.domain.settings import IdSettings

Mask = npt.NDArray[np.bool_]
Reader = Callable[[Bytes], tuple[Mask, Bytes]]

NIBBLE = np.full(256, 0xFF, np.uint8)
for _value, _digits in enumerate(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
                                  "aA", "bB", "cC", "dD", "eE", "fF"]):  # fmt: skip
    for _digit in _digits:
        NIBBLE[ord(_digit)] = _value


@dataclass(frozen=True)
class Lane:
    """Values of `length` bytes; `read` gives which of them are ids, and the records of those."""

    length: int
    id_type: IdType
    shape: Shape
    already_hashed: bool
    read: Reader


def lanes_for(column: IdColumn, rules: IdSettings) -> list[Lane]:
    """The lanes of a column, in the order in which they are tried."""
    raw = column.form is not Form.HASHED
    hashed = column.form is not Form.RAW
    kind = column.id_type
    match kind:
        case IdType.MOBILE_HASH_SHA256:
            return _phone_lanes(raw=raw, hashed=hashed)
        case IdType.IDFA:
            shape = UUID_UPPER if rules.idfa_case == "upper" else UUID_LOWER
            return [Lane(36, kind, shape, False, read_uuid), Lane(32, kind, shape, False, read_hex)]
        case IdType.OAID:
            return [Lane(36, kind, UUID_LOWER, False, read_uuid)]
        case IdType.IMEI:
            return []
        case IdType.UID:
            return []
        case IdType.IMEI_MD5 | IdType.OAID_MD5:
            return _digest_lanes(kind, hashed=hashed)
        case IdType.IDFA_MD5:
            upper = [Lane(36, kind, MD5, False, _upper_uuid_md5)] if raw else []
            return [*_digest_lanes(kind, hashed=hashed), *upper]


def _digest_lanes(kind: IdType, *, hashed: bool) -> list[Lane]:
    return [Lane(32, kind, MD5, True, read_hex)] if hashed else []


def _clean_rows(bad: Mask) -> Mask:
    """Which rows have nothing bad in them; cheapest when that is all of them."""
    return np.logical_not(bad.any(axis=1)) if bad.any() else np.ones(len(bad), np.bool_)


def read_hex(values: Bytes) -> tuple[Mask, Bytes]:
    """Hexadecimal text in either case, as bytes; not the digests and ids of nothing."""
    nibbles = NIBBLE[values]
    good = _clean_rows(nibbles > 15)
    if not good.all():
        nibbles = nibbles[good]
    records: Bytes = np.left_shift(nibbles[:, ::2], 4, dtype=np.uint8) | nibbles[:, 1::2]
    return _without_nothings(good, records)


def read_uuid(values: Bytes) -> tuple[Mask, Bytes]:
    """Hyphenated UUIDs in either case, as 16 bytes; not the zero one."""
    hyphens = (values[:, (8, 13, 18, 23)] == ord("-")).all(axis=1)
    digits = digits_of_uuids(values)
    good, records = read_hex(digits if hyphens.all() else digits[hyphens])
    mask = hyphens.copy()
    mask[hyphens] = good
    return mask, records


def _upper_uuid_md5(values: Bytes) -> tuple[Mask, Bytes]:
    good, _ = read_uuid(values)
    chosen = values if good.all() else values[good]
    lower = (chosen >= ord("a")) & (chosen <= ord("z"))
    return good, hashing.md5(chosen - lower.astype(np.uint8) * 32)


def _nothings(size: int) -> Bytes:
    records = [bytes.fromhex(digest) for digest in DIGESTS_OF_NOTHING if len(digest) == 2 * size]
    return np.frombuffer(b"".join(sorted(records)), np.uint8).reshape(-1, size)


_NOTHINGS = {size: _nothings(size) for size in (16, 32)}
# Their first two bytes as a table, so that nearly every record is cleared by one look-up.
_NOTHING_STARTS = {size: np.zeros(65536, np.bool_) for size in _NOTHINGS}
for _size, _records in _NOTHINGS.items():
    _NOTHING_STARTS[_size][np.ascontiguousarray(_records[:, :2]).view(np.uint16).ravel()] = True


def _without_nothings(good: Mask, records: Bytes) -> tuple[Mask, Bytes]:
    size = records.shape[1]
    starts = np.ascontiguousarray(records[:, :2]).view(np.uint16).ravel()
    suspects = np.flatnonzero(_NOTHING_STARTS[size][starts])
    if not len(suspects):
        return good, records
    nothing = (records[suspects, None, :] == _NOTHINGS[size][None, :, :]).all(axis=2).any(axis=1)
    kept = np.ones(len(records), np.bool_)
    kept[suspects[nothing]] = False
    mask = good.copy()
    mask[good] = kept
    return mask, records[kept]


@dataclass(frozen=True)
class _Written:
    """A way to write a mobile number: fixed characters, and the places of its digits."""

    fixed: dict[int, bytes]
    digits: tuple[int, ...]
    length: int

    @classmethod
    def of(cls, pattern: str) -> "_Written":
        """From a pattern: `d` is a digit, `s` a space or hyphen, anything else itself."""
        fixed = {
            place: b" -" if char == "s" else char.encode()
            for place, char in enumerate(pattern)
            if char != "d"
        }
        return cls(fixed, tuple(i for i, c in enumerate(pattern) if c == "d"), len(pattern))

    def read(self, values: Bytes) -> tuple[Mask, Bytes]:
        good, numbers = self.numbers(values)
        return good, hashing.sha256(numbers)

    def numbers(self, values: Bytes) -> tuple[Mask, Bytes]:
        """Which values are written so, and the eleven digits of those."""
        first, last = self.digits[0], self.digits[-1] + 1
        if last - first == len(self.digits):
            numbers = values[:, first:last]
        else:
            numbers = values[:, self.digits]
        good = _clean_rows((numbers - 48) > 9)  # unsigned: what is below "0" wraps round
        good &= (numbers[:, 0] == ord("1")) & (numbers[:, 1] >= ord("3"))
        for place, allowed in self.fixed.items():
            good &= np.logical_or.reduce([values[:, place] == byte for byte in allowed])
        return good, numbers if good.all() else numbers[good]


_NUMBER = "d" * 11
_GROUPED = "dddsddddsdddd"
_WAYS = [
    _Written.of(pattern)
    for pattern in (
        _NUMBER, f"+86{_NUMBER}", f"86{_NUMBER}", f"0086{_NUMBER}", f"+86s{_NUMBER}",
        f"86s{_NUMBER}", f"0{_NUMBER}", f"{_NUMBER}.0", _GROUPED, f"+86s{_GROUPED}",
        f"+86{_GROUPED}", f"'{_NUMBER}", f"86s{_GROUPED}", f" {_NUMBER}", f"{_NUMBER} ",
    )
]  # fmt: skip


def _phone_lanes(*, raw: bool, hashed: bool) -> list[Lane]:
    kind = IdType.MOBILE_HASH_SHA256
    ways = [Lane(way.length, kind, SHA256, False, way.read) for way in _WAYS] if raw else []
    digest = [Lane(64, kind, SHA256, True, read_hex)] if hashed else []
    return [*ways, *digest]
