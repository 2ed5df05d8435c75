"""The state file: connections, transactions, migrations.

WAL and `synchronous=FULL`, because a lost outcome of a call that cannot be repeated costs more
than an fsync; every write under `BEGIN IMMEDIATE`, because a deferred transaction that upgrades
fails with "database is locked" however long the busy timeout is.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.text import msg

BUSY_SECONDS = 30


def _migrations() -> list[tuple[int, str]]:
    folder = resources.files("yuntu_push.adapters.store") / "migrations"
    found = [
        (int(entry.name.split("_")[0]), entry.read_text("utf-8"))
        for entry in folder.iterdir()
        if entry.name.endswith(".sql")
    ]
    return sorted(found)


class Database:
    """The state file at `path`, made and migrated at the first use.

    A file of a newer version is refused with `ConfigError`; a full disk or an I/O error is
    `TryLaterError`, raised before the caller goes on to any remote call.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ready = False

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for queries; rows are `sqlite3.Row`."""
        with self._connection() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One immediate transaction: committed at the end, rolled back on any exception."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                roll_back(connection)
                raise
            connection.execute("COMMIT")

    def keep_open(self, *, busy_seconds: float) -> sqlite3.Connection:
        """A connection for many small writes that may be lost in a power cut; close it.

        The threads of a process may use it one at a time. Unlike all others it does not wait for
        the disk, and it waits for other writers only `busy_seconds`.
        """
        with self.translating():
            connection = self._open(busy_seconds, shared=True)
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection

    @contextlib.contextmanager
    def translating(self) -> Iterator[None]:
        """Errors of SQLite inside the block become ours."""
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.DatabaseError) as exc:
            if isinstance(exc, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise _translated(exc, self.path) from exc

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with self.translating():
            connection = self._open(BUSY_SECONDS)
            try:
                yield connection
            finally:
                connection.close()

    def _open(self, busy_seconds: float, *, shared: bool = False) -> sqlite3.Connection:
        if not self._ready:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                self.path.touch(mode=0o600)
        connection = sqlite3.connect(
            self.path, timeout=busy_seconds, isolation_level=None, check_same_thread=not shared
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA synchronous=FULL")
            if not self._ready:
                connection.execute("PRAGMA journal_mode=WAL")
                self._migrate(connection)
                self._ready = True
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        steps = _migrations()
        newest = steps[-1][0]
        version = _version(connection)
        if version > newest:
            raise ConfigError(
                "STATE_NEWER",
                msg(
                    "the state file {path} was made by a newer version of yuntu-push "
                    "(format {version}, this one knows {newest})",
                    path=str(self.path),
                    version=version,
                    newest=newest,
                ),
                hint=msg("upgrade yuntu-push, or use another --home"),
            )
        if version == newest:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            version = _version(connection)  # another process may have migrated meanwhile
            for number, script in steps:
                if number > version:
                    for statement in _statements(script):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={number}")
        except BaseException:
            roll_back(connection)
            raise
        connection.execute("COMMIT")


def roll_back(connection: sqlite3.Connection) -> None:
    """End a failed transaction, unless SQLite has done so itself, as it does when a disk fails."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, triggers included; `executescript` would commit on its own."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            if statement.strip():
                yield statement
            statement = ""


def _translated(exc: sqlite3.Error, path: Path) -> Exception:
    reason = getattr(exc, "sqlite_errorname", "")
    if reason.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return ConfigError(
            "STATE_UNREADABLE",
            msg("the state file {path} is damaged or no state file", path=str(path)),
            hint=msg("restore it from a backup, or use another --home"),
        )
    if reason == "SQLITE_ERROR":
        return exc  # our own wrong SQL: a bug
    return TryLaterError(
        "STATE_UNAVAILABLE",
        msg("the state file {path} cannot be used now: {reason}", path=str(path), reason=str(exc)),
        hint=msg("free some disk space or close what holds the file, then run this again"),
    )
