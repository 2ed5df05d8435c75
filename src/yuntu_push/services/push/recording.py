"""What a turn's result changes in the record: states, waits, failures."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from yuntu_push.domain.errors import LoginError, PartialError, YuntuPushError
from yuntu_push.domain.failure import Failure
from yuntu_push.domain.push import Push, PushState, StepName, StepState
from yuntu_push.domain.push_record import Change
from yuntu_push.domain.retry import Backoff, PollSchedule, hinted
from yuntu_push.domain.text import msg
from yuntu_push.services.push.outcomes import (
    Done,
    Failed,
    Learned,
    NeedsOperator,
    NotYet,
    Result,
    Stuck,
    Waiting,
)

# A brand that refuses may be bound by a person any time: the next run asks again, but a cron line
# every ten minutes need not ask each time. A target that was refused rarely changes its legal
# subject, and asking again costs a publish.
RETRY_BRANDS = timedelta(hours=1)
RETRY_TARGETS = timedelta(days=1)


@dataclass(frozen=True)
class Recorder:
    """Turns results into changes; `chance` gives numbers in [0, 1)."""

    polls: PollSchedule
    backoff: Backoff
    stall: float
    chance: Callable[[], float]

    def change(self, push: Push, result: Result, now: datetime) -> Change:
        """What to record of one turn of `push`."""
        match result:
            case Done():
                return _done(push, result, now)
            case Learned():
                return Change(
                    at=now,
                    state=PushState.RUNNING,
                    step_state=StepState.RUNNING,
                    facts=result.facts,
                    verdicts=result.verdicts,
                    progress_at=now,
                )
            case NotYet():
                return self._not_yet(push, result, now)
            case Waiting():
                return _waiting(result, now)
            case Stuck():
                return self._stuck(push, result, now)
            case Failed():
                return _failed(push, result, now)
            case NeedsOperator():
                return Change(
                    at=now,
                    state=PushState.NEEDS_OPERATOR,
                    step_state=StepState.NEEDS_OPERATOR,
                    facts=result.facts,
                    failure=Failure.of(result.error),
                )
        assert_never(result)

    def _not_yet(self, push: Push, result: NotYet, now: datetime) -> Change:
        delay = self.polls.delay(push.looks, self.chance)
        if result.within is not None:
            delay = min(delay, result.within)
        stalled = self._is_stalled(push, now)
        return Change(
            at=now,
            state=PushState.STALLED if stalled else PushState.RUNNING,
            step_state=StepState.WAITING,
            facts=result.facts,
            looks=push.looks + 1,
            next_at=now + timedelta(seconds=delay),
            reason=result.reason,
        )

    def _stuck(self, push: Push, result: Stuck, now: datetime) -> Change:
        failures = push.failures + 1
        delay = hinted(result.retry_in, self.backoff.delay(failures, self.chance))
        next_at = now + timedelta(seconds=delay)
        hint = result.error.next_at
        # A wait in seconds is `delay` already; as a moment it may be by another clock.
        if hint is not None and result.retry_in is None:
            next_at = max(next_at, hint)
        failure = Failure.of(result.error)
        if failure.next_at is not None:
            failure = replace(failure, next_at=next_at)
        login = isinstance(result.error, LoginError)
        stalled = not login and self._is_stalled(push, now)
        return Change(
            at=now,
            state=PushState.STALLED if stalled else PushState.WAITING,
            step_state=StepState.WAITING,
            failures=failures,
            looks=push.looks,
            # A login ends the wait whenever it comes, so there is nothing to wait for.
            next_at=None if login else next_at,
            reason=result.error.message,
            failure=failure,
        )

    def _is_stalled(self, push: Push, now: datetime) -> bool:
        return (now - push.progress_at).total_seconds() > self.stall


def _done(push: Push, result: Done, now: datetime) -> Change:
    last = push.position == len(push.steps) - 1
    return Change(
        at=now,
        state=PushState.SUCCEEDED if last else PushState.RUNNING,
        step_state=StepState.SUCCEEDED,
        facts=result.facts,
        verdicts=result.verdicts,
        finish_step=True,
        progress_at=now,
    )


def _waiting(result: Waiting, now: datetime) -> Change:
    return Change(
        at=now,
        state=PushState.WAITING,
        step_state=StepState.WAITING,
        facts=result.facts,
        next_at=result.next_at,
        progress_at=max(result.next_at, now),  # a known wait is no stall
        reason=result.reason,
        failure=Failure(
            kind="TryLaterError",
            code=result.code,
            message=result.reason,
            hint=msg("nothing to do: `yuntu-push push resume --all` goes on when it is time"),
            platform_code=result.refusal.platform_code if result.refusal else None,
            request_id=result.refusal.request_id if result.refusal else None,
            next_at=result.next_at,
        ),
    )


def _failed(push: Push, result: Failed, now: datetime) -> Change:
    error: YuntuPushError = result.error
    partial = isinstance(error, PartialError)
    return Change(
        at=now,
        state=PushState.PARTIAL if partial else PushState.FAILED,
        step_state=StepState.FAILED,
        facts=result.facts,
        verdicts=result.verdicts,
        next_at=now + _retry_pause(push) if partial else None,
        failure=Failure.of(error),
    )


def _retry_pause(push: Push) -> timedelta:
    """How long `resume --all` leaves what failed of a push alone."""
    if push.step is not StepName.COPY:
        return RETRY_TARGETS
    return RETRY_BRANDS if push.steps[push.position].attempts > 1 else timedelta(0)
