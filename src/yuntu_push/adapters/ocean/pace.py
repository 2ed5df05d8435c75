"""Keeps the calls of this process apart, so that the platform's per-second limits are never met."""

import threading

from yuntu_push.adapters.ocean.needs import Clock


class RateLimiter:
    """At most `rate` calls a second, evenly spaced; safe to share between threads."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._interval = 1.0 / rate if rate > 0 else 0.0
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.monotonic()

    def wait(self) -> None:
        """Return when the next call may be made."""
        with self._lock:
            now = self._clock.monotonic()
            turn = max(now, self._next)
            self._next = turn + self._interval
        if turn > now:
            self._clock.sleep(turn - now)
