"""The runner: takes a push as far as it goes, one committed turn after the other.

It promises, whatever moment a process dies at:

I1  no write to the platform without a committed intent;
I2  no second write of a kind while the effect of an earlier one is in doubt, unless a verdict on
    that one is committed with (or before) the new intent;
I3  quota is reserved in the intent's transaction;
I4  the hash in the intent is that of the bytes that are sent;
I5  steps only go forward.
"""

import random
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import ConfigError, GuardError, TryLaterError, YuntuPushError
from yuntu_push.domain.names import unknown
from yuntu_push.domain.push import WORKING, Push, PushState
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.settings import PushSettings
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import AudienceApi, ChannelStore, Clock, Locks, Notice, Progress
from yuntu_push.services.push.ending import refuse_ended
from yuntu_push.services.push.lineage import overtaking
from yuntu_push.services.push.ports import PushStore, SegmentShelf
from yuntu_push.services.push.turns import Patience, Turns

# Errors of a push that another run has in hand or has ended, or whose rest a newer push does.
_PASSED_OVER = {"PUSH_HELD", "PUSH_ENDED", "PUSH_OVERTAKEN"}


@dataclass(frozen=True)
class Ran:
    """How one push of `run_due` ended: as it stands, and what kept it from being run at all.

    `stopped` is a `YuntuPushError`, or a bug.
    """

    push: Push
    stopped: Exception | None = None


class PushRunner:
    """Runs pushes."""

    def __init__(
        self,
        *,
        store: PushStore,
        channels: ChannelStore,
        api_for: Callable[[Channel], AudienceApi],
        segments: SegmentShelf,
        locks: Locks,
        clock: Clock,
        settings: PushSettings,
        notice: Notice,
        progress: Progress,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._channels = channels
        self._api_for = api_for
        self._segments = segments
        self._locks = locks
        self._clock = clock
        self._settings = settings
        self._notice = notice
        self._progress = progress
        self._chance = chance

    def run(
        self, push_id: str, patience: Patience | None = None, *, tell_waits: bool = True
    ) -> Push:
        """Take one push as far as it goes now, or with `patience.wait` to its end.

        `TryLaterError` `PUSH_HELD` when another process has it. Without `tell_waits` nothing is
        said of what it waits for.
        """
        with self.hold(push_id):
            before = self._load(push_id)
            if before.state is PushState.SUCCEEDED:
                return before
            refuse_ended(before)
            self._refuse_overtaken(before)
            channel = self._channel(before)
            now = self._clock.now()
            push = self._store.claim(push_id, now)
            decided = now if before.state is PushState.NEEDS_OPERATOR else None
            turns = Turns(
                store=self._store,
                api=self._api_for(channel),
                segments=self._segments,
                clock=self._clock,
                settings=self._settings,
                notice=self._notice,
                progress=self._progress,
                chance=self._chance,
                patience=patience or Patience(),
                decided_before=decided,
                tell_waits=tell_waits,
            )
            return turns.take(push)

    def run_due(self, patience: Patience | None = None) -> list[Ran]:
        """Do whatever is due for every push, failed brands and targets included.

        With `patience.wait`, to their ends. Pushes that merely wait, or are held by another run,
        are passed over in silence; one that was refused as a whole is left to a person. What stops
        one of them keeps none of the others; `TryLaterError` when the state file cannot be used.
        """
        patience = patience or Patience()
        started = self._clock.monotonic()
        ran: dict[str, Ran] = {}
        while True:
            passed = set()  # held by another run, or stopped
            for push in self._due():
                earlier = ran.get(push.push_id)
                if earlier and (earlier.stopped is not None or push.state is PushState.PARTIAL):
                    passed.add(push.push_id)
                    continue  # what failed is tried once a run
                result = self._run_one(push.push_id, tell_waits=patience.wait)
                if result is None or result.stopped is not None:
                    passed.add(push.push_id)
                if result is not None:
                    ran[push.push_id] = result
                else:
                    ran.pop(push.push_id, None)  # it is not for this run to wait for any more
            if not patience.wait:
                return list(ran.values())
            left = patience.timeout - (self._clock.monotonic() - started)
            going = self._going_on(passed, left)
            if not going or left <= 0:
                for push in going:  # was not due in all the time
                    ran.setdefault(push.push_id, Ran(push))
                return list(ran.values())
            self._clock.sleep(min(left, *(self._seconds_until_due(push) for push in going)))

    def _due(self) -> list[Push]:
        working = self._store.find(PushFilter(states=sorted({*WORKING, PushState.PARTIAL})))
        now = self._clock.now()
        return [p for p in reversed(working) if p.next_at is None or p.next_at <= now]

    def _run_one(self, push_id: str, *, tell_waits: bool) -> Ran | None:
        try:
            return Ran(self.run(push_id, tell_waits=tell_waits))
        except YuntuPushError as error:
            if error.code in _PASSED_OVER:
                return None
            if isinstance(error, TryLaterError):
                raise
            return Ran(self._load(push_id), error)
        except Exception as bug:  # noqa: BLE001 - one push's bug must not keep the others
            return Ran(self._load(push_id), bug)

    def _going_on(self, passed: Collection[str], left: float) -> list[Push]:
        """The pushes worth waiting `left` seconds for: under way, or before a wall that opens."""
        working = self._store.find(PushFilter(states=sorted(WORKING)))
        return [
            push
            for push in working
            if push.next_at is not None
            and push.push_id not in passed
            and (push.state is PushState.RUNNING or self._seconds_until_due(push) <= left)
        ]

    def _seconds_until_due(self, push: Push) -> float:
        due = push.next_at or self._clock.now()
        return max(0.0, (due - self._clock.now()).total_seconds())

    def hold(self, push_id: str) -> AbstractContextManager[None]:
        """Have a push for this process alone."""
        return self._locks.hold(
            f"push-{push_id}", wait_seconds=0, busy=lambda holder: push_held(push_id, holder)
        )

    def _refuse_overtaken(self, push: Push) -> None:
        """Raise `GuardError` for one that ended, and whose place a newer push has taken."""
        if push.is_working or push.data_source_id is None:
            return
        newer = overtaking(push, self._store.on_data_source(push.data_source_id))
        if newer is not None:
            raise GuardError(
                "PUSH_OVERTAKEN",
                msg("push {push} is older than push {newer} of the same audience",
                    push=push.push_id, newer=newer.push_id),
                hint=msg("to bring its content back, push it anew: `yuntu-push push update {push} "
                         "--segment {segment}@{version}`", push=newer.push_id,
                         segment=push.segment, version=push.segment_version),
            )  # fmt: skip

    def _load(self, push_id: str) -> Push:
        push = self._store.get(push_id)
        if push is None:
            raise unknown("push", push_id, (), hint=msg("`yuntu-push push list`"))
        return push

    def _channel(self, push: Push) -> Channel:
        channel = self._channels.channels().get(push.channel)
        if channel is None:
            raise ConfigError(
                "CHANNEL_UNKNOWN",
                msg("push {push} needs channel {channel}, which is gone", push=push.push_id,
                    channel=push.channel),
                hint=msg("add it again: `yuntu-push channel add {channel} …`",
                         channel=push.channel),
            )  # fmt: skip
        return channel


def push_held(push_id: str, holder: str) -> TryLaterError:
    """The error for a push that another process has in hand."""
    return TryLaterError(
        "PUSH_HELD",
        msg("push {push} is being run by another process ({holder})", push=push_id, holder=holder),
        hint=msg("wait for it, or look with `yuntu-push push status {push}`", push=push_id),
    )
