"""A push (推送任务): its values, its states and the moves between them.

Stored names (states, steps, modes) are a public format: they are printed, kept in the state file
and never renamed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from yuntu_push.domain.failure import Failure
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.platform import DeliveryStatus, Operation
from yuntu_push.domain.text import Text


class PushState(StrEnum):
    """Where a push stands."""

    PENDING = "pending"  # created, nothing done yet
    RUNNING = "running"  # under way: here, or being worked on by the platform
    WAITING = "waiting"  # at a wall (quota, window, outage, login) until `next_at`
    SUCCEEDED = "succeeded"
    PARTIAL = "partial"  # some brands or targets failed; `resume` tries these again
    FAILED = "failed"  # refused for good; `resume` tries the failed step again
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"  # a newer push of the same data source took its place
    NEEDS_OPERATOR = "needs_operator"  # a person must look and decide
    STALLED = "stalled"  # nothing moved for `push.stall`; can be continued


WORKING = frozenset({PushState.PENDING, PushState.RUNNING, PushState.WAITING, PushState.STALLED})
_ENDS = {
    PushState.SUCCEEDED,
    PushState.PARTIAL,
    PushState.FAILED,
    PushState.CANCELLED,
    PushState.SUPERSEDED,
    PushState.NEEDS_OPERATOR,
}
MOVES: Mapping[PushState, frozenset[PushState]] = {
    PushState.PENDING: frozenset({PushState.RUNNING, PushState.CANCELLED, PushState.SUPERSEDED}),
    PushState.RUNNING: frozenset(_ENDS | {PushState.WAITING, PushState.STALLED}),
    PushState.WAITING: frozenset(
        {PushState.RUNNING, PushState.STALLED, PushState.CANCELLED, PushState.SUPERSEDED}
    ),
    PushState.STALLED: frozenset({PushState.RUNNING, PushState.CANCELLED, PushState.SUPERSEDED}),
    PushState.NEEDS_OPERATOR: frozenset({PushState.RUNNING, PushState.CANCELLED}),
    PushState.PARTIAL: frozenset({PushState.RUNNING, PushState.CANCELLED, PushState.SUPERSEDED}),
    PushState.FAILED: frozenset({PushState.RUNNING, PushState.CANCELLED}),
    PushState.SUCCEEDED: frozenset(),
    PushState.CANCELLED: frozenset(),
    PushState.SUPERSEDED: frozenset(),
}


def may_move(old: PushState, new: PushState) -> bool:
    """Whether a push may go from one state to another; staying is always legal."""
    return old is new or new in MOVES[old]


class Mode(StrEnum):
    """What a push does to its data source."""

    CREATE = "create"
    RESET = "reset"
    APPEND = "append"
    REMOVE = "remove"
    MIRROR = "mirror"


class StepName(StrEnum):
    """The steps of a push."""

    UPLOAD = "upload"
    CREATE_DATA_SOURCE = "create_data_source"
    UPDATE_DATA_SOURCE = "update_data_source"
    PARSE = "parse"
    SHARE = "share"
    PUBLISH = "publish"
    ACTIVATE = "activate"
    COPY = "copy"
    VERIFY = "verify"


def steps_of(mode: Mode) -> tuple[StepName, ...]:
    """The steps of a push, in order."""
    write = StepName.CREATE_DATA_SOURCE if mode is Mode.CREATE else StepName.UPDATE_DATA_SOURCE
    return (
        StepName.UPLOAD,
        write,
        StepName.PARSE,
        StepName.SHARE,
        StepName.PUBLISH,
        StepName.ACTIVATE,
        StepName.COPY,
        StepName.VERIFY,
    )


class StepState(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    NEEDS_OPERATOR = "needs_operator"


class BrandState(StrEnum):
    """Where the copy into one brand stands."""

    PENDING = "pending"
    SUBMITTED = "submitted"  # 已提交云图: the platform took the copy; nobody can read it there
    CONFIRMED = "confirmed"  # 云图已核对: a person saw it in Yuntu
    FAILED = "failed"
    NEEDS_OPERATOR = "needs_operator"  # the copy's reply was lost and nothing shows it
    NOT_DUE = "not_due"  # this push brings new content, but the copy policy says not now


class TargetState(StrEnum):
    """Where the share with one advertiser stands."""

    PENDING = "pending"
    SHARED = "shared"
    FAILED = "failed"


class CallState(StrEnum):
    """What is known of one write to the platform."""

    OPEN = "open"  # intent committed; still running, or its process died
    UNKNOWN = "unknown"  # sent, the answer was lost
    DONE = "done"  # answered: carried out
    NOT_SENT = "not_sent"  # provably never reached the platform
    REFUSED = "refused"  # answered: not carried out
    PUT_OFF = "put_off"  # not carried out, for a reason of the moment: throttled, a quota, a login
    FOUND = "found"  # verdict after looking: it was carried out
    ABSENT = "absent"  # verdict after looking: it was not carried out
    REPEATABLE = "repeatable"  # verdict: repeating does no harm
    UNSHOWN = (
        "unshown"  # verdict: nothing shows it, which proves nothing; its quota is carried over
    )
    DECIDED = "decided"  # verdict of a person or a setting


IN_DOUBT = frozenset({CallState.OPEN, CallState.UNKNOWN})
# The writes of which the platform said, or we proved, that they changed nothing.
WITHOUT_EFFECT = frozenset(
    {CallState.NOT_SENT, CallState.REFUSED, CallState.PUT_OFF, CallState.ABSENT}
)


@dataclass(frozen=True)
class PushPart:
    """One zip of a push; `file_path` is the platform's name for it once uploaded."""

    position: int
    path: Path
    id_type: IdType
    size: int
    ids: int
    md5: str
    operation: Operation | None = None
    file_path: str | None = None
    uploaded_at: datetime | None = None


