"""New content into the same data source: modes, guards, copies, runs that replace each other."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta

import pytest

from support.push import BRANDS, OWNER, Bench, Killed, memory_folder
from yuntu_push.domain.errors import ConfigError, GuardError, RefusedError, TryLaterError
from yuntu_push.domain.guards import GuardName, Sizes, check_guards
from yuntu_push.domain.identifiers import IdType
from yuntu_push.domain.platform import Operation, RemoteDataSource
from yuntu_push.domain.push import BrandState, CallState, Mode, Push, PushState, StepName
from yuntu_push.domain.quota import PUBLISH_MARGIN, PUBLISH_WINDOW, QuotaKind, next_time_of_day
from yuntu_push.domain.segment import TypeCounts
from yuntu_push.domain.segment_build import Difference
from yuntu_push.domain.settings import GuardEntry, PushEntry, SegmentEntry
from yuntu_push.domain.text import msg
from yuntu_push.services.push.copies import CopyDecision
from yuntu_push.services.push.ending import next_action
from yuntu_push.services.push.turns import Patience
from yuntu_push.services.push.updates import UpdatePlan, UpdateRequest

DAY = 86_400


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


def actions(bench: Bench) -> list[int | None]:
    [source] = bench.platform.sources.values()
    return [log.action for log in source.logs]


@pytest.mark.parametrize(("mode", "action"), [(Mode.RESET, 3), (Mode.APPEND, 1), (Mode.REMOVE, 2)])
def test_an_update_keeps_the_audience(bench: Bench, mode: Mode, action: int):
    """The ids that ad plans use stay; the audience is published again."""
    first = bench.run(bench.create())
    bench.segment("vip", seed="new")
    bench.clock.advance(2 * DAY)
    push = bench.run(bench.update(first, mode=mode, guards=GuardEntry(max_removed="100%")))

    assert push.state is PushState.SUCCEEDED
    assert not bench.segments.sealed, "only a mirror needs earlier contents"
    assert push.custom_audience_id == first.custom_audience_id
    assert push.follows == first.push_id
    assert actions(bench) == [0, action]
    assert len(bench.platform.publishes) == 2
    assert len(bench.platform.sources) == 1
    assert len(bench.platform.pushes) == 1, "its id stays, so nobody needs it again"
    use = bench.quota.usage(QuotaKind.UPDATE, str(push.data_source_id), bench.clock.now())
    assert use.used == 1


def test_the_publish_of_an_update_waits_for_its_window(bench: Bench):
    first = bench.run(bench.create())
    published = bench.platform.publishes[0]
    bench.segment("vip", seed="new")
    push = bench.update(first)
    push = bench.run(push, wait=False)
    while push.state is PushState.RUNNING:
        bench.clock.advance(600)
        push = bench.run(push, wait=False)
    assert (push.state, push.step) == (PushState.WAITING, "publish")
    assert push.next_at == published + PUBLISH_WINDOW + PUBLISH_MARGIN
    assert bench.run(push).state is PushState.SUCCEEDED
    assert bench.platform.publishes[1] >= published + timedelta(hours=24)


def test_a_run_that_meets_one_waiting_to_publish_replaces_it(bench: Bench):
    """Two contents, one publish: the newer one."""
    first = bench.run(bench.create())
    bench.segment("vip", seed="two")
    waiting = bench.run(bench.update(first), wait=False)
    while waiting.state is PushState.RUNNING:
        bench.clock.advance(600)
        waiting = bench.run(waiting, wait=False)
    bench.segment("vip", seed="three")
    newest = bench.update(waiting)
    old = bench.store.get(waiting.push_id)
    assert old is not None
    assert old.state is PushState.SUPERSEDED
    assert bench.run(newest).state is PushState.SUCCEEDED
    assert len(bench.platform.publishes) == 2
    assert bench.runner().run_due() == []


def waiting_to_publish(bench: Bench) -> tuple[Push, UpdatePlan]:
    """A push that waits for its window, and the plan of one that would take its place."""
    first = bench.run(bench.create())
    bench.segment("vip", seed="two")
    waiting = bench.run(bench.update(first), wait=False)
    while waiting.state is PushState.RUNNING:
        bench.clock.advance(600)
        waiting = bench.run(waiting, wait=False)
    assert (waiting.state, waiting.step) == (PushState.WAITING, StepName.PUBLISH)
    bench.segment("vip", seed="three")
    return waiting, bench.updates.plan(waiting, UpdateRequest(segment="vip"))


def test_one_that_another_process_runs_is_not_replaced(bench: Bench):
    waiting, plan = waiting_to_publish(bench)
    with bench.runner().hold(waiting.push_id), pytest.raises(TryLaterError) as caught:
        bench.updates.create(plan)
    assert caught.value.code == "PUSH_HELD"
    assert bench.store.get(waiting.push_id) == waiting
    assert bench.store.get(plan.push.push_id) is None


def test_one_that_began_to_publish_since_the_plan_is_not_replaced(bench: Bench):
    """What came of its publish is not known yet: somebody has to look."""
    waiting, plan = waiting_to_publish(bench)
    bench.clock.advance(DAY)
    bench.platform.plan["publish", 2] = "kill_before"
    with pytest.raises(Killed):
        bench.run(waiting)
    with pytest.raises(TryLaterError) as caught:
        bench.updates.create(plan)
    assert caught.value.code == "PUSH_UNDER_WAY"
    stored = bench.store.get(waiting.push_id)
    assert stored is not None
    assert stored.state is PushState.RUNNING


def test_new_content_while_the_platform_parses_is_too_early(bench: Bench):
    first = bench.run(bench.create())
    bench.segment("vip", seed="two")
    bench.run(bench.update(first), wait=False)
    bench.segment("vip", seed="three")
    with pytest.raises(TryLaterError) as caught:
        bench.update(first)
    assert caught.value.code == "PUSH_UNDER_WAY"


def test_of_two_updates_planned_at_once_the_second_is_too_early(bench: Bench):
    """Else the difference of one would be laid over the content of the other."""
    first = bench.run(bench.create())
    bench.segment("vip", seed="two")
    one, two = (bench.updates.plan(first, UpdateRequest(segment="vip")) for _ in range(2))
    made = bench.updates.create(one)
    with pytest.raises(TryLaterError) as caught:
        bench.updates.create(two)
    assert caught.value.code == "PUSH_UNDER_WAY"
    assert made.push_id in str(caught.value)
    assert bench.store.get(two.push.push_id) is None


def test_parsing_is_over_when_each_operation_is(bench: Bench):
    """A removal made twice, as its loss could not be seen, must not stand for the addition."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.segments.changes = Difference(added=5, removed=3, kept=0)
    shown = bench.platform.data_sources

    def without_paths(**call: object) -> list[RemoteDataSource]:
        return [
            replace(s, change_logs=tuple(replace(log, file_paths=()) for log in s.change_logs))
            for s in shown(**call)  # type: ignore[arg-type]
        ]

    bench.platform.data_sources = without_paths  # type: ignore[method-assign, assignment]
    bench.platform.plan["update", 1] = "drop_after"
    push = bench.run(bench.update(first, mode=Mode.MIRROR))
    assert push.state is PushState.SUCCEEDED
    assert actions(bench) == [0, 2, 2, 1]
    [source] = bench.platform.sources.values()
    assert bench.platform.publishes[-1] >= source.ready_at[-1], "published before it was parsed"


