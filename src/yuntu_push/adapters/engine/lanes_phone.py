"""The fast lanes of mobile numbers: the ways in which most of them are written."""

from dataclasses import dataclass

import numpy as np

from yuntu_push.adapters.engine import hashing
from yuntu_push.adapters.engine.lane import Lane, Mask, clean_rows, read_hex
from yuntu_push.adapters.engine.shapes import SHA256, Bytes
from yuntu_push.domain.identifiers import IdType


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
        good = clean_rows((numbers - 48) > 9)  # unsigned: what is below "0" wraps round
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


def phone_lanes(*, raw: bool, hashed: bool) -> list[Lane]:
    """The lanes of a column of mobile numbers or their digests."""
    kind = IdType.MOBILE_HASH_SHA256
    ways = [Lane(way.length, kind, SHA256, False, way.read) for way in _WAYS] if raw else []
    digest = [Lane(64, kind, SHA256, True, read_hex)] if hashed else []
    return [*ways, *digest]
