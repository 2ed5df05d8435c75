"""The rows of a query on a database: one read-only snapshot, streamed, counted, proved."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from typing import Any, cast

import numpy as np

from yuntu_push.adapters.sources import parameters, push_down, sql_gate
from yuntu_push.adapters.sources.columns import places_of
from yuntu_push.adapters.sources.database_errors import translated
from yuntu_push.adapters.sources.dialects import Dialect, connected
from yuntu_push.adapters.sources.sql_text import SqlText
from yuntu_push.adapters.sources.targets import Target
from yuntu_push.domain.errors import SourceError, TryLaterError
from yuntu_push.domain.segment_build import SourceSpec
from yuntu_push.domain.segment_rows import RowBatch, TextColumn
from yuntu_push.domain.text import msg

FETCH = 50_000  # rows at a time


class DatabaseSource:
    """One SELECT on one database.

    Its rows are counted in the snapshot in which they are then streamed; a stream that ends short
    of the count is an error, as some failures end a result without one.
    """

    def __init__(
        self, name: str, target: Target, sql: str, spec: SourceSpec, now: datetime
    ) -> None:
        self._name = name
        self._target = target
        self._push_down = dict(spec.push_down)
        self._sql = checked(sql, target.family)
        self._require = checked(spec.require_sql, target.family) if spec.require_sql else None
        names = [*self._sql.names, *(self._require.names if self._require else ())]
        self._bound = parameters.bind(spec.params, names, now)
        self._count: int | None = None

    @property
    def description(self) -> str:
        """The source's name and kind."""
        return f"{self._target.family}:{self._name}"

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters, with relative dates resolved."""
        return self._bound.shown

    def columns(self) -> list[str]:
        """The columns that the query gives."""
        with translated(self._name), connected(self._target) as (dialect, connection):
            return self._columns(dialect, connection)

    def rows_expected(self) -> int | None:
        """Known once the stream has begun."""
        return self._count

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows of the query, as many as were counted, or an error."""
        with (
            translated(self._name),
            ExitStack() as afterwards,
            connected(self._target) as (dialect, connection),
        ):
            has_snapshot = dialect.begin(connection)
            self._check_ready(dialect, connection)
            known = self._columns(dialect, connection)
            places = places_of(columns, known, repr(self._name))
            expected = self._counted(dialect, connection)
            self._count = expected
            self._prove(dialect, connection)
            chosen = ", ".join(
                self._chosen(dialect, wanted, known[place])
                for wanted, place in zip(columns, places, strict=True)
            )
            seen = 0
            cursor = dialect.cursor(connection)
            # After the connection: closing an open stream would first read all that is left of it.
            afterwards.callback(_close_quietly, cursor)
            self._execute(dialect, cursor, self._sql, f"select {chosen} from (")  # noqa: S608
            while values := dialect.fetch(cursor, FETCH):
                rows = len(values[0])
                yield RowBatch(rows, tuple(map(text_column, values)), seen + 1)
                seen += rows
            counted = [expected]
            if not has_snapshot:
                counted.append(self._counted(dialect, connection))
            check_count(self._name, seen, counted)

    def _chosen(self, dialect: Dialect, wanted: str, name: str) -> str:
        quoted = dialect.quote(name)
        if wanted not in self._push_down:
            return quoted
        return push_down.expression(dialect.name, self._push_down[wanted], quoted)

    def _prove(self, dialect: Dialect, connection: Any) -> None:
        """See that this connection hashes as we do, before it hashes anyone."""

        def ask(sql: str, values: dict[str, object]) -> Any:
            with closing(_plain(dialect, connection)) as cursor:
                cursor.execute(sql, values)
                return cursor.fetchone()

        if self._push_down:
            push_down.prove(dialect.name, list(self._push_down.values()), dialect.mark, ask)

    def _check_ready(self, dialect: Dialect, connection: Any) -> None:
        if not self._require:
            return
        row = self._one(dialect, connection, self._require, "", "")
        check_ready(self._name, row[0] if row else None)

    def _counted(self, dialect: Dialect, connection: Any) -> int:
        row = self._one(dialect, connection, self._sql, "select count(*) from (")
        return int(row[0])

    def _columns(self, dialect: Dialect, connection: Any) -> list[str]:
        with closing(_plain(dialect, connection)) as cursor:
            self._execute(dialect, cursor, self._sql, "select * from (", ") q where 1=0")
            names = [str(column[0]) for column in cursor.description]
            cursor.fetchmany(1)
        return names

    def _one(
        self, dialect: Dialect, connection: Any, sql: SqlText, before: str, after: str = ") q"
    ) -> Any:
        with closing(_plain(dialect, connection)) as cursor:
            self._execute(dialect, cursor, sql, before, after)
            return cursor.fetchone()

    def _execute(
        self, dialect: Dialect, cursor: Any, sql: SqlText, before: str, after: str = ") q"
    ) -> None:
        values = {name: self._bound.values[name] for name in set(sql.names)}
        flat, marks = parameters.expanded(values, dialect.mark)
        doubled = bool(flat) and dialect.percent
        start = before.replace("%", "%%") if doubled else before
        text = f"{start}\n{sql.with_marks(marks.__getitem__, percent=doubled)}\n{after}"
        if flat:
            cursor.execute(text, flat)
        else:
            cursor.execute(text)


