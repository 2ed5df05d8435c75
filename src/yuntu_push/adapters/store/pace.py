"""The lanes of the API hosts in the state file, where all processes meet."""

import sqlite3
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

from yuntu_push.adapters.store.database import Database, roll_back
from yuntu_push.adapters.store.queries import statements
from yuntu_push.domain.errors import TryLaterError
from yuntu_push.domain.pace import Lane
from yuntu_push.domain.text import msg

BUSY_SECONDS = 1.0  # a call waits no longer than this for its own book-keeping
Found = TypeVar("Found")


class PaceFile:
    """Lanes in the state file; one connection, opened at the first use and kept.

    Safe to share between threads. A lane that a power cut takes back by a moment does no harm, so
    its writes do not wait for the disk.
    """

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def change(self, host: str, step: Callable[[Lane], tuple[Lane, Found]]) -> Found:
        """What `step` finds in the lane of a host, which it replaces, in one transaction.

        `TryLaterError` or `ConfigError` when the state file cannot be used.
        """
        with self._lock:
            try:
                database = self._database()
                with database.translating():
                    return _changed(self._opened(database), host, step)
            except OSError as exc:
                raise _unavailable(exc) from exc

    def _opened(self, database: Database) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = database.keep_open(busy_seconds=BUSY_SECONDS)
        return self._connection


def _changed(
    connection: sqlite3.Connection, host: str, step: Callable[[Lane], tuple[Lane, Found]]
) -> Found:
    sql = statements("pace")
    connection.execute("BEGIN IMMEDIATE")
    try:
        row = connection.execute(sql["lane"], {"host": host}).fetchone()
        before = Lane(**row) if row is not None else Lane()
        after, found = step(before)
        if after != before:
            connection.execute(sql["keep"], {"host": host, **asdict(after)})
    except BaseException:
        roll_back(connection)
        raise
    connection.execute("COMMIT")
    return found


def _unavailable(exc: OSError) -> TryLaterError:
    return TryLaterError(
        "STATE_UNAVAILABLE",
        msg(
            "the state file {path} cannot be used now: {reason}",
            path=exc.filename or "?",
            reason=exc.strerror or str(exc),
        ),
        hint=msg("free some disk space or close what holds the file, then run this again"),
    )
