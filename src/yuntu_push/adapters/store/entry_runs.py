"""The latest run of each pushes entry in the state file."""

from datetime import datetime

from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.push_rows import stamp
from yuntu_push.adapters.store.queries import statements
from yuntu_push.domain.entry_run import LastRun, RunOutcome


class EntryRunFile:
    """One row for each entry that was ever run."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("entry_run")

    def begin(self, entry: str, at: datetime, *, again: bool = False) -> None:
        """Note that a run begins; `again`: it is the earlier one, tried once more."""
        with self._database.write() as connection:
            values = {"entry": entry, "at": stamp(at), "again": again}
            connection.execute(self._sql["begin"], values)

    def end(self, entry: str, at: datetime, outcome: RunOutcome, code: str | None = None) -> None:
        """Note how it ended."""
        with self._database.write() as connection:
            values = {"entry": entry, "at": stamp(at), "outcome": outcome.value, "code": code}
            connection.execute(self._sql["end"], values)

    def all(self) -> dict[str, LastRun]:
        """The latest run of every entry that was run here."""
        with self._database.read() as connection:
            rows = connection.execute(self._sql["all"]).fetchall()
        return {
            row["entry"]: LastRun(
                entry=row["entry"],
                wanted_at=datetime.fromisoformat(row["wanted_at"]),
                begun_at=datetime.fromisoformat(row["begun_at"]),
                outcome=RunOutcome(row["outcome"]),
                code=row["code"],
                done_at=datetime.fromisoformat(row["done_at"]) if row["done_at"] else None,
            )
            for row in rows
        }
