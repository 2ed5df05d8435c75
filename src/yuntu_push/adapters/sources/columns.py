"""Columns: finding those that a person named, and making them of rows."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from yuntu_push.domain.errors import SourceError
from yuntu_push.domain.lookalikes import NONE, likeness
from yuntu_push.domain.names import nearest
from yuntu_push.domain.text import msg

_MANY_DIGITS = 7  # in a column's name: more likely somebody's number


def columns_of(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The columns of some rows.

    `zip(*rows)` would make an iterator for each row, all alive at once, and so wake the collector
    of garbage again and again: it takes twenty times as long.
    """
    return [list(map(itemgetter(place), rows)) for place in range(len(rows[0]) if rows else 0)]


def places_of(wanted: Sequence[str], columns: Sequence[str], where: str) -> list[int]:
    """The position of each wanted column, or `SourceError`: missing or not the only one.

    An exact name wins over one in another case.
    """
    return [_place_of(name, columns, where) for name in wanted]


def _place_of(name: str, columns: Sequence[str], where: str) -> int:
    exact = [place for place, column in enumerate(columns) if column == name]
    found = exact or [
        place for place, column in enumerate(columns) if column.casefold() == name.casefold()
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise SourceError(
            "SOURCE_COLUMN_AMBIGUOUS",
            msg(
                "{count} columns of {where} are called {column}",
                count=len(found),
                where=where,
                column=repr(name),
            ),
            hint=msg("rename them, or pass --no-header and name them c1, c2 …"),
        )
    raise _missing(name, columns, where)


def _missing(name: str, columns: Sequence[str], where: str) -> SourceError:
    message = msg("there is no column {column} in {where}", column=repr(name), where=where)
    if any(_is_data(column) for column in columns):
        # Without a header the names would be people's ids: they are not shown.
        hint = msg("the first line looks like data: pass --no-header and name columns c1, c2 …")
        return SourceError("SOURCE_COLUMN_MISSING", message, hint=hint)
    close = nearest(name, columns)
    listed = ", ".join(repr(column) for column in (close or list(columns)[:20]))
    hint = (
        msg("did you mean {columns}?", columns=listed)
        if close
        else msg("its columns: {columns}", columns=listed)
    )
    return SourceError("SOURCE_COLUMN_MISSING", message, hint=hint)


def _is_data(name: str) -> bool:
    return sum(char.isdigit() for char in name) >= _MANY_DIGITS or likeness(name) != NONE