def test_a_change_by_another_tool_before_our_write_is_not_taken_for_ours(bench: Bench):
    """The first try was put off; meanwhile somebody else's change came and went."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.platform.plan["update", 1] = TryLaterError("UPDATE_QUOTA", msg("today's are used up"))
    push = bench.run(bench.update(first), wait=False)
    assert push.state is PushState.WAITING
    [source] = bench.platform.sources.values()
    bench.platform._change(source, 1, [])
    bench.clock.advance(DAY)
    push = bench.run(push)
    assert push.state is PushState.SUCCEEDED
    assert actions(bench) == [0, 1, 3]
    assert bench.platform.publishes[-1] >= source.ready_at[-1], "published before it was parsed"


def test_an_update_waits_for_a_change_that_is_under_way(bench: Bench):
    """Whoever made it: two at once would be parsed in an order that nobody knows."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    [source] = bench.platform.sources.values()
    bench.platform._change(source, 1, [])
    push = bench.run(bench.update(first))
    assert push.state is PushState.SUCCEEDED
    [call] = push.calls_of(StepName.UPDATE_DATA_SOURCE)
    assert call.intent_at >= source.ready_at[1]


def test_a_lost_update_is_not_found_in_the_change_of_another_tool(bench: Bench):
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.platform.plan["update", 1] = "drop_before"
    push = bench.run(bench.update(first), wait=False)
    [source] = bench.platform.sources.values()
    bench.platform._change(source, 1, ["theirs"])
    push = bench.run(push)
    assert push.state is PushState.SUCCEEDED
    assert actions(bench) == [0, 1, 3]


def test_a_push_without_a_data_source_cannot_be_updated(bench: Bench):
    push = bench.create()
    with pytest.raises(TryLaterError):
        bench.update(push)
    bench.tasks.cancel(push)
    with pytest.raises(GuardError):
        bench.update(bench.store.get(push.push_id))


@pytest.mark.parametrize("effect", ["kill_before", "drop_before", "drop_after", "kill_after"])
@pytest.mark.parametrize("call", ["update", "publish", "upload"])
def test_whatever_happens_to_an_update(bench: Bench, call: str, effect: str):
    """The content arrives, is published once more, and a lost update is found by its files."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    push = bench.update(first)
    bench.platform.plan[call, bench.platform.calls[call] + 1 if call != "update" else 1] = effect
    push = bench.survive(push)
    assert push.state is PushState.SUCCEEDED
    assert actions(bench) == [0, 3]
    assert len(bench.platform.publishes) == 2


def test_a_lost_publish_of_new_content_is_not_taken_for_the_old_one(bench: Bench):
    """The audience is AVAILABLE with its old content: that proves nothing about the new."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.platform.plan["publish", 2] = "drop_before"
    push = bench.run(bench.update(first))
    assert push.state is PushState.SUCCEEDED
    assert [c.state for c in push.calls_of(StepName.PUBLISH)] == [
        CallState.UNSHOWN,
        CallState.DONE,
    ]
    assert len(bench.platform.publishes) == 2


