"""Runs that bring nothing new look whether the audience is still there."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from support.push import Bench, memory_folder
from yuntu_push.adapters.store.entry_runs import EntryRunFile
from yuntu_push.domain.entry_run import RunOutcome
from yuntu_push.domain.errors import (
    LoginError,
    OutcomeUnknownError,
    RefusedError,
    StoppedError,
    ThrottledError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.push import Mode, Push, PushState
from yuntu_push.domain.settings import PushEntry, SegmentEntry
from yuntu_push.domain.text import msg
from yuntu_push.services.push.updates import UpdateRequest

ENTRY = PushEntry(
    name="高价值会员",
    segment=SegmentEntry(name="vip", ids={"MOBILE_HASH_SHA256": "mobile"}, csv=("vip.csv",)),
    brands=("某品牌",),
)
DELETED, EXPIRING, EXPIRED = 22, 25, 26


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def pushed(bench: Bench) -> Push:
    """A push of the entry, at its end; the audience is two days old."""
    push = bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    assert push.state is PushState.SUCCEEDED
    bench.clock.advance(2 * 86_400)
    bench.notices.clear()
    return push


def outcome(bench: Bench) -> tuple[RunOutcome, str | None]:
    run = EntryRunFile(bench.database).all()["vip_daily"]
    return run.outcome, run.code


def with_status(number: int) -> Callable[[Bench], None]:
    def change(bench: Bench) -> None:
        bench.platform.status = number

    return change


GONE = {
    "deleted": with_status(DELETED),
    "expiring": with_status(EXPIRING),
    "expired": with_status(EXPIRED),
    "data source deleted": lambda bench: bench.platform.sources.clear(),
}


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_an_audience_that_is_gone_is_noticed_though_nothing_changed(
    bench: Bench, gone: Callable[[Bench], None]
):
    push = pushed(bench)
    gone(bench)

    with pytest.raises(RefusedError) as error:
        bench.entries(vip_daily=ENTRY).prepare("vip_daily")
    assert error.value.code == "DATA_SOURCE_GONE"
    assert "vip_daily_2" in str(error.value.hint)
    assert outcome(bench) == (RunOutcome.REFUSED, "DATA_SOURCE_GONE")

    for mode in (Mode.RESET, Mode.MIRROR):
        with pytest.raises(RefusedError) as by_hand:
            bench.updates.plan(push, UpdateRequest(segment="vip", mode=mode))
        assert by_hand.value.code == "DATA_SOURCE_GONE"
        assert "_2" not in str(by_hand.value.hint)


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_new_content_is_not_sent_to_an_audience_that_is_gone(
    bench: Bench, gone: Callable[[Bench], None]
):
    pushed(bench)
    bench.segment("vip", seed="new")
    gone(bench)
    push = bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    assert (push.state, push.failure and push.failure.code) == (
        PushState.FAILED,
        "DATA_SOURCE_GONE",
    )
    assert "update" not in bench.platform.calls


@pytest.mark.parametrize(
    "error",
    [
        UnreachableError("PLATFORM_UNREACHABLE", msg("unreachable")),
        OutcomeUnknownError("PLATFORM_TIMEOUT", msg("no answer")),
        ThrottledError("PLATFORM_THROTTLED", msg("slower")),
        LoginError("AUTH_LOGIN_REQUIRED", msg("log in")),
        RefusedError("PLATFORM_REFUSED", msg("no")),
    ],
    ids=lambda error: error.code,
)
def test_a_platform_that_cannot_be_asked_is_told_and_no_failure(
    bench: Bench, error: YuntuPushError
):
    push = pushed(bench)
    reads = bench.platform.calls["data_sources"]
    bench.platform.plan["data_sources", 0] = error

    run = bench.entries(vip_daily=ENTRY).prepare("vip_daily")

    assert (run.push.push_id, run.new) == (push.push_id, False)
    assert outcome(bench) == (RunOutcome.DONE, None)
    warning, _unchanged = bench.notices
    assert "could not be checked" in str(warning)
    assert bench.platform.calls["data_sources"] == reads + 1


def test_a_person_who_ends_the_look_ends_the_run(bench: Bench):
    pushed(bench)
    bench.platform.plan["data_sources", 0] = StoppedError("STOPPED", msg("stopped"))
    with pytest.raises(StoppedError):
        bench.entries(vip_daily=ENTRY).prepare("vip_daily")


@pytest.mark.parametrize(("days", "told"), [(30, True), (31, False)])
def test_an_audience_that_expires_soon_is_told(bench: Bench, days: int, told: bool):
    push = pushed(bench)
    day = (bench.clock.now() + timedelta(days=days)).date().isoformat()
    bench.platform.expiry_date = day

    assert bench.entries(vip_daily=ENTRY).prepare("vip_daily").new is False
    assert (len(bench.notices), day in str(bench.notices)) == (1 + told, told)
    assert (bench.updates.plan(push, UpdateRequest(segment="vip")).warning is not None) == told


def test_a_push_under_way_is_gone_on_with_without_another_question(bench: Bench):
    entries = bench.entries(vip_daily=ENTRY)
    bench.run(entries.prepare("vip_daily").push)
    bench.segment("vip", seed="new")
    waiting = entries.prepare("vip_daily").push
    while waiting.state is not PushState.WAITING:
        waiting = bench.run(waiting, wait=False)
        bench.clock.advance(600)
    reads = bench.platform.calls["data_sources"]

    run = entries.prepare("vip_daily")

    assert (run.push.push_id, run.new) == (waiting.push_id, False)
    assert bench.platform.calls["data_sources"] == reads
