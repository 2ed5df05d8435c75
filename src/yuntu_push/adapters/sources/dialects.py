"""Databases, one row per family: driver, read-only session, streaming cursor, errors."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from yuntu_push.adapters.sources import mysql_rows, mysql_sessions
from yuntu_push.adapters.sources.columns import columns_of
from yuntu_push.adapters.sources.targets import CONNECT_SECONDS, STATEMENT_SECONDS, Target
from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.text import msg


def _fetch(cursor: Any, size: int) -> list[list[Any]]:
    return columns_of(cursor.fetchmany(size))


@dataclass(frozen=True)
class Dialect:
    """A family of databases.

    `connect` gives a connection whose session only reads; `begin` opens one snapshot in it, and
    says whether it could; `cursor` streams; `mark` writes a bound parameter; `quote` a name;
    `fetch` takes the next rows of a cursor, at most so many, by column: none at the end.
    """

    name: str
    extra: str
    connect: Callable[[Target], Any]
    begin: Callable[[Any], bool]
    cursor: Callable[[Any], Any]
    mark: Callable[[str], str]
    quote: Callable[[str], str]
    fetch: Callable[[Any, int], list[list[Any]]] = _fetch
    percent: bool = False  # the driver takes % for itself when parameters are bound


def _quote_double(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quote_tick(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _postgres(target: Target) -> Any:
    import psycopg

    return psycopg.connect(
        host=target.host or None,
        port=target.port,
        user=target.user,
        password=target.password,
        dbname=target.database or None,
        connect_timeout=CONNECT_SECONDS,
        sslmode=target.options.get("sslmode", "prefer" if target.is_local else "require"),
        sslrootcert=target.options.get("sslrootcert"),
        application_name="yuntu-push",
        options=(
            f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS * 1000}"
            " -c standard_conforming_strings=on"
        ),
    )


def _postgres_begin(connection: Any) -> bool:
    from psycopg import IsolationLevel

    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    return True


def _postgres_cursor(connection: Any) -> Any:
    return connection.cursor(name="yuntu_push")


def _sqlite(target: Target) -> Any:
    import sqlite3

    path = _file(target)
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute("pragma query_only=on")
    return connection


def _duckdb(target: Target) -> Any:
    import duckdb

    return duckdb.connect(
        str(_file(target)),
        read_only=True,
        config={
            "enable_external_access": "false",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": "",
            "lock_configuration": "true",
        },
    )


def _file(target: Target) -> Path:
    path = Path(target.database).expanduser().absolute()
    if path.is_file():
        return path
    raise SourceError(
        "SOURCE_FILE_MISSING",
        msg("there is no file {path}", path=repr(str(path))),
        hint=msg("check the path"),
    )


def _plain_begin(connection: Any) -> bool:
    connection.execute("begin")
    return True


def _plain_cursor(connection: Any) -> Any:
    return connection.cursor()


def _duckdb_cursor(connection: Any) -> Any:
    # Another cursor would be another transaction, and so another snapshot.
    return _Uncloseable(connection)


class _Uncloseable:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, params: Any = None) -> None:
        self._connection.execute(sql, params) if params else self._connection.execute(sql)

    def fetchmany(self, size: int) -> list[tuple[object, ...]]:
        rows: list[tuple[object, ...]] = self._connection.fetchmany(size)
        return rows

    def fetchone(self) -> Any:
        return self._connection.fetchone()

    @property
    def description(self) -> Any:
        return self._connection.description

    def close(self) -> None:
        """The connection is closed by its owner."""


def _of_mysql(name: str, port: int = 3306) -> Dialect:
    return Dialect(
        name, "mysql", partial(mysql_sessions.connect, port=port), mysql_sessions.begin,
        mysql_sessions.stream, lambda name: f"%({name})s", _quote_tick,
        mysql_rows.columns, percent=True,
    )  # fmt: skip


DIALECTS: dict[str, Dialect] = {
    "postgresql": Dialect(
        "postgresql", "postgres", _postgres, _postgres_begin, _postgres_cursor,
        lambda name: f"%({name})s", _quote_double, percent=True,
    ),
    "mysql": _of_mysql("mysql"),
    "doris": _of_mysql("doris", 9030),
    "starrocks": _of_mysql("starrocks", 9030),
    "bytehouse-mysql": _of_mysql("bytehouse-mysql"),
    "sqlite": Dialect(
        "sqlite", "", _sqlite, _plain_begin, _plain_cursor, lambda name: f":{name}", _quote_double,
    ),
    "duckdb": Dialect(
        "duckdb", "", _duckdb, _plain_begin, _duckdb_cursor, lambda name: f"${name}", _quote_double,
    ),
}  # fmt: skip


@contextlib.contextmanager
def connected(target: Target) -> Iterator[tuple[Dialect, Any]]:
    """A read-only connection, closed afterwards, or `ConfigError` when its driver is missing."""
    dialect = DIALECTS[target.family]
    try:
        connection = dialect.connect(target)
    except ModuleNotFoundError:
        raise ConfigError(
            "SOURCE_DRIVER_MISSING",
            msg("the driver for {family} is not installed", family=target.family),
            hint=msg("run: pip install 'yuntu-push[{extra}]'", extra=dialect.extra),
        ) from None
    try:
        yield dialect, connection
    finally:
        # A connection that died has nothing left to close.
        with contextlib.suppress(Exception):
            connection.close()
