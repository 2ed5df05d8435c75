"""Targets and brands: each fails alone, and only what failed is tried again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from support.push import OWNER, Bench, memory_folder
from yuntu_push.domain.errors import (
    GuardError,
    LoginError,
    PartialError,
    RefusedError,
    ThrottledError,
    TryLaterError,
)
from yuntu_push.domain.push import BrandState, Push, PushState, TargetState
from yuntu_push.domain.text import msg
from yuntu_push.services.push.copies import CopyDecision
from yuntu_push.services.push.ending import ending

GOOD, BAD = [2000 + n for n in range(9)], [3001, 3002]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def test_only_the_targets_of_another_subject_fail(bench: Bench):
    """The refusal of a group names nobody: it is halved until the refused stand alone."""
    bench.platform.other_subjects = set(BAD)
    wanted = [*GOOD[:4], BAD[0], *GOOD[4:], BAD[1]]
    push = bench.run(bench.create(targets=tuple(map(str, wanted))))

    assert push.state is PushState.PARTIAL
    assert isinstance(ending(push), PartialError)
    states = {t.advertiser_id: t.state for t in push.targets}
    assert {a for a, s in states.items() if s is TargetState.FAILED} == set(BAD)
    [audience] = bench.platform.made_audiences.values()
    assert audience.pushed_to == {OWNER, *GOOD}
    assert push.brands[0].state is BrandState.SUBMITTED
    assert len(bench.platform.publishes) == 1


def test_an_owner_refused_beside_a_target_that_took_it_fails_and_can_be_resumed(bench: Bench):
    """The platform waits for the owner's share: nobody else may wait for the platform."""
    refused = RefusedError("PLATFORM_REFUSED", msg("no self push"), platform_code=40001)
    for nth in (1, 2, 3):  # the group, the owner, the owner once more
        bench.platform.plan["push", nth] = refused
    push = bench.run(bench.create(targets=(str(GOOD[0]),)))
    assert push.state is PushState.FAILED
    error = ending(push)
    assert isinstance(error, RefusedError)
    assert "no self push" in str(error)
    assert not bench.platform.copies

    push = bench.run(push, wait=False)
    assert push.state is PushState.WAITING, "for the window of its second publish"
    push = bench.run(push)
    assert push.state is PushState.SUCCEEDED
    [audience] = bench.platform.made_audiences.values()
    assert audience.pushed_to == {OWNER, GOOD[0]}
    assert (len(bench.platform.publishes), len(bench.platform.copies)) == (2, 1)


def partly_shared(bench: Bench) -> Push:
    bench.platform.other_subjects = {BAD[0]}
    push = bench.run(bench.create(targets=(str(GOOD[0]), str(BAD[0]))))
    assert push.state is PushState.PARTIAL
    bench.platform.other_subjects = set()
    return push


@pytest.mark.parametrize("effect", [None, "kill_before", "drop_before", "drop_after", "kill_after"])
@pytest.mark.parametrize("call", ["push", "publish"])
def test_targets_that_were_refused_are_tried_again(bench: Bench, call: str, effect: str | None):
    """The platform wants a publish after each share: there is one more, when its window opens."""
    push = partly_shared(bench)
    before = bench.platform.calls["push"]
    if effect is not None:
        bench.platform.plan[call, bench.platform.calls[call] + 1] = effect
    push = bench.survive(push)
    assert push.state is PushState.SUCCEEDED
    [audience] = bench.platform.made_audiences.values()
    assert audience.pushed_to == {OWNER, GOOD[0], BAD[0]}
    again = 1 if effect is None or call == "publish" else 2
    assert bench.platform.calls["push"] == before + again, "the others are not asked again"
    first, second = audience.published
    assert second - first >= timedelta(hours=24)
    assert len(bench.platform.copies) == 1


