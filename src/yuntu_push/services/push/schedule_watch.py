"""Which entries were not brought up to date for longer than their `expect_every` allows."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from yuntu_push.domain.entry_run import EntryFreshness, LastRun
from yuntu_push.domain.push import Push, PushState
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.settings import PushEntry
from yuntu_push.services.ports import Clock
from yuntu_push.services.push.ports import EntryRuns, PushStore


class ScheduleWatch:
    """Compares what the schedules should have done with what was done; reads the state only."""

    def __init__(
        self,
        *,
        entries: Mapping[str, PushEntry],
        runs: EntryRuns,
        store: PushStore,
        clock: Clock,
    ) -> None:
        self._entries = entries
        self._runs = runs
        self._store = store
        self._clock = clock

    def look(self) -> list[EntryFreshness]:
        """Every entry that says `expect_every`, in the order of the config."""
        expected = {n: e.expect_every for n, e in self._entries.items() if e.expect_every}
        runs = self._runs.all() if expected else {}
        now = self._clock.now()
        found = []
        for name, seconds in expected.items():
            run, every = runs.get(name), timedelta(seconds=seconds)
            pushes = self._store.find(PushFilter(entry=name))
            good = _good_at(pushes, run)
            since = good or _first_under_way(pushes)
            found.append(
                EntryFreshness(name, every, good, run, stale=since is None or now - since > every)
            )
        return found


def _first_under_way(pushes: list[Push]) -> datetime | None:
    """When an entry that has not come through yet began; None when nothing is under way."""
    return pushes[-1].created_at if pushes and pushes[0].is_working else None


def _good_at(pushes: list[Push], run: LastRun | None) -> datetime | None:
    """When the last push had succeeded, or a run after it found that nothing had changed."""
    done = [push for push in pushes if push.state is PushState.SUCCEEDED]
    moments = [step.finished_at for push in done[:1] for step in push.steps if step.finished_at]
    if run is not None and run.done_at is not None and pushes and pushes[0] in done:
        moments.append(run.done_at)
    return max(moments, default=None)
