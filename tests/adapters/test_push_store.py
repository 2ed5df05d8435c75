"""The push tables: atomic intents, quotas among processes, a record that only goes forward."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from support.push import START, Bench, memory_folder
from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.pushes import PushFile
from yuntu_push.adapters.store.setup import StateFileTables
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.push import Call, CallState, Facts, PushState, StepName, StepState
from yuntu_push.domain.push_record import Change, Intent, OnPlatform, PushFilter, Settlement
from yuntu_push.domain.quota import QuotaClaim, QuotaKind, QuotaUse


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def intent(key: str = "create", **changes: object) -> Intent:
    plain = Intent(
        step=StepName.CREATE_DATA_SOURCE,
        key=key,
        fingerprint="f",
        before="",
        at=START,
        claim=QuotaClaim(QuotaKind.CREATE, "1", START),
        verdict=None,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_second_write_while_one_is_in_doubt_is_impossible(bench: Bench):
    push = bench.create()
    bench.store.begin(push.push_id, intent())
    with pytest.raises(sqlite3.IntegrityError):
        bench.store.begin(push.push_id, intent())


def test_a_verdict_and_the_next_intent_are_one(bench: Bench):
    """The absent one gives its quota back in the same transaction that takes it again."""
    push = bench.create()
    bench.store.begin(push.push_id, intent())
    bench.store.begin(push.push_id, intent(verdict=CallState.ABSENT))
    stored = bench.store.get(push.push_id)
    assert stored is not None
    assert [c.state for c in stored.calls] == [CallState.ABSENT, CallState.OPEN]
    assert bench.quota.usage(QuotaKind.CREATE, "1", START).used == 1


def test_an_exhausted_quota_leaves_nothing_behind(bench: Bench):
    """No intent, and no verdict either: the next look judges anew."""
    push = bench.create()
    bench.store.begin(push.push_id, intent(claim=None))
    for n in range(100):
        bench.store.begin(push.push_id, intent(f"k{n}"))
    denied = bench.store.begin(push.push_id, intent(verdict=CallState.ABSENT))
    assert isinstance(denied, QuotaUse)
    stored = bench.store.get(push.push_id)
    assert stored is not None
    assert stored.in_doubt(StepName.CREATE_DATA_SOURCE, "create") is not None


def test_outcomes_are_recorded_once(bench: Bench):
    push = bench.create()
    call = bench.store.begin(push.push_id, intent())
    assert isinstance(call, Call)
    bench.store.settle(Settlement(call.call_id, CallState.DONE, START))
    with pytest.raises(sqlite3.IntegrityError):
        bench.store.settle(Settlement(call.call_id, CallState.REFUSED, START))


def test_a_write_that_was_carried_out_is_progress(bench: Bench):
    """Parts that arrive one by one, with an outage after each, are no stall."""
    push, later = bench.create(), START + timedelta(hours=5)
    call = bench.store.begin(push.push_id, intent())
    assert isinstance(call, Call)
    bench.store.settle(Settlement(call.call_id, CallState.DONE, later))
    stored = bench.store.get(push.push_id)
    assert stored is not None
    assert stored.progress_at == later


def test_a_push_never_goes_back_to_an_earlier_step(bench: Bench):
    push = bench.run(bench.create(), wait=False)
    with (
        pytest.raises(sqlite3.IntegrityError, match="earlier step"),
        bench.database.write() as connection,
    ):
        connection.execute("UPDATE push SET position = 0 WHERE push_id = ?", (push.push_id,))


def test_an_illegal_move_is_a_bug(bench: Bench):
    push = bench.create()
    with pytest.raises(AssertionError):
        bench.store.record(push.push_id, Change(START, PushState.SUCCEEDED, StepState.SUCCEEDED))
    stored = bench.store.get(push.push_id)
    assert stored is not None
    assert stored.state is PushState.PENDING


def test_a_push_that_ended_cannot_be_claimed(bench: Bench):
    """Two processes that both found it due: the one that comes late gets nothing to work on."""
    push = bench.run(bench.create())
    with pytest.raises(AssertionError):
        bench.store.claim(push.push_id, START)
    assert bench.store.get(push.push_id) == push


def test_everything_of_a_push_survives_the_store(bench: Bench):
    push = bench.create(targets=("5",), brands=("某品牌", "别品牌"), description="说明")
    assert bench.store.get(push.push_id) == push


def test_the_history_tells_every_move(bench: Bench):
    push = bench.run(bench.create())
    events = bench.store.events(push.push_id)
    moves = [(e["was"], e["became"]) for e in events if e["kind"] == "push"]
    assert moves == [(None, "pending"), ("pending", "running"), ("running", "succeeded")]
    assert [e["at"] for e in events] == sorted(e["at"] for e in events)
    calls = [(e["subject"], e["became"]) for e in events if e["kind"] == "call"]
    assert ("create_data_source create", "open") in calls
    assert ("create_data_source create", "done") in calls


def test_words_of_a_newer_version_are_refused(bench: Bench):
    push = bench.create()
    with bench.database.write() as connection:
        connection.execute("UPDATE push_step SET name = 'teleport' WHERE position = 3")
    with pytest.raises(ConfigError) as caught:
        bench.store.get(push.push_id)
    assert caught.value.code == "PUSH_NEWER"


def test_facts_leave_what_they_do_not_name(bench: Bench):
    push = bench.run(bench.create())
    kept = bench.store.learn(push.push_id, Facts(cover_num=7), START + timedelta(days=1))
    assert (kept.cover_num, kept.upload_num) == (7, 100)
    assert kept.data_source_id == push.data_source_id


def test_no_id_and_no_content_is_in_the_state_file(bench: Bench):
    """Only paths, counts and hashes of files: nothing of a person."""
    bench.run(bench.create())
    content = b"".join(p.read_bytes() for p in bench.folder.glob("state.db*"))
    for part in bench.segments.open("vip").parts:
        assert part.path.read_bytes() not in content


class Counted(Database):
    """The state file, with what was asked of it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.asked: list[str] = []

    def _open(self, busy_seconds: float, *, shared: bool = False) -> sqlite3.Connection:
        connection = super()._open(busy_seconds, shared=shared)
        connection.set_trace_callback(self.asked.append)
        return connection

    def count(self, look: Callable[[], object]) -> int:
        self.asked.clear()
        look()
        return len(self.asked)


