"""What the push machine needs from the store, the segments and the directory."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from yuntu_push.domain.channel import Account, Brand
from yuntu_push.domain.entry_run import LastRun, RunOutcome
from yuntu_push.domain.failure import Failure
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.push import Call, Facts, Push, PushState, StepName
from yuntu_push.domain.push_record import Change, Intent, PushFilter, Settlement, Verdict
from yuntu_push.domain.quota import QuotaKind, QuotaUse
from yuntu_push.domain.segment import Segment, SegmentRef
from yuntu_push.domain.segment_build import BuildRequest, Combination, Difference


class PushStore(Protocol):
    """Pushes in the state file; every method is one transaction."""

    def add(
        self, push: Push, *, twin: str, again: bool, supersedes: Sequence[str] = ()
    ) -> Push | None:
        """Store a new push; or, with nothing stored, the push that stands in its way.

        That is, unless `again`, the earlier one with the same `twin`; and one under way into the
        same data source, unless it is among those which `supersedes` names: these give their place
        up in the same transaction.
        """
        ...

    def get(self, push_id: str) -> Push | None: ...

    def find(self, wanted: PushFilter) -> list[Push]:
        """Newest first."""
        ...

    def twin_of(self, twin: str) -> Push | None:
        """The newest push of the same content to the same places that has not failed."""
        ...

    def known_pairs(self) -> set[tuple[int, int]]:
        """(advertiser, brand) pairs that were pushed to before."""
        ...

    def copies(self, custom_audience_id: int, virtual_adv_id: int) -> int:
        """How many copies of an audience into a brand were made, at most."""
        ...

    def on_data_source(self, data_source_id: str) -> list[Push]:
        """All pushes into one data source, newest first."""
        ...

    def claim(self, push_id: str, at: datetime) -> Push:
        """Begin a run: the push is running, its current step too, the attempt is counted."""
        ...

    def begin(self, push_id: str, intent: Intent) -> Call | QuotaUse:
        """Commit an intent with its quota and the verdict on the one before it.

        The exhausted quota instead, and nothing stored, when none is left.
        """
        ...

    def settle(self, settlement: Settlement) -> None: ...

    def record(self, push_id: str, change: Change) -> Push: ...

    def move(
        self, push_id: str, state: PushState, at: datetime, failure: Failure | None = None
    ) -> Push:
        """Change a push's state alone: cancelled, superseded."""
        ...

    def learn(
        self,
        push_id: str,
        facts: Facts,
        at: datetime,
        *,
        step: StepName | None = None,
        verdict: Verdict | None = None,
    ) -> Push:
        """Keep facts, and a verdict on a write of `step`, without moving anything."""
        ...

    def past_seconds(self, channel: str) -> dict[StepName, list[float]]:
        """How long each step took in a channel's latest pushes, newest first."""
        ...

    def events(self, push_id: str) -> list[dict[str, Any]]:
        """The history of a push, oldest first: `at, kind, subject, was, became`."""
        ...


class EntryRuns(Protocol):
    """The latest run of each `pushes:` entry."""

    def begin(self, entry: str, at: datetime, *, again: bool = False) -> None:
        """Note that a run begins; `again`: it is the earlier one, tried once more."""
        ...

    def end(self, entry: str, at: datetime, outcome: RunOutcome, code: str | None = None) -> None:
        """Note how it ended."""
        ...

    def all(self) -> dict[str, LastRun]: ...


class QuotaLedger(Protocol):
    """What this tool used of the platform's quotas."""

    def usage(self, kind: QuotaKind, subject: str, at: datetime) -> QuotaUse: ...

    def subjects(self, since: datetime) -> list[tuple[QuotaKind, str]]:
        """Everything with a use after `since`."""
        ...


class SegmentShelf(Protocol):
    """The built segments."""

    def open(self, name: str, version: int | None = None) -> Segment:
        """A version (the latest without one) with its parts at hand, or `ConfigError`."""
        ...


class SegmentChanges(Protocol):
    """What changed between versions of a segment."""

    def diff(
        self, name: str, old: int | None = None, new: int | None = None
    ) -> tuple[Segment, Segment, dict[IdType, Difference]]:
        """Two versions and their difference per id type; `ConfigError` when one is gone."""
        ...

    def newest(self, name: str) -> Segment | None:
        """The latest version of a segment; None without any."""
        ...

    def combine(
        self, name: str, how: Combination, refs: Sequence[SegmentRef], part_size: int | None = None
    ) -> Segment:
        """A segment made of others."""
        ...

    def seal_replaced(self, name: str) -> None:
        """Seal what is kept of a segment's replaced versions."""
        ...


class SegmentBuilder(Protocol):
    """Builds segments."""

    def build(self, request: BuildRequest) -> Segment:
        """A new version, or the latest one when it has the same content."""
        ...


class Directory(Protocol):
    """Accounts and brands by what people call them: ids or names."""

    def resolve_account(self, channel: str, text: str | None) -> Account: ...

    def resolve_brands(self, account: Account, texts: Sequence[str]) -> list[Brand]: ...

    def resolve_targets(self, owner: Account, texts: Sequence[str]) -> list[Account]: ...
