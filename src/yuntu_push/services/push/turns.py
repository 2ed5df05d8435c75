"""One run of one push under its lock: turn after turn, with pauses where there is patience."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.push import Push, PushState, StepName
from yuntu_push.domain.push_record import NOTHING
from yuntu_push.domain.retry import Backoff, PollSchedule
from yuntu_push.domain.settings import PushSettings
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.ports import AudienceApi, Clock, Notice, Progress
from yuntu_push.services.push.acting import Actor
from yuntu_push.services.push.labels import step_label
from yuntu_push.services.push.outcomes import (
    Act,
    Acts,
    Done,
    Failed,
    Learned,
    NeedsOperator,
    NotYet,
    Result,
    Stuck,
    Waiting,
)
from yuntu_push.services.push.ports import PushStore, SegmentShelf
from yuntu_push.services.push.recording import Recorder
from yuntu_push.services.push.steps import STEPS
from yuntu_push.services.push.view import View

BRIEF = 10.0  # seconds that a run without `--wait` gives to a hiccup
# Seconds before a wall that a run without `--wait` sits out: a publish that is due a moment after
# cron's tick would else be made at the next one, and be later by that much every day.
NEAR = 120.0


@dataclass(frozen=True)
class Patience:
    """How long a run may take: `timeout` seconds in all, the second look after `poll` seconds.

    Without `wait` a run ends where the platform has to work first.
    """

    wait: bool = False
    timeout: float = 3 * 3600.0
    poll: float | None = None


class Turns:
    """The turns of one run."""

    def __init__(
        self,
        *,
        store: PushStore,
        api: AudienceApi,
        segments: SegmentShelf,
        clock: Clock,
        settings: PushSettings,
        notice: Notice,
        progress: Progress,
        chance: Callable[[], float],
        patience: Patience,
        decided_before: datetime | None,
        tell_waits: bool,
    ) -> None:
        self._store = store
        self._api = api
        self._segments = segments
        self._clock = clock
        self._settings = settings
        self._notice = notice
        self._patience = patience
        self._decided_before = decided_before
        self._tell_waits = tell_waits
        self._actor = Actor(store, api, clock, progress, side_by_side=settings.uploads)
        self._recorder = Recorder(
            polls=PollSchedule(first=patience.poll or settings.poll),
            backoff=Backoff(),
            stall=settings.stall,
            chance=chance,
        )
        self._started = clock.monotonic()
        self._said: Text | None = None

    def take(self, push: Push) -> Push:
        """The push as it stands when this run can do no more."""
        while True:
            result = self._turn(push)
            push = self._recorded(push, result)
            self._tell(push, result)
            if push.all_steps_done or isinstance(result, Failed | NeedsOperator):
                return push
            if isinstance(result, Done | Learned):
                continue
            pause = self._pause(push, result)
            if pause is None:
                return push
            self._clock.sleep(pause)
            push = self._store.claim(push.push_id, self._clock.now())

    def _turn(self, push: Push) -> Result:
        """Let the current step look and decide; make the writes that it asks for."""
        try:
            outcome = STEPS[push.step](self._view(push))
        except YuntuPushError as error:
            return self._actor.trouble(error)
        match outcome:
            case Act():
                return self._actor.make(push, [outcome])
            case Acts():
                return self._actor.make(push, outcome.acts)
            case _:
                return outcome

    def _view(self, push: Push) -> View:
        earlier = {}
        if push.step is StepName.COPY and push.custom_audience_id is not None:
            earlier = {
                brand.virtual_adv_id: self._store.copies(
                    push.custom_audience_id, brand.virtual_adv_id
                )
                for brand in push.brands
            }
        return View(
            push=push,
            api=self._api,
            now=self._clock.now(),
            settings=self._settings,
            decided_before=self._decided_before,
            earlier_copies=earlier,
            open_segment=lambda ref: self._segments.open(ref.name, ref.version),
        )

    def _recorded(self, push: Push, result: Result) -> Push:
        if isinstance(result, Learned) and result.facts is NOTHING and not result.verdicts:
            stored = self._store.get(push.push_id)  # the write itself recorded what it taught
            if stored is None:
                raise LookupError(push.push_id)
            return stored
        change = self._recorder.change(push, result, self._clock.now())
        return self._store.record(push.push_id, change)

    def _pause(self, push: Push, result: Result) -> float | None:
        """Seconds to sleep before the next turn; None when this run ends here."""
        if push.state is PushState.STALLED or push.next_at is None:
            return None
        patience = self._patience
        wanted = max(0.0, (push.next_at - self._clock.now()).total_seconds())
        if isinstance(result, Waiting) and not patience.wait and wanted <= NEAR:
            return wanted
        if not patience.wait and not isinstance(result, Stuck):
            return None
        allowed = patience.timeout if patience.wait else BRIEF
        left = allowed - (self._clock.monotonic() - self._started)
        if isinstance(result, NotYet):
            return min(wanted, left) if left > 0 else None
        return wanted if wanted <= left else None

    def _tell(self, push: Push, result: Result) -> None:
        if isinstance(result, Done):
            done = push.steps[push.position - 1].name
            self._notice(msg("{step}: done", step=step_label(done)))
        elif not self._tell_waits:
            return
        elif isinstance(result, NotYet | Waiting | Stuck) and push.reason != self._said:
            self._said = push.reason
            self._notice(
                msg("{step}: {reason}", step=step_label(push.step), reason=push.reason or "-")
            )
