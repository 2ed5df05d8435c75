"""The expected end of a push is learned from earlier ones."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from support.push import Bench, memory_folder


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def test_without_history_nothing_is_promised(bench: Bench):
    push = bench.run(bench.create(), wait=False)
    assert bench.tasks.expected_end(push) is None


def test_the_end_is_that_of_earlier_pushes(bench: Bench):
    """Within the pauses between two looks; a done push expects nothing."""
    took = timedelta()
    for _ in range(3):
        begun = bench.clock.now()
        assert bench.tasks.expected_end(bench.run(bench.create())) is None
        took = bench.clock.now() - begun
    begun = bench.clock.now()
    push = bench.run(bench.create(), wait=False)
    expected = bench.tasks.expected_end(push)
    assert expected is not None
    assert abs((expected - begun) - took) < timedelta(minutes=1)

    bench.clock.advance(600)
    assert bench.tasks.expected_end(push) == expected
    bench.clock.advance(86_400)
    late = bench.tasks.expected_end(push)
    assert late is not None
    assert late >= bench.clock.now(), "never in the past"


def test_a_known_wait_is_counted(bench: Bench):
    for _ in range(3):
        first = bench.run(bench.create())
    bench.segment("vip", seed="new")
    push = bench.run(bench.update(first), wait=False)
    while push.step != "publish":
        bench.clock.advance(600)
        push = bench.run(push, wait=False)
    assert push.next_at is not None
    past = {step.name: [60.0] * 3 for step in push.steps}
    from yuntu_push.services.push.eta import expected_end

    end = expected_end(push, past, bench.clock.now())
    assert end == push.next_at + timedelta(seconds=180)
