"""Segments as a person works with them: build, list, show, compare, combine, verify, remove."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from yuntu_push.domain.disk import FULL, disk_error
from yuntu_push.domain.errors import ConfigError, SourceError, TryLaterError
from yuntu_push.domain.identifiers import Accepted, IdType, identify
from yuntu_push.domain.names import local_name
from yuntu_push.domain.segment import Segment, SegmentRef, parse_ref
from yuntu_push.domain.segment_build import (
    BuildPlan,
    BuildRequest,
    BuiltSegment,
    Combination,
    Difference,
    IdColumn,
    LeaveOut,
    SourceKind,
    SourceSpec,
    checked_part_size,
)
from yuntu_push.domain.settings import IdSettings, SegmentSettings
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import Clock, Notice, Progress
from yuntu_push.services.segment_ports import RowSource, SegmentEngine, SegmentStore, Sources

R = TypeVar("R")

_READS = 10  # runs that mirror one segment at the same time


class SegmentService:
    """Builds and keeps segments; the engine is made when it is first needed, as it is heavy.

    `needed` says of an old version that it must stay all the same.
    """

    def __init__(
        self,
        *,
        engine: Callable[[], SegmentEngine],
        store: SegmentStore,
        sources: Sources,
        clock: Clock,
        progress: Progress,
        notice: Notice,
        needed: Callable[[SegmentRef], bool],
        ids: IdSettings | None = None,
        settings: SegmentSettings | None = None,
    ) -> None:
        self._engine = engine
        self._store = store
        self._sources = sources
        self._clock = clock
        self._progress = progress
        self._notice = notice
        self._needed = needed
        self._ids = ids or IdSettings()
        self._settings = settings or SegmentSettings()

    def build(self, request: BuildRequest) -> Segment:
        """Build a segment; a new version, or the latest one when it has the same content.

        `SourceError` (unusable rows), `GuardError` (outside --min-ids and --max-ids),
        `TryLaterError` (source not ready, disk full, another build of the name).
        """
        name = local_name(request.name, what="segment")
        plan = self._plan(request)
        started = self._clock.monotonic()
        with self._folder(name) as folder:
            source = self._sources.open(request.source)
            built = self._run(source, plan, folder, request)
            segment = self._segment(name, built, folder, started)
            segment = replace(
                segment,
                source=source.description,
                params=dict(source.params),
                client=request.client,
            )
            kept = self._store.keep(folder, segment)
        self.forget_old()
        return kept

    def survey(self, request: BuildRequest) -> BuiltSegment:
        """What a build would give: counts, a profile per column, masked samples; writes nothing."""
        plan = replace(self._plan(request), dry_run=True)
        with self._scratch() as folder:
            source = self._sources.open(request.source)
            return replace(self._run(source, plan, folder, request), rejects_path=None)

    def latest(self) -> list[Segment]:
        """The latest version of every segment."""
        return self._store.latest()

    def show(self, ref: SegmentRef) -> Segment:
        """A version, or the latest, with its parts at hand."""
        return self._store.open(ref.name, ref.version)

    def versions(self, name: str) -> list[Segment]:
        """All versions of a segment, oldest first."""
        self._store.load(name)
        return self._store.versions(name)

    def newest(self, name: str) -> Segment | None:
        """The latest version of a segment; None without any."""
        try:
            return self._store.load(name)
        except ConfigError:
            return None

    def rejects(self, ref: SegmentRef) -> Segment:
        """A version with its rejects; its parts stay as they lie, sealed or not."""
        return self._store.load(ref.name, ref.version)

    def remove(self, ref: SegmentRef) -> list[Segment]:
        """Erase a version, or all versions of a segment."""
        return self._store.remove(ref.name, ref.version)

    def forget_old(self) -> None:
        """Erase what was last built more than `segments.keep_days` ago: it is personal data.

        What is still needed, or held by another run, stays.
        """
        days = self._settings.keep_days
        oldest = self._clock.now() - timedelta(days=days)
        for segment, is_latest in self._all_versions():
            if segment.last_built >= oldest or self._needed(parse_ref(segment.ref)):
                continue
            with contextlib.suppress(TryLaterError):
                self._store.remove(segment.name, segment.version)
                if is_latest:
                    self._notice(
                        msg(
                            "segment {segment} was last built more than {days} days ago and is "
                            "erased (segments.keep_days)",
                            segment=segment.name,
                            days=days,
                        )
                    )

    def seal_replaced(self, name: str) -> None:
        """Seal what is kept of a segment's replaced versions, but for what a push has to upload.

        What another run holds is left as it is until the next time.
        """
        try:
            with _disk_is_temporary():
                self._store.seal_replaced(name, self._needed)
        except TryLaterError as error:
            if error.code != "SEGMENT_BUSY":
                raise
        except SourceError:
            pass  # a damaged manifest is told of by the commands that need it

    def _all_versions(self) -> list[tuple[Segment, bool]]:
        """Every version, and whether it is its segment's latest."""
        try:
            return [
                (segment, segment.version == latest.version)
                for latest in self._store.latest()
                for segment in self._store.versions(latest.name)
            ]
        except SourceError:
            return []  # a damaged manifest is told of by the commands that need it

    def verify(self, ref: SegmentRef) -> Segment:
        """Decode every part with the platform's schema and compare all counts, or `SourceError`."""

        def verified(segments: Sequence[Segment]) -> Segment:
            self._engine().verify(segments[0], self._progress)
            return segments[0]

        return self._reading([ref], verified)

    def diff(
        self, name: str, old: int | None = None, new: int | None = None
    ) -> tuple[Segment, Segment, dict[IdType, Difference]]:
        """What changed between two versions; by default the last two."""
        numbers = [segment.version for segment in self.versions(name)]
        if old is None and len(numbers) < 2:
            raise ConfigError(
                "SEGMENT_ONE_VERSION",
                msg("segment {name} has one version only", name=repr(name)),
                hint=msg("build it again when its source has changed"),
            )
        first = SegmentRef(name, old if old is not None else numbers[-2])
        second = SegmentRef(name, new if new is not None else numbers[-1])

        def compared(pair: Sequence[Segment]) -> tuple[Segment, Segment, dict[IdType, Difference]]:
            with self._scratch() as folder:
                changes = self._engine().compare(pair[0], pair[1], folder, self._progress)
            return pair[0], pair[1], changes

        return self._reading([first, second], compared)

    def combine(
        self, name: str, how: Combination, refs: Sequence[SegmentRef], part_size: int | None = None
    ) -> Segment:
        """A segment of the ids that others have together, in common, or in the first alone."""
        name = local_name(name, what="segment")
        plan = BuildPlan(
            ids=(),
            rules=self._ids,
            part_size=checked_part_size(part_size or self._settings.part_size),
            deflate_level=self._settings.deflate_level,
        )
        started = self._clock.monotonic()

        def combined(segments: Sequence[Segment]) -> Segment:
            with self._folder(name) as folder:
                built = self._engine().combine(how, segments, plan, folder, self._progress)
                segment = self._segment(name, built, folder, started)
                sources = f" {how} ".join(segment.ref for segment in segments)
                clients = {segment.client for segment in segments}
                client = clients.pop() if len(clients) == 1 else None
                return self._store.keep(folder, replace(segment, source=sources, client=client))

        return self._reading(refs, combined)

    def _reading(self, refs: Sequence[SegmentRef], work: Callable[[Sequence[Segment]], R]) -> R:
        """What `work` makes of versions with their parts at hand.

        A mirror of another run may seal a version that is being read: it is opened and read again.
        """
        for left in reversed(range(_READS)):
            segments = [self.show(ref) for ref in refs]
            before = _files(segments)
            try:
                return work(segments)
            except SourceError:
                if not left or _files(segments) == before:
                    raise
        raise AssertionError("the last reading ends one way or the other")

    def _plan(self, request: BuildRequest) -> BuildPlan:
        if not request.ids:
            raise ConfigError(
                "ID_COLUMN_MISSING",
                msg("no column of ids is named"),
                hint=msg("pass --id TYPE=COLUMN, such as --id phone=mobile"),
            )
        return BuildPlan(
            ids=request.ids,
            rules=self._ids,
            max_rejects=request.max_rejects,
            part_size=checked_part_size(request.part_size),
            deflate_level=self._settings.deflate_level,
            min_ids=request.min_ids,
            max_ids=request.max_ids,
            min_rows=request.min_rows,
            on_empty=request.on_empty,
        )

    def _run(
        self, source: RowSource, plan: BuildPlan, folder: Path, request: BuildRequest
    ) -> BuiltSegment:
        plan = replace(plan, rows_expected=source.rows_expected())
        with contextlib.ExitStack() as opened:
            leave_out = self._leave_out(request, plan, opened)
            rows = source.batches([column.column for column in plan.ids])
            opened.enter_context(contextlib.closing(rows))
            return self._engine().build(rows, plan, folder, self._progress, leave_out=leave_out)

    def _leave_out(
        self, request: BuildRequest, plan: BuildPlan, opened: contextlib.ExitStack
    ) -> LeaveOut:
        """The people of this build's lists and of the config's."""
        refs = [parse_ref(text) for text in (*self._settings.exclude, *request.exclude)]
        lists = []
        for path in (*self._settings.exclude_csv, *request.exclude_csv):
            source, columns = self._suppression_list(path, plan)
            rows = source.batches([column.column for column in columns])
            opened.enter_context(contextlib.closing(rows))
            lists.append((columns, rows))
        return LeaveOut(tuple(self.show(ref) for ref in refs), tuple(lists))

    def _suppression_list(
        self, path: str, plan: BuildPlan
    ) -> tuple[RowSource, tuple[IdColumn, ...]]:
        """A list of people and the columns in it that hold ids of the build's types.

        Columns are found by the names given with `--id`; a list of one column holds ids of the
        first type, with a header or without one.
        """
        spec = SourceSpec(SourceKind.CSV, (path,))
        source = self._sources.open(spec)
        names = source.columns()
        columns = tuple(column for column in plan.ids if column.column in names)
        if columns or len(names) != 1:
            return source, columns or plan.ids
        first = replace(plan.ids[0], column=names[0])
        if not isinstance(identify(names[0], first.id_type, plan.rules), Accepted):
            return source, (first,)
        spec = replace(spec, has_header=False)
        return self._sources.open(spec), (replace(first, column="c1"),)

    def _segment(self, name: str, built: BuiltSegment, folder: Path, started: float) -> Segment:
        return Segment(
            name=name,
            version=0,
            fingerprint=built.fingerprint,
            ids_total=built.ids_total,
            by_type=built.by_type,
            parts=built.parts,
            built_at=self._clock.now(),
            folder=folder,
            rows_read=built.rows_read,
            rows_with_id=built.rows_with_id,
            excluded_rows=built.excluded_rows,
            rejects=built.rejects,
            rejects_path=built.rejects_path,
            warnings=built.warnings,
            seconds=round(self._clock.monotonic() - started, 3),
            columns=tuple(profile.counts for profile in built.columns),
        )

    @contextlib.contextmanager
    def _folder(self, name: str) -> Iterator[Path]:
        """A folder to work in, once what killed runs left is erased."""
        self._store.sweep()
        with _disk_is_temporary(), self._store.building(name) as folder:
            yield folder

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path]:
        """A folder for work that keeps nothing: the first that no other run has, so none waits."""
        with contextlib.ExitStack() as held:
            yield next(filter(None, (self._free(held, n) for n in itertools.count(1))))

    def _free(self, held: contextlib.ExitStack, number: int) -> Path | None:
        try:
            return held.enter_context(self._folder(f".scratch-{number}"))
        except TryLaterError as error:
            if error.code != "SEGMENT_BUSY":
                raise
            return None


def _files(segments: Sequence[Segment]) -> list[tuple[int, int] | None]:
    """What tells the parts' files from others of the same names; None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for part in (part for segment in segments for part in segment.parts):
        try:
            about = part.path.stat()
        except OSError:
            found.append(None)
        else:
            found.append((about.st_ino, about.st_mtime_ns))
    return found


@contextlib.contextmanager
def _disk_is_temporary() -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        error = disk_error(exc)
        if error is None:
            raise
        if exc.errno in FULL:
            error.message = msg("the disk is full; nothing was kept")
        raise error from None