def test_many_pushes_are_read_by_as_many_statements_as_few(bench: Bench):
    """A home may have tens of thousands: one statement each would take minutes."""
    bench.database = Counted(bench.folder / "state.db")
    bench.store = PushFile(bench.database)

    def looks() -> dict[str, int]:
        tasks, pushes = bench.tasks, bench.store.find(PushFilter())
        return {
            "list": bench.database.count(tasks.list),
            "name": bench.database.count(lambda: tasks.find("a")),
            "counts": bench.database.count(lambda: bench.counts._present(pushes)),
            "ends": bench.database.count(lambda: [tasks.expected_end(p) for p in pushes]),
        }

    bench.run(bench.create(name="a"), wait=False)
    few = looks()
    for number in range(9):
        bench.run(bench.create(name=f"b{number}"), wait=False)
    assert looks() == few


def test_pushes_are_read_whole_and_in_order_beyond_one_batch(bench: Bench, monkeypatch):
    monkeypatch.setattr("yuntu_push.adapters.store.push_reading.AT_ONCE", 2)
    made = [bench.create(name=f"b{number}", targets=("5",)) for number in range(5)]
    assert bench.store.find(PushFilter()) == made[::-1]
    assert bench.store.find(PushFilter(most=3)) == made[:1:-1]


def test_pushes_are_found_by_what_they_have_on_the_platform(bench: Bench):
    one, other = (bench.run(bench.create(name=name)) for name in "ab")
    find = bench.store.find
    by_source = OnPlatform(data_sources=[one.data_source_id])
    assert [p.push_id for p in find(PushFilter(on=by_source))] == [one.push_id]
    by_audience = OnPlatform(audiences=[other.custom_audience_id])
    assert [p.push_id for p in find(PushFilter(on=by_audience))] == [other.push_id]
    assert find(PushFilter(on=OnPlatform())) == []


def test_a_name_or_the_beginning_of_an_id_finds_a_push(bench: Bench):
    one, other = bench.create(name="甲"), bench.create(name="乙")
    find = bench.store.find
    assert find(PushFilter(called="甲")) == find(PushFilter(called=one.audience_name)) == [one]
    assert find(PushFilter(called=other.push_id[:6])) == [other]
    assert find(PushFilter(called="%")) == []


def test_whether_a_home_is_empty_is_told_without_reading_it(bench: Bench):
    tables = StateFileTables(Counted(bench.folder / "state.db"))
    assert tables.is_empty()
    bench.create()
    assert not tables.is_empty()
    state = tables._database
    assert isinstance(state, Counted)
    assert state.count(tables.is_empty) < 10 < state.count(tables.dump)
