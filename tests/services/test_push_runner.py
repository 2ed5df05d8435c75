"""A push from its creation to its end, on a platform in memory."""

from pathlib import Path

import pytest

from support.push import Bench
from yuntu_push.domain.push import BrandState, PushState, StepState


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_push_reaches_its_brand(bench: Bench):
    """One data source, one publish, one copy; counts and states tell it."""
    push = bench.run(bench.create())

    assert push.state is PushState.SUCCEEDED
    assert all(step.state is StepState.SUCCEEDED for step in push.steps)
    assert push.brands[0].state is BrandState.SUBMITTED
    assert (push.upload_num, push.cover_num) == (100, 120)
    [source] = bench.platform.sources.values()
    assert source.name == push.audience_name
    assert len(bench.platform.publishes) == len(bench.platform.copies) == 1


def test_without_wait_it_stops_where_the_platform_works(bench: Bench):
    push = bench.run(bench.create(), wait=False)

    assert (push.state, push.step) == (PushState.RUNNING, "parse")
    assert push.data_source_id is not None
    assert push.next_at is not None
