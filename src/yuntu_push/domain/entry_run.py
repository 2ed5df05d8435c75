"""How the runs of a `pushes:` entry went, and when one that could not is tried again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

RETRY = timedelta(minutes=15)
GIVE_UP = timedelta(hours=20)  # by then the next daily run is near, and its content is newer


class RunOutcome(StrEnum):
    """How far a run came; a stored name."""

    BEGUN = "begun"  # under way, or its process died
    LATER = "later"  # the source or the platform was not ready
    REFUSED = "refused"  # a person has to mend something
    DONE = "done"  # the content is on its way, or nothing had changed


@dataclass(frozen=True)
class LastRun:
    """The latest run of an entry: `wanted_at` when it was first tried, `begun_at` last.

    `done_at` is when a run last came through, `code` what stopped this one.
    """

    entry: str
    wanted_at: datetime
    begun_at: datetime
    outcome: RunOutcome
    code: str | None = None
    done_at: datetime | None = None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to try again what could not be done."""
        if self.outcome not in (RunOutcome.BEGUN, RunOutcome.LATER):
            return False
        return now - self.begun_at >= RETRY and now - self.wanted_at < GIVE_UP


@dataclass(frozen=True)
class EntryFreshness:
    """How fresh an entry's audience is: `good_at` is when it last had what the source had.

    None before its first push came through: not stale while that one has not taken too long.

    `run` is its latest run, None when it never ran here.
    """

    entry: str
    expect_every: timedelta
    good_at: datetime | None
    run: LastRun | None
    stale: bool
