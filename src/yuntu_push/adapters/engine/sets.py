"""Sets of ids put together, a partition at a time, so that memory stays bounded."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yuntu_push.adapters.engine.reading import records_of
from yuntu_push.adapters.engine.shapes import Bytes, Shape
from yuntu_push.adapters.engine.spool import PARTITIONS, Key, SortedIds, Spool, sort_unique, take
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.segment import Segment
from yuntu_push.domain.segment_build import Combination, Difference, Progress
from yuntu_push.domain.text import msg

Mask = npt.NDArray[np.bool_]


def spooled(segments: Sequence[Segment], folder: Path, memory: int, progress: Progress) -> "Spools":
    """The ids of each segment in a spool of its own."""
    spools = Spools()
    total = sum(segment.ids_total for segment in segments)
    done = 0
    for number, segment in enumerate(segments):
        spool = Spool(folder, memory // len(segments), name=f"spool{number}", share=spools.shared)
        spools.members.append(spool)
        for id_type, shape, records in records_of(segment):
            spool.add((id_type, shape), records)
            done += len(records)
            progress(msg("reading segments"), done, total)
    return spools


class Spools:
    """Several spools with the same partitions."""

    def __init__(self) -> None:
        self.members: list[Spool] = []
        self.shared: dict[Key, Any] = {}

    def piles(self) -> list[Key]:
        """The types and shapes that any of them has."""
        order = list(IdType)
        keys = {key for spool in self.members for key in spool.piles()}
        return sorted(keys, key=lambda key: (order.index(key[0]), key[1].length))

    def together(self, key: Key) -> Iterator[list[Bytes]]:
        """Partition by partition, the sorted records of each spool."""
        for number in range(PARTITIONS):
            blocks = [spool.partition(key, number) for spool in self.members]
            if any(len(block) for block in blocks):
                yield blocks

    def close(self) -> None:
        """Forget everything."""
        for spool in self.members:
            spool.close()


class Combined:
    """The ids of several segments under an operation, as a spool gives them."""

    def __init__(self, spools: Spools, how: Combination) -> None:
        self._spools = spools
        self._how = how

    def piles(self) -> list[Key]:
        """The types and shapes that may have ids."""
        return self._spools.piles()

    def count(self, key: Key) -> int:
        """At most so many ids."""
        return sum(spool.count(key) for spool in self._spools.members)

    def partitions(self, key: Key, ahead: Any, window: int) -> Iterator[SortedIds]:
        """The ids in order."""
        del ahead, window
        for blocks in self._spools.together(key):
            records = combined(self._how, blocks)
            if len(records):
                yield SortedIds(records, 0, 1)


def combined(how: Combination, blocks: Sequence[Bytes]) -> Bytes:
    """The operation on sorted records without repeats; the result is sorted, too."""
    first = blocks[0]
    match how:
        case Combination.UNION:
            return sort_unique(np.concatenate(list(blocks))).records
        case Combination.INTERSECT:
            for block in blocks[1:]:
                first = _rows(first, members(first, block))
            return first
        case Combination.MINUS:
            for block in blocks[1:]:
                first = _rows(first, ~members(first, block))
            return first


def _rows(records: Bytes, mask: Mask) -> Bytes:
    return records if mask.all() else take(records, np.flatnonzero(mask))


def members(records: Bytes, ordered: Bytes) -> Mask:
    """Which records are among `ordered`, which is sorted and without repeats."""
    found = np.zeros(len(records), np.bool_)
    if not len(records) or not len(ordered):
        return found
    keys = _starts(ordered)
    wanted = _starts(records)
    low = np.searchsorted(keys, wanted, side="left")
    high = np.searchsorted(keys, wanted, side="right")
    # Nearly always none or one shares the first 8 bytes; the loop runs as often as most do.
    for step in range(int((high - low).max(initial=0))):
        at = np.flatnonzero((low + step < high) & ~found)
        found[at] = (records[at] == ordered[low[at] + step]).all(axis=1)
    return found


def _starts(records: Bytes) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(records[:, :8]).view(">u8").ravel().astype(np.uint64)


def compared(spools: Spools, progress: Progress) -> dict[IdType, Difference]:
    """What the second spool has more and less than the first, per type."""
    counts: dict[IdType, list[int]] = {}
    keys = spools.piles()
    for number, key in enumerate(keys):
        progress(msg("comparing"), number, len(keys))
        tally = counts.setdefault(key[0], [0, 0, 0])
        for old, new in spools.together(key):
            kept = int(np.count_nonzero(members(new, old)))
            tally[0] += len(new) - kept
            tally[1] += len(old) - kept
            tally[2] += kept
    return {kind: Difference(*tally) for kind, tally in counts.items()}


class PeopleToLeaveOut:
    """Ids whose rows are left out: sorted records per type and shape, in memory."""

    def __init__(self) -> None:
        self._collected: dict[tuple[IdType, Shape], list[Bytes]] = {}
        self._sorted: dict[tuple[IdType, Shape], Bytes] = {}

    def add(self, key: tuple[IdType, Shape], records: Bytes) -> None:
        """Leave these out as well."""
        self._collected.setdefault(key, []).append(np.array(records))

    def seal(self) -> "PeopleToLeaveOut":
        """Make it ready for look-ups."""
        for key, blocks in self._collected.items():
            self._sorted[key] = sort_unique(np.concatenate(blocks)).records
        self._collected.clear()
        return self

    def __bool__(self) -> bool:
        return bool(self._sorted)

    def hit(self, key: tuple[IdType, Shape], records: Bytes) -> Mask | None:
        """Which records are left out; None when nothing of this type and shape is."""
        known = self._sorted.get(key)
        return None if known is None else members(records, known)
