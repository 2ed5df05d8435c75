"""Kernel locks: whoever meets one is told who holds it and since when."""

import contextlib
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from yuntu_push.adapters.system import FileLocks, SystemClock

HOLDER = rf"pid {os.getpid()}, 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d \+08:00"


class BusyError(Exception):
    """What a second process is told."""


@pytest.fixture
def locks(tmp_path: Path) -> FileLocks:
    return FileLocks(tmp_path, SystemClock())


def told(locks: FileLocks) -> str:
    with pytest.raises(BusyError) as caught, locks.hold("push", wait_seconds=0, busy=BusyError):
        pass
    return str(caught.value)


def test_the_holder_is_named_with_the_hour_of_beijing(locks: FileLocks):
    with locks.hold("push", wait_seconds=0, busy=BusyError):
        assert re.fullmatch(HOLDER, told(locks))


@contextlib.contextmanager
def taken(folder: Path, was: str | None) -> Iterator[Path]:
    """The lock, held by somebody who has not said so yet; `was` is what is read meanwhile."""
    from filelock import FileLock

    holder = folder / "push.holder"
    with FileLock(folder / "push.lock"):
        if was is not None:
            holder.write_text(was, "utf-8")
        yield holder


@pytest.mark.parametrize("was", [None, ""], ids=["not there", "being written"])
def test_who_has_just_taken_it_is_given_a_moment(locks: FileLocks, tmp_path: Path, was: str | None):
    with taken(tmp_path, was) as holder:
        late = threading.Timer(0.1, holder.write_text, ["pid 7, since then"])
        late.start()
        assert told(locks) == "pid 7, since then"
        late.join()


def test_who_never_says_so_keeps_nobody_waiting(locks: FileLocks, tmp_path: Path):
    with taken(tmp_path, None):
        assert told(locks) == "?"


def test_nobody_is_named_who_has_let_go(locks: FileLocks, tmp_path: Path):
    with locks.hold("push", wait_seconds=0, busy=BusyError):
        pass
    assert not (tmp_path / "push.holder").exists()
