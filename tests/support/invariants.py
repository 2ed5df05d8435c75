"""I1 to I5 of the push machine, read from the record and from the platform in memory."""

import sqlite3
from collections.abc import Collection
from typing import Any

from support.push import Bench

WRITES = {
    "create_data_source": "create",
    "update_data_source": "update",
    "share": "push",
    "publish": "publish",
    "copy": "copy",
}
CARRIED_OUT = {"done", "found"}


def rows(connection: sqlite3.Connection, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a query as plain tuples."""
    return [tuple(row) for row in connection.execute(sql)]


def assert_invariants(bench: Bench, pushes: Collection[str]) -> None:
    """Raise AssertionError naming the invariant that does not hold.

    I4 is asserted by the platform at each upload: it hashes the bytes that arrive.
    """
    with bench.database.read() as connection:
        calls = rows(connection, "SELECT push_id, step, key, state FROM push_call ORDER BY call_id")
        uses = dict(rows(connection, "SELECT kind, count(*) FROM quota_use GROUP BY kind"))
        moves = rows(
            connection,
            "SELECT push_id, subject FROM push_event "
            "WHERE kind = 'step' AND became = 'succeeded' ORDER BY event_id",
        )
    for step, name in WRITES.items():
        intended = sum(1 for _, s, key, _ in calls if s == step and not key.startswith("part:"))
        assert bench.platform.calls.get(name, 0) <= intended, f"I1: {name} without an intent"
    by_key: dict[tuple[str, str, str], list[str]] = {}
    for push, step, key, state in calls:
        by_key.setdefault((push, step, key), []).append(state)
    for where, states in by_key.items():
        assert not {"open", "unknown"} & set(states[:-1]), f"I2: a write after one in doubt {where}"
        if where[1] in ("create_data_source", "publish") and not where[2].startswith("part:"):
            made = sum(state in CARRIED_OUT for state in states)
            assert made <= 1, f"I2: made twice {where}"
    assert uses.get("create", 0) >= len(bench.platform.sources), "I3: creates beside the ledger"
    published = len(bench.platform.publishes)
    assert uses.get("publish", 0) >= published, "I3: publishes beside the ledger"
    for push in pushes:
        stored = bench.store.get(push)
        assert stored is not None
        order = [step.name.value for step in stored.steps]
        done = [name for where, name in moves if where == push]
        assert done == order[: len(done)], f"I5: steps out of order in {push}"