@pytest.mark.parametrize(
    ("added", "removed", "wanted"),
    [(5, 3, [2, 1]), (0, 4, [2]), (4, 0, [1]), (70, 40, [3]), (0, 0, [3])],
)
def test_mirror_sends_the_smaller_of_difference_and_whole(bench: Bench, added, removed, wanted):
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.segments.changes = Difference(added=added, removed=removed, kept=0)
    guards = GuardEntry(max_removed="100%")
    push = bench.run(bench.update(first, mode=Mode.MIRROR, guards=guards))
    assert push.state is PushState.SUCCEEDED
    assert actions(bench) == [0, *wanted]
    assert push.ids_total == 100
    assert bench.segments.sealed == ["vip", "vip-add", "vip-delete"]


def test_a_mirror_leaves_a_segment_of_a_person_alone(bench: Bench):
    """`vip-add` may be the name of somebody's segment: a difference must not become its content."""
    theirs = bench.segment("vip-add", source="campaign.csv")
    push = bench.run(bench.create())
    for seed in ("new", "newer"):
        bench.clock.advance(2 * DAY)
        bench.segment("vip", seed=seed)
        bench.segments.changes = Difference(added=5, removed=3, kept=0)
        push = bench.run(bench.update(push, mode=Mode.MIRROR))
        assert push.state is PushState.SUCCEEDED
    assert bench.segments.kept["vip-add"] == [theirs]
    assert len(bench.segments.kept["vip-add-2"]) == len(bench.segments.kept["vip-delete"]) == 2
    assert "vip-add" not in bench.segments.sealed


def test_what_is_not_sent_is_not_made(bench: Bench):
    """A mirror's difference is written when a push will send it: no dry run, no refused one."""
    first = bench.run(bench.create())
    bench.segment("vip", seed="new")
    bench.segments.changes = Difference(added=5, removed=40, kept=0)
    request = UpdateRequest(segment="vip", mode=Mode.MIRROR)
    with pytest.raises(GuardError):
        bench.updates.plan(first, request)
    passing = replace(request, passing=("max_removed",), dry_run=True)
    assert "5 ids are added" in str(bench.updates.plan(first, passing).note)
    assert bench.segments.combined == []
    assert bench.updates.plan(first, replace(passing, dry_run=False)).push.parts
    assert bench.segments.combined


def test_mirror_without_the_old_content_replaces_and_says_so(bench: Bench):
    first = bench.run(bench.create())
    bench.segment("vip", seed="new")
    bench.segments.erased = {1}
    plan = bench.updates.plan(first, UpdateRequest(segment="vip", mode=Mode.MIRROR))
    assert {part.operation for part in plan.push.parts} == {Operation.RESET}
    assert "not at hand" in str(plan.note)


@pytest.mark.parametrize(
    ("guards", "sizes", "name"),
    [
        ({}, Sizes.of_totals(100, 60), GuardName.MAX_REMOVED),
        ({"max_removed": "20"}, Sizes.of_totals(100, 79), GuardName.MAX_REMOVED),
        ({"max_growth": "200%"}, Sizes.of_totals(100, 301), GuardName.MAX_GROWTH),
        ({"min_ids": 50}, Sizes(after=49), GuardName.MIN_IDS),
        ({"max_ids": 50}, Sizes(after=51), GuardName.MAX_IDS),
    ],
)
def test_guards_refuse_and_may_be_let_pass_by_name(guards, sizes: Sizes, name: GuardName):
    with pytest.raises(GuardError) as caught:
        check_guards(GuardEntry(**guards), sizes)
    assert caught.value.code == f"GUARD_{name.upper()}"
    assert f"--allow {name.value}" in str(caught.value.hint)
    check_guards(GuardEntry(**guards), sizes, [name.value])


def test_all_guards_that_refuse_are_named_in_one_go():
    guards = GuardEntry(max_removed="10%", max_growth="20%", min_ids=200)
    sizes = Sizes(after=130, before=100, removed=40, added=70)

    with pytest.raises(GuardError) as caught:
        check_guards(guards, sizes)

    assert caught.value.code == "GUARD_MIN_IDS"
    said, hint = str(caught.value.message), str(caught.value.hint)
    reasons = ["130 ids, fewer than 200", "remove 40 %", "add 70 %"]
    assert [said.count(reason) for reason in reasons] == [1, 1, 1]
    line = "`--allow min_ids --allow max_removed --allow max_growth`"
    assert line in hint

    with pytest.raises(GuardError) as caught:
        check_guards(guards, sizes, ["min_ids", "max_growth"])
    assert caught.value.code == "GUARD_MAX_REMOVED"
    assert "fewer than" not in str(caught.value.message)
    assert line in str(caught.value.hint), "what passes now has to be named again"
    check_guards(guards, sizes, ["min_ids", "max_removed", "max_growth"])


@pytest.mark.parametrize(
    "sizes", [Sizes.of_totals(100, 70), Sizes.of_totals(None, 1), Sizes.of_totals(100, 10_000)]
)
def test_guards_let_ordinary_days_pass(sizes: Sizes):
    check_guards(GuardEntry(), sizes)


