"""Read-only sessions on everything that speaks MySQL's protocol.

MySQL and MariaDB have snapshots. Warehouses that only speak the protocol (Doris, StarRocks,
ByteHouse) have none, or take the words for one and do nothing; others know them in part.
"""

import contextlib
import importlib
import ssl
from typing import Any

from yuntu_push.adapters.sources import mysql_rows
from yuntu_push.adapters.sources.targets import CONNECT_SECONDS, STATEMENT_SECONDS, Target

# Codes of the client itself: the connection failed. Others are refusals of a server that goes on.
_CLIENT_CODES = range(2000, 3000)
_WITHOUT_SNAPSHOTS = ("doris", "starrocks", "bytehouse", "clickhouse", "selectdb")
_OTHER_TEXT = frozenset({"NO_BACKSLASH_ESCAPES", "ANSI_QUOTES", "ANSI"})


def connect(target: Target, *, port: int = 3306) -> Any:
    """A connection whose session only reads, where the server knows how to."""
    pymysql: Any = importlib.import_module("pymysql")
    connection = pymysql.connect(
        host=target.host or "localhost",
        port=target.port or port,
        user=target.user,
        password=target.password or "",
        database=target.database or None,
        charset="utf8mb4",
        connect_timeout=CONNECT_SECONDS,
        autocommit=None,
        ssl=_tls(target),
    )
    for statement in (
        # One limit of time under its many names and units.
        f"set session max_statement_time={STATEMENT_SECONDS}",
        f"set session max_execution_time={STATEMENT_SECONDS * 1000}",
        f"set session query_timeout={STATEMENT_SECONDS}",
        "set session net_write_timeout=3600",
        "set session transaction read only",
        "set session transaction isolation level repeatable read",
    ):
        _tried(connection, statement)
    # Text and names must end where the gate took them to end.
    modes = str((_tried(connection, "select @@sql_mode") or [""])[0]).split(",")
    if not _OTHER_TEXT.isdisjoint(modes):
        kept = ",".join(mode for mode in modes if mode not in _OTHER_TEXT)
        _tried(connection, f"set session sql_mode='{kept}'")
    return connection


def _tls(target: Target) -> ssl.SSLContext | None:
    if target.options.get("tls") == "off" or (target.is_local and "ssl_ca" not in target.options):
        return None
    return ssl.create_default_context(cafile=target.options.get("ssl_ca"))


def begin(connection: Any) -> bool:
    """Open a snapshot that only reads; False where the server has none."""
    said = _tried(connection, "select @@version_comment") or [""]
    server = f"{said[0]} {connection.get_server_info()}".lower()
    if any(name in server for name in _WITHOUT_SNAPSHOTS):
        return False
    start = "start transaction with consistent snapshot, read only"
    return _tried(connection, start) is not None


def _tried(connection: Any, statement: str) -> list[Any] | None:
    """The first row of a statement's answer; None when the server refuses it, as many do."""
    pymysql: Any = importlib.import_module("pymysql")
    try:
        with contextlib.closing(connection.cursor()) as cursor:
            cursor.execute(statement)
            return list(cursor.fetchone() or ())
    except pymysql.MySQLError as exc:
        if not exc.args or exc.args[0] in _CLIENT_CODES:
            raise
        return None


def stream(connection: Any) -> Any:
    """A cursor that does not keep the rows it has given; it belongs to the connection's last query.

    The driver's own reads what is left when it is closed or collected, and complains on stderr
    when the connection is gone; here the connection ends with the stream.
    """
    cursors: Any = importlib.import_module("pymysql.cursors")

    class Stream(cursors.SSCursor):  # type: ignore[misc]
        def close(self) -> None:
            if self._result is not None:
                self._result.unbuffered_active = False
            super().close()

        __del__ = close

    mysql_rows.widen(connection)
    return Stream(connection)
