"""The push tables: atomic intents, quotas among processes, a record that only goes forward."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from support.push import START, Bench, memory_folder
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.push import Call, CallState, Facts, PushState, StepName, StepState
from yuntu_push.domain.push_record import Change, Intent, Settlement
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
