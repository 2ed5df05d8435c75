"""Databases to read from: real servers where there are some, files, and stand-ins for the rest.

Servers are those on the standard ports of this machine, or the ones named by
`YUNTU_PUSH_TEST_POSTGRES` and `YUNTU_PUSH_TEST_MYSQL` (URLs).
"""

import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.clickhouse_fake import clickhouse
from support.mysql_fake import warehouse
from yuntu_push.adapters.sources.clickhouse import ClickHouseSource
from yuntu_push.adapters.sources.databases import DatabaseSource
from yuntu_push.adapters.sources.targets import Target, target_of
from yuntu_push.domain.segment_build import SourceKind, SourceSpec

POSTGRES = os.environ.get("YUNTU_PUSH_TEST_POSTGRES", "postgresql://root@127.0.0.1:5432/test")
MYSQL = os.environ.get("YUNTU_PUSH_TEST_MYSQL", "mysql://root@127.0.0.1:3306/test")
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)  # already the 24th in Beijing


@dataclass
class Database:
    """A database, a way to write to it, and a table of people in it once it was made."""

    kind: str
    url: str
    write: Callable[[str], Any]
    read: Callable[[str], list[tuple[Any, ...]]]
    table: str = ""

    @property
    def target(self) -> Target:
        """Where it is."""
        return target_of(self.url, None)

    def source(self, sql: str, *params: tuple[str, str], **spec: Any) -> Any:
        """The rows of a query on it."""
        made = SourceSpec(SourceKind.SQL, sql=sql, params=params, **spec)
        kind = ClickHouseSource if self.kind == "clickhouse" else DatabaseSource
        return kind("crm", self.target, sql, made, NOW)


def values(source: Any, column: str) -> list[str]:
    """All values of a column of a source."""
    found = []
    with closing(source.batches([column])) as batches:
        for batch in batches:
            (texts,) = batch.columns
            for place in range(batch.rows):
                start, stop = texts.offsets[place], texts.offsets[place + 1]
                found.append(bytes(texts.data[start:stop]).decode())
    return found


def postgres(target: Target) -> Any:
    """A connection that may write, or the test is skipped."""
    import psycopg

    try:
        return psycopg.connect(
            host=target.host, port=target.port, user=target.user, password=target.password,
            dbname=target.database, autocommit=True, connect_timeout=5,
        )  # fmt: skip
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL server answers; name one with YUNTU_PUSH_TEST_POSTGRES")


def mysql(target: Target) -> Any:
    """A connection that may write, or the test is skipped."""
    pymysql: Any = importlib.import_module("pymysql")

    try:
        return pymysql.connect(
            host=target.host, port=target.port or 3306, user=target.user,
            password=target.password or "", database=target.database, autocommit=True,
            connect_timeout=5, charset="utf8mb4",
        )  # fmt: skip
    except pymysql.MySQLError:
        pytest.skip("no MySQL server answers; name one with YUNTU_PUSH_TEST_MYSQL")


@contextmanager
def server(kind: str, url: str) -> Iterator[Database]:
    """A database of a real server, or the test is skipped."""
    with closing((postgres if kind == "postgresql" else mysql)(target_of(url, None))) as connection:

        def read(sql: str) -> list[tuple[Any, ...]]:
            """Run a statement; its rows."""
            with closing(connection.cursor()) as cursor:
                cursor.execute(sql)
                return list(cursor.fetchall()) if cursor.description else []

        yield Database(kind, url, read, read)


def _postgres(_folder: Path) -> AbstractContextManager[Database]:
    return server("postgresql", POSTGRES)


def _mysql(_folder: Path) -> AbstractContextManager[Database]:
    return server("mysql", MYSQL)


@contextmanager
def _sqlite(folder: Path) -> Iterator[Database]:
    import sqlite3

    path = folder / "people.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("pragma journal_mode=wal")

        def read(sql: str) -> list[tuple[Any, ...]]:
            return connection.execute(sql).fetchall()

        yield Database("sqlite", f"sqlite:///{path}", read, read)


@contextmanager
def _duckdb(folder: Path) -> Iterator[Database]:
    import duckdb

    path = folder / "people.duckdb"

    def read(sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(path)) as connection:
            return connection.execute(sql).fetchall()

    yield Database("duckdb", f"duckdb:///{path}", read, read)


@contextmanager
def _clickhouse(_folder: Path) -> Iterator[Database]:
    with clickhouse() as server:
        yield Database("clickhouse", server.url, server.write, server.read)


@contextmanager
def _doris(_folder: Path) -> Iterator[Database]:
    with warehouse("doris") as found:
        yield Database("doris", found.url, found.read, found.read)


@contextmanager
def _starrocks(_folder: Path) -> Iterator[Database]:
    with warehouse("starrocks") as found:
        yield Database("starrocks", found.url, found.read, found.read)


OPENERS = {
    "postgresql": _postgres,
    "mysql": _mysql,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "clickhouse": _clickhouse,
    "doris": _doris,
    "starrocks": _starrocks,
}
SERVERS = ("postgresql", "mysql")
WITH_SNAPSHOTS = ("postgresql", "mysql", "sqlite", "duckdb")


def kinds(names: Sequence[str] = tuple(OPENERS)) -> list[Any]:
    """Parameters of a test: those that need a server are marked so."""
    marks = {name: pytest.mark.server if name in SERVERS else () for name in names}
    return [pytest.param(name, marks=mark, id=name) for name, mark in marks.items()]


def only(*names: str) -> Any:
    """The test is for some kinds of the fixture `database`."""
    return pytest.mark.parametrize("database", kinds(names), indirect=True)
