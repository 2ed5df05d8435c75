"""Rows of MySQL's protocol, taken out of the received bytes many at a time.

The driver reads packet by packet at several microseconds a row. Here it still reads whatever is
not a whole row of short values in the buffer: the end, errors, long values, a cut connection.
"""
# ruff: noqa: SLF001 - the driver has no public way to its buffer

import io
from typing import Any

_BUFFER = 1 << 18  # bytes; each read from the socket costs a turn at the interpreter's lock
_NULL = 251  # as the length of a value; above it the length takes more bytes, or it is no row


def widen(connection: Any) -> None:
    """Let a connection that waits for a command receive more at a time."""
    connection._rfile = io.BufferedReader(connection._rfile.detach(), _BUFFER)


def columns(cursor: Any, size: int) -> list[list[Any]]:
    """The next rows of an unbuffered cursor, at most `size`, by column; nothing at the end."""
    converters = cursor._result.converters
    found: list[list[Any]] = [[] for _ in converters]
    while (left := size - len(found[0])) > 0:
        values, rows = _buffered(cursor, len(found), left)
        if rows:
            for place, (column, how) in enumerate(zip(found, converters, strict=True)):
                column.extend(_converted(values[place :: len(found)], *how))
            continue
        row = cursor.read_next()
        if row is None:
            break
        for column, value in zip(found, row, strict=True):
            column.append(value)
    return found if found[0] else []


def _buffered(cursor: Any, width: int, most: int) -> tuple[list[bytes | None], int]:
    """The values of the whole rows in the buffer, and how many rows they are."""
    connection = cursor.connection
    if not cursor._result.unbuffered_active:
        return [], 0
    try:
        data = connection._rfile.peek(_BUFFER)
    except OSError:  # the driver will meet it too, and gives it a name
        return [], 0
    turn = connection._next_seq_id
    values, used, rows = whole_rows(data, turn, width, most)
    connection._rfile.read(used)
    connection._next_seq_id = (turn + rows) & 255
    return values, rows


def whole_rows(
    data: bytes, turn: int, width: int, most: int
) -> tuple[list[bytes | None], int, int]:
    """The values of the rows at the start of `data`, the bytes they take, how many they are.

    `turn` is the number that the first packet must have.
    """
    values: list[bytes | None] = []
    append = values.append
    used = rows = 0
    end = len(data)
    while rows < most and (at := used + 4) < end:
        stop = at + (data[used] | data[used + 1] << 8 | data[used + 2] << 16)
        if stop > end or data[used + 3] != turn:
            break
        for _ in range(width):
            if at >= stop:
                break
            size = data[at]
            at += 1
            if size < _NULL:
                append(data[at : at + size])
                at += size
            elif size == _NULL:
                append(None)
            else:
                break
        else:
            if at == stop:
                used = stop
                rows += 1
                turn = (turn + 1) & 255
                continue
        break
    del values[rows * width :]
    return values, used, rows


def _converted(values: list[bytes | None], encoding: str | None, convert: Any) -> list[Any]:
    """The driver's own values for those of one column."""
    if encoding is None:
        texts: list[Any] = values
    else:
        texts = [None if value is None else value.decode(encoding) for value in values]
    if convert is None:
        return texts
    return [None if text is None else convert(text) for text in texts]
