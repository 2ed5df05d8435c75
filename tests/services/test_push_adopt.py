"""A data source of another machine is taken over and goes on with new content."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from support.push import Bench, memory_folder
from yuntu_push.domain.errors import GuardError, RefusedError, TryLaterError
from yuntu_push.domain.push import BrandState, PushState
from yuntu_push.domain.settings import PushEntry, SegmentEntry
from yuntu_push.services.push.adoption import AdoptRequest
from yuntu_push.services.push.ending import next_action

DAY = 86_400


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


@pytest.fixture
def other() -> Iterator[Bench]:
    """Another machine's home, on the same platform once given it."""
    with memory_folder() as folder:
        yield Bench(folder)


def test_what_another_machine_made_is_updated_here(bench: Bench, other: Bench):
    theirs = bench.run(bench.create())
    other.platform, other.clock = bench.platform, bench.clock
    request = AdoptRequest("接管", str(theirs.data_source_id), brands=("某品牌",))
    adopted = other.adoption.adopt(request)

    assert other.store.get(adopted.push_id) == adopted
    assert adopted.state is PushState.SUCCEEDED
    assert adopted.custom_audience_id == theirs.custom_audience_id
    assert other.run(adopted) == adopted, "there is nothing left to do"
    assert next_action(adopted) is None, "nothing was copied here that a person had to look for"

    bench.clock.advance(2 * DAY)
    other.segment("vip", seed="new")
    push = other.run(other.update(adopted))
    assert push.state is PushState.SUCCEEDED
    assert push.brands[0].state is BrandState.SUBMITTED
    assert len(bench.platform.sources) == 1
    assert len(bench.platform.publishes) == 2


def test_an_entry_goes_on_with_an_adopted_data_source(bench: Bench, other: Bench):
    theirs = bench.run(bench.create())
    other.platform, other.clock = bench.platform, bench.clock
    request = AdoptRequest("接管", str(theirs.data_source_id), entry="vip_daily")
    other.adoption.adopt(request)
    bench.clock.advance(2 * DAY)
    entry = PushEntry(
        name="高价值会员",
        segment=SegmentEntry(name="vip", ids={"MOBILE_HASH_SHA256": "m"}, csv=("vip.csv",)),
        brands=("某品牌",),
    )
    prepared = other.entries(vip_daily=entry).prepare("vip_daily")
    assert prepared.push.data_source_id == theirs.data_source_id
    assert other.run(prepared.push).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1


def test_only_what_is_there_and_new_is_adopted(bench: Bench):
    push = bench.run(bench.create(), wait=False)
    with pytest.raises(GuardError):
        bench.adoption.adopt(AdoptRequest("接管", str(push.data_source_id)))
    with pytest.raises(RefusedError):
        bench.adoption.adopt(AdoptRequest("接管", "ds404"))


def test_a_data_source_that_is_being_parsed_is_too_early(bench: Bench, other: Bench):
    push = bench.run(bench.create(), wait=False)
    other.platform, other.clock = bench.platform, bench.clock
    with pytest.raises(TryLaterError):
        other.adoption.adopt(AdoptRequest("接管", str(push.data_source_id)))


def test_a_deleted_audience_is_not_taken_over(
    bench: Bench, other: Bench, monkeypatch: pytest.MonkeyPatch
):
    theirs = bench.run(bench.create())
    other.platform, other.clock = bench.platform, bench.clock
    shown = bench.platform.data_sources(advertiser_id=0, ids=[str(theirs.data_source_id)])
    assert shown[0].audience is not None
    gone = replace(shown[0], audience=replace(shown[0].audience, deleted=True))
    monkeypatch.setattr(bench.platform, "data_sources", lambda **_: [gone])
    with pytest.raises(RefusedError) as caught:
        other.adoption.adopt(AdoptRequest("接管", str(theirs.data_source_id)))
    assert "deleted" in str(caught.value)
