"""Rows on their way from a source to the engine: columns of text, a batch at a time."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TextColumn:
    """Values of one column, one after the other, as UTF-8.

    Value i is `data[offsets[i]:offsets[i + 1]]`; `data` holds bytes, `offsets` 64-bit integers,
    one more than there are values. A missing value is an empty one. With `lengths` there may be
    other bytes between values: `offsets` says where each begins, `lengths` how long it is.
    """

    data: memoryview
    offsets: memoryview
    lengths: memoryview | None = None

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "TextColumn":
        """The column of some values."""
        from array import array

        encoded = [value.encode() if value else b"" for value in values]
        offsets = array("q", [0])
        for value in encoded:
            offsets.append(offsets[-1] + len(value))
        return cls(memoryview(b"".join(encoded)), memoryview(offsets))

    def value(self, place: int) -> bytes:
        """One value, as UTF-8."""
        start = self.offsets[place]
        end = self.offsets[place + 1] if self.lengths is None else start + self.lengths[place]
        return bytes(self.data[start:end])


@dataclass(frozen=True)
class RaggedRow:
    """A row with another number of cells than the header.

    `line` is 1-based in its file, where the reader knows it, `row` among its data records.
    """

    line: int | None
    row: int
    file: str = ""


@dataclass(frozen=True)
class RowBatch:
    """Some consecutive rows of one file.

    `columns` are those asked for, in that order; `first_row` is the number of the first row among
    the whole rows of its file, from 1. `ragged` rows are reported with a file's last batch and are
    not among `rows`; they move the numbers of the rows after them. `lines` are the lines
    of the rows (their rows in a sheet), where the reader knows them.
    """

    rows: int
    columns: tuple[TextColumn, ...]
    first_row: int
    file: str = ""
    ragged: tuple[RaggedRow, ...] = ()
    lines: Sequence[int] | None = None

    def line_of(self, place: int) -> int | None:
        """The line of the row at a place in this batch, counted from 0, where lines are known."""
        return None if self.lines is None else self.lines[place]
