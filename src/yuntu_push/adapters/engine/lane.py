"""Fast lanes: shapes of values that are recognised in bulk, by their length.

A lane says yes only where the rule of the domain says yes too, with the same id; every other value
goes through that rule, one by one. So a lane may be narrow, but never wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yuntu_push.adapters.engine.shapes import Bytes, Shape, digits_of_uuids
from yuntu_push.domain.id_nothing import DIGESTS_OF_NOTHING
from yuntu_push.domain.identifiers import IdType

Mask = npt.NDArray[np.bool_]
Reader = Callable[[Bytes], tuple[Mask, Bytes]]

NIBBLE = np.full(256, 0xFF, np.uint8)
for _value, _digits in enumerate(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
                                  "aA", "bB", "cC", "dD", "eE", "fF"]):  # fmt: skip
    for _digit in _digits:
        NIBBLE[ord(_digit)] = _value


@dataclass(frozen=True)
class Lane:
    """Values of `length` bytes; `read` gives which of them are ids, and the records of those.

    `doubtful` counts, among the values that are ids, those with a wrong check digit.
    """

    length: int
    id_type: IdType
    shape: Shape
    already_hashed: bool
    read: Reader
    doubtful: Callable[[Bytes], int] | None = None


def clean_rows(bad: Mask) -> Mask:
    """Which rows have nothing bad in them; cheapest when that is all of them."""
    return np.logical_not(bad.any(axis=1)) if bad.any() else np.ones(len(bad), np.bool_)


def read_hex(values: Bytes) -> tuple[Mask, Bytes]:
    """Hexadecimal text in either case, as bytes; not the digests and ids of nothing."""
    nibbles = NIBBLE[values]
    good = clean_rows(nibbles > 15)
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


def _nothings(size: int) -> Bytes:
    records = [bytes.fromhex(digest) for digest in DIGESTS_OF_NOTHING if len(digest) == 2 * size]
    return np.frombuffer(b"".join(sorted(records)), np.uint8).reshape(-1, size)


_NOTHINGS = {8: np.zeros((1, 8), np.uint8), **{size: _nothings(size) for size in (16, 32)}}
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
