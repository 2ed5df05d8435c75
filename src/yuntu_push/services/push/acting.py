"""Writes to the platform: intent committed, then the call, then its outcome committed."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta

from yuntu_push.domain.errors import (
    LoginError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    TryLaterError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.push import Call, CallState, Facts, Push, StepName
from yuntu_push.domain.push_record import Intent, Settlement
from yuntu_push.domain.quota import QuotaKind, QuotaUse, next_midnight
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.ports import AudienceApi, Clock, Progress
from yuntu_push.services.push.outcomes import Act, Failed, Learned, Result, Stuck, Waiting
from yuntu_push.services.push.ports import PushStore
from yuntu_push.services.push.publishing import fixed_time, window_reason

WINDOW_RETRY = timedelta(minutes=10)  # when a window is closed by somebody else's publish
QUOTA_CODES = {"CREATE_QUOTA", "UPDATE_QUOTA", "CALL_QUOTA"}
WINDOW_CODE = "PUBLISH_WINDOW"
LOGIN_CODES = {"AUTH_LOGIN_REQUIRED", "APP_REFUSED"}  # of the channel, whatever place is meant
SLOW_UPLOADS = 2  # times that one part may take too long before its size is called the reason


class Actor:
    """Makes the writes of one push."""

    def __init__(
        self,
        store: PushStore,
        api: AudienceApi,
        clock: Clock,
        progress: Progress,
        *,
        side_by_side: int,
    ) -> None:
        self._store = store
        self._api = api
        self._clock = clock
        self._progress = progress
        self._side_by_side = max(1, side_by_side)

    def make(self, push: Push, acts: Sequence[Act], *, step: StepName | None = None) -> Result:
        """Make all the writes, some side by side; the gravest result stands for all.

        `step` is the step that they belong to; by default the push's current one.
        """
        step = step or push.step
        if len(acts) == 1:
            return self._make_one(push, step, acts[0])
        results: list[Result] = []
        pool = ThreadPoolExecutor(self._side_by_side, thread_name_prefix="upload")
        try:
            running = {pool.submit(self._make_one, push, step, act): act for act in acts}
            sent, total = 0, sum(act.size for act in acts)
            for future in as_completed(running):
                results.append(future.result())
                sent += running[future].size
                self._progress(msg("uploading"), sent, total)
                if not isinstance(results[-1], Learned):
                    break  # the rest would meet the same wall
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return _gravest(results)

    def _make_one(self, push: Push, step: StepName, act: Act) -> Result:
        """Make one write. Whatever is not answered stays open, for the next look to judge."""
        opened = self._store.begin(push.push_id, self._intent(push, step, act))
        if isinstance(opened, QuotaUse):
            return self._exhausted(push, opened)
        try:
            facts = act.call()
        except UnreachableError as error:
            self._settle(opened, CallState.NOT_SENT, release=True)
            return stuck(error)
        except OutcomeUnknownError as error:
            self._settle(opened, CallState.UNKNOWN)
            return stuck(error)
        except YuntuPushError as error:
            if error.code == "UPLOAD_TOO_SLOW" and opened.attempt >= SLOW_UPLOADS:
                self._settle(opened, CallState.REFUSED)
                return Failed(error)  # only smaller parts or a better link help
            learned = self._learned(act, error)
            refused = learned is not None or isinstance(error, RefusedError)
            state = CallState.REFUSED if refused else CallState.PUT_OFF
            self._settle(opened, state, facts=learned or Facts(), release=True)
            return self.trouble(error) if learned is None else Learned()
        self._settle(opened, CallState.DONE, facts=facts)
        return Learned()

    def _intent(self, push: Push, step: StepName, act: Act) -> Intent:
        if act.verdict is None and push.in_doubt(step, act.key) is not None:
            raise AssertionError(f"write {act.key} is in doubt and nothing was looked up")
        return Intent(
            step=step,
            key=act.key,
            fingerprint=act.fingerprint,
            before=act.before,
            at=self._clock.now(),
            claim=act.claim,
            verdict=act.verdict,
        )

    def _settle(
        self, call: Call, state: CallState, *, facts: Facts | None = None, release: bool = False
    ) -> None:
        self._store.settle(
            Settlement(call.call_id, state, self._clock.now(), facts or Facts(), release)
        )

    def _learned(self, act: Act, error: YuntuPushError) -> Facts | None:
        """What a step makes of a refusal that may concern one place only."""
        if act.on_refused is None:
            return None
        if isinstance(error, RefusedError) or error.code == WINDOW_CODE:
            return act.on_refused(error)
        if isinstance(error, LoginError) and error.code not in LOGIN_CODES:
            return act.on_refused(error)
        return None

    def trouble(self, error: YuntuPushError) -> Result:
        """What a failed read or a refused write means for the push."""
        if error.code in QUOTA_CODES:
            opens = error.next_at or next_midnight(self._api.server_now())
            return Waiting(self._ours(opens), error.message, error.code, refusal=error)
        if error.code == WINDOW_CODE:
            opens = error.next_at or self._api.server_now() + WINDOW_RETRY
            return Waiting(self._ours(opens), window_reason(), WINDOW_CODE, refusal=error)
        if isinstance(error, TryLaterError | LoginError):
            return stuck(error)
        return Failed(error)

    def _exhausted(self, push: Push, use: QuotaUse) -> Waiting:
        opens = use.opens_at or next_midnight(self._clock.now())
        if use.kind is QuotaKind.PUBLISH:
            opens = self._ours(opens)
            if push.publish_at is not None:
                opens = max(opens, fixed_time(opens, push.publish_at))
            return Waiting(opens, window_reason(), WINDOW_CODE)
        code = "CREATE_QUOTA" if use.kind is QuotaKind.CREATE else "UPDATE_QUOTA"
        return Waiting(opens, _quota_reason(use), code)

    def _ours(self, moment: datetime) -> datetime:
        """A moment of the platform's clock on ours."""
        return moment + (self._clock.now() - self._api.server_now())


def _quota_reason(use: QuotaUse) -> Text:
    if use.kind is QuotaKind.CREATE:
        return msg(
            "today's {limit} data source creations of account {subject} are used up",
            limit=use.limit,
            subject=use.subject,
        )
    return msg(
        "today's {limit} updates of data source {subject} are used up",
        limit=use.limit,
        subject=use.subject,
    )


def stuck(error: YuntuPushError) -> Stuck:
    """The platform's hint, when it gave one, decides when to come back."""
    return Stuck(error, error.retry_in if isinstance(error, ThrottledError) else None)


def _gravest(results: Sequence[Result]) -> Result:
    order: Sequence[Callable[[Result], bool]] = (
        lambda r: isinstance(r, Failed),
        lambda r: isinstance(r, Stuck) and isinstance(r.error, LoginError),
        lambda r: isinstance(r, Waiting),
        lambda r: isinstance(r, Stuck),
    )
    for is_grave in order:
        for result in results:
            if is_grave(result):
                return result
    return Learned()
