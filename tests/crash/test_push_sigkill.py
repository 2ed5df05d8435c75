"""A real process of `push create`, killed with SIGKILL, then resumed: one of everything."""

import random
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.killing import (
    brought_to_its_end,
    create_words,
    killed_at_request,
    killed_at_syscall,
    made_for,
    syscalls_of,
)
from support.world import World, world

STEPS = {
    "upload": "data_source/file/upload",
    "create": "data_source/create",
    "parse": "data_source/read",
    "share": "custom_audience/push_v2",
    "publish": "custom_audience/publish",
    "activate": "custom_audience/read",
    "copy": "custom_audience/copy",
}
SECONDS = 40.0  # for the sample; at least two points are killed, however slow the machine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world whose platform works at once and lets a copy be seen."""
    with world(tmp_path_factory.mktemp("kill") / "home", speed=1e6, brand_readable=True) as made:
        made.build(count=50)
        yield made


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step(home: World, step: str):
    name = f"步骤_{step}"
    assert killed_at_request(home, create_words(home, name), STEPS[step])
    push = brought_to_its_end(home, name)
    assert push["state"] == "succeeded", push
    assert made_for(home, push) == (1, 1, 1)


@pytest.mark.server
@pytest.mark.timeout(4 * 3600)
def test_killed_at_system_calls(home: World, tmp_path: Path, request: pytest.FixtureRequest):
    """A sample of all writes to disk and to the network; all of them with --full-crash-matrix."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    counts = syscalls_of(home, create_words(home, "基准"), tmp_path / "calls")
    points = [(call, nth) for call, most in counts.items() for nth in range(1, most + 1)]
    random.Random(1).shuffle(points)
    whole = request.config.getoption("--full-crash-matrix")
    began, tried, killed = time.monotonic(), 0, 0
    for call, nth in points:
        if not whole and tried >= 2 and time.monotonic() - began > SECONDS:
            break
        tried += 1
        name = f"{call}_{nth}"
        killed += killed_at_syscall(home, create_words(home, name), call, nth)
        push = brought_to_its_end(home, name)
        assert push["state"] == "succeeded", (call, nth, push)
        assert made_for(home, push) == (1, 1, 1), (call, nth)
    sys.stdout.write(f"{killed} of {tried} points killed, of {len(points)}: {dict(counts)}\n")
    assert killed >= tried * 0.5
