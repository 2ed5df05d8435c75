"""Runs of `pushes:` entries are remembered: what could not be done is tried again, what never ran
is noticed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from support.push import Bench, Killed, memory_folder
from yuntu_push.adapters.store.entry_runs import EntryRunFile
from yuntu_push.cli.i18n import Translator
from yuntu_push.domain.entry_run import RunOutcome
from yuntu_push.domain.errors import GuardError, SourceError, TryLaterError
from yuntu_push.domain.push import PushState
from yuntu_push.domain.settings import PushEntry, SegmentEntry
from yuntu_push.domain.text import msg
from yuntu_push.services.checks import freshness
from yuntu_push.services.push.entries import PushEntries
from yuntu_push.services.push.schedule_watch import ScheduleWatch

HOUR = 3600
ENTRY = PushEntry(
    name="高价值会员",
    segment=SegmentEntry(name="vip", ids={"MOBILE_HASH_SHA256": "mobile"}, csv=("vip.csv",)),
    brands=("某品牌",),
    expect_every=26 * HOUR,
)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


@pytest.fixture
def entries(bench: Bench) -> PushEntries:
    return bench.entries(vip_daily=ENTRY)


def runs(bench: Bench) -> EntryRunFile:
    return EntryRunFile(bench.database)


def watch(bench: Bench) -> ScheduleWatch:
    return ScheduleWatch(
        entries={"vip_daily": ENTRY, "by_hand": replace(ENTRY, expect_every=None)},
        runs=runs(bench),
        store=bench.store,
        clock=bench.clock,
    )


def raising(error: BaseException):
    def build():
        raise error

    return build


NOT_READY = TryLaterError("SOURCE_NOT_READY", msg("no rows yet"))


def test_a_source_that_was_not_ready_is_tried_again_until_it_is(bench: Bench, entries: PushEntries):
    """The daily line met an empty table; the line for everything else brings it later."""
    bench.segments.build_next = raising(NOT_READY)
    with pytest.raises(TryLaterError):
        entries.prepare("vip_daily")
    assert entries.due() == []

    bench.clock.advance(15 * 60)
    assert entries.due() == ["vip_daily"]
    assert entries.prepare_due() == []
    assert entries.due() == [], "not before the next quarter"

    bench.segments.build_next = None
    bench.clock.advance(15 * 60)
    assert entries.prepare_due() == []
    assert runs(bench).all()["vip_daily"].outcome is RunOutcome.DONE
    assert [each.push.state for each in bench.runner().run_due()] == [PushState.RUNNING]
    assert entries.due() == []


def test_trying_ends_before_the_next_day(bench: Bench, entries: PushEntries):
    bench.segments.build_next = raising(NOT_READY)
    with pytest.raises(TryLaterError):
        entries.prepare("vip_daily")
    bench.clock.advance(20 * HOUR)
    assert entries.due() == []
    with pytest.raises(TryLaterError):
        entries.prepare("vip_daily")
    bench.clock.advance(HOUR)
    assert entries.due() == ["vip_daily"], "a new day's run is tried for its own time"


@pytest.mark.parametrize("death", [Killed("build"), KeyboardInterrupt()])
def test_a_run_that_died_is_tried_again_one_that_a_person_ended_is_not(
    bench: Bench, entries: PushEntries, death: BaseException
):
    bench.segments.build_next = raising(death)
    with pytest.raises(type(death)):
        entries.prepare("vip_daily")
    bench.clock.advance(HOUR)
    assert entries.due() == (["vip_daily"] if isinstance(death, Killed) else [])


def test_what_a_person_must_mend_is_said_once(bench: Bench, entries: PushEntries):
    bench.segments.build_next = raising(NOT_READY)
    with pytest.raises(TryLaterError):
        entries.prepare("vip_daily")
    bench.clock.advance(HOUR)
    bench.segments.build_next = raising(SourceError("COLUMN_MISSING", msg("no such column")))
    [error] = entries.prepare_due()
    assert error.code == "COLUMN_MISSING"
    bench.clock.advance(HOUR)
    assert entries.due() == []
    assert runs(bench).all()["vip_daily"].code == "COLUMN_MISSING"


def test_an_entry_that_another_process_runs_is_left_alone(bench: Bench, entries: PushEntries):
    runs(bench).begin("vip_daily", bench.clock.now())
    bench.clock.advance(HOUR)
    bench.locks.held.add("entry-vip_daily")
    assert entries.prepare_due() == []
    assert runs(bench).all()["vip_daily"].outcome is RunOutcome.BEGUN


def test_a_schedule_that_never_ran_is_noticed(bench: Bench):
    [found] = watch(bench).look()
    assert (found.entry, found.run, found.good_at, found.stale) == ("vip_daily", None, None, True)


def test_a_first_push_that_is_under_way_is_not_late_yet(bench: Bench, entries: PushEntries):
    push = bench.run(entries.prepare("vip_daily").push, wait=False)
    assert push.is_working
    [found] = watch(bench).look()
    assert (found.good_at, found.stale) == (None, False)
    assert "under way" in str(freshness(found))
    bench.clock.advance(27 * HOUR)
    [found] = watch(bench).look()
    assert found.stale


def test_a_schedule_that_stopped_is_noticed(bench: Bench, entries: PushEntries):
    """Fresh while runs come through, with new content or the same; stale when they stop."""
    push = bench.run(entries.prepare("vip_daily").push)
    assert push.state is PushState.SUCCEEDED
    [found] = watch(bench).look()
    assert not found.stale
    bench.clock.advance(24 * HOUR)
    entries.prepare("vip_daily")
    bench.clock.advance(24 * HOUR)
    [found] = watch(bench).look()
    assert not found.stale, "yesterday's run found that nothing had changed"
    bench.clock.advance(3 * HOUR)
    [found] = watch(bench).look()
    assert found.stale
    assert found.good_at == bench.clock.now() - timedelta(hours=27)
    with pytest.raises(GuardError) as error:
        freshness(found)
    assert str(error.value.message).endswith("done")
    assert Translator("zh").render(error.value.message).endswith("已运行")


def test_runs_that_do_not_come_through_are_no_freshness(bench: Bench, entries: PushEntries):
    """A guard refuses day after day: the audience gets old, whoever runs."""
    bench.run(entries.prepare("vip_daily").push)
    for seed in ("two", "three"):
        bench.clock.advance(24 * HOUR)
        bench.segment("vip", parts=1, seed=seed)
        with pytest.raises(GuardError):
            entries.prepare("vip_daily")
    [found] = watch(bench).look()
    assert found.stale
    assert found.run is not None
    assert found.run.code == "GUARD_MAX_REMOVED"


def test_a_bug_in_one_entry_keeps_none_of_the_others(bench: Bench):
    entries = bench.entries(first=ENTRY, second=ENTRY)
    bench.segments.build_next = raising(NOT_READY)
    for name in ("first", "second"):
        with pytest.raises(TryLaterError):
            entries.prepare(name)
    bench.clock.advance(HOUR)

    def build():
        bench.segments.build_next = None  # the other entry builds as usual
        raise ZeroDivisionError

    bench.segments.build_next = build
    [bug] = entries.prepare_due()
    assert isinstance(bug, ZeroDivisionError)
    assert runs(bench).all()["second"].outcome is RunOutcome.DONE
