"""The embedded SQL engine: connections that touch nothing but what they are told to, as streams."""

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from yuntu_push.adapters.sources.arrow_stream import StreamError, TextStream
from yuntu_push.adapters.sources.pulling import pulled
from yuntu_push.domain.errors import SourceError, YuntuPushError
from yuntu_push.domain.segment_rows import TextColumn
from yuntu_push.domain.text import Text, msg

READ_MEMORY = "256MB"  # enough for reading files in parallel; nothing is sorted or joined


@contextmanager
def connection(*, memory: str = READ_MEMORY, threads: int | None = None) -> Iterator[Any]:
    """A connection without disk: it may not spill, install or load anything."""
    import duckdb

    con = duckdb.connect(
        config={
            "memory_limit": memory,
            "threads": str(threads or os.cpu_count() or 1),
            "temp_directory": "",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    try:
        yield con
    finally:
        con.close()


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


Batches = Iterator[tuple[int, tuple[TextColumn, ...]]]


def stream(
    con: Any,
    sql: str,
    params: Mapping[str, object] | None = None,
    *,
    abort: Callable[[], None] = lambda: None,
) -> Generator[tuple[int, tuple[TextColumn, ...]], None, None]:
    """The rows of a query whose columns are all text, batch by batch.

    `abort` is called when the reader stops early, besides interrupting the query.
    """

    def stop() -> None:
        abort()
        con.interrupt()

    return pulled(_batches(con, sql, params), abort=stop)


def _batches(con: Any, sql: str, params: Mapping[str, object] | None) -> Batches:
    relation = con.sql(sql, params=dict(params)) if params else con.sql(sql)
    yield from TextStream(relation)


@contextmanager
def translated(what: str, *, code: str = "SOURCE_UNREADABLE") -> Iterator[None]:
    """Turn the engine's errors about `what` into ours; their details may quote rows, so they go."""
    import duckdb

    try:
        yield
    except YuntuPushError:
        raise
    except (duckdb.Error, StreamError) as exc:
        raise _refusal(what, code, str(exc)) from None


_KINDS: Sequence[tuple[str, Text]] = (
    ("Out of Memory", msg("the engine ran out of memory")),
    ("Permission", msg("the engine may not read that file")),
    ("No files found", msg("no such file")),
    ("Parser Error", msg("the SQL has a syntax error")),
    ("Binder Error", msg("the SQL names something that is not there")),
    ("Catalog Error", msg("the SQL names something that is not there")),
    ("Conversion Error", msg("a value does not have the type that the SQL asks for")),
    ("not a parquet", msg("this is not a Parquet file")),
    ("No magic bytes", msg("this is not a Parquet file")),
)


def _refusal(what: str, code: str, text: str) -> SourceError:
    reason = next((said for sign, said in _KINDS if sign.lower() in text.lower()), None)
    return SourceError(
        code,
        msg("{what} cannot be read: {reason}", what=what, reason=reason or msg("it is damaged")),
        hint=msg("check the file or the query"),
    )