def test_as_many_other_people_are_a_mass_removal(bench: Bench):
    """A wrong list of the right length: the totals alone would not tell."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="others")
    bench.segments.changes = Difference(added=40, removed=40, kept=60)
    with pytest.raises(GuardError) as error:
        bench.update(first)
    assert error.value.code == "GUARD_MAX_REMOVED"
    assert "40 %" in str(error.value.message)

    bench.segments.erased = {1}
    assert bench.run(bench.update(first)).state is PushState.SUCCEEDED, (
        "the totals are all there is"
    )


def test_a_guard_stops_before_any_write(bench: Bench):
    first = bench.run(bench.create())
    before = dict(bench.platform.calls)
    bench.segment("vip", parts=1, seed="half")
    with pytest.raises(GuardError):
        bench.update(first)
    assert bench.platform.calls == before


@pytest.mark.parametrize(
    ("policy", "days", "copies"),
    [("first", 30, 1), ("each", 2, 2), ("weekly", 2, 1), ("weekly", 8, 2), ("manual", 30, 1)],
)
def test_the_copy_policy_says_when_a_brand_gets_a_new_snapshot(
    bench: Bench, policy, days: int, copies: int
):
    first = bench.run(bench.create())
    copied = first.brands[0].submitted_at
    bench.clock.advance(days * DAY)
    bench.segment("vip", seed="new")
    push = bench.run(bench.update(first, copy=policy))
    assert push.state is PushState.SUCCEEDED
    assert len(bench.platform.copies) == copies
    brand = push.brands[0]
    if copies == 1:
        assert (brand.state, brand.submitted_at) == (BrandState.NOT_DUE, copied)


def test_a_second_copy_whose_reply_is_lost_is_told_from_the_first(bench: Bench):
    """One copy under the brand is the old one; only one more proves the new."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.platform.plan["copy", 2] = "drop_before"
    push = bench.run(bench.update(first, copy="each"))
    assert push.state is PushState.NEEDS_OPERATOR


def test_a_copy_that_a_person_saw_is_not_found_in_the_place_of_a_later_one(bench: Bench):
    """The brand shows it by then; the one that was lost since is not there."""
    bench.platform.copies_readable = False
    bench.platform.plan["copy", 1] = "drop_after"
    push = bench.run(bench.create())
    assert push.state is PushState.NEEDS_OPERATOR
    first = bench.copies.copy(push, "某品牌", CopyDecision.DONE)
    assert first.state is PushState.SUCCEEDED
    bench.platform.copies_readable = True
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.platform.plan["copy", 2] = "drop_before"
    push = bench.run(bench.update(first, copy="each"))
    assert len(bench.platform.copies) == 1
    assert push.state is PushState.NEEDS_OPERATOR


ENTRY = PushEntry(
    name="高价值会员",
    segment=SegmentEntry(name="vip", ids={"MOBILE_HASH_SHA256": "mobile"}, csv=("vip.csv",)),
    brands=("某品牌",),
)


def test_an_entry_creates_first_and_updates_ever_after(bench: Bench):
    """A month of runs: one data source, one audience, one publish a day."""
    entries = bench.entries(vip_daily=ENTRY)
    first = bench.run(entries.prepare("vip_daily").push)
    assert (first.mode, first.state, first.entry) == (Mode.CREATE, PushState.SUCCEEDED, "vip_daily")
    for day in range(30):
        bench.clock.advance(DAY)
        bench.segment("vip", seed=f"day {day}")
        prepared = entries.prepare("vip_daily")
        assert prepared.new
        assert bench.run(prepared.push).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1
    assert len(bench.platform.publishes) == 31
    assert bench.platform.copies == [(first.custom_audience_id, BRANDS[0].virtual_adv_id)]


def test_an_entry_whose_content_is_the_same_does_nothing(bench: Bench):
    entries = bench.entries(vip_daily=ENTRY)
    first = bench.run(entries.prepare("vip_daily").push)
    again = entries.prepare("vip_daily")
    assert (again.new, again.push.push_id) == (False, first.push_id)


def test_an_entry_whose_first_push_is_not_done_goes_on_with_it(bench: Bench):
    entries = bench.entries(vip_daily=ENTRY)
    bench.platform.plan["create", 1] = "kill_before"
    begun = entries.prepare("vip_daily").push
    with pytest.raises(Killed):
        bench.run(begun)
    again = entries.prepare("vip_daily")
    assert (again.new, again.push.push_id) == (False, begun.push_id)
    assert bench.run(again.push).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1


def test_an_entry_whose_first_push_needs_a_person_makes_no_second_one(bench: Bench):
    bench.platform.plan["create", 1] = bench.platform.plan["create", 2] = "drop_before"
    entries = bench.entries(vip_daily=ENTRY)
    begun = bench.run(entries.prepare("vip_daily").push)
    assert begun.state is PushState.NEEDS_OPERATOR
    again = entries.prepare("vip_daily")
    assert (again.new, again.push.push_id) == (False, begun.push_id)


def test_guards_look_at_an_entrys_first_push_too(bench: Bench):
    entries = bench.entries(vip_daily=replace(ENTRY, guards=GuardEntry(min_ids=1000)))
    with pytest.raises(GuardError) as caught:
        entries.prepare("vip_daily")
    assert caught.value.code == "GUARD_MIN_IDS"
    assert bench.tasks.list() == []
    assert entries.prepare("vip_daily", passing=("min_ids",)).new


def test_an_entry_gains_a_brand(bench: Bench):
    """The config was edited: the new brand gets its first copy with the next content."""
    from dataclasses import replace

    bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    wider = replace(ENTRY, brands=("某品牌", "别品牌"), targets=("77",))
    push = bench.run(bench.entries(vip_daily=wider).prepare("vip_daily").push)
    assert [b.state for b in push.brands] == [BrandState.NOT_DUE, BrandState.SUBMITTED]
    [audience] = bench.platform.made_audiences.values()
    assert audience.pushed_to == {OWNER, 77}


