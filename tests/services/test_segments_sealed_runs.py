"""Several runs around one segment whose old versions are sealed, and runs that are killed."""

import errno
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from support.secrets import MemoryStore
from support.segments import ids_of, request, service, shelf
from yuntu_push.adapters.engine.shelf import SegmentShelf
from yuntu_push.adapters.engine.vector_engine import VectorEngine
from yuntu_push.adapters.system import FileLocks
from yuntu_push.domain.segment import Segment, SegmentRef
from yuntu_push.domain.segment_build import Combination

PEOPLE = ["13812345601", "13812345602", "13812345603"]


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def secrets() -> MemoryStore:
    return MemoryStore()


def built(root: Path, secrets: MemoryStore, count: int, **more: object) -> Segment:
    source = root / "people.csv"
    source.write_text("\n".join(["mobile", *PEOPLE[:count]]), "utf-8")
    return service(root, secrets=secrets).build(request(source, **more))


def two_versions(root: Path, secrets: MemoryStore) -> tuple[Segment, Segment]:
    """Of two people and of three; the first is sealed."""
    pair = built(root, secrets, 2), built(root, secrets, 3)
    service(root, secrets=secrets).seal_replaced("vip")
    return pair


def files(segment: Segment) -> set[str]:
    return {path.name for path in segment.folder.iterdir()}


def test_a_build_may_leave_out_a_sealed_version_of_its_own(tmp_path: Path, secrets: MemoryStore):
    two_versions(tmp_path, secrets)
    made = built(tmp_path, secrets, 3, exclude=("vip@1",))
    assert made.ids_total == 1


