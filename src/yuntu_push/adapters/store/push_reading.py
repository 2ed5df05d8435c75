"""Pushes as they are read from the state file."""

import json
import sqlite3
from datetime import datetime
from typing import Any

from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.push_rows import moment, push_of
from yuntu_push.adapters.store.queries import statements
from yuntu_push.domain.push import Push, PushState, StepName
from yuntu_push.domain.push_record import PushFilter

BELOW = ("parts", "brands", "targets", "steps", "calls")  # a push's own tables
AT_ONCE = 500  # pushes read by one statement


class PushReading:
    """Reads the push tables of the state file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("push")

    def get(self, push_id: str) -> Push | None:
        """The push of an id."""
        with self._database.read() as connection:
            return self._load_or_none(connection, push_id)

    def find(self, wanted: PushFilter) -> list[Push]:
        """The pushes that a filter lets through, newest first."""
        values = {
            "states": json.dumps(list(wanted.states or PushState)),
            "called": wanted.called,
            "data_sources": wanted.on and json.dumps(list(wanted.on.data_sources)),
            "audiences": wanted.on and json.dumps(list(wanted.on.audiences)),
            "most": wanted.most,
            "channel": wanted.channel,
            "entry": wanted.entry,
            "since": moment(wanted.since),
            "brand": wanted.brand,
        }
        with self._database.read() as connection:
            return self._load_all(connection, self._sql["find"], values)

    def twin_of(self, twin: str) -> Push | None:
        """The newest push of the same content to the same places that has not failed."""
        with self._database.read() as connection:
            found = self._load_all(connection, self._sql["twin"], {"twin": twin})
            return found[0] if found else None

    def on_data_source(self, data_source_id: str) -> list[Push]:
        """All pushes into one data source, newest first."""
        with self._database.read() as connection:
            values = {"data_source_id": data_source_id}
            return self._load_all(connection, self._sql["on_data_source"], values)

    def known_pairs(self) -> set[tuple[int, int]]:
        """(advertiser, brand) pairs that were pushed to before."""
        with self._database.read() as connection:
            rows = connection.execute(self._sql["known_pairs"])
            return {(row["advertiser_id"], row["brand_id"]) for row in rows}

    def copies(self, custom_audience_id: int, virtual_adv_id: int) -> int:
        """How many copies of an audience into a brand were made, at most.

        One that a person decided about may be there: taken for absent, it would later be found in
        the place of one that is not.
        """
        values = {"custom_audience_id": custom_audience_id, "virtual_adv_id": virtual_adv_id}
        with self._database.read() as connection:
            return int(connection.execute(self._sql["copies"], values).fetchone()["made"])

    def past_seconds(self, channel: str) -> dict[StepName, list[float]]:
        """How long each step took in this channel's latest pushes, newest first."""
        found: dict[StepName, list[float]] = {}
        with self._database.read() as connection:
            for row in connection.execute(self._sql["past_steps"], {"channel": channel}):
                began, ended = (
                    datetime.fromisoformat(row[name]) for name in ("started_at", "finished_at")
                )
                seconds = (ended - began).total_seconds()
                found.setdefault(StepName(row["name"]), []).append(seconds)
        return found

    def events(self, push_id: str) -> list[dict[str, Any]]:
        """The history of a push, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(self._sql["events"], {"push_id": push_id})
            return [dict(row) for row in rows]

    def _load(self, connection: sqlite3.Connection, push_id: str) -> Push:
        found = self._load_or_none(connection, push_id)
        if found is None:
            raise LookupError(f"push {push_id} is not in the state file")
        return found

    def _load_or_none(self, connection: sqlite3.Connection, push_id: str) -> Push | None:
        return next(iter(self._loaded(connection, [push_id])), None)

    def _load_all(
        self, connection: sqlite3.Connection, sql: str, values: dict[str, Any]
    ) -> list[Push]:
        idents = [row["push_id"] for row in connection.execute(sql, values)]
        return [
            push
            for start in range(0, len(idents), AT_ONCE)
            for push in self._loaded(connection, idents[start : start + AT_ONCE])
        ]

    def _loaded(self, connection: sqlite3.Connection, idents: list[str]) -> list[Push]:
        """The pushes of these ids that there are, in this order."""
        values = {"push_ids": json.dumps(idents)}
        found = {row["push_id"]: row for row in connection.execute(self._sql["pushes"], values)}
        below = {name: self._below(connection, name, values) for name in BELOW}
        return [
            push_of(found[ident], **{name: below[name].get(ident, ()) for name in BELOW})
            for ident in idents
            if ident in found
        ]

    def _below(
        self, connection: sqlite3.Connection, name: str, values: dict[str, str]
    ) -> dict[str, list[sqlite3.Row]]:
        """The rows of one table below pushes, by push."""
        rows: dict[str, list[sqlite3.Row]] = {}
        for row in connection.execute(self._sql[name], values):
            rows.setdefault(row["push_id"], []).append(row)
        return rows
