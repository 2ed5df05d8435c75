"""The platform's clock: the machine's time plus what people stepped it by."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

BEIJING = timezone(timedelta(hours=8))
"""The platform's days begin at midnight here; China has had no summer time since 1991."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC).timestamp()
LATEST = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
"""The clock can be set within these; every moment derived from it can then be written as a date."""


def machine_time() -> float:
    """Seconds since 1970 by the machine; the one place where the sandbox looks at it."""
    return time.time()  # noqa: TID251


class PlatformClock:
    """Seconds since 1970 on the platform; runs with the machine's clock and can be stepped."""

    def __init__(self, offset: float = 0.0, base: Callable[[], float] = machine_time) -> None:
        self._base = base
        self.offset = offset

    def now(self) -> float:
        """The platform's time, in seconds since 1970."""
        return self._base() + self.offset

    def advance(self, seconds: float) -> None:
        """Step forward, or back when `seconds` is negative."""
        self.set(self.now() + seconds)

    def set(self, moment: float) -> None:
        """Make it `moment` now; ValueError when that is no time the sandbox can show."""
        if not EARLIEST <= moment <= LATEST:
            raise ValueError("the clock can be set to the years 2000 to 2199")
        self.offset = moment - self._base()


def http_date(moment: float) -> str:
    """`moment` as the `Date` header writes it."""
    return format_datetime(datetime.fromtimestamp(int(moment), UTC), usegmt=True)


def wire_time(moment: float | None) -> str:
    """`moment` as answers write it: Beijing time, to the second; empty when there is none."""
    if moment is None:
        return ""
    return datetime.fromtimestamp(moment, BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def beijing_day(moment: float) -> str:
    """The platform's day that `moment` falls into; quotas start anew with it."""
    return datetime.fromtimestamp(moment, BEIJING).strftime("%Y-%m-%d")
