"""The segment engine: rows in, parts and their counts out, in bounded memory."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from yuntu_push.adapters.engine import proof, refusals, sets
from yuntu_push.adapters.engine.classify import Classifier
from yuntu_push.adapters.engine.intake import ColumnTotals, Intake, Totals
from yuntu_push.adapters.engine.press import Press, Pressed
from yuntu_push.adapters.engine.reading import records_of
from yuntu_push.adapters.engine.sets import PeopleToLeaveOut
from yuntu_push.adapters.engine.shapes import SHA256, Bytes
from yuntu_push.adapters.engine.spool import MEMORY, Key, Spool
from yuntu_push.adapters.engine.texts import Texts
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.id_phone import PLACEHOLDERS
from yuntu_push.domain.identifiers import IN_CLEAR, IdType, IdWarning, RejectReason
from yuntu_push.domain.segment import ColumnCounts, Segment, TypeCounts
from yuntu_push.domain.segment_build import (
    BuildPlan,
    BuiltSegment,
    ColumnProfile,
    Combination,
    Difference,
    LeaveOut,
    Progress,
)
from yuntu_push.domain.segment_rows import RowBatch

FREQUENT_SHARE = 1000  # a value in more than one of so many rows is worth a warning
FREQUENT_LEAST = 10


class VectorEngine:
    """Works on whole batches with NumPy; one thread per core, `memory` bytes of records."""

    def __init__(self, *, threads: int | None = None, memory: int = MEMORY) -> None:
        self._threads = threads or os.cpu_count() or 1
        self._memory = memory

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
        spool = Spool(folder, self._memory, watch=_placeholders())
        workers = ThreadPoolExecutor(self._threads, thread_name_prefix="segment")
        try:
            people = _people(leave_out or LeaveOut(), plan)
            intake = Intake(plan, spool, folder, workers, people)
            rejects = intake.run(rows, progress, ahead=self._threads)
            refusal = _unusable(intake.totals, plan)
            if refusal is not None and not plan.dry_run:
                raise refusal
            press = Press(plan, spool, folder, workers, ahead=self._threads)
            pressed = press.run(progress)
            refusal = refusal or _out_of_bounds(pressed, plan)
            if refusal is not None and not plan.dry_run:
                raise refusal
            return _built(intake.totals, pressed, rejects, refusal)
        finally:
            workers.shutdown(wait=True, cancel_futures=True)
            spool.close()

    def verify(self, segment: Segment, progress: Progress) -> None:
        """Decode every part with the official library and compare, or `SourceError`."""
        proof.verify(segment, progress)

    def compare(
        self, old: Segment, new: Segment, folder: Path, progress: Progress
    ) -> dict[IdType, Difference]:
        """What `new` has more and less than `old`."""
        spools = sets.spooled([old, new], folder, self._memory, progress)
        try:
            return sets.compared(spools, progress)
        finally:
            spools.close()

    def combine(
        self,
        how: Combination,
        segments: Sequence[Segment],
        plan: BuildPlan,
        folder: Path,
        progress: Progress,
    ) -> BuiltSegment:
        """The parts of the union, intersection or difference of segments."""
        spools = sets.spooled(segments, folder, self._memory, progress)
        workers = ThreadPoolExecutor(self._threads, thread_name_prefix="segment")
        try:
            ids = sets.Combined(spools, how)
            press = Press(plan, ids, folder, workers, ahead=self._threads)
            pressed = press.run(progress)
            if not pressed.ids.total():
                raise refusals.nothing_left(how)
            counts = {kind: TypeCounts(ids=pressed.ids[kind]) for kind in pressed.ids}
            return BuiltSegment(
                fingerprint=pressed.fingerprint,
                by_type={kind: counts[kind] for kind in IdType if kind in counts},
                parts=tuple(pressed.parts),
                rows_read=0,
                rows_with_id=0,
            )
        finally:
            workers.shutdown(wait=True, cancel_futures=True)
            spools.close()


def _placeholders() -> dict[Key, Bytes]:
    """The digests of numbers that people type when a form insists."""
    digests = b"".join(hashlib.sha256(number.encode()).digest() for number in PLACEHOLDERS)
    return {(IdType.MOBILE_HASH_SHA256, SHA256): np.frombuffer(digests, np.uint8).reshape(-1, 32)}


def _people(leave_out: LeaveOut, plan: BuildPlan) -> PeopleToLeaveOut:
    people = PeopleToLeaveOut()
    for segment in leave_out.segments:
        for id_type, shape, records in records_of(segment):
            people.add((id_type, shape), records)
    for columns, rows in leave_out.lists:
        classifiers = [Classifier(column, plan.rules) for column in columns]
        for batch in rows:
            for classifier, texts in zip(classifiers, batch.columns, strict=True):
                for found in classifier.classify(Texts.of(texts), guess=False).found:
                    people.add((found.id_type, found.shape), found.records)
    return people.seal()


def _unusable(totals: Totals, plan: BuildPlan) -> YuntuPushError | None:
    """Why these rows make no segment."""
    if totals.rows < max(plan.min_rows, 1):
        return refusals.empty(totals.rows, plan)
    if totals.ragged and not plan.max_rejects.allows(totals.ragged, totals.rows):
        ragged = {RejectReason.RAGGED_ROW: totals.ragged}
        return refusals.too_many_rejects("*", ragged, totals.rows, plan.max_rejects)
    for column in totals.columns:
        if not plan.max_rejects.allows(column.rejected, column.values):
            name = repr(column.column.column)
            return refusals.too_many_rejects(name, column.rejects, column.values, plan.max_rejects)
    return None if totals.accepted.total() else refusals.no_ids(plan)


def _out_of_bounds(pressed: Pressed, plan: BuildPlan) -> YuntuPushError | None:
    ids = pressed.ids.total()
    too_few = plan.min_ids is not None and ids < plan.min_ids
    too_many = plan.max_ids is not None and ids > plan.max_ids
    return refusals.outside_bounds(ids, plan) if too_few or too_many else None


def _built(
    totals: Totals,
    pressed: Pressed,
    rejects_path: Path | None,
    refusal: YuntuPushError | None,
) -> BuiltSegment:
    rejects: Counter[str] = Counter()
    for column in totals.columns:
        rejects.update({str(reason): count for reason, count in column.rejects.items()})
    if totals.ragged:
        rejects[RejectReason.RAGGED_ROW] = totals.ragged
    warnings = Counter(totals.warnings)
    if pressed.placeholders:
        warnings[IdWarning.PLACEHOLDER] = pressed.placeholders
    if pressed.most_frequent > max(totals.rows // FREQUENT_SHARE, FREQUENT_LEAST):
        warnings["frequent_value"] = pressed.most_frequent
    return BuiltSegment(
        fingerprint=pressed.fingerprint,
        by_type=_by_type(totals, pressed),
        parts=tuple(pressed.parts),
        rows_read=totals.rows,
        rows_with_id=totals.rows_with_id,
        excluded_rows=totals.excluded_rows,
        rejects=dict(sorted(rejects.items())),
        warnings=dict(sorted(warnings.items())),
        rejects_path=rejects_path,
        columns=tuple(_profile(column, totals, pressed) for column in totals.columns),
        refusal=refusal,
    )


def _profile(column: ColumnTotals, totals: Totals, pressed: Pressed) -> ColumnProfile:
    return ColumnProfile(
        counts=ColumnCounts(
            column=column.column.column,
            id_type=column.column.id_type,
            values=column.values,
            blank=column.blank,
            ids=_ids_of(column, totals, pressed),
            rejects={str(reason): count for reason, count in column.rejects.most_common()},
        ),
        likenesses={kind: count for kind, count in column.likenesses.most_common() if kind},
        samples=tuple(column.samples),
    )


def _ids_of(column: ColumnTotals, totals: Totals, pressed: Pressed) -> int | None:
    """How many ids the column alone gave; None where others give ids of the same type."""
    kinds = _given_by(column.column.id_type)
    others = [other for other in totals.columns if other is not column]
    if any(not kinds.isdisjoint(_given_by(other.column.id_type)) for other in others):
        return None
    return sum(pressed.ids[kind] for kind in kinds)


def _given_by(kind: IdType) -> set[IdType]:
    """The types of the ids that a column of a type may hold: other shapes of OAID are hashed."""
    return {IdType.OAID, IdType.OAID_MD5} if kind is IdType.OAID else {kind}


def _by_type(totals: Totals, pressed: Pressed) -> dict[IdType, TypeCounts]:
    named = {column.column.id_type for column in totals.columns}
    counts = {}
    for id_type in IdType:
        if id_type not in named and not totals.accepted[id_type]:
            continue
        columns = [c for c in totals.columns if c.column.id_type is id_type]
        rejected = sum(column.rejected for column in columns)
        accepted = totals.accepted[id_type]
        already = totals.already_hashed[id_type]
        counts[id_type] = TypeCounts(
            values=accepted + rejected,
            blank=sum(column.blank for column in columns),
            hashed_by_us=0 if id_type in IN_CLEAR else accepted - already,
            already_hashed=already,
            rejected=rejected,
            duplicates=pressed.duplicates[id_type],
            ids=pressed.ids[id_type],
        )
    return counts
