"""Values become records, blanks or rejects: fast lanes first, the domain's rule for the rest."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import repeat

import numpy as np

from yuntu_push.adapters.engine.lane import Lane, Mask
from yuntu_push.adapters.engine.lanes import lanes_for
from yuntu_push.adapters.engine.shapes import Bytes, Shape, record_of, shape_of
from yuntu_push.adapters.engine.texts import Index, Texts
from yuntu_push.domain.identifiers import (
    Accepted,
    Blank,
    IdType,
    IdWarning,
    Rejected,
    RejectReason,
    identify,
    masked,
)
from yuntu_push.domain.lookalikes import NONE, likeness
from yuntu_push.domain.segment_build import IdColumn
from yuntu_push.domain.settings import IdSettings

BLOCK = 32_768  # rows at a time: matrices of this height stay in the processor's cache
LONGEST = 64  # characters of what a lane takes
MAX_SHORT = 9  # digits that are too few; ten may be a service number
# Nine may be, too, or a foreign number, when they begin with 400, 800 or 00.
_MAYBE_OTHER = np.frombuffer(b"048", np.uint8)


@dataclass(frozen=True)
class Found:
    """Records of one type and shape, and the rows (0-based in the batch) they were found in."""

    id_type: IdType
    shape: Shape
    records: Bytes
    rows: Index


Reject = tuple[int, RejectReason, str]
"""A refused value: its row (0-based in the batch), the reason, a masked form of it."""


@dataclass
class ColumnResult:
    """What became of one column of a batch."""

    found: list[Found] = field(default_factory=list)
    blank: int = 0
    values: int = 0
    accepted: Counter[IdType] = field(default_factory=Counter)
    already_hashed: Counter[IdType] = field(default_factory=Counter)
    excluded: Counter[IdType] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    warnings: Counter[IdWarning] = field(default_factory=Counter)
    likenesses: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)


class Classifier:
    """Knows one column's type, form and rules; safe to use from several threads."""

    def __init__(self, column: IdColumn, rules: IdSettings) -> None:
        self._column = column
        self._rules = rules
        self._lanes: dict[int, list[Lane]] = defaultdict(list)
        for lane in lanes_for(column, rules):
            self._lanes[lane.length].append(lane)

    def classify(self, texts: Texts, *, guess: bool) -> ColumnResult:
        """The outcome of every value; with `guess`, also what rejected values look like."""
        result = ColumnResult()
        for start in range(0, len(texts), BLOCK):
            self._block(texts.slice(start, start + BLOCK), start, result, guess=guess)
        return result

    def _block(self, texts: Texts, first: int, result: ColumnResult, *, guess: bool) -> None:
        lengths = texts.lengths
        filled = int(np.count_nonzero(lengths))
        result.blank += len(texts) - filled
        result.values += filled
        left = lengths != 0
        there = np.bincount(np.minimum(lengths, LONGEST + 1), minlength=LONGEST + 1)
        for length, lanes in self._lanes.items():
            if there[length]:
                at = np.flatnonzero(lengths == length)
                taken = self._fast(texts, at, length, lanes, first, result)
                left[taken] = False
        if self._column.id_type is IdType.MOBILE_HASH_SHA256:
            self._too_short(texts, left, first, result)
        rest = np.flatnonzero(left)
        if len(rest):
            self._one_by_one(texts, rest, first, result, guess=guess)

    def _fast(
        self,
        texts: Texts,
        at: Index,
        length: int,
        lanes: list[Lane],
        first: int,
        result: ColumnResult,
    ) -> Index:
        """Run the lanes of one length; the places that they took."""
        taken = []
        for lane in lanes:
            values = texts.matrix(at, length)
            good, records = lane.read(values)
            if not len(records):
                continue
            if lane.doubtful is not None and (count := lane.doubtful(values[good])):
                result.warnings[IdWarning.BAD_LUHN] += count
            rows = at if len(records) == len(at) else at[good]
            self._add(result, lane.id_type, lane.shape, records, rows + first)
            if lane.already_hashed:
                result.already_hashed[lane.id_type] += len(records)
            taken.append(rows)
            at = at[~good]
            if not len(at):
                break
        return np.concatenate(taken) if taken else np.empty(0, np.int64)

    @staticmethod
    def _too_short(texts: Texts, left: Mask, first: int, result: ColumnResult) -> None:
        """Refuse rows of too few digits in bulk: the commonest reject of all."""
        for length in range(1, MAX_SHORT + 1):
            at = np.flatnonzero(left & (texts.lengths == length))
            if not len(at):
                continue
            values = texts.matrix(at, length)
            digits = np.all((values - ord("0")) <= 9, axis=1)
            if length == MAX_SHORT:
                digits &= ~np.isin(values[:, 0], _MAYBE_OTHER)
            rows = at[digits]
            width = 1 if length < 7 else 2  # as `masked` shows them
            shown = values[digits][:, :width].tobytes().decode("ascii")
            masks = [f"{shown[i : i + width]}****" for i in range(0, len(shown), width)]
            result.rejects += zip(
                (rows + first).tolist(), repeat(RejectReason.TOO_SHORT), masks, strict=False
            )
            result.likenesses[NONE] += len(rows)
            left[rows] = False

    def _one_by_one(
        self, texts: Texts, at: Index, first: int, result: ColumnResult, *, guess: bool
    ) -> None:
        odd: dict[tuple[IdType, Shape], tuple[list[bytes], list[int]]] = {}
        for place in at.tolist():
            value = texts.value(place)
            match identify(value, self._column.id_type, self._rules, self._column.form):
                case Accepted(id_type, text, already_hashed, warning):
                    shape = shape_of(id_type, text, self._rules)
                    records, rows = odd.setdefault((id_type, shape), ([], []))
                    records.append(record_of(shape, text))
                    rows.append(place + first)
                    result.already_hashed[id_type] += already_hashed
                    if warning and warning is not IdWarning.PLACEHOLDER:
                        result.warnings[warning] += 1
                case Blank():
                    result.blank += 1
                    result.values -= 1
                case Rejected(reason):
                    result.rejects.append((place + first, reason, masked(value)))
                    if guess:
                        result.likenesses[likeness(value)] += 1
        for (id_type, shape), (records, rows) in odd.items():
            matrix = np.frombuffer(b"".join(records), np.uint8).reshape(-1, shape.width)
            self._add(result, id_type, shape, matrix, np.array(rows, np.int64))

    @staticmethod
    def _add(
        result: ColumnResult, id_type: IdType, shape: Shape, records: Bytes, rows: Index
    ) -> None:
        result.found.append(Found(id_type, shape, records, rows))
        result.accepted[id_type] += len(records)