def test_targets_still_refused_are_asked_once_a_day(bench: Bench):
    push = partly_shared(bench)
    bench.platform.other_subjects = {BAD[0]}
    before = bench.platform.calls["push"]
    for _ in range(48):
        bench.clock.advance(3600)
        bench.runner().run_due()
    assert bench.platform.calls["push"] == before + 2
    assert len(bench.platform.publishes) == 1, "nobody new has it"
    stored = bench.store.get(push.push_id)
    assert stored is not None
    assert stored.state is PushState.PARTIAL


def test_new_content_takes_the_place_of_a_late_publish(bench: Bench):
    """It is published itself, for all that have the audience."""
    push = bench.run(partly_shared(bench), wait=False)
    assert push.state is PushState.WAITING
    bench.segment("vip", seed="new")
    newer = bench.update(push)
    old = bench.store.get(push.push_id)
    assert old is not None
    assert old.state is PushState.SUPERSEDED
    assert bench.run(newer).state is PushState.SUCCEEDED
    assert len(bench.platform.publishes) == 2


def test_a_refused_push_to_the_owner_is_noted_only(bench: Bench):
    bench.platform.other_subjects = {OWNER}
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    assert push.targets[0].failure is not None


def test_a_refused_owner_is_tried_twice(bench: Bench):
    bench.platform.plan["push", 1] = RefusedError("PLATFORM_REFUSED", msg("参数错误"))
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    assert push.targets[0].state is TargetState.SHARED


def test_an_owner_whose_share_was_put_off_is_tried_twice_all_the_same(bench: Bench):
    bench.platform.plan["push", 1] = ThrottledError("PLATFORM_THROTTLED", msg("slower"))
    bench.platform.plan["push", 2] = RefusedError("PLATFORM_REFUSED", msg("no"))
    push = bench.run(bench.create())
    assert [t.state for t in push.targets] == [TargetState.SHARED]


def test_an_owner_refused_for_good_is_why_a_copy_fails(bench: Bench):
    """Where the platform wants the audience shared with its owner first, that refusal is told."""
    refused = RefusedError("PLATFORM_REFUSED", msg("no self push"), platform_code=40001)
    bench.platform.plan["push", 0] = refused
    bench.platform.plan["copy", 0] = TryLaterError("AUDIENCE_NOT_READY", msg("not ready"))
    push = bench.run(bench.create())
    assert push.state is PushState.FAILED
    error = ending(push)
    assert isinstance(error, RefusedError)
    assert "no self push" in str(error)


def test_targets_alone_all_refused_are_a_failure(bench: Bench):
    bench.platform.other_subjects = set(BAD)
    push = bench.run(bench.create(brands=(), targets=tuple(map(str, BAD))))
    assert push.state is PushState.FAILED
    assert isinstance(ending(push), RefusedError)
    assert not bench.platform.publishes

    bench.platform.other_subjects = set()
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_failed_brand_does_not_repeat_the_others(bench: Bench):
    """Exit 7; a resume copies into the failed one alone, one of all at once and then not more than
    once an hour."""
    virtual = {brand.brand_name: brand.virtual_adv_id for brand in bench_brands(bench)}
    bench.platform.unbound = {virtual["某品牌"]}
    push = bench.run(bench.create(brands=("某品牌", "别品牌")))
    assert push.state is PushState.PARTIAL
    assert isinstance(ending(push), PartialError)
    assert [b.state for b in push.brands] == [BrandState.FAILED, BrandState.SUBMITTED]
    for _ in range(3):
        [still] = bench.runner().run_due()
        assert still.push.state is PushState.PARTIAL
        assert bench.runner().run_due() == []
        bench.clock.advance(3600)

    bench.platform.unbound = set()
    [ran] = bench.runner().run_due()
    assert ran.push.state is PushState.SUCCEEDED
    assert sorted(v for _, v in bench.platform.copies) == sorted(virtual.values())


def bench_brands(bench: Bench):
    return bench.tasks.plan(bench.request(brands=("某品牌", "别品牌"))).push.brands


