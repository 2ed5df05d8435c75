"""CSV text without quotes, split with NumPy: several times faster than by a parser.

Only blocks of whole lines are taken of which every reader makes the same rows: no quotes, one kind
of line end, as many cells in every line as there are columns. From the first other block on, what
is left of the text goes to the parser.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

from yuntu_push.adapters.sources.csv_layout import bad_byte
from yuntu_push.domain.segment_rows import TextColumn

BLOCK = 2 << 20  # bytes
LONGEST = 2 << 20  # bytes of a line; the parser refuses longer ones
_STRIPE = 1 << 17  # bytes looked at once: they stay in the processor's cache
_NEWLINE, _RETURN = b"\n", b"\r"
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """The wanted columns of some whole lines."""

    rows: int
    columns: tuple[TextColumn, ...]


@dataclass
class PlainText:
    """Text in pieces, split for as long as it is plain.

    `header` lines stand before the data; `places` are the wanted among `columns` columns.
    """

    path: str
    pieces: Iterable[bytes]
    delimiter: str
    columns: int
    places: Sequence[int]
    header: int
    rows: int = field(default=0, init=False)
    rest: Iterator[bytes] | None = field(default=None, init=False)
    """The header and what was not plain any more, when the blocks have ended."""
    _head: bytes = field(default=b"", init=False)

    def blocks(self) -> Iterator[Block]:
        """The rows of each block."""
        pieces = iter(self.pieces)
        held = self._after_header(pieces)
        if held is None:
            return
        returns: bool | None = None
        ended = False
        while not ended:
            gathered = [held]
            size = len(held)
            while not ended and (len(gathered) == 1 or size < BLOCK):
                piece = next(pieces, None)
                ended = piece is None
                gathered.append(piece or b"")
                size += len(gathered[-1])
            text = b"".join(gathered)
            if ended and text and not text.endswith(_NEWLINE):
                text += b"\r\n" if returns and not text.endswith(_RETURN) else _NEWLINE
            whole = text.rfind(_NEWLINE) + 1
            if not whole and not ended and len(text) < LONGEST:
                held = text
                continue
            if returns is None and whole:
                returns = text[: text.index(_NEWLINE)].endswith(_RETURN)
            block = self._split(text, whole, returns=bool(returns)) if whole else None
            if block is None:
                self.rest = chain([self._head, text], pieces) if text else None
                return
            self.rows += block.rows
            yield block
            held = text[whole:]

    def _after_header(self, pieces: Iterator[bytes]) -> bytes | None:
        """What follows the header; None, and all of it is the rest, when that is not plain."""
        text = next(pieces, b"")
        place = 0
        for _ in range(self.header):
            end = text.find(_NEWLINE, place)
            line = text[place:end]
            if end < 0 or b'"' in line or not line.strip():
                self.rest = chain([text], pieces)
                return None
            place = end + 1
        self._head = text[:place]
        return text[place:]

    def _split(self, text: bytes, end: int, *, returns: bool) -> Block | None:
        """The block of the first `end` bytes, which are whole lines; None when it is not plain."""
        if text.find(b'"', 0, end) >= 0 or text.find(b"\0", 0, end) >= 0:
            return None
        data = np.frombuffer(text, np.uint8)
        rows, marks = _marks(data[:end], ord(self.delimiter))
        if len(marks) != rows * self.columns:
            return None
        ends = marks.reshape(rows, self.columns)
        last = ends[:, -1]
        # As many line ends as rows, and each row's last mark is one: no row is ragged.
        if not (data[last] == ord(_NEWLINE)).all():
            return None
        if not returns:
            if text.find(_RETURN, 0, end) >= 0:
                return None
        elif not (
            np.count_nonzero(data[:end] == ord(_RETURN)) == rows
            and (data[last - 1] == ord(_RETURN)).all()
        ):
            return None
        columns = tuple(self._column(text, ends, place, returns=returns) for place in self.places)
        if not text.isascii():
            for column in columns:
                self._check_text(column)
        return Block(rows, columns)

    def _column(self, text: bytes, ends: Index, place: int, *, returns: bool) -> TextColumn:
        if place:
            starts = ends[:, place - 1] + 1
        else:
            starts = np.empty(len(ends), np.int64)
            starts[0] = 0
            np.add(ends[:-1, -1], 1, out=starts[1:])
        lengths = ends[:, place] - starts
        if returns and place == self.columns - 1:
            lengths -= 1
        return TextColumn(memoryview(text), starts.data, lengths.data)

    def _check_text(self, column: TextColumn) -> None:
        """See that the column's values are UTF-8, or raise `SourceError`."""
        for row in _not_ascii(column):
            try:
                column.value(row).decode()
            except UnicodeDecodeError:
                line = self.header + self.rows + row + 1
                raise bad_byte(self.path, "utf-8", line) from None


_WORD = 8  # bytes looked at together
_HIGH = np.uint64(0x8080808080808080)  # the bits that no ASCII has


def _not_ascii(column: TextColumn) -> list[int]:
    """The rows whose values have bytes beyond ASCII, and perhaps one or two others."""
    data = np.frombuffer(column.data, np.uint8)
    starts = np.frombuffer(column.offsets, np.int64)
    lengths = np.frombuffer(column.lengths or b"", np.int64)
    if len(data) < _WORD:
        return list(range(len(starts)))
    windows: npt.NDArray[np.void] = np.ndarray(
        (len(data) - _WORD + 1,), np.dtype(f"V{_WORD}"), data, strides=(1,)
    )

    def words(places: Index) -> npt.NDArray[np.uint64]:
        return windows[places].view("<u8")

    # The last word of each value; of a short one, without what stands before it.
    ends = starts + lengths - _WORD
    last = words(np.maximum(ends, 0))
    short = np.flatnonzero(lengths < _WORD)
    gap = (_WORD - lengths[short]).astype(np.uint64) * np.uint64(8)
    last[short] = np.where(gap < 64, last[short] >> (gap % np.uint64(64)), np.uint64(0))
    found = [np.flatnonzero(last & _HIGH), np.flatnonzero(ends < 0)]  # too near to the beginning
    rows = np.flatnonzero(lengths > _WORD)
    place = starts[rows]
    while len(rows):
        found.append(rows[(words(place) & _HIGH) != 0])
        place = place + _WORD
        more = place < ends[rows]
        rows, place = rows[more], place[more]
    return sorted(set(np.concatenate(found).tolist()))


def _marks(data: npt.NDArray[np.uint8], delimiter: int) -> tuple[int, Index]:
    """How many lines end, and where cells end."""
    rows = 0
    found = []
    for start in range(0, len(data), _STRIPE):
        stripe = data[start : start + _STRIPE]
        marks = stripe == ord(_NEWLINE)
        rows += int(np.count_nonzero(marks))
        marks |= stripe == delimiter
        found.append(np.flatnonzero(marks) + start)
    return rows, np.concatenate(found)
