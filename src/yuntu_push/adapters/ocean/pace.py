"""Keeps calls apart, and stops calling a host that fails: together with all other processes.

The lanes of the hosts are shared through `Lanes`; where these cannot be used, this process keeps
its own, for a call must never fail because of the book-keeping about it.
"""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from yuntu_push.adapters.ocean.needs import Clock, Lanes
from yuntu_push.domain.errors import UnreachableError, YuntuPushError
from yuntu_push.domain.pace import (
    FAILURES_IN_A_ROW,
    Lane,
    after_call,
    held_off,
    hold_off,
    take_turn,
)
from yuntu_push.domain.text import msg

LAST_SECOND = 1.0
UNSHARED_SECONDS = 60.0  # how long lanes that could not be used are left alone
PAUSED = "PLATFORM_PAUSED"
Found = TypeVar("Found")


class OwnLanes:
    """Lanes of this process alone; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[str, Lane] = {}

    def change(self, host: str, step: Callable[[Lane], tuple[Lane, Found]]) -> Found:
        """What `step` finds in the lane of a host, which it replaces."""
        with self._lock:
            self._lanes[host], found = step(self._lanes.get(host, Lane()))
            return found


class Pacer:
    """At most `rate` calls a second to a host, evenly spaced; none while the host is paused.

    `rate` 0 is no limit. Without `shared` lanes the pace is that of this process.
    """

    def __init__(self, rate: float, clock: Clock, shared: Lanes | None = None) -> None:
        self._interval = 1.0 / rate if rate > 0 else 0.0
        self._clock = clock
        self._own = OwnLanes()
        self._shared = shared
        self._shared_again = clock.monotonic()

    def wait(self, host: str) -> None:
        """Return when the next call may be made.

        `UnreachableError` with `next_at` while the host is left alone after failures in a row.
        """
        turn = self._change(host, lambda lane: take_turn(lane, self._now(), self._interval))
        if turn.refused:
            raise _paused(host, turn.at, self._now())
        pause = turn.at - self._now()
        if pause > 0:
            self._clock.sleep(pause)
            if not turn.probe:
                self._look_again(host)

    def note(self, host: str, *, answered: bool) -> None:
        """Take in how a call ended: answered in whatever way, or failed."""
        self._change(host, lambda lane: (after_call(lane, self._now(), answered=answered), None))

    def held(self, endpoint: str) -> float:
        """For how many seconds the platform asked us, whichever process, to leave it alone.

        A last second is sat out here: clocks do not agree to the millisecond.
        """
        left = self._change(endpoint, lambda lane: (lane, held_off(lane, self._now())))
        if left > LAST_SECOND:
            return left
        if left > 0:
            self._clock.sleep(left)
        return 0.0

    def hold(self, endpoint: str, seconds: float) -> None:
        """Let all processes leave an endpoint alone: the platform asked to come back later."""
        self._change(endpoint, lambda lane: (hold_off(lane, self._now(), seconds), None))

    def _look_again(self, host: str) -> None:
        """Refuse a call that was queued when the host began to fail."""
        lane = self._change(host, lambda lane: (lane, lane))
        now = self._now()
        if lane.paused and now < lane.paused_until:
            raise _paused(host, lane.paused_until, now)

    def _change(self, host: str, step: Callable[[Lane], tuple[Lane, Found]]) -> Found:
        if self._shared is not None and self._clock.monotonic() >= self._shared_again:
            try:
                return self._shared.change(host, step)
            except YuntuPushError:
                self._shared_again = self._clock.monotonic() + UNSHARED_SECONDS
        return self._own.change(host, step)

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _paused(host: str, until: float, now: float) -> UnreachableError:
    return UnreachableError(
        PAUSED,
        msg(
            "{host} failed {count} times in a row and is left alone for {seconds} s",
            host=host,
            count=FAILURES_IN_A_ROW,
            seconds=max(1, round(until - now)),
        ),
        hint=msg("run the same command again then; `yuntu-push doctor` tests each part now"),
        next_at=datetime.fromtimestamp(until, UTC),
    )