@pytest.mark.parametrize(
    "more", [{"brands": ("某品牌", "别品牌")}, {"targets": ("77",)}], ids=["brand", "target"]
)
def test_an_entry_gains_a_place_though_its_content_is_the_same(bench: Bench, more: dict):
    """The config was edited: what is new gets the audience without waiting for other content."""
    first = bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    bench.clock.advance(2 * DAY)
    entries = bench.entries(vip_daily=replace(ENTRY, **more))
    push = bench.run(entries.prepare("vip_daily").push)
    assert push.state is PushState.SUCCEEDED
    assert push.custom_audience_id == first.custom_audience_id
    [audience] = bench.platform.made_audiences.values()
    assert len(bench.platform.copies) == len(push.brands)
    assert audience.pushed_to == {t.advertiser_id for t in push.targets}

    again = entries.prepare("vip_daily")
    assert (again.push.push_id, again.new) == (push.push_id, False)


def test_a_place_that_refused_is_left_to_a_resume(bench: Bench):
    """The entry runs daily: a brand that is never bound must not have the content sent anew."""
    bench.platform.unbound = {BRANDS[1].virtual_adv_id}
    wider = replace(ENTRY, brands=("某品牌", "别品牌"))
    push = bench.run(bench.entries(vip_daily=wider).prepare("vip_daily").push)
    assert push.state is PushState.PARTIAL
    again = bench.entries(vip_daily=wider).prepare("vip_daily")
    assert (again.push.push_id, again.new) == (push.push_id, False)


def test_a_brand_without_a_copy_gets_none_while_copies_are_made_by_hand(bench: Bench):
    by_hand = replace(ENTRY, copy="manual")
    first = bench.run(bench.entries(vip_daily=by_hand).prepare("vip_daily").push)
    assert first.state is PushState.SUCCEEDED
    assert bench.platform.copies == []
    wider = replace(by_hand, brands=("某品牌", "别品牌"))
    again = bench.entries(vip_daily=wider).prepare("vip_daily")
    assert (again.push.push_id, again.new) == (first.push_id, False)


@pytest.mark.parametrize(
    "edited", [{"account": "1700000000000099"}, {"channel": "other"}], ids=["account", "channel"]
)
def test_an_entry_that_names_another_account_is_refused(bench: Bench, edited: dict):
    """Its audience stays with the account that made it; nothing may go there unnoticed."""
    bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    with pytest.raises(GuardError) as error:
        bench.entries(vip_daily=replace(ENTRY, **edited)).prepare("vip_daily")
    assert error.value.code == "ENTRY_MOVED"
    assert "vip_daily_2" in str(error.value.hint)
    same = replace(ENTRY, channel="acme", account=str(OWNER))
    assert bench.entries(vip_daily=same).prepare("vip_daily").new


def test_the_id_types_of_an_entry_are_those_that_it_names_now(bench: Bench):
    """All by default: also one that its segment has only now."""
    bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    bench.clock.advance(2 * DAY)
    made = bench.segment("vip", seed="new")
    more = replace(made.parts[0], id_type=IdType.OAID_MD5)
    counts = {**made.by_type, IdType.OAID_MD5: TypeCounts(values=50, ids=50)}
    both = replace(made, by_type=counts, parts=(*made.parts, more), ids_total=150)
    bench.segments.kept["vip"][-1] = both

    push = bench.run(bench.entries(vip_daily=ENTRY).prepare("vip_daily").push)
    assert push.id_types == (IdType.MOBILE_HASH_SHA256, IdType.OAID_MD5)

    bench.clock.advance(2 * DAY)
    chosen = replace(ENTRY, id_types=("OAID_MD5",), guards=GuardEntry(max_removed="100%"))
    push = bench.run(bench.entries(vip_daily=chosen).prepare("vip_daily").push)
    assert (push.state, push.id_types) == (PushState.SUCCEEDED, (IdType.OAID_MD5,))

    with pytest.raises(ConfigError):
        bench.entries(vip_daily=replace(ENTRY, id_types=("IMEI",))).prepare("vip_daily")


def test_the_first_run_of_an_entry_counts_the_ids_that_it_sends(bench: Bench):
    """As the later ones do: ids of a type that is not pushed say nothing of the audience's size."""
    made = bench.segment("vip", seed="new")
    counts = {**made.by_type, IdType.OAID_MD5: TypeCounts(values=50, ids=50)}
    more = replace(made.parts[0], id_type=IdType.OAID_MD5)
    both = replace(made, by_type=counts, parts=(*made.parts, more), ids_total=150)
    bench.segments.kept["vip"][-1] = both
    chosen = replace(ENTRY, id_types=("OAID_MD5",), guards=GuardEntry(min_ids=100))
    with pytest.raises(GuardError) as error:
        bench.entries(vip_daily=chosen).prepare("vip_daily")
    assert error.value.code == "GUARD_MIN_IDS"