def checked(sql: str, family: str) -> SqlText:
    """The text of a query that only reads, or `SourceError`."""
    sql_gate.check(sql, family)
    return SqlText(sql, family)


def check_ready(source: str, answer: object) -> None:
    """Raise `TryLaterError` when `require_sql` gives no row, or one that begins with 0 or false."""
    if answer is None or str(answer).strip().lower() in {"", "0", "false"}:
        raise TryLaterError(
            "SOURCE_NOT_READY",
            msg("{source} is not ready: require_sql gives nothing", source=repr(source)),
            hint=msg("run it again when the source is filled"),
        )


def check_count(source: str, seen: int, counted: Sequence[int]) -> None:
    """Raise `TryLaterError` unless as many rows came as were counted each time.

    Other counts mean a result that was cut off, or a source that changes while it is read.
    """
    wrong = next((count for count in counted if count != seen), None)
    if wrong is not None:
        raise TryLaterError(
            "SOURCE_SHORT_RESULT",
            msg("{source} gave {seen} rows of {expected}", source=repr(source), seen=seen,
                expected=wrong),
            hint=msg("run it again; nothing was kept"),
        )  # fmt: skip


def _close_quietly(cursor: Any) -> None:
    with suppress(Exception):
        cursor.close()


def _plain(dialect: Dialect, connection: Any) -> Any:
    """A cursor for small results; a streaming one would need its own clean end."""
    return dialect.cursor(connection) if dialect.name == "duckdb" else connection.cursor()


def text_column(values: Sequence[object]) -> TextColumn:
    """A column of text of a driver's values."""
    texts = cast("Sequence[str]", values)
    try:
        joined = "".join(texts)
    except TypeError:  # not all of them are text
        texts = [value if type(value) is str else _text(value) for value in values]
        joined = "".join(texts)
    if not joined.isascii():
        return TextColumn.of(texts)
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)), out=offsets[1:])
    return TextColumn(memoryview(joined.encode()), offsets.data)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bytes() | bytearray() | memoryview():
            raw = bytes(value)
            try:
                return raw.decode()
            except UnicodeDecodeError:
                return raw.hex()  # a digest stored as bytes
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)


def probe(name: str, target: Target) -> None:
    """Connect and ask for one row, or raise what a build would raise."""
    with translated(name), connected(target) as (dialect, connection):
        dialect.begin(connection)
        with closing(_plain(dialect, connection)) as cursor:
            cursor.execute("select 1")
            if not cursor.fetchone():
                raise SourceError(
                    "SOURCE_SQL_FAILED",
                    msg("{source} answers nothing", source=repr(name)),
                    hint=msg("check the server"),
                )
