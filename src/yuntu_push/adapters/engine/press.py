"""Parts out: the sorted ids are cut, encoded and written, several parts at a time."""

import hashlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from yuntu_push.adapters.engine import refusals
from yuntu_push.adapters.engine.encode import (
    ZIP_OVERHEAD,
    TooLargeError,
    bytes_per_id,
    level_of,
    md5_of,
    zipped,
)
from yuntu_push.adapters.engine.shapes import Bytes, Shape
from yuntu_push.adapters.engine.spool import Key, SortedIds
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import MAX_PART_SIZE, MAX_PARTS, Part
from yuntu_push.domain.segment_build import BuildPlan, Progress
from yuntu_push.domain.text import msg

_SCALE = 1000  # part budgets are counted in thousandths of a byte, in whole numbers
# The first ids of a zip take more, as there is nothing yet that they repeat: so many bytes in all,
# or such a share of a small zip.
_START = 9_000
_START_SHARE = 0.28
Run = tuple[Shape, Bytes]


class SortedSource(Protocol):
    """Ids in order: a spool, or several under an operation."""

    def piles(self) -> list[Key]:
        """The types and shapes, in the order of the parts."""
        ...

    def count(self, key: Key) -> int:
        """At most so many ids."""
        ...

    def partitions(
        self, key: Key, ahead: Callable[[Callable[[], SortedIds]], Any], window: int
    ) -> Iterator[SortedIds]:
        """The ids, ascending, without repeats."""
        ...


@dataclass
class Pressed:
    """The parts, and what the sorting found."""

    parts: list[Part] = field(default_factory=list)
    fingerprint: str = ""
    ids: Counter[IdType] = field(default_factory=Counter)
    duplicates: Counter[IdType] = field(default_factory=Counter)
    most_frequent: int = 1
    placeholders: int = 0


