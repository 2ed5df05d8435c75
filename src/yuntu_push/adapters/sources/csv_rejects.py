"""The rows that were left out while a CSV file was read: where each stands, or why none may be."""

import csv
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from yuntu_push.adapters.sources.csv_layout import CsvLayout, bad_byte
from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.segment_rows import RaggedRow
from yuntu_push.domain.text import msg

MAX_RAGGED = 500_000  # more are not kept: such a file was misread, not damaged
_REJECTED = "select line, error_type from reject_errors order by line"
_BAD_TEXT = "INVALID ENCODING"
_BAD_QUOTES = ("UNQUOTED VALUE", "INVALID STATE", "LINE SIZE OVER MAXIMUM")

_UNEVEN = "reached an invalid state"

Text = Callable[[], Iterator[bytes]]
"""Reads the file anew, as UTF-8."""


def left_out(con: Any, path: str, layout: CsvLayout, before: int) -> list[int]:
    """The numbers of the rows with too few or too many cells, as the engine counts, or an error.

    It counts records and empty lines, and what stands above them; `before` were read without it.
    """
    rejected = [(line + before, kind) for line, kind in con.execute(_REJECTED).fetchall()]
    if len(rejected) >= MAX_RAGGED:
        raise SourceError(
            "SOURCE_RAGGED",
            msg(
                "{count} rows of {path} have another number of cells than its header",
                count=len(rejected),
                path=repr(path),
            ),
            hint=msg("check --delimiter and --header-row"),
        )
    for line, kind in rejected:
        if kind == _BAD_TEXT:
            raise bad_byte(path, layout.encoding, line)
        if kind in _BAD_QUOTES:
            raise SourceError(
                "SOURCE_BAD_QUOTES",
                msg(
                    "a quoted cell in {path} does not end properly, near line {line}",
                    path=repr(path),
                    line=line,
                ),
                hint=msg("mend that line, or export the file again with standard quoting"),
            )
    return sorted({line for line, _ in rejected})


def is_uneven(exc: Exception) -> bool:
    """Whether the engine met the end of a line where it expected none, or of another kind."""
    return _UNEVEN in str(exc)


def uneven(path: str) -> SourceError:
    """The error for lines that end in another way than those at the file's top."""
    return SourceError(
        "SOURCE_LINE_ENDS",
        msg("the lines of {path} end in different ways, or a quote is misplaced", path=repr(path)),
        hint=msg("pass it as --csv - < {path}, which reads all line ends", path=path),
    )


def placed(
    numbers: list[int], rows: int, path: str, layout: CsvLayout, *, lines: int, again: Text | None
) -> tuple[RaggedRow, ...]:
    """The ragged rows with their true lines; `rows` are the others, `lines` those of the file.

    A cell with a line break, or an empty line, moves the lines after it: then the file is read
    again, where it can be, up to the last of the ragged rows.
    """
    before = layout.skip + layout.has_header
    if lines == before + rows + len(numbers):
        return tuple(RaggedRow(number, number - before, path) for number in numbers)
    if again is not None:
        try:
            found = list(islice(_ragged(_lines(again()), path, layout), len(numbers)))
        except csv.Error:
            found = []
        if len(found) == len(numbers):
            return tuple(found)
    return tuple(RaggedRow(None, number - before, path) for number in numbers)


def _ragged(lines: Iterable[str], path: str, layout: CsvLayout) -> Iterator[RaggedRow]:
    reader = csv.reader(islice(lines, layout.skip, None), delimiter=layout.delimiter)
    width = len(layout.columns)
    if layout.has_header:
        next(reader, None)
    row, line = 0, reader.line_num
    for cells in reader:
        first, line = layout.skip + line + 1, reader.line_num
        if not cells and width > 1:
            continue  # an empty line is no row
        row += 1
        if max(len(cells), 1) != width:
            yield RaggedRow(first, row, path)


def _lines(pieces: Iterator[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace") + "\n"  # only the cells are counted
    yield rest.decode(errors="replace")
