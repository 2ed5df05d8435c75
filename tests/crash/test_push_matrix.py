"""A push that dies, or loses a reply, at any moment ends with one of everything.

Every write of a push × what can happen to it, and a death before and after every commit of the
store. Nothing is lost and nothing is made twice; where the platform lets nobody see a copy, a
person is asked instead.
"""

import itertools
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from support.invariants import assert_invariants
from support.push import TARGETS, Bench, DyingStore, memory_folder
from yuntu_push.domain.errors import LoginError, ThrottledError, TryLaterError
from yuntu_push.domain.push import BrandState, Push, PushState
from yuntu_push.domain.quota import QuotaKind
from yuntu_push.domain.text import msg
from yuntu_push.services.push.copies import CopyDecision

WRITES = [
    ("upload", 1), ("upload", 2), ("create", 1), ("push", 1), ("publish", 1), ("copy", 1),
    ("copy", 2),
]  # fmt: skip
EFFECTS = ["kill_before", "drop_before", "drop_after", "kill_after", "unreachable"]
PUT_OFF: dict[str, BaseException] = {
    "throttled": ThrottledError("PLATFORM_THROTTLED", msg("slow"), retry_in=5),
    "login": LoginError("AUTH_LOGIN_REQUIRED", msg("expired")),
    "locked": TryLaterError("SECRETS_LOCKED", msg("the keyring is locked")),
}
READS = [("data_sources", 1), ("read_audiences", 1), ("read_audiences", 2), ("read_audiences", 3)]
STORE = ["claim", "begin", "settle", "record"]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def both(bench: Bench) -> Push:
    return bench.create(brands=("某品牌", "别品牌"), targets=tuple(map(str, TARGETS)))


@pytest.mark.parametrize("effect", EFFECTS)
@pytest.mark.parametrize(("call", "nth"), WRITES)
def test_whatever_happens_to_a_write(bench: Bench, call: str, nth: int, effect: str):
    """One data source, one publish, one copy for each brand, whatever happens to one write."""
    bench.platform.plan[call, nth] = effect
    push = bench.survive(both(bench))
    assert bench.platform.calls[call] >= nth, "the fault was never met"
    if call == "copy" and effect in ("kill_before", "drop_before"):
        push = decided(bench, push, CopyDecision.AGAIN)
    assert_one_of_everything(bench, push)


@pytest.mark.parametrize("second", [*EFFECTS, *PUT_OFF])
@pytest.mark.parametrize("first", ["kill_before", "drop_before", "drop_after", "kill_after"])
@pytest.mark.parametrize("call", ["create", "publish"])
def test_whatever_happens_to_a_write_and_to_its_repetition(
    bench: Bench, call: str, first: str, second: str
):
    """Two losses of a create ask a person; nothing else does, and nothing costs a day."""
    began = bench.clock.now()
    bench.platform.plan[call, 1] = first
    bench.platform.plan[call, 2] = PUT_OFF.get(second, second)
    push = bench.survive(both(bench))
    while push.state is PushState.WAITING:  # somebody logs in
        push = bench.survive(push)
    asked = call == "create" and {first, second} <= {"kill_before", "drop_before"}
    if asked:
        assert push.state is PushState.NEEDS_OPERATOR
        push = bench.survive(push)
    # What a person decided about may be there after all: its quota stays taken.
    assert_one_of_everything(bench, push, creates=2 if asked else 1)
    assert bench.clock.now() - began < timedelta(hours=6)


@pytest.mark.parametrize("effect", ["kill_before", "drop_before", "drop_after", "kill_after"])
def test_a_copy_that_nobody_can_look_up_is_decided_by_a_person(bench: Bench, effect: str):
    """It is never repeated silently, and the person's word ends the push."""
    bench.platform.copies_readable = False
    bench.platform.plan["copy", 1] = effect
    push = bench.survive(both(bench))
    happened = effect.endswith("after")
    push = decided(bench, push, CopyDecision.DONE if happened else CopyDecision.AGAIN)
    assert_one_of_everything(bench, push)


def decided(bench: Bench, push: Push, decision: CopyDecision) -> Push:
    assert push.state is PushState.NEEDS_OPERATOR
    asking = [b for b in push.brands if b.state is BrandState.NEEDS_OPERATOR]
    assert len(asking) == 1
    assert [b.state for b in push.brands].count(BrandState.SUBMITTED) == 1
    return bench.copies.copy(push, str(asking[0].brand_id), decision)


@pytest.mark.parametrize(("call", "nth"), READS)
def test_a_death_at_a_read(bench: Bench, call: str, nth: int):
    bench.platform.plan[call, nth] = "kill_before"
    push = bench.survive(both(bench))
    assert bench.platform.calls[call] >= nth
    assert_one_of_everything(bench, push)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", STORE)
def test_a_death_at_any_commit(method: str, after: bool):
    """Before and after each commit of a kind, until a push has no such commit any more."""
    killed = 0
    for nth in itertools.count(1):
        with memory_folder() as folder:
            bench = Bench(folder)
            push = both(bench)
            dying = DyingStore(bench.store, method, nth, after=after)
            push = bench.survive(push, store=dying)
            if push.state is PushState.NEEDS_OPERATOR:
                push = decided(bench, push, CopyDecision.AGAIN)
            assert_one_of_everything(bench, push)
            if not dying.died:
                break
            killed += 1
    sys.stdout.write(f"{killed} points killed {'after' if after else 'before'} {method}\n")
    assert killed >= (1 if method == "claim" else 5)


def assert_one_of_everything(bench: Bench, push: Push, *, creates: int = 1) -> None:
    platform = bench.platform
    assert push.state is PushState.SUCCEEDED, push
    assert len(platform.sources) == 1
    assert len(platform.publishes) == 1
    assert sorted(platform.copies) == sorted(
        (push.custom_audience_id, brand.virtual_adv_id) for brand in push.brands
    )
    [audience] = platform.made_audiences.values()
    assert audience.pushed_to == {push.advertiser_id, *TARGETS}
    assert_invariants(bench, [push.push_id])
    now = bench.platform.server_now()
    owner, audience = str(push.advertiser_id), str(push.custom_audience_id)
    assert bench.quota.usage(QuotaKind.CREATE, owner, push.created_at).used == creates
    published = bench.quota.usage(QuotaKind.PUBLISH, audience, now)
    assert published.used == 1
