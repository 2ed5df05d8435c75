"""Pushes in the state file: one transaction per method, and never a call to the platform in one."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from yuntu_push.adapters.store import quota
from yuntu_push.adapters.store.push_reading import PushReading
from yuntu_push.adapters.store.push_rows import (
    brand_values,
    call_of,
    failure_column,
    moment,
    part_values,
    push_values,
    stamp,
    target_values,
    text_column,
)
from yuntu_push.domain.failure import Failure
from yuntu_push.domain.push import (
    Call,
    CallState,
    Facts,
    Push,
    PushState,
    StepName,
    StepState,
    may_move,
)
from yuntu_push.domain.push_record import Change, Intent, Settlement, Verdict
from yuntu_push.domain.quota import QuotaClaim, QuotaUse


class PushFile(PushReading):
    """The push tables of the state file."""

    def add(
        self, push: Push, *, twin: str, again: bool, supersedes: Sequence[str] = ()
    ) -> Push | None:
        """Store a new push; or, with nothing stored, the push that stands in its way.

        That is, unless `again`, the earlier one with the same `twin`; and one under way into the
        same data source, unless it is among those which `supersedes` names: these give their place
        up in the same transaction.
        """
        with self._database.write() as connection:
            if not again:
                earlier = connection.execute(self._sql["twin"], {"twin": twin}).fetchone()
                if earlier is not None:
                    return self._load(connection, earlier["push_id"])
            values = {"data_source_id": push.data_source_id, "but": json.dumps(list(supersedes))}
            working = connection.execute(self._sql["working_on"], values).fetchone()
            if working is not None:
                return self._load(connection, working["push_id"])
            for earlier in supersedes:
                old = self._load(connection, earlier)
                self._move(connection, old, PushState.SUPERSEDED, push.created_at)
            self._insert(connection, push, twin)
        return None

    def _insert(self, connection: sqlite3.Connection, push: Push, twin: str) -> None:
        ident = push.push_id
        connection.execute(self._sql["insert_push"], push_values(push, twin))
        connection.executemany(
            self._sql["insert_part"], [part_values(ident, part) for part in push.parts]
        )
        connection.executemany(
            self._sql["insert_brand"],
            [brand_values(ident, place, brand) for place, brand in enumerate(push.brands)],
        )
        connection.executemany(
            self._sql["insert_target"],
            [target_values(ident, place, target) for place, target in enumerate(push.targets)],
        )
        connection.executemany(
            self._sql["insert_step"],
            [
                {"push_id": ident, "position": place, "name": step.name, "state": step.state}
                for place, step in enumerate(push.steps)
            ],
        )

    def claim(self, push_id: str, at: datetime) -> Push:
        """Begin a run: the push and its current step are running, the attempt is counted.

        What failed in an earlier run (brands of `copy`, targets) is to be tried again.
        """
        with self._database.write() as connection:
            push = self._load(connection, push_id)
            _check_move(push, PushState.RUNNING)
            values = {"push_id": push_id, "at": stamp(at), "position": push.position}
            connection.execute(self._sql["claim"], values)
            connection.execute(self._sql["claim_step"], values)
            if push.state in (PushState.FAILED, PushState.PARTIAL):
                if push.step is StepName.COPY:
                    connection.execute(self._sql["retry_brands"], values)
                if push.step in (StepName.SHARE, StepName.ACTIVATE, StepName.VERIFY):
                    connection.execute(self._sql["retry_targets"], values)
            return self._load(connection, push_id)

    def begin(self, push_id: str, intent: Intent) -> Call | QuotaUse:
        """Commit an intent, its quota and the verdict on the write before it, all or nothing.

        The exhausted quota instead, and nothing stored, when none is left.
        """
        try:
            with self._database.write() as connection:
                return self._begin(connection, push_id, intent)
        except _ExhaustedError as exhausted:
            return exhausted.use

    def _begin(self, connection: sqlite3.Connection, push_id: str, intent: Intent) -> Call:
        if intent.verdict is not None:
            verdict = Verdict(intent.key, intent.verdict)
            self._judge(connection, push_id, intent.step, verdict, intent.at)
        values = {
            "push_id": push_id,
            "step": intent.step,
            "key": intent.key,
            "fingerprint": intent.fingerprint,
            "before": intent.before,
            "at": stamp(intent.at),
        }
        cursor = connection.execute(self._sql["open_call"], values)
        row = connection.execute(self._sql["call"], {"call_id": cursor.lastrowid}).fetchone()
        call = call_of(row)
        if intent.claim is not None:
            repeats = intent.verdict is CallState.UNSHOWN
            if not (repeats and quota.carry_over(connection, intent.claim, call.call_id)):
                self._reserve(connection, intent.claim, call.call_id)
        return call

    def _reserve(self, connection: sqlite3.Connection, claim: QuotaClaim, call_id: int) -> None:
        use = quota.usage_in(connection, claim.kind, claim.subject, claim.at)
        if use.opens_at is not None:
            raise _ExhaustedError(use)
        quota.reserve(connection, claim, call_id)

    def settle(self, settlement: Settlement) -> None:
        """Commit what became of a write, and what it taught."""
        at = stamp(settlement.at)
        with self._database.write() as connection:
            values = {"call_id": settlement.call_id, "state": settlement.state.value, "at": at}
            row = connection.execute(self._sql["call"], values).fetchone()
            connection.execute(self._sql["settle_call"], values)
            connection.execute(self._sql["touch"], {"push_id": row["push_id"], "at": at})
            if settlement.release:
                quota.release(connection, settlement.call_id)
            self._learn(connection, row["push_id"], settlement.facts)
            if settlement.state is CallState.DONE:
                connection.execute(self._sql["progress"], {"push_id": row["push_id"], "at": at})

    def record(self, push_id: str, change: Change) -> Push:
        """Commit one turn: facts, verdicts, the step's and the push's state."""
        with self._database.write() as connection:
            push = self._load(connection, push_id)
            _check_move(push, change.state)
            at = stamp(change.at)
            connection.execute(self._sql["touch"], {"push_id": push_id, "at": at})
            for verdict in change.verdicts:
                self._judge(connection, push_id, push.step, verdict, change.at)
            self._learn(connection, push_id, change.facts)
            self._restate(connection, push, change)
            return self._load(connection, push_id)

    def _restate(self, connection: sqlite3.Connection, push: Push, change: Change) -> None:
        at, ident = stamp(change.at), push.push_id
        connection.execute(
            self._sql["restate"],
            {
                "push_id": ident,
                "at": at,
                "state": change.state.value,
                "failures": change.failures,
                "looks": change.looks,
                "next_at": moment(change.next_at),
                "reason": text_column(change.reason),
                "failure": failure_column(change.failure),
                "progress_at": moment(change.progress_at),
            },
        )
        connection.execute(
            self._sql["restate_step"],
            {
                "push_id": ident,
                "position": push.position,
                "state": change.step_state.value,
                "failure": failure_column(change.failure),
                "finished_at": at if change.step_state is StepState.SUCCEEDED else None,
            },
        )
        if change.finish_step:
            values = {"push_id": ident, "at": at, "position": push.position + 1}
            connection.execute(self._sql["next_step"], values)
            connection.execute(self._sql["begin_step"], values)

    def move(
        self, push_id: str, state: PushState, at: datetime, failure: Failure | None = None
    ) -> Push:
        """Change a push's state alone."""
        with self._database.write() as connection:
            self._move(connection, self._load(connection, push_id), state, at, failure)
            return self._load(connection, push_id)

    def _move(
        self,
        connection: sqlite3.Connection,
        push: Push,
        state: PushState,
        at: datetime,
        failure: Failure | None = None,
    ) -> None:
        _check_move(push, state)
        values = {
            "push_id": push.push_id,
            "state": state.value,
            "at": stamp(at),
            "failure": failure_column(failure),
        }
        connection.execute(self._sql["move"], values)

    def learn(
        self, push_id: str, facts: Facts, at: datetime, *, step: StepName | None = None,
        verdict: Verdict | None = None,
    ) -> Push:  # fmt: skip
        """Keep facts, and a verdict on a write of `step`, without moving anything."""
        with self._database.write() as connection:
            connection.execute(self._sql["touch"], {"push_id": push_id, "at": stamp(at)})
            if step is not None and verdict is not None:
                self._judge(connection, push_id, step, verdict, at)
            self._learn(connection, push_id, facts)
            return self._load(connection, push_id)

    def _judge(
        self,
        connection: sqlite3.Connection,
        push_id: str,
        step: StepName,
        verdict: Verdict,
        at: datetime,
    ) -> None:
        """Settle the write in doubt, if there is one."""
        values = {"push_id": push_id, "step": step, "key": verdict.key}
        row = connection.execute(self._sql["call_in_doubt"], values).fetchone()
        if row is None:
            return
        connection.execute(
            self._sql["settle_call"],
            {"call_id": row["call_id"], "state": verdict.state.value, "at": stamp(at)},
        )
        if verdict.state is CallState.ABSENT:  # it was not made, so it used nothing
            quota.release(connection, row["call_id"])

    def _learn(self, connection: sqlite3.Connection, push_id: str, facts: Facts) -> None:
        connection.execute(
            self._sql["learn_push"],
            {
                "push_id": push_id,
                "data_source_id": facts.data_source_id,
                "custom_audience_id": facts.custom_audience_id,
                "delivery_status": facts.delivery_status,
                "upload_num": facts.upload_num,
                "cover_num": facts.cover_num,
            },
        )
        for part in facts.parts:
            connection.execute(self._sql["learn_part"], part_values(push_id, part))
        for brand in facts.brands:
            connection.execute(self._sql["learn_brand"], brand_values(push_id, 0, brand))
        for target in facts.targets:
            connection.execute(self._sql["learn_target"], target_values(push_id, 0, target))


class _ExhaustedError(Exception):
    """Rolls an intent back whose quota is used up."""

    def __init__(self, use: QuotaUse) -> None:
        super().__init__(use.kind)
        self.use = use


def _check_move(push: Push, new: PushState) -> None:
    if not may_move(push.state, new):
        raise AssertionError(f"push {push.push_id} may not go from {push.state} to {new}")
