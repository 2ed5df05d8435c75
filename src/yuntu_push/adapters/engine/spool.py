"""Records in 256 partitions, in memory or in an encrypted file, given back sorted and unique.

A partition is a range of records, so partitions in order are the whole set in order. What does not
fit in memory goes into one file of the build's private folder, under a key that never leaves this
process: a killed run leaves noise behind.
"""

import functools
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from yuntu_push.adapters.engine.shapes import Bytes, Shape
from yuntu_push.domain.identifiers import IdType

PARTITIONS = 256
MEMORY = 96 << 20  # bytes of records kept before they are spilled
_BLOCK = 16  # AES: a place in the file is a place in the key stream
Key = tuple[IdType, Shape]
Bounds = npt.NDArray[np.int64]
Splitters = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class SortedIds:
    """The unique records of one partition, ascending.

    `most` is how often the most frequent one was there, `dropped` how many were repeats, `watched`
    how often one of the records to watch for was there.
    """

    records: Bytes
    dropped: int
    most: int
    watched: int = 0


@dataclass
class _Pile:
    """The records of one type and shape: scattered runs in memory, extents in the file."""

    runs: list[tuple[Bytes, Bounds]] = field(default_factory=list)
    extents: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    count: int = 0


class Spool:
    """Takes records in any order, from any thread, and gives them back sorted, without repeats.

    `watch` are records whose occurrences are counted, for shapes that are spread evenly.
    """

    def __init__(
        self,
        folder: Path,
        memory: int = MEMORY,
        *,
        name: str = "spool",
        share: dict[Key, Splitters] | None = None,
        watch: dict[Key, Bytes] | None = None,
    ) -> None:
        self._watch = watch or {}
        self._splitters: dict[Key, Splitters] = {} if share is None else share
        self._piles: dict[Key, _Pile] = defaultdict(_Pile)
        self._memory = memory
        self._held = 0
        self._lock = threading.Lock()
        self._vault = _Vault(folder / name)

    def piles(self) -> list[Key]:
        """The types and shapes that have records, in the order of the parts."""
        order = list(IdType)
        return sorted(self._piles, key=lambda key: (order.index(key[0]), key[1].length))

    def count(self, key: Key) -> int:
        """How many records were added, repeats included."""
        return self._piles[key].count if key in self._piles else 0

    def add(self, key: Key, records: Bytes) -> None:
        """Take some records."""
        with self._lock:
            pile = self._piles[key]
            if not key[1].even and key not in self._splitters:
                self._splitters[key] = _splitters(records)
        run = scatter(records, self._splitters.get(key))
        with self._lock:
            pile.runs.append(run)
            pile.count += len(records)
            self._held += records.nbytes
            if self._held > self._memory:
                self._spill()

    def partitions(
        self, key: Key, ahead: Callable[[Callable[[], SortedIds]], Any], window: int
    ) -> Iterator[SortedIds]:
        """The pile's partitions in order; `ahead` starts work early and returns a future."""
        pending: list[Any] = []
        for number in range(PARTITIONS):
            raw = self._gather(key, number)
            if raw is None:
                continue
            watch = self._watched(key, number)
            pending.append(ahead(functools.partial(sort_unique, raw, watch)))
            if len(pending) > window:
                yield pending.pop(0).result()
        while pending:
            yield pending.pop(0).result()

    def _watched(self, key: Key, number: int) -> Bytes | None:
        watch = self._watch.get(key)
        if watch is None:
            return None
        here = watch[watch[:, 0] == number]
        return here if len(here) else None

    def partition(self, key: Key, number: int) -> Bytes:
        """One partition, sorted and without repeats."""
        raw = self._gather(key, number) if key in self._piles else None
        return np.empty((0, key[1].width), np.uint8) if raw is None else sort_unique(raw).records

    def close(self) -> None:
        """Forget everything."""
        self._piles.clear()
        self._vault.close()

    def _gather(self, key: Key, number: int) -> Bytes | None:
        pile = self._piles[key]
        width = key[1].width
        blocks = [
            self._vault.read(place, size).reshape(-1, width)
            for place, size in pile.extents.get(number, ())
        ]
        blocks += [
            run[bounds[number] : bounds[number + 1]]
            for run, bounds in pile.runs
            if bounds[number + 1] > bounds[number]
        ]
        return np.concatenate(blocks) if blocks else None

    def _spill(self) -> None:
        for pile in self._piles.values():
            for number in range(PARTITIONS):
                blocks = [
                    run[bounds[number] : bounds[number + 1]]
                    for run, bounds in pile.runs
                    if bounds[number + 1] > bounds[number]
                ]
                if blocks:
                    records = np.concatenate(blocks)
                    pile.extents[number].append((self._vault.write(records), records.nbytes))
            pile.runs.clear()
        self._held = 0


