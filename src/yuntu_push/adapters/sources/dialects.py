"""Databases, one row per family: driver, read-only session, streaming cursor, errors."""

import contextlib
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yuntu_push.domain.errors import ConfigError, SourceError
from yuntu_push.domain.names import nearest
from yuntu_push.domain.text import msg

CONNECT_SECONDS = 10
STATEMENT_SECONDS = 30 * 60
LOOPBACK = frozenset({"", "localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Target:
    """Where to connect; the password is nowhere but here, for as long as the run lasts."""

    family: str
    host: str
    port: int | None
    user: str | None
    password: str | None
    database: str
    options: Mapping[str, str]

    @property
    def is_local(self) -> bool:
        """Whether nothing leaves this machine on the way."""
        return self.host in LOOPBACK or self.host.startswith("/")


@dataclass(frozen=True)
class Dialect:
    """A family of databases.

    `connect` gives a connection whose session only reads; `begin` opens one snapshot in it;
    `cursor` streams; `mark` writes a bound parameter; `quote` a name.
    """

    name: str
    module: str
    extra: str
    connect: Callable[[Target], Any]
    begin: Callable[[Any], None]
    cursor: Callable[[Any], Any]
    mark: Callable[[str], str]
    quote: Callable[[str], str]
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
        application_name="yuntu-push",
        options=(
            f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_SECONDS * 1000}"
        ),
    )


def _postgres_begin(connection: Any) -> None:
    from psycopg import IsolationLevel

    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    connection.read_only = True


def _postgres_cursor(connection: Any) -> Any:
    return connection.cursor(name="yuntu_push")


def _mysql(target: Target) -> Any:
    import ssl

    pymysql: Any = importlib.import_module("pymysql")
    tls = None if target.is_local or target.options.get("tls") == "off" else True
    connection = pymysql.connect(
        host=target.host or "localhost",
        port=target.port or 3306,
        user=target.user,
        password=target.password or "",
        database=target.database,
        charset="utf8mb4",
        connect_timeout=CONNECT_SECONDS,
        autocommit=False,
        ssl=ssl.create_default_context() if tls else None,
    )
    with connection.cursor() as cursor:
        # The two families call the same limit by different names and units.
        for limit in (
            f"set session max_statement_time={STATEMENT_SECONDS}",
            f"set session max_execution_time={STATEMENT_SECONDS * 1000}",
            "set session net_write_timeout=3600",
        ):
            with contextlib.suppress(pymysql.MySQLError):
                cursor.execute(limit)
        cursor.execute("set session transaction read only")
        cursor.execute("set session transaction isolation level repeatable read")
    return connection


def _mysql_begin(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("start transaction with consistent snapshot, read only")


def _mysql_cursor(connection: Any) -> Any:
    return connection.cursor(importlib.import_module("pymysql.cursors").SSCursor)


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


def _plain_begin(connection: Any) -> None:
    connection.execute("begin")


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


DIALECTS: dict[str, Dialect] = {
    "postgresql": Dialect(
        "postgresql", "psycopg", "postgres", _postgres, _postgres_begin, _postgres_cursor,
        lambda name: f"%({name})s", _quote_double, percent=True,
    ),
    "mysql": Dialect(
        "mysql", "pymysql", "mysql", _mysql, _mysql_begin, _mysql_cursor,
        lambda name: f"%({name})s", _quote_tick, percent=True,
    ),
    "sqlite": Dialect(
        "sqlite", "sqlite3", "", _sqlite, _plain_begin, _plain_cursor,
        lambda name: f":{name}", _quote_double,
    ),
    "duckdb": Dialect(
        "duckdb", "duckdb", "", _duckdb, _plain_begin, _duckdb_cursor,
        lambda name: f"${name}", _quote_double,
    ),
}  # fmt: skip
CLICKHOUSE = "clickhouse"  # speaks HTTP, see its own module
_ALIASES = {
    "bytehouse": CLICKHOUSE,
    "postgres": "postgresql",
    "mariadb": "mysql",
    "doris": "mysql",
    "starrocks": "mysql",
}
# They end a result early without an error when their connection dies.
TRUNCATING_DRIVERS = frozenset({"mariadbconnector", "mysqlconnector"})


def target_of(url: str, password: str | None) -> Target:
    """The parts of a URL such as `postgresql://analyst@db.internal/crm`, or `ConfigError`."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "SOURCE_URL_INVALID",
            msg("this is not the URL of a database"),
            hint=msg("write it like postgresql://user@host/database"),
        ) from None
    family, _, driver = parsed.drivername.partition("+")
    if driver in TRUNCATING_DRIVERS:
        raise ConfigError(
            "SOURCE_DRIVER_REFUSED",
            msg("the driver {driver} loses rows without an error", driver=driver),
            hint=msg("write {family}:// alone", family=family),
        )
    family = _ALIASES.get(family, family)
    if family not in DIALECTS and family != CLICKHOUSE:
        known = sorted([*DIALECTS, CLICKHOUSE, *_ALIASES])
        raise ConfigError(
            "SOURCE_DIALECT_UNKNOWN",
            msg("databases of the kind {family} are not known", family=repr(family)),
            hint=msg("known: {known}", known=", ".join(nearest(family, known) or known)),
        )
    stored = str(parsed.password) if parsed.password is not None else password
    options = {key: str(value) for key, value in parsed.query.items()}
    return Target(
        family, parsed.host or "", parsed.port, parsed.username, stored,
        parsed.database or "", options,
    )  # fmt: skip


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
