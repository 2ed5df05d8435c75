"""Rows in: every value becomes a record in the spool, a blank, or a reject with its place."""

from collections import Counter, deque
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path

import numpy as np

from yuntu_push.adapters.engine import refusals
from yuntu_push.adapters.engine.classify import Classifier, ColumnResult
from yuntu_push.adapters.engine.rejects import RejectFile
from yuntu_push.adapters.engine.sets import Mask, PeopleToLeaveOut
from yuntu_push.adapters.engine.spool import Spool
from yuntu_push.adapters.engine.texts import Texts
from yuntu_push.domain.identifiers import STOPS_BUILD, IdType, RejectReason, masked
from yuntu_push.domain.segment_build import BuildPlan, IdColumn, Progress
from yuntu_push.domain.segment_rows import RowBatch
from yuntu_push.domain.text import msg

SAMPLES = 5  # masked values that a dry run shows of each column
GUESS_AFTER = 100_000  # non-blank values of a column that decide whether it was named wrongly


@dataclass
class ColumnTotals:
    """What became of the values of one column."""

    column: IdColumn
    values: int = 0
    blank: int = 0
    rejects: Counter[RejectReason] = field(default_factory=Counter)
    likenesses: Counter[str] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)
    judged: bool = False

    @property
    def rejected(self) -> int:
        """All rejects, whatever the reason."""
        return self.rejects.total()


@dataclass
class Totals:
    """What became of all rows."""

    columns: list[ColumnTotals]
    rows: int = 0
    rows_with_id: int = 0
    excluded_rows: int = 0
    ragged: int = 0
    accepted: Counter[IdType] = field(default_factory=Counter)
    already_hashed: Counter[IdType] = field(default_factory=Counter)
    excluded: Counter[IdType] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Digested:
    batch: RowBatch
    columns: list[ColumnResult]
    rows_with_id: int
    excluded: int


class Intake:
    """Reads batches, works on several at once, and adds them up in their order."""

    def __init__(
        self,
        plan: BuildPlan,
        spool: Spool,
        folder: Path,
        workers: Executor,
        left_out: PeopleToLeaveOut | None = None,
    ) -> None:
        self._left_out = left_out or PeopleToLeaveOut()
        self._plan = plan
        self._spool = spool
        self._workers = workers
        self._classifiers = [Classifier(column, plan.rules) for column in plan.ids]
        self._rejects = RejectFile(folder / "rejects.csv")
        self.totals = Totals([ColumnTotals(column) for column in plan.ids])

    def run(self, rows: Iterator[RowBatch], progress: Progress, *, ahead: int) -> Path | None:
        """Take all rows, at most `ahead` batches at once; the reject file, if there is one."""
        pending: deque[Future[_Digested]] = deque()
        try:
            for batch in rows:
                guess = not all(column.judged for column in self.totals.columns)
                pending.append(self._workers.submit(self._digest, batch, guess))
                if len(pending) > ahead:
                    self._add_up(pending.popleft().result(), progress)
            while pending:
                self._add_up(pending.popleft().result(), progress)
            self._judge_all()
        finally:
            for future in pending:
                future.cancel()
            path = self._rejects.close()
        return path

    def _digest(self, batch: RowBatch, guess: bool) -> _Digested:
        columns = [
            classifier.classify(Texts.of(texts), guess=guess)
            for classifier, texts in zip(self._classifiers, batch.columns, strict=True)
        ]
        if self._plan.dry_run and batch.first_row == 1:
            for column, texts in zip(columns, batch.columns, strict=True):
                values = Texts.of(texts).slice(0, SAMPLES)
                column.samples = [masked(values.value(place)) for place in range(len(values))]
        with_id = np.zeros(batch.rows, np.bool_)
        for found in (found for column in columns for found in column.found):
            with_id[found.rows] = True
        gone = self._rows_left_out(columns, batch.rows)
        for column in columns:
            for found in column.found:
                records = found.records
                if gone is not None:
                    stay = ~gone[found.rows]
                    records = records[stay]
                    column.excluded[found.id_type] += len(stay) - len(records)
                if len(records):
                    self._spool.add((found.id_type, found.shape), records)
            column.found.clear()
        if gone is None:
            return _Digested(batch, columns, int(np.count_nonzero(with_id)), 0)
        stay = with_id & ~gone
        return _Digested(
            batch, columns, int(np.count_nonzero(stay)), int(np.count_nonzero(with_id & gone))
        )

    def _rows_left_out(self, columns: list[ColumnResult], rows: int) -> Mask | None:
        """The rows of which any id is to be left out: people, not ids."""
        if not self._left_out:
            return None
        gone = np.zeros(rows, np.bool_)
        for found in (found for column in columns for found in column.found):
            hits = self._left_out.hit((found.id_type, found.shape), found.records)
            if hits is not None:
                gone[found.rows[hits]] = True
        return gone

    def _add_up(self, digested: _Digested, progress: Progress) -> None:
        totals = self.totals
        batch = digested.batch
        totals.rows += batch.rows + len(batch.ragged)
        totals.rows_with_id += digested.rows_with_id
        totals.excluded_rows += digested.excluded
        totals.ragged += len(batch.ragged)
        for column, result in zip(totals.columns, digested.columns, strict=True):
            self._add_column(column, result, batch)
        if batch.ragged:
            self._rejects.renumber(batch.file, [row.row for row in batch.ragged])
            ragged = [(row.row, row.line, RejectReason.RAGGED_ROW, "") for row in batch.ragged]
            self._rejects.write(batch.ragged[0].file or batch.file, "", ragged)
        progress(msg("reading rows"), totals.rows, self._plan.rows_expected)

    def _add_column(self, column: ColumnTotals, result: ColumnResult, batch: RowBatch) -> None:
        totals = self.totals
        totals.accepted += result.accepted
        totals.already_hashed += result.already_hashed
        totals.excluded += result.excluded
        totals.warnings.update({str(w): n for w, n in result.warnings.items()})
        column.values += result.values
        column.blank += result.blank
        column.likenesses += result.likenesses
        column.samples += result.samples[: SAMPLES - len(column.samples)]
        name = column.column.column
        rejects = sorted(result.rejects, key=itemgetter(0))
        column.rejects.update(map(itemgetter(1), rejects))
        if not STOPS_BUILD.isdisjoint(column.rejects):
            row, reason, _ = next(reject for reject in rejects if reject[1] in STOPS_BUILD)
            raise refusals.personal_data(column.column, reason, batch.first_row + row)
        self._rejects.write(
            batch.file,
            name,
            (
                (batch.first_row + row, batch.line_of(row), reason, shown)
                for row, reason, shown in rejects
            ),
        )
        if not column.judged and column.values >= GUESS_AFTER:
            self._judge(column)

    def _judge_all(self) -> None:
        for column in self.totals.columns:
            if not column.judged:
                self._judge(column)

    def _judge(self, column: ColumnTotals) -> None:
        column.judged = True
        known = Counter({kind: n for kind, n in column.likenesses.items() if kind})
        if not self._plan.dry_run and known and column.rejected * 2 > column.values:
            kind, count = known.most_common(1)[0]
            if count * 2 > column.values:
                raise refusals.wrong_type(column.column, kind, count, column.values)
