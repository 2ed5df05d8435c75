"""A batch's column as NumPy arrays, and the values of one length as a matrix."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yuntu_push.adapters.engine.shapes import Bytes
from yuntu_push.domain.segment_rows import TextColumn

Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Texts:
    """Values as one run of bytes, where each begins, and how long each is."""

    data: Bytes
    starts: Index
    lengths: Index

    @classmethod
    def of(cls, column: TextColumn) -> "Texts":
        """The column's values, without copying."""
        data = np.frombuffer(column.data, np.uint8)
        offsets = np.frombuffer(column.offsets, np.int64)
        if column.lengths is None:
            return cls(data, offsets[:-1], np.diff(offsets))
        return cls(data, offsets, np.frombuffer(column.lengths, np.int64))

    def __len__(self) -> int:
        return len(self.starts)

    def slice(self, start: int, stop: int) -> "Texts":
        """Some consecutive values."""
        return Texts(self.data, self.starts[start:stop], self.lengths[start:stop])

    def matrix(self, at: Index, length: int) -> Bytes:
        """The values at some places, all of `length` bytes, as rows."""
        count = len(at)
        if not count:
            return np.empty((0, length), np.uint8)
        starts = self.starts[at]
        first = int(starts[0])
        if int(starts[-1]) - first == (count - 1) * length:  # one right after the other
            return self.data[first : first + count * length].reshape(count, length)
        # One overlapping window per byte: taking windows copies whole values at once.
        windows: npt.NDArray[np.void] = np.ndarray(
            (len(self.data) - length + 1,), np.dtype(f"V{length}"), self.data, strides=(1,)
        )
        return windows[starts].view(np.uint8).reshape(count, length)

    def value(self, place: int) -> str:
        """One value as text; bytes that are no UTF-8 become the replacement character."""
        start = int(self.starts[place])
        return (
            self.data[start : start + int(self.lengths[place])].tobytes().decode("utf-8", "replace")
        )