def test_a_fixed_time_of_day_keeps_the_window_from_creeping(bench: Bench):
    """Publishes happen at 03:30 in Beijing, each day, however long parsing takes."""
    from dataclasses import replace

    entries = bench.entries(vip_daily=replace(ENTRY, publish_at="03:30"))
    for day in range(4):
        bench.platform.parse_seconds = 600 + 700 * day
        bench.segment("vip", seed=f"day {day}")
        push = bench.run(entries.prepare("vip_daily").push)
        assert push.state is PushState.SUCCEEDED
        bench.clock.advance(3 * 3600)
    local = [at + timedelta(hours=8) for at in bench.platform.publishes]
    assert {at.hour for at in local} == {3}
    assert {at.minute for at in local} == {30}


def parse_fails(bench: Bench) -> None:
    """From now on the platform says of the newest change that it could not be parsed."""
    [source] = bench.platform.sources.values()
    source.fails.add(len(source.logs))


def test_content_that_was_not_parsed_is_not_what_a_difference_starts_from(bench: Bench):
    """The failed update may have changed anything: the next one brings the whole."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="two")
    parse_fails(bench)
    failed = bench.run(bench.update(first))
    assert (failed.state, failed.step) == (PushState.FAILED, StepName.PARSE)

    bench.segments.changes = Difference(added=1, removed=1, kept=98)
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="three")
    push = bench.run(bench.update(first, mode=Mode.MIRROR))
    assert push.state is PushState.SUCCEEDED
    assert actions(bench)[-1] == 3
    assert push.follows == first.push_id


def test_an_entry_whose_first_content_could_not_be_parsed_begins_anew(bench: Bench):
    """The platform updates no data source that never came to be."""
    entries = bench.entries(vip_daily=ENTRY)
    first = bench.run(entries.prepare("vip_daily").push, wait=False)
    [source] = bench.platform.sources.values()
    source.fails.add(0)
    first = bench.run(first)
    assert (first.state, first.step) == (PushState.FAILED, StepName.PARSE)
    assert "next run of vip_daily" in str(next_action(first))
    with pytest.raises(GuardError) as error:
        bench.update(first)
    assert error.value.code == "NO_DATA_SOURCE"

    bench.segment("vip", seed="mended")
    push = bench.run(entries.prepare("vip_daily").push)

    assert (push.state, push.mode) == (PushState.SUCCEEDED, Mode.CREATE)
    assert push.data_source_id != first.data_source_id
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    later = bench.run(entries.prepare("vip_daily").push)
    assert later.data_source_id == push.data_source_id


def test_content_that_was_not_parsed_is_sent_again_though_it_is_the_same(bench: Bench):
    entries = bench.entries(vip_daily=ENTRY)
    bench.run(entries.prepare("vip_daily").push)
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="two")
    parse_fails(bench)
    assert bench.run(entries.prepare("vip_daily").push).state is PushState.FAILED
    again = entries.prepare("vip_daily")
    assert again.new
    assert bench.run(again.push).state is PushState.SUCCEEDED


@pytest.mark.parametrize("how", ["cancelled", "superseded"])
def test_content_of_a_push_that_was_given_up_is_brought_again(bench: Bench, how: str):
    """It was never published: "nothing to do" would leave yesterday's audience for ever."""
    entries = bench.entries(vip_daily=ENTRY)
    bench.run(entries.prepare("vip_daily").push)
    bench.segment("vip", seed="two")
    waiting = bench.run(entries.prepare("vip_daily").push, wait=False)
    while waiting.state is PushState.RUNNING:
        bench.clock.advance(600)
        waiting = bench.run(waiting, wait=False)
    if how == "cancelled":
        bench.tasks.cancel(waiting)
    else:
        bench.segment("vip", seed="three")
        later = entries.prepare("vip_daily").push
        bench.tasks.cancel(later)
        bench.segment("vip", seed="two")
        bench.segments.kept["vip"][-1] = bench.segments.kept["vip"][1]
    again = entries.prepare("vip_daily")
    assert again.new
    assert bench.run(again.push).state is PushState.SUCCEEDED
    assert len(bench.platform.publishes) == 2


def test_an_entry_whose_parsing_could_not_be_looked_at_makes_no_second_audience(bench: Bench):
    """The look was refused, not the content: the data source is as good as before."""
    entries = bench.entries(vip_daily=ENTRY)
    first = bench.run(entries.prepare("vip_daily").push, wait=False)
    bench.platform.plan["data_sources", 0] = RefusedError("PLATFORM_REFUSED", msg("no"))
    bench.clock.advance(600)
    first = bench.run(first)
    assert (first.state, first.step) == (PushState.FAILED, StepName.PARSE)
    bench.platform.plan.clear()
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")

    push = bench.run(entries.prepare("vip_daily").push)

    assert (push.state, push.data_source_id) == (PushState.SUCCEEDED, first.data_source_id)
    assert len(bench.platform.sources) == 1


@pytest.mark.parametrize("mode", [Mode.RESET, Mode.MIRROR])
def test_nothing_is_read_where_the_fingerprint_says_that_nothing_changed(bench: Bench, mode: Mode):
    """Most runs of a schedule: reading millions of ids twice would only find the same."""
    first = bench.run(bench.create())

    def diff(*_: object) -> None:
        raise AssertionError("the segment was read")

    bench.segments.diff = diff  # type: ignore[method-assign, assignment]
    plan = bench.updates.plan(first, UpdateRequest(segment="vip", mode=mode))
    assert plan.same == first


