"""What the doctor's checks say: their states, and the one about the schedules of entries."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from yuntu_push.domain.entry_run import EntryFreshness, RunOutcome
from yuntu_push.domain.errors import GuardError, YuntuPushError
from yuntu_push.domain.quota import BEIJING
from yuntu_push.domain.text import Text, msg, term


class CheckState(StrEnum):
    """How a part is."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """What was found about one part; `hint` is the fix, `error` is there when it failed."""

    name: str
    state: CheckState
    message: Text
    hint: Text | None = None
    channel: str | None = None
    entry: str | None = None
    error: YuntuPushError | None = None


def skipped(name: str, reason: Text, channel: str | None = None) -> Check:
    """The check of a part that there is no reason to look at."""
    return Check(name, CheckState.SKIPPED, reason, channel=channel)


def freshness(entry: EntryFreshness) -> Text:
    """What is said of an entry that is up to date; `GuardError` `ENTRY_STALE` of any other."""
    every = f"{entry.expect_every.total_seconds() / 3600:g}"
    if not entry.stale and entry.good_at is not None:
        return msg(
            "{entry} has what its source had at {moment}",
            entry=entry.entry,
            moment=_shown(entry.good_at),
        )
    run = entry.run
    if not entry.stale:
        return msg("{entry}: its first push is under way", entry=entry.entry)
    if run is None:
        reason = msg("{entry} has never run here, and is expected every {hours} h",
                     entry=entry.entry, hours=every)  # fmt: skip
        hint = msg("does its schedule run? `yuntu-push schedule print {entry} --cron`",
                   entry=entry.entry)  # fmt: skip
    else:
        reason = msg(
            "{entry} was not brought up to date for more than {hours} h; last run {moment}: {how}",
            entry=entry.entry,
            hours=every,
            moment=_shown(run.begun_at),
            how=run.code or _HOW.get(run.outcome, run.outcome.value),
        )
        hint = msg(
            "run it by hand: `yuntu-push push run {entry} --wait`, and see that its schedule runs",
            entry=entry.entry,
        )
    raise GuardError("ENTRY_STALE", reason, hint=hint)


# The others always have a code.
_HOW = {
    RunOutcome.BEGUN: term("run", "begun"),
    RunOutcome.DONE: term("run", "done"),
}


def _shown(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M +08:00")