class _Vault:
    """An encrypted file that is written once, front to back, and read anywhere."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: Any = None
        self._key = secrets.token_bytes(32)
        self._size = 0

    def write(self, records: Bytes) -> int:
        """Append; the place to read it from again."""
        if self._file is None:
            self._file = self._path.open("x+b", buffering=0)
            self._path.chmod(0o600)
        place = self._size
        data = self._cipher(place).update(records.reshape(-1).data)
        padding = bytes(-len(data) % _BLOCK)
        self._file.seek(place)
        for piece in (data, padding):
            view = memoryview(piece)
            while view:
                view = view[self._file.write(view) :]
        self._size += len(data) + len(padding)
        return place

    def read(self, place: int, size: int) -> Bytes:
        """What was written at `place`."""
        self._file.seek(place)
        encrypted = bytearray(size)
        view = memoryview(encrypted)
        while view:
            count = self._file.readinto(view)
            if not count:
                raise OSError("the spool file is shorter than what was written")
            view = view[count:]
        return np.frombuffer(self._cipher(place).update(encrypted), np.uint8)

    def close(self) -> None:
        """Erase the file."""
        if self._file is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)
            self._file = None

    def _cipher(self, place: int) -> Any:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

        # The key is used for this file alone, and every place in it is written once.
        counter = (place // _BLOCK).to_bytes(_BLOCK, "big")
        return Cipher(algorithms.AES(self._key), modes.CTR(counter)).encryptor()


def _words(records: Bytes) -> npt.NDArray[np.uint64]:
    """Records as rows of numbers that sort as the records do."""
    return records.view(">u8").astype(np.uint64)


def _splitters(records: Bytes) -> Splitters:
    first = np.sort(_words(records[:, :8])[:, 0])
    return first[np.linspace(0, len(first) - 1, PARTITIONS).astype(np.int64)][1:]


def scatter(records: Bytes, splitters: Splitters | None = None) -> tuple[Bytes, Bounds]:
    """The records ordered by partition, and where each partition begins (one more at the end).

    Without splitters a partition is the first byte of a record. Where the splitters lie does not
    change what comes out in the end: it only spreads the work.
    """
    if splitters is None:
        numbers = np.ascontiguousarray(records[:, 0])
    else:
        first = _words(np.ascontiguousarray(records[:, :8]))[:, 0]
        numbers = np.searchsorted(splitters, first, side="right").astype(np.uint8)
    order = np.argsort(numbers, kind="stable")  # a radix sort for single bytes
    bounds = np.zeros(PARTITIONS + 1, np.int64)
    np.cumsum(np.bincount(numbers, minlength=PARTITIONS), out=bounds[1:])
    return take(records, order), bounds


def take(records: Bytes, order: npt.NDArray[np.int64]) -> Bytes:
    """Rows in another order; whole records are copied at once."""
    width = records.shape[1]
    whole = np.ascontiguousarray(records).view(f"V{width}").ravel()
    # `np.take` moves records as wholes, at a third of what indexing costs.
    return np.take(whole, order).view(np.uint8).reshape(-1, width)


def sort_unique(records: Bytes, watch: Bytes | None = None) -> SortedIds:
    """The records ascending, without repeats; counts those that are among `watch`."""
    words = _words(records)
    order = np.argsort(words[:, 0])
    ordered = take(records, order)
    repeats, mixed = _repeats(ordered)
    if mixed:  # equal in their first 8 bytes only: rare among digests
        order = np.lexsort(tuple(words[:, place] for place in reversed(range(words.shape[1]))))
        ordered = take(records, order)
        repeats, _ = _repeats(ordered)
    watched = 0 if watch is None else _how_many(ordered, watch)
    dropped = int(np.count_nonzero(repeats))
    if not dropped:
        return SortedIds(ordered, 0, 1, watched)
    kept = np.flatnonzero(~repeats)
    most = int(np.diff(np.append(kept, len(ordered))).max())
    return SortedIds(take(ordered, kept), dropped, most, watched)


def _how_many(ordered: Bytes, watch: Bytes) -> int:
    starts = _words(ordered[:, :8].copy())[:, 0]
    wanted = _words(watch[:, :8].copy())[:, 0]
    low = np.searchsorted(starts, wanted, side="left")
    high = np.searchsorted(starts, wanted, side="right")
    return sum(
        int((ordered[first:last] == record).all(axis=1).sum())
        for record, first, last in zip(watch, low, high, strict=True)
        if last > first
    )


def _repeats(ordered: Bytes) -> tuple[npt.NDArray[np.bool_], bool]:
    """Which rows repeat the one before, and whether some share only its first 8 bytes."""
    words = ordered.view(np.uint64)
    same_start = np.zeros(len(ordered), np.bool_)
    np.equal(words[1:, 0], words[:-1, 0], out=same_start[1:])
    at = np.flatnonzero(same_start)
    if not len(at):
        return same_start, False
    same = (words[at] == words[at - 1]).all(axis=1)
    repeats = np.zeros(len(ordered), np.bool_)
    repeats[at[same]] = True
    return repeats, not bool(same.all())
