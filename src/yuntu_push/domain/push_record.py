"""What is written about a push: intents, outcomes, changes; and which pushes to read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from yuntu_push.domain.failure import Failure
from yuntu_push.domain.push import CallState, Facts, PushState, StepName, StepState
from yuntu_push.domain.quota import QuotaClaim
from yuntu_push.domain.text import Text

NOTHING = Facts()


@dataclass(frozen=True)
class Verdict:
    """What looking told about the write in doubt under `key`."""

    key: str
    state: CallState


@dataclass(frozen=True)
class OnPlatform:
    """Data sources and audiences, by the platform's ids."""

    data_sources: Collection[str] = ()
    audiences: Collection[int] = ()


@dataclass(frozen=True)
class PushFilter:
    """Which pushes to list; empty means all.

    `called`: their name, their audience's, or the beginning of their id; `on`: whose data source
    or audience is one of these; `most`: no more than so many of the newest.
    """

    states: Collection[PushState] = ()
    channel: str | None = None
    brand: str | None = None
    since: datetime | None = None
    entry: str | None = None
    called: str | None = None
    on: OnPlatform | None = None
    most: int | None = None


@dataclass(frozen=True)
class Change:
    """What is recorded after a turn: new facts, verdicts, and where the push stands now.

    `finish_step` moves on to the next step. None leaves a value as it is, except `reason`,
    `failure` and `next_at`, which always describe the present.
    """

    at: datetime
    state: PushState
    step_state: StepState
    facts: Facts = NOTHING
    verdicts: Sequence[Verdict] = ()
    finish_step: bool = False
    progress_at: datetime | None = None
    failures: int = 0
    looks: int = 0
    next_at: datetime | None = None
    reason: Text | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Intent:
    """A write that is about to be made."""

    step: StepName
    key: str
    fingerprint: str
    before: str
    at: datetime
    claim: QuotaClaim | None
    verdict: CallState | None


@dataclass(frozen=True)
class Settlement:
    """What became of a write: its state, what it taught, and whether its quota is given back."""

    call_id: int
    state: CallState
    at: datetime
    facts: Facts = NOTHING
    release: bool = False
