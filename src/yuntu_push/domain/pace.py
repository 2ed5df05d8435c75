"""How hard an API host may be called: evenly spaced turns, and a pause after failures in a row.

The rules of one host's lane; where lanes are kept, and who waits, is the adapters' business.
"""

from dataclasses import dataclass, replace

FAILURES_IN_A_ROW = 5
PAUSE_SECONDS = 60.0
LONGEST_HINT = 3600.0  # seconds; a longer hint is taken for an hour
MOST_WAITING = 200  # callers of one host at once; a longer queue is a clock that was set back


@dataclass(frozen=True)
class Lane:
    """What is known of one host; moments are seconds since the epoch, 0 for none."""

    next_at: float = 0.0
    failures: int = 0
    paused_until: float = 0.0

    @property
    def paused(self) -> bool:
        """Whether so many calls failed that only a probe may be made."""
        return self.failures >= FAILURES_IN_A_ROW


@dataclass(frozen=True)
class Turn:
    """When a call may be made, in seconds since the epoch.

    `refused`: no call before `at`; `probe`: the one call that finds out whether the host is back.
    """

    at: float
    refused: bool = False
    probe: bool = False


def take_turn(lane: Lane, now: float, interval: float) -> tuple[Lane, Turn]:
    """The next turn of a lane whose calls keep `interval` seconds apart."""
    lane = _plausible(lane, now, interval)
    if lane.paused:
        if now < lane.paused_until:
            return lane, Turn(lane.paused_until, refused=True)
        lane = replace(lane, paused_until=now + PAUSE_SECONDS)
    at = max(now, lane.next_at)
    return replace(lane, next_at=at + interval), Turn(at, probe=lane.paused)


def after_call(lane: Lane, now: float, *, answered: bool) -> Lane:
    """The lane after a call that was answered, or failed."""
    if answered:
        return replace(lane, failures=0, paused_until=0.0) if lane.failures else lane
    failed = replace(lane, failures=lane.failures + 1)
    return replace(failed, paused_until=now + PAUSE_SECONDS) if failed.paused else failed


def hold_off(lane: Lane, now: float, seconds: float) -> Lane:
    """The lane of one endpoint that the platform asked to leave alone for so long."""
    return replace(lane, paused_until=max(lane.paused_until, now + seconds))


def held_off(lane: Lane, now: float) -> float:
    """For how many seconds an endpoint's lane is still to be left alone."""
    left = lane.paused_until - now
    return left if 0 < left <= LONGEST_HINT else 0.0  # more is a clock that was set back


def _plausible(lane: Lane, now: float, interval: float) -> Lane:
    """The lane without moments that only a clock which was set back can have left behind."""
    if lane.next_at > now + interval * MOST_WAITING:
        lane = replace(lane, next_at=now)
    return replace(lane, paused_until=min(lane.paused_until, now + PAUSE_SECONDS))