class Press:
    """Cuts, encodes and writes."""

    def __init__(
        self, plan: BuildPlan, spool: SortedSource, folder: Path, workers: Executor, *, ahead: int
    ) -> None:
        self._plan = plan
        self._spool = spool
        self._folder = folder
        self._workers = workers
        # Sorting has threads of its own: it would wait behind parts, and the next parts for it.
        self._sorters = ThreadPoolExecutor(ahead, thread_name_prefix="sort")
        self._ahead = ahead
        self._level = level_of(plan.deflate_level)
        self._jobs: deque[Future[list[Part]]] = deque()
        self._started = 0
        self.result = Pressed()

    def run(self, progress: Progress) -> Pressed:
        """Write all parts."""
        total = sum(self._spool.count(key) for key in self._spool.piles())
        limit = self._part_size()
        fingerprint = hashlib.sha256()
        try:
            for id_type in IdType:
                keys = [key for key in self._spool.piles() if key[0] is id_type]
                for runs in self._cut(keys, limit, fingerprint):
                    if not self._plan.dry_run:
                        self._submit(id_type, runs, limit)
                    done = self.result.ids.total() + self.result.duplicates.total()
                    progress(msg("writing parts"), done, total)
            while self._jobs:
                self._collect()
        finally:
            self._sorters.shutdown(wait=True, cancel_futures=True)
            for job in self._jobs:
                job.cancel()
        self.result.fingerprint = fingerprint.hexdigest()
        return self.result

    def _part_size(self) -> int:
        """The size of parts: as asked for, larger when there would be too many."""
        size = self._plan.part_size
        if self._cost(self._spool.count) <= (MAX_PARTS - len(self._spool.piles())) * _budget(size):
            return size
        unique = Counter(
            {
                key: sum(len(block.records) for block in self._sorted(key))
                for key in self._spool.piles()
            }
        )
        needed = self._cost(unique.__getitem__) // (MAX_PARTS - len(unique)) // _SCALE
        size = max(size, needed + ZIP_OVERHEAD + _START + 1)
        if size > MAX_PART_SIZE:
            raise refusals.too_large(unique.total())
        return size

    def _cost(self, count: Callable[[Key], int]) -> int:
        return sum(count(key) * _cost_of(key[1], self._level) for key in self._spool.piles())

    def _sorted(self, key: Key) -> Iterator[SortedIds]:
        return self._spool.partitions(key, self._sorters.submit, self._ahead)

    def _cut(
        self, keys: list[Key], limit: int, fingerprint: "hashlib._Hash"
    ) -> Iterator[list[Run]]:
        """The ids of one type in runs that fill a part each; only the set decides where."""
        budget = left = _budget(limit)
        part: list[Run] = []
        for id_type, shape in keys:
            cost = _cost_of(shape, self._level)
            heading = f"{id_type} {shape.length}\n".encode()
            for block in self._sorted((id_type, shape)):
                records = block.records
                fingerprint.update(heading)  # once, before the first id of this shape
                heading = b""
                fingerprint.update(records.reshape(-1).data)
                self.result.ids[id_type] += len(records)
                self.result.duplicates[id_type] += block.dropped
                self.result.placeholders += block.watched
                self.result.most_frequent = max(self.result.most_frequent, block.most)
                while len(records):
                    fit = left // cost
                    if not fit:
                        yield part
                        part, left = [], budget
                        continue
                    part.append((shape, records[:fit]))
                    left -= cost * len(part[-1][1])
                    records = records[fit:]
        if part:
            yield part

    def _submit(self, id_type: IdType, runs: list[Run], limit: int) -> None:
        self._started += 1
        stem = f"{self._started:05d}"
        self._jobs.append(self._workers.submit(self._write, id_type, runs, limit, stem))
        if len(self._jobs) > self._ahead + 1:  # so that one is waiting when another is done
            self._collect()

    def _collect(self) -> None:
        for part in self._jobs.popleft().result():
            number = len(self.result.parts) + 1
            name = f"part-{number:04d}-{part.id_type.lower()}.zip"
            path = part.path.rename(self._folder / name)
            self.result.parts.append(Part(path, part.id_type, part.size, part.ids, part.md5))

    def _write(self, id_type: IdType, runs: list[Run], limit: int, stem: str) -> list[Part]:
        runs = _joined(runs)
        ids = sum(len(records) for _, records in runs)
        try:
            pieces = zipped(id_type, runs, level=self._level, limit=limit)
        except TooLargeError:
            if ids < 2:
                raise refusals.too_large(ids) from None
            first, second = _halves(runs, ids // 2)
            return [
                *self._write(id_type, first, limit, f"{stem}a"),
                *self._write(id_type, second, limit, f"{stem}b"),
            ]
        path = self._folder / f"{stem}.tmp"
        with path.open("xb") as file:
            path.chmod(0o600)
            file.writelines(pieces)
        size = sum(len(piece) for piece in pieces)
        return [Part(path, id_type, size, ids, md5_of(pieces))]


def _budget(part_size: int) -> int:
    return (part_size - ZIP_OVERHEAD - min(_START, int(part_size * _START_SHARE))) * _SCALE


def _cost_of(shape: Shape, level: int) -> int:
    return int(bytes_per_id(shape, level) * _SCALE)


def _joined(runs: list[Run]) -> list[Run]:
    """One run per shape, so that where partitions ended leaves no trace in the lines."""
    shapes = list(dict.fromkeys(shape for shape, _ in runs))
    return [
        (shape, np.concatenate([records for of, records in runs if of == shape]))
        for shape in shapes
    ]


def _halves(runs: list[Run], at: int) -> tuple[list[Run], list[Run]]:
    first: list[Run] = []
    second: list[Run] = []
    for shape, records in runs:
        cut = min(max(at, 0), len(records))
        at -= len(records)
        if cut:
            first.append((shape, records[:cut]))
        if cut < len(records):
            second.append((shape, records[cut:]))
    return first, second
