"""Machines whose clock is a day off, whose zone has summer time, whose February has 29 days."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.clock import shifted
from support.push import Bench, FakeClock, memory_folder
from support.world import World, world
from yuntu_push.domain.push import PushState

DAY = 86_400
SUMMER_BEGINS = datetime(2027, 3, 14, 6, 30, tzinfo=UTC)  # in New York, half an hour later
SUMMER_ENDS = datetime(2027, 11, 7, 5, 30, tzinfo=UTC)
LEAP_DAY = datetime(2028, 2, 28, 15, 0, tzinfo=UTC)  # an hour before Beijing's 29th
ORDINARY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
HOURS_OFF = [-25, -24, -1, 0, 1, 24, 25]
MATRIX = [
    *((ORDINARY, hours, "Asia/Shanghai") for hours in HOURS_OFF),
    (SUMMER_BEGINS, 0, "America/New_York"),
    (SUMMER_ENDS, 0, "America/New_York"),
    (SUMMER_ENDS, 24, "America/New_York"),
    (LEAP_DAY, 0, "Asia/Shanghai"),
    (LEAP_DAY, -24, "Asia/Shanghai"),
]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


class OffClock:
    """A machine's clock that is off, until somebody sets it right; durations are not."""

    def __init__(self, true: FakeClock, off: timedelta) -> None:
        self._true = true
        self.off = off

    def now(self) -> datetime:
        return self._true.now() + self.off

    def monotonic(self) -> float:
        return self._true.monotonic()

    def sleep(self, seconds: float) -> None:
        self._true.sleep(seconds)

    def advance(self, seconds: float) -> None:
        self._true.advance(seconds)


@pytest.mark.parametrize("set_right", [False, True])
@pytest.mark.parametrize(("moment", "hours", "zone"), MATRIX)
def test_the_window_is_the_platforms_whatever_our_clock_says(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    moment: datetime,
    hours: int,
    zone: str,
    set_right: bool,
):
    """The second publish comes when the platform's 24 hours are over: not refused, not late.

    Also when the clock was set right between the two.
    """
    monkeypatch.setenv("TZ", zone)
    true = FakeClock(moment)
    clock = OffClock(true, timedelta(hours=hours))
    bench.platform.clock = true
    bench.clock = clock  # type: ignore[assignment]
    first = bench.run(bench.create())
    if set_right:
        clock.off = timedelta()
    bench.segment("vip", seed="new")
    push = bench.run(bench.update(first))
    assert push.state is PushState.SUCCEEDED
    one, two = bench.platform.publishes
    assert timedelta(hours=24) <= two - one < timedelta(hours=24, minutes=2)
    assert bench.platform.calls["publish"] == 2, "none came early"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path / "home", speed=1e6) as made:
        yield made


@pytest.mark.parametrize("days", [-1.0, 1.0])
def test_a_process_whose_clock_is_a_day_off_pushes_all_the_same(
    home: World, tmp_path: Path, days: float
):
    """A token that only looks expired is refreshed, one that only looks alive is replaced."""
    wrong = {**shifted(tmp_path, days=days), "TZ": "America/New_York"}
    home.build(count=50)
    account, brand = home.bound_account()
    run = home.json(
        "push", "create", "--name", "钟", "--segment", "vip", "--account",
        account["advertiser_id"], "--brand", brand["brand_id"], "--wait", "--poll", "0.1",
        "--timeout", "60", env=wrong,
    )  # fmt: skip
    assert (run.code, run.data["state"]) == (0, "succeeded"), run.stdout + run.stderr
    home.sandbox.advance(days=2)
    again = home.json("push", "status", run.data["push_id"], env={**os.environ, **wrong})
    assert again.code == 0
    assert "last seen" not in again.stderr, "the platform was asked with a token that it takes"
