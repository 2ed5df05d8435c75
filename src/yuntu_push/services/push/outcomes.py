"""What a step may answer to the runner.

A step only looks (reads) and decides; it never sleeps, prints, writes to the store or to the
platform. A write is handed back as an `Act`, so that the runner commits the intent before the call
and the outcome after it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from yuntu_push.domain.errors import GuardError, YuntuPushError
from yuntu_push.domain.push import CallState, Facts
from yuntu_push.domain.push_record import NOTHING, Verdict
from yuntu_push.domain.quota import QuotaClaim
from yuntu_push.domain.text import Text


@dataclass(frozen=True)
class Done:
    """The step is complete."""

    facts: Facts = NOTHING
    verdicts: Sequence[Verdict] = ()


@dataclass(frozen=True)
class Learned:
    """Something was learned and the step goes on at once."""

    facts: Facts = NOTHING
    verdicts: Sequence[Verdict] = ()


@dataclass(frozen=True)
class NotYet:
    """The platform is still at it; look again as polls go, at the latest `within` seconds."""

    reason: Text
    within: float | None = None
    facts: Facts = NOTHING


@dataclass(frozen=True)
class Waiting:
    """A wall: nothing can be done before `next_at`; `refusal` is how the platform told of it."""

    next_at: datetime
    reason: Text
    code: str
    facts: Facts = NOTHING
    refusal: YuntuPushError | None = None


@dataclass(frozen=True)
class Failed:
    """The step failed for good."""

    error: YuntuPushError
    facts: Facts = NOTHING
    verdicts: Sequence[Verdict] = ()


@dataclass(frozen=True)
class NeedsOperator:
    """A person must look and decide; `error` says at what and how."""

    error: GuardError
    facts: Facts = NOTHING


@dataclass(frozen=True)
class Act:
    """One write to make.

    `request` is hashed into the intent; `verdict` is what looking told about an earlier write of
    the same key that is in doubt, and must be there when there is one. `on_refused` turns a refusal
    that does not end the step into what was learned from it; None: it does end the step.
    """

    key: str
    request: Sequence[object]
    call: Callable[[], Facts]
    before: str = ""
    claim: QuotaClaim | None = None
    verdict: CallState | None = None
    on_refused: Callable[[YuntuPushError], Facts | None] | None = None
    size: int = 0
    fingerprint: str = field(init=False, default="")

    def __post_init__(self) -> None:
        text = json.dumps(list(self.request), ensure_ascii=False, default=str)
        object.__setattr__(self, "fingerprint", hashlib.sha256(text.encode()).hexdigest())


@dataclass(frozen=True)
class Acts:
    """Writes that may be made side by side."""

    acts: Sequence[Act]


@dataclass(frozen=True)
class Stuck:
    """Nothing can be done now, but later: an outage, a slow-down, a login that is needed.

    `retry_in` is the platform's own hint in seconds.
    """

    error: YuntuPushError
    retry_in: float | None = None


Answer = Done | Learned | NotYet | Waiting | Failed | NeedsOperator
Outcome = Answer | Act | Acts  # of a step
Result = Answer | Stuck  # of a turn
