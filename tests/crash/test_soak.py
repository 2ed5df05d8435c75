"""Hundreds of pushes in one process: it holds no more at the end than at the beginning."""

import sys
from collections.abc import Iterator

import pytest

from support.month import Growth
from support.push import Bench, memory_folder
from yuntu_push.domain.push import PushState


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.timeout(3600)
def test_pushes_leave_nothing_behind_in_the_process(bench: Bench, request: pytest.FixtureRequest):
    """500 pushes and thousands of looks with --full-crash-matrix; 60 otherwise."""
    count, warm = (500, 100) if request.config.getoption("--full-crash-matrix") else (60, 20)
    growth = Growth(warm=warm)
    for number in range(count):
        push = bench.run(bench.create(name=f"推送{number}"))
        assert push.state is PushState.SUCCEEDED
        bench.notices.clear()
        growth.note()
        if number % 90 == 89:
            bench.clock.advance(86_400)  # the next day's hundred
    looks = sum(bench.platform.calls[name] for name in ("data_sources", "read_audiences"))
    sys.stdout.write(
        f"{count} pushes, {looks} looks: resident {growth.resident_growth / 1e6:+.1f} MB, "
        f"open files {growth.files_growth:+d}\n"
    )
    # Against the fewest that were ever open: what another test left may be closed on the way.
    assert growth.files[-1] == min(growth.files)
    assert growth.resident_growth < 20e6