def test_a_version_that_was_built_in_another_home_is_no_start_of_a_difference(bench: Bench):
    """After a move versions are counted anew: this home's second one was never pushed."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segments.kept["vip"].clear()
    bench.segment("vip", seed="another home's first")
    bench.segment("vip", seed="new")
    bench.segments.changes = Difference(added=1, removed=1, kept=98)

    push = bench.run(bench.update(first, mode=Mode.MIRROR))

    assert push.state is PushState.SUCCEEDED
    assert actions(bench)[-1] == 3


@pytest.mark.parametrize("mode", [Mode.APPEND, Mode.REMOVE])
def test_the_same_list_added_or_removed_again_is_nothing_to_do(bench: Bench, mode: Mode):
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    guards = GuardEntry(max_removed="100%")
    push = bench.run(bench.update(first, mode=mode, guards=guards))
    plan = bench.updates.plan(push, UpdateRequest(segment="vip", mode=mode, guards=guards))
    assert plan.same == push


def test_guards_know_the_size_after_lists_were_added(bench: Bench):
    """Two appends of a hundred leave at least a hundred: a reset to ten is a mass removal."""
    first = bench.run(bench.create())
    for seed in ("two", "three"):
        bench.clock.advance(2 * DAY)
        bench.segment("vip", seed=seed)
        bench.run(bench.update(first, mode=Mode.APPEND))
    bench.clock.advance(2 * DAY)
    bench.segment("vip", parts=1, seed="half")
    with pytest.raises(GuardError) as caught:
        bench.update(first, mode=Mode.RESET)
    assert caught.value.code == "GUARD_MAX_REMOVED"


def test_guards_know_the_size_after_lists_were_added_or_removed(bench: Bench):
    """Two hundred added to a hundred, then a hundred removed: at least a hundred, at most that."""
    first = bench.run(bench.create())

    def update(parts: int, mode: Mode, **guards: str) -> None:
        bench.clock.advance(2 * DAY)
        bench.segment("vip", parts=parts, seed=f"{parts} {mode} {guards}")
        bench.run(bench.update(first, mode=mode, guards=GuardEntry(**guards)))

    update(4, Mode.APPEND)
    with pytest.raises(GuardError) as caught:
        update(2, Mode.RESET)
    assert caught.value.code == "GUARD_MAX_REMOVED", "of 200"
    update(3, Mode.REMOVE, max_removed="100%")
    with pytest.raises(GuardError) as caught:
        update(2, Mode.RESET, max_growth="60%")
    assert caught.value.code == "GUARD_MAX_GROWTH", "of 50"


def test_content_that_may_have_been_changed_since_is_brought_again(bench: Bench):
    """What was pushed last is the same, but a later write failed half-way."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="two")
    parse_fails(bench)
    assert bench.run(bench.update(first)).state is PushState.FAILED
    bench.segments.kept["vip"].append(bench.segments.kept["vip"][0])
    plan = bench.updates.plan(first, UpdateRequest(segment="vip"))
    assert plan.push.fingerprint == first.fingerprint
    assert plan.same is None


def test_a_partly_refused_push_gives_way_to_new_content(bench: Bench):
    """The brand that failed is tried again by the newer push, and never with the older content."""
    bench.platform.unbound = {BRANDS[1].virtual_adv_id}
    first = bench.run(bench.create(brands=("某品牌", "别品牌")))
    assert first.state is PushState.PARTIAL
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    bench.platform.unbound = set()
    push = bench.run(bench.update(first))
    old = bench.store.get(first.push_id)
    assert old is not None
    assert (old.state, push.state) == (PushState.SUPERSEDED, PushState.SUCCEEDED)
    assert [b.state for b in push.brands] == [BrandState.NOT_DUE, BrandState.SUBMITTED]
    assert bench.runner().run_due() == []


def test_a_failed_push_that_was_overtaken_is_not_laid_over_the_newer_content(bench: Bench):
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="two")
    bench.platform.plan["update", 1] = RefusedError("PLATFORM_REFUSED", msg("no"))
    failed = bench.run(bench.update(first))
    assert failed.state is PushState.FAILED
    bench.segment("vip", seed="three")
    assert bench.run(bench.update(first)).state is PushState.SUCCEEDED
    with pytest.raises(GuardError) as caught:
        bench.run(failed)
    assert caught.value.code == "PUSH_OVERTAKEN"
    assert actions(bench) == [0, 3]


def test_a_failed_push_that_was_overtaken_makes_no_second_copy(bench: Bench):
    """The newer push tried its brand again, and had it copied."""
    brand = BRANDS[0].virtual_adv_id
    bench.platform.unbound = {brand}
    failed = bench.run(bench.create())
    assert (failed.state, failed.step) == (PushState.FAILED, StepName.COPY)
    bench.platform.unbound = set()
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    newer = bench.update(failed)
    for _ in ("under way", "at its end"):
        with pytest.raises(GuardError) as caught:
            bench.run(failed)
        assert caught.value.code == "PUSH_OVERTAKEN"
        assert newer.push_id in str(caught.value)
        newer = bench.run(newer)
    assert newer.state is PushState.SUCCEEDED
    assert [virtual for _, virtual in bench.platform.copies] == [brand]


def test_a_failed_push_goes_on_when_the_newer_one_was_given_up(bench: Bench):
    bench.platform.unbound = {BRANDS[0].virtual_adv_id}
    failed = bench.run(bench.create())
    bench.platform.unbound = set()
    bench.segment("vip", seed="new")
    bench.tasks.cancel(bench.update(failed))
    assert bench.run(failed).state is PushState.SUCCEEDED