def killed_while_opening(
    root: Path, secrets: MemoryStore, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    """An opening that is gone after its first file was written, before that file has its name."""

    def dies(path: Path, *_: object, **__: object) -> None:
        raise Killed(path.name)

    with monkeypatch.context() as patched:
        for step in ("replace", "unlink"):
            patched.setattr(Path, step, dies)
        with pytest.raises(Killed):
            service(root, secrets=secrets).show(SegmentRef("vip", version))


def test_what_a_killed_opening_left_is_erased_by_the_next_seal(
    tmp_path: Path, secrets: MemoryStore, monkeypatch: pytest.MonkeyPatch
):
    old, _ = two_versions(tmp_path, secrets)
    sealed = files(old)
    killed_while_opening(tmp_path, secrets, monkeypatch, 1)
    assert files(old) > sealed
    service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert files(old) == sealed


def test_an_opening_on_a_full_disk_leaves_nothing_readable(
    tmp_path: Path, secrets: MemoryStore, monkeypatch: pytest.MonkeyPatch
):
    old, _ = two_versions(tmp_path, secrets)
    sealed = files(old)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            service(tmp_path, secrets=secrets).show(SegmentRef("vip", 1))
    assert files(old) == sealed


@pytest.mark.parametrize("other", ["seals", "removes"])
def test_another_run_may_be_earlier(
    tmp_path: Path, secrets: MemoryStore, monkeypatch: pytest.MonkeyPatch, other: str
):
    """It has sealed or removed a version after this one listed what there is."""
    built(tmp_path, secrets, 1)
    old, _ = built(tmp_path, secrets, 2), built(tmp_path, secrets, 3)
    earlier = service(tmp_path, secrets=secrets)
    real, first = FileLocks.hold, [True]

    def hold(locks: FileLocks, name: str, **how: Any) -> AbstractContextManager[None]:
        if first and first.pop():
            if other == "seals":
                earlier.seal_replaced("vip")
            else:
                earlier.remove(SegmentRef("vip", 2))
        return real(locks, name, **how)

    monkeypatch.setattr(FileLocks, "hold", hold)
    service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert not first
    assert not list(old.folder.glob("*.zip"))
    assert old.folder.exists() == (other == "seals")


def test_a_version_that_a_push_comes_to_need_stays_open_for_it(
    tmp_path: Path, secrets: MemoryStore
):
    """The seal asks, the push is stored and opens what it needs, the seal goes on."""
    old, _ = built(tmp_path, secrets, 2), built(tmp_path, secrets, 3)
    pushing = Thread(
        target=lambda: service(tmp_path, secrets=secrets).show(SegmentRef("vip", 1)), daemon=True
    )

    def asked(_: SegmentRef) -> bool:
        pushing.start()
        pushing.join(0.5)
        return False

    SegmentShelf.seal_replaced(shelf(tmp_path, secrets), "vip", asked)
    pushing.join(30)
    assert len(ids_of(old)) == 2


def test_an_old_version_is_opened_while_its_name_is_built(tmp_path: Path, secrets: MemoryStore):
    two_versions(tmp_path, secrets)
    with shelf(tmp_path, secrets).building("vip"):
        opened = service(tmp_path, secrets=secrets).show(SegmentRef("vip", 1))
    assert len(ids_of(opened)) == 2


def test_a_part_that_another_run_is_reading_is_sealed_the_next_time(
    tmp_path: Path, secrets: MemoryStore, monkeypatch: pytest.MonkeyPatch
):
    """Windows lets nobody erase a file that is open."""
    old, _ = built(tmp_path, secrets, 2), built(tmp_path, secrets, 3)
    [part] = old.parts

    def open_elsewhere(path: Path, **_: object) -> None:
        raise PermissionError(errno.EACCES, "used by another process", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", open_elsewhere)
        service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert len(ids_of(old)) == 2
    service(tmp_path, secrets=secrets).seal_replaced("vip")
    assert files(old) == {"manifest.json", f"{part.path.name}.sealed"}


class Overtaken(VectorEngine):
    """An engine whose first works begin when another run has just sealed what is to be read."""

    def __init__(
        self, seals: list[Callable[[], None]], *, afterwards: Callable[[], object]
    ) -> None:
        super().__init__()
        self._meanwhile = seals
        self._afterwards = afterwards

    def compare(self, *words: Any) -> Any:
        return self._overtaken(super().compare, words)

    def combine(self, *words: Any) -> Any:
        return self._overtaken(super().combine, words)

    def verify(self, *words: Any) -> Any:
        return self._overtaken(super().verify, words)

    def _overtaken(self, work: Callable[..., Any], words: Sequence[Any]) -> Any:
        if self._meanwhile:
            self._meanwhile.pop()()
        try:
            return work(*words)
        finally:
            self._afterwards()


@pytest.mark.parametrize("opened", [False, True], ids=["sealed", "and opened again"])
@pytest.mark.parametrize("how", ["diff", "combine", "verify"])
def test_a_version_may_be_sealed_while_it_is_read(
    tmp_path: Path, secrets: MemoryStore, how: str, opened: bool
):
    """Entries that mirror one segment: what the first have read, the last still reads."""
    two_versions(tmp_path, secrets)
    other = service(tmp_path, secrets=secrets)
    engine = Overtaken(
        [lambda: other.seal_replaced("vip")] * 3,
        afterwards=lambda: opened and other.show(SegmentRef("vip", 1)),
    )
    made = service(tmp_path, secrets=secrets, engine=engine)
    match how:
        case "diff":
            _, _, changes = made.diff("vip", 1, 2)
            assert [change.added for change in changes.values()] == [1]
        case "combine":
            refs = [SegmentRef("vip", 2), SegmentRef("vip", 1)]
            assert made.combine("gain", Combination.MINUS, refs).ids_total == 1
        case "verify":
            assert made.verify(SegmentRef("vip", 1)).version == 1


def test_content_that_is_the_latest_again_is_the_same_version(tmp_path: Path, secrets: MemoryStore):
    """An identical build needs no key: it brings the parts that were sealed."""
    old, _ = two_versions(tmp_path, secrets)
    service(tmp_path, secrets=secrets).remove(SegmentRef("vip", 2))
    secrets.locked = True
    again = built(tmp_path, secrets, 2)
    assert again.version == old.version
    assert len(ids_of(again)) == 2
    assert files(old) == {"manifest.json", *(part.path.name for part in old.parts)}