def test_the_only_brand_refused_is_a_failure(bench: Bench):
    refused = LoginError("YUNTU_NOT_BOUND", msg("not bound"), platform_code=40002)
    bench.platform.plan["copy", 1] = refused
    push = bench.run(bench.create())
    assert push.state is PushState.FAILED
    assert isinstance(ending(push), LoginError)
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_copy_on_demand_goes_to_another_brand(bench: Bench):
    push = bench.run(bench.create())
    push = bench.copies.copy(push, "别品牌", CopyDecision.MAKE)
    assert [b.state for b in push.brands] == [BrandState.SUBMITTED] * 2
    assert len(bench.platform.copies) == 2


def test_a_second_copy_into_a_brand_needs_a_word(bench: Bench):
    push = bench.run(bench.create())
    with pytest.raises(GuardError) as caught:
        bench.copies.copy(push, "某品牌", CopyDecision.MAKE)
    assert caught.value.code == "COPY_TWICE"
    assert len(bench.platform.copies) == 1
    bench.copies.copy(push, "某品牌", CopyDecision.AGAIN)
    assert len(bench.platform.copies) == 2


def test_new_content_waits_for_what_a_late_publish_set_the_platform_to_work_on(bench: Bench):
    refused = RefusedError("PLATFORM_REFUSED", msg("no self push"))
    for nth in (1, 2, 3):
        bench.platform.plan["push", nth] = refused
    push = bench.run(bench.create(targets=(str(GOOD[0]),)))
    bench.platform.publish_seconds = 2 * 86400
    bench.run(push, wait=False)
    bench.clock.advance(86400)
    push = bench.run(push, wait=False)
    assert (push.state, push.step) == (PushState.RUNNING, "activate")
    assert len(bench.platform.publishes) == 2
    bench.segment("vip", seed="new")
    with pytest.raises(TryLaterError) as caught:
        bench.update(push)
    assert caught.value.code == "PUSH_UNDER_WAY"


def test_no_copy_is_made_beside_a_run_of_the_push(bench: Bench):
    push = bench.run(bench.create())
    with bench.runner().hold(push.push_id), pytest.raises(TryLaterError) as caught:
        bench.copies.copy(push, "别品牌", CopyDecision.MAKE)
    assert caught.value.code == "PUSH_HELD"
    assert len(bench.platform.copies) == 1


def test_done_is_only_said_of_an_unknown_copy(bench: Bench):
    push = bench.run(bench.create())
    with pytest.raises(GuardError):
        bench.copies.copy(push, "某品牌", CopyDecision.DONE)


def test_no_copy_before_there_is_an_audience(bench: Bench):
    push = bench.run(bench.create(), wait=False)
    with pytest.raises(GuardError) as caught:
        bench.copies.copy(push, "某品牌", CopyDecision.MAKE)
    assert caught.value.code == "AUDIENCE_NOT_READY"


def test_a_person_confirms_what_was_seen_in_yuntu(bench: Bench):
    push = bench.create()
    with pytest.raises(GuardError):
        bench.tasks.confirm(push, "某品牌")
    push = bench.tasks.confirm(bench.run(push), "某品牌")
    assert push.brands[0].state is BrandState.CONFIRMED


@pytest.mark.parametrize(("status", "code"), [(4, "AUDIENCE_TOO_SMALL"), (7, "AUDIENCE_BROKEN")])
def test_an_audience_that_cannot_be_used_is_a_failure(bench: Bench, status: int, code: str):
    bench.platform.status = status
    bench.platform.publish_seconds = 1e9
    push = bench.run(bench.create())
    assert push.state is PushState.FAILED
    error = ending(push)
    assert error is not None
    assert error.code == code


def test_an_audience_that_was_deleted_meanwhile_is_a_failure(bench: Bench):
    bench.platform.publish_seconds = 1e9
    push = bench.run(bench.create(), wait=False)
    read = bench.platform.read_audiences

    def deleted(**call: object):
        return [replace(each, deleted=True) for each in read(**call)]

    bench.platform.read_audiences = deleted
    push = bench.run(push)
    assert (push.state, push.step) == (PushState.FAILED, "activate")