def test_what_a_person_decides_late_is_not_tried_beside_a_newer_push(bench: Bench):
    """One brand needed a person, the other failed; by the decision a newer push has both."""
    bench.platform.copies_readable = False
    bench.platform.unbound = {BRANDS[1].virtual_adv_id}
    bench.platform.plan["copy", 1] = "drop_after"
    asked = bench.run(bench.create(brands=("某品牌", "别品牌")))
    assert asked.state is PushState.NEEDS_OPERATOR
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    newer = bench.update(asked)
    decided = bench.copies.copy(asked, "某品牌", CopyDecision.DONE)
    assert decided.state is PushState.PARTIAL
    bench.platform.unbound = set()
    bench.clock.advance(3600)
    bench.runner().run_due(Patience(wait=True, timeout=3 * DAY))
    made = bench.store.get(newer.push_id)
    assert made is not None
    assert made.state is PushState.SUCCEEDED
    copies = [virtual for _, virtual in bench.platform.copies]
    assert copies.count(BRANDS[1].virtual_adv_id) == 1


def test_weekly_means_every_seven_days_though_runs_begin_before_the_last_copys_hour(bench: Bench):
    first = bench.run(bench.create())
    copied = first.brands[0].submitted_at
    assert copied is not None
    bench.clock.advance(7 * DAY - 3 * 3600)
    assert bench.clock.now() - copied < timedelta(days=7)
    bench.segment("vip", seed="new")
    bench.run(bench.update(first, copy="weekly"))
    assert len(bench.platform.copies) == 2


def test_copies_are_listed_with_date_and_lineage_the_old_ones_apart(bench: Bench):
    first = bench.run(bench.create())
    bench.clock.advance(2 * DAY)
    bench.segment("vip", seed="new")
    push = bench.run(bench.update(first, copy="each"))
    newest, older = bench.tasks.copies(push)
    assert (newest.push.push_id, newest.current) == (push.push_id, True)
    assert (older.push.push_id, older.current) == (first.push_id, False)
    assert newest.at - older.at > timedelta(days=1)
    assert bench.tasks.copies(first) == [newest, older], "any push of the audience shows them all"


def by_cron(bench: Bench, entries, days: int) -> None:
    """Each day a run at 02:30 in Beijing, and every ten minutes one of everything."""
    begin = next_time_of_day(bench.clock.now(), time(2, 30))
    bench.clock.advance((begin - bench.clock.now()).total_seconds())
    for day in range(days):
        bench.segment("vip", seed=f"day {day}")
        bench.run(entries.prepare("vip_daily").push, wait=False)
        ended = bench.clock.now() + timedelta(days=1)
        while (left := (ended - bench.clock.now()).total_seconds()) > 0:
            tick = 600 - (bench.clock.now().minute * 60 + bench.clock.now().second) % 600
            bench.clock.advance(min(left, tick))
            if bench.clock.now() < ended:
                bench.runner().run_due()


def local_times(bench: Bench) -> list[str]:
    return [f"{at + timedelta(hours=8):%d %H:%M}" for at in bench.platform.publishes]


@pytest.mark.parametrize("publish_at", ["03:30", None])
def test_parsing_past_the_fixed_time_does_not_keep_anything_from_being_published(
    bench: Bench, publish_at: str | None
):
    """The next day's run would take its place: each day is published, as soon as it can be."""
    from dataclasses import replace

    bench.platform.parse_seconds = 90 * 60
    by_cron(bench, bench.entries(vip_daily=replace(ENTRY, publish_at=publish_at)), days=5)
    times = local_times(bench)
    assert len(times) == 5
    assert {each.split()[1][:4] for each in times} == {"04:0"}


def test_new_content_every_hour_is_published_every_day(bench: Bench):
    """Newer runs replace older ones that wait, yet never so that nothing is published."""
    from dataclasses import replace

    entries = bench.entries(vip_daily=replace(ENTRY, publish_at="03:30"))
    bench.platform.parse_seconds = 45 * 60
    for hour in range(50):
        bench.segment("vip", seed=f"hour {hour}")
        with contextlib.suppress(TryLaterError):
            bench.run(entries.prepare("vip_daily").push, wait=False)
        for _ in range(6):
            bench.clock.advance(600)
            bench.runner().run_due()
    assert len(bench.platform.publishes) >= 2


def test_a_daily_publish_by_cron_does_not_creep(bench: Bench):
    """A week at the same ten minutes: the moment that the window needs is sat out."""
    from dataclasses import replace

    by_cron(bench, bench.entries(vip_daily=replace(ENTRY, publish_at="04:00")), days=8)
    times = local_times(bench)
    assert len(times) == 8
    assert {each.split()[1][:4] for each in times} == {"04:0"}


def test_after_an_outage_one_day_is_left_out_to_come_back_to_the_fixed_time(bench: Bench):
    from dataclasses import replace

    entries = bench.entries(vip_daily=replace(ENTRY, publish_at="04:00"))
    by_cron(bench, entries, days=1)
    bench.platform.parse_seconds = 10 * 3600
    by_cron(bench, entries, days=1)
    bench.platform.parse_seconds = 1800
    by_cron(bench, entries, days=4)
    hours = [each.split()[1][:2] for each in local_times(bench)]
    assert hours == ["04", "12", "04", "04", "04"], "six days, five publishes"
