"""The quota ledger: what this tool used of the platform's quotas, shared by all processes."""

import sqlite3
from datetime import datetime

from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.push_rows import stamp
from yuntu_push.adapters.store.queries import statements
from yuntu_push.domain.quota import QuotaClaim, QuotaKind, QuotaUse, usage, window_start


class QuotaFile:
    """The ledger in the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def usage(self, kind: QuotaKind, subject: str, at: datetime) -> QuotaUse:
        """How one quota stands at a moment."""
        with self._database.read() as connection:
            return usage_in(connection, kind, subject, at)

    def subjects(self, since: datetime) -> list[tuple[QuotaKind, str]]:
        """Everything with a use after `since`."""
        with self._database.read() as connection:
            rows = connection.execute(statements("quota")["subjects"], {"since": stamp(since)})
            return [(QuotaKind(row["kind"]), row["subject"]) for row in rows]


def usage_in(
    connection: sqlite3.Connection, kind: QuotaKind, subject: str, at: datetime
) -> QuotaUse:
    """How one quota stands, read inside the caller's transaction."""
    start = window_start(kind, at)
    rows = connection.execute(
        statements("quota")["uses"],
        {"kind": kind.value, "subject": subject, "since": stamp(start)},
    )
    return usage(kind, subject, at, [datetime.fromisoformat(row["at"]) for row in rows])


def reserve(connection: sqlite3.Connection, claim: QuotaClaim, call_id: int) -> None:
    """Enter one use, inside the transaction of the intent that it belongs to."""
    connection.execute(
        statements("quota")["use"],
        {
            "kind": claim.kind.value,
            "subject": claim.subject,
            "at": stamp(claim.at),
            "call_id": call_id,
        },
    )


def carry_over(connection: sqlite3.Connection, claim: QuotaClaim, call_id: int) -> bool:
    """Let an earlier attempt's use stand for its repetition `call_id` too, at the later moment.

    One of them is carried out and nobody can tell which: the later moment is the safe one. False
    when no attempt at the same write had entered any.
    """
    values = {"at": stamp(claim.at), "call_id": call_id}
    return connection.execute(statements("quota")["carry_over"], values).rowcount > 0


def release(connection: sqlite3.Connection, call_id: int) -> None:
    """Give back what a write that was not carried out had reserved."""
    connection.execute(statements("quota")["release"], {"call_id": call_id})
