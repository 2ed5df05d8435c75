"""What building and keeping segments needs from the outside world."""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import Segment, SegmentRef
from yuntu_push.domain.segment_build import (
    BuildPlan,
    BuiltSegment,
    Combination,
    Difference,
    LeaveOut,
    SourceSpec,
)
from yuntu_push.domain.segment_rows import RowBatch
from yuntu_push.services.ports import Progress


class RowSource(Protocol):
    """Rows of text from files, SQL over files, or a database."""

    @property
    def description(self) -> str:
        """What the rows come from, without passwords or values."""
        ...

    @property
    def params(self) -> Mapping[str, str]:
        """The parameters bound, with relative dates resolved."""
        ...

    def columns(self) -> list[str]:
        """The names of the columns, or `SourceError`."""
        ...

    def rows_expected(self) -> int | None:
        """About how many rows there are, when that is cheap to say."""
        ...

    def batches(self, columns: Sequence[str]) -> Generator[RowBatch, None, None]:
        """The rows with the columns named, or `SourceError`; closing the iterator stops it."""
        ...


class Sources(Protocol):
    """Opens sources."""

    def open(self, spec: SourceSpec) -> RowSource:
        """The source that a build names; files are looked up, nothing is read yet."""
        ...


class SegmentEngine(Protocol):
    """Turns rows into parts."""

    def build(
        self,
        rows: Iterator[RowBatch],
        plan: BuildPlan,
        folder: Path,
        progress: Progress,
        *,
        leave_out: LeaveOut | None = None,
    ) -> BuiltSegment:
        """The parts, written into `folder`, or `SourceError` or `GuardError`."""
        ...

    def verify(self, segment: Segment, progress: Progress) -> None:
        """Decode every part as the platform would and compare all counts, or `SourceError`."""
        ...

    def compare(
        self, old: Segment, new: Segment, folder: Path, progress: Progress
    ) -> dict[IdType, Difference]:
        """What `new` has more and less than `old`."""
        ...

    def combine(
        self,
        how: Combination,
        segments: Sequence[Segment],
        plan: BuildPlan,
        folder: Path,
        progress: Progress,
    ) -> BuiltSegment:
        """The parts of the union, intersection or difference of segments, in their order."""
        ...


class SegmentStore(Protocol):
    """Segments on disk; everything in them is personal data."""

    def building(self, name: str) -> AbstractContextManager[Path]:
        """A private folder for one build; a second build of the name is `TryLaterError`."""
        ...

    def keep(self, folder: Path, segment: Segment) -> Segment:
        """Make the built folder a version; the latest one itself when it has the same content."""
        ...

    def load(self, name: str, version: int | None = None) -> Segment:
        """A version (the latest without one), or `ConfigError` with the nearest names."""
        ...

    def open(self, name: str, version: int | None = None) -> Segment:
        """The same with its parts at hand; also `ConfigError` when sealed parts stay shut."""
        ...

    def seal_replaced(self, name: str, needed: Callable[[SegmentRef], bool]) -> None:
        """Seal every version but the latest, and but those that are `needed` as they are."""
        ...

    def versions(self, name: str) -> list[Segment]:
        """All versions, oldest first."""
        ...

    def latest(self) -> list[Segment]:
        """The latest version of every segment, by name."""
        ...

    def remove(self, name: str, version: int | None = None) -> list[Segment]:
        """Erase a version, or all; those that were erased."""
        ...

    def sweep(self) -> None:
        """Erase what killed builds left behind."""
        ...
