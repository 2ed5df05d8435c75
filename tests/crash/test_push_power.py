"""A power cut: what was synced stays, what was not may be torn anywhere; both lose nothing."""

import contextlib
import copy
import random
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.invariants import assert_invariants
from support.push import Bench, DyingStore, Killed, memory_folder
from support.sampling import sampled
from yuntu_push.domain.push import PushState
from yuntu_push.services.push.copies import CopyDecision

pytestmark = pytest.mark.timeout(3600)

SECTOR = 512
COMMITS = ("claim", "begin", "settle", "record")
MOST = 15  # more commits of a kind than a push has


@dataclass(frozen=True)
class Cut:
    """The power went in the n-th call of a store's method, with `kept` bytes of the log on disk."""

    method: str
    nth: int
    kept: int


def test_a_torn_log_at_any_commit(whole: bool):
    """The log cut at each sector of what a commit had written and not yet synced.

    Where all of the copy's intent is there and the copy was never sent, a person is asked.
    """
    opened = asked = 0
    for cut, bench, push_id in sampled(cuts(whole), whole=whole, share=1.5):
        stored = bench.store.get(push_id)
        assert stored is not None, cut
        push = bench.survive(stored)
        platform = bench.platform
        if push.state is PushState.NEEDS_OPERATOR:
            assert cut.method == "begin", cut
            assert not platform.copies, (cut, "what can be seen is not asked about")
            [brand] = push.brands
            push = bench.copies.copy(push, str(brand.brand_id), CopyDecision.AGAIN)
            asked += 1
        assert push.state is PushState.SUCCEEDED, (cut, push)
        made = (len(platform.sources), len(platform.publishes), len(platform.copies))
        assert made == (1, 1, 1), (cut, made)
        assert_invariants(bench, [push_id])
        opened += 1
    sys.stdout.write(f"{opened} torn logs opened and went on, {asked} by a person's word; 0/0\n")
    assert asked <= 1, "one cut leaves the copy's intent whole"
    assert opened >= 2


class Measured(DyingStore):
    """Dies after a commit, and knows how long the log was before it."""

    def __init__(self, bench: Bench, method: str, nth: int) -> None:
        super().__init__(bench.store, method, nth, after=True)
        self._log = log_of(bench.folder)
        self.synced = 0

    def __getattr__(self, name: str) -> object:
        found = super().__getattr__(name)
        if name != self._method:
            return found

        def measured(*args: object, **kwargs: object) -> object:
            self.synced = self._log.stat().st_size
            return found(*args, **kwargs)  # type: ignore[operator]

        return measured


def cuts(whole: bool) -> Iterator[tuple[Cut, Bench, str]]:
    """A bench for each cut, as a machine that starts again finds it."""
    places = [(method, nth) for method in COMMITS for nth in range(1, MOST + 1)]
    random.Random(5).shuffle(places)
    for method, nth in places:
        with memory_folder() as folder:
            bench = Bench(folder)
            bench.segment("vip", parts=1)
            push = bench.create()
            # As long as somebody reads, the log grows and is not folded into the file.
            with contextlib.closing(sqlite3.connect(folder / "state.db")) as reader:
                reader.execute("BEGIN")
                reader.execute("SELECT count(*) FROM push").fetchone()
                store = Measured(bench, method, nth)
                try:
                    bench.run(push, store=store)
                except Killed:
                    length = log_of(folder).stat().st_size
                    sizes = range(store.synced, length, SECTOR)
                    for kept in [*sizes, length] if whole else random.Random(nth).sample(sizes, 2):
                        with memory_folder() as other:
                            yield Cut(method, nth, kept), revived(bench, other, kept), push.push_id


def revived(dead: Bench, folder: Path, kept: int) -> Bench:
    """The same files, with the log cut, the same platform and the same time."""
    shutil.copyfile(dead.folder / "state.db", folder / "state.db")
    log_of(folder).write_bytes(log_of(dead.folder).read_bytes()[:kept])
    bench = Bench(folder)
    bench.platform = copy.deepcopy(dead.platform)
    bench.clock = bench.platform.clock
    return bench


def log_of(folder: Path) -> Path:
    return folder / "state.db-wal"