@dataclass(frozen=True)
class PushBrand:
    """One brand that a push copies to."""

    brand_id: int
    brand_name: str
    virtual_adv_id: int
    state: BrandState = BrandState.PENDING
    yuntu_audience_id: int | None = None
    submitted_at: datetime | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class PushTarget:
    """One advertiser that the audience is shared with; the owner is one of them (`owner`).

    `group` is how many targets the next call may name together: it shrinks when the platform
    refuses a group, because its refusal does not say whom it means.
    """

    advertiser_id: int
    owner: bool = False
    state: TargetState = TargetState.PENDING
    group: int = 100
    failure: Failure | None = None


@dataclass(frozen=True)
class PushStep:
    """One step of a push and its history in short."""

    name: StepName
    state: StepState = StepState.PENDING
    attempts: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Call:
    """One write to the platform: the intent, and what became of it.

    `key` tells the writes of a step apart (a part, a brand); `before` is what was noted at the
    intent so that its effect can be told later; `fingerprint` is the hash of what was sent.
    """

    call_id: int
    step: StepName
    key: str
    attempt: int
    fingerprint: str
    before: str
    intent_at: datetime
    state: CallState
    settled_at: datetime | None = None


@dataclass(frozen=True)
class Push:
    """A push as it is stored. `position` is the index of the current step in `steps`."""

    push_id: str
    name: str
    audience_name: str
    channel: str
    channel_kind: str
    client: str | None
    segment: str
    segment_version: int
    fingerprint: str
    ids_total: int
    audience_type: str
    description: str
    source_type: str
    id_types: tuple[IdType, ...]
    advertiser_id: int
    account_name: str
    company: str
    mode: Mode
    state: PushState
    position: int
    created_at: datetime
    updated_at: datetime
    progress_at: datetime
    parts: tuple[PushPart, ...]
    brands: tuple[PushBrand, ...]
    targets: tuple[PushTarget, ...]
    steps: tuple[PushStep, ...]
    calls: tuple[Call, ...] = ()
    entry: str | None = None
    follows: str | None = None
    publish_at: str | None = None
    asked: str = ""
    failures: int = 0
    looks: int = 0
    next_at: datetime | None = None
    reason: Text | None = None
    failure: Failure | None = None
    data_source_id: str | None = None
    custom_audience_id: int | None = None
    delivery_status: DeliveryStatus | None = None
    upload_num: int | None = None
    cover_num: int | None = None

    @property
    def step(self) -> StepName:
        """The current step; the last one when all are done."""
        return self.steps[min(self.position, len(self.steps) - 1)].name

    @property
    def all_steps_done(self) -> bool:
        """Whether no step is left."""
        return self.position >= len(self.steps)

    @property
    def is_working(self) -> bool:
        """Whether something is left that goes on by itself or by `resume --all`."""
        return self.state in WORKING

    @property
    def updates(self) -> bool:
        """Whether this push brings new content into an existing data source."""
        return self.mode is not Mode.CREATE

    def calls_of(self, step: StepName, key: str | None = None) -> tuple[Call, ...]:
        """The writes of one step, oldest first."""
        return tuple(c for c in self.calls if c.step is step and key in (None, c.key))

    def was_refused(self, step: StepName, key: str) -> bool:
        """Whether a write was refused, and not only put off."""
        return any(c.state is CallState.REFUSED for c in self.calls_of(step, key))

    def in_doubt(self, step: StepName, key: str) -> Call | None:
        """The write whose effect is not known, if there is one."""
        doubtful = [c for c in self.calls_of(step, key) if c.state in IN_DOUBT]
        return doubtful[-1] if doubtful else None


@dataclass(frozen=True)
class Facts:
    """What a step learned; None and empty mean unchanged. Rows replace those of the same key."""

    data_source_id: str | None = None
    custom_audience_id: int | None = None
    delivery_status: DeliveryStatus | None = None
    upload_num: int | None = None
    cover_num: int | None = None
    parts: Sequence[PushPart] = ()
    brands: Sequence[PushBrand] = ()
    targets: Sequence[PushTarget] = ()
