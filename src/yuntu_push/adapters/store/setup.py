"""The state file as a whole, for a move to another machine."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from yuntu_push.adapters.store.database import Database
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg

# What makes a setup, each table after those it points at. The lanes of `pace` are of the moment.
TABLES = (
    "account", "brand", "push", "push_part", "push_brand", "push_target", "push_step", "push_call",
    "quota_use", "push_event", "entry_run",
)  # fmt: skip
_HISTORY = "push_event"  # triggers write it too


class StateFileTables:
    """All tables of a setup in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def format(self) -> int:
        """The number of the file's format."""
        with self._database.read() as connection:
            return int(connection.execute("PRAGMA user_version").fetchone()[0])

    def is_empty(self) -> bool:
        """Whether there is neither a push nor an account."""
        with self._database.read() as connection:
            return not any(
                connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone()  # noqa: S608
                for table in ("push", "account")
            )

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of all tables, as of one moment."""
        with self._database.read() as connection:
            connection.execute("BEGIN")
            return {
                table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")]  # noqa: S608
                for table in TABLES
            }

    def restore(
        self, tables: Mapping[str, Sequence[Mapping[str, Any]]], also: Callable[[], None]
    ) -> None:
        """Make `tables` all that is there, and do `also`, in one transaction.

        `ConfigError` for rows that do not fit; nothing is changed then.
        """
        if set(tables) - set(TABLES):
            raise _invalid()
        try:
            with self._database.write() as connection:
                connection.execute("PRAGMA defer_foreign_keys=ON")
                for table in reversed(TABLES):
                    connection.execute(f"DELETE FROM {table}")  # noqa: S608
                for table in TABLES:
                    if table == _HISTORY:
                        connection.execute(f"DELETE FROM {table}")  # noqa: S608
                    _insert(connection, table, tables.get(table, ()))
                if connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                    raise _invalid()
                also()
        except (sqlite3.IntegrityError, sqlite3.InterfaceError, OverflowError) as exc:
            raise _invalid() from exc


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    known = {row["name"] for row in connection.execute(f"PRAGMA table_info({table})")}
    for row in rows:
        # Names go into the statement: only those that the table has.
        if not row or set(row) - known or any(isinstance(v, dict | list) for v in row.values()):
            raise _invalid()
        names = sorted(row)
        marks = ", ".join(f":{name}" for name in names)
        connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608
            dict(row),
        )


def _invalid() -> ConfigError:
    return ConfigError(
        "EXPORT_INVALID",
        msg("the exported setup holds rows that no state file can have"),
        hint=msg("write it anew with `yuntu-push state export FILE` on the other machine"),
    )
