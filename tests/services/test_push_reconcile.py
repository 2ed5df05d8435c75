"""A lost reply is looked for before anything is repeated."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from support.push import OWNER, START, Bench, memory_folder
from yuntu_push.domain.errors import (
    GuardError,
    LoginError,
    RefusedError,
    ThrottledError,
    TryLaterError,
)
from yuntu_push.domain.push import CallState, PushState, StepName
from yuntu_push.domain.quota import QuotaKind
from yuntu_push.domain.text import msg
from yuntu_push.services.push.ending import ending


@pytest.fixture
def bench() -> Iterator[Bench]:
    with memory_folder() as folder:
        yield Bench(folder)


@pytest.mark.parametrize("lag", [0, 60, 300, 1500])
@pytest.mark.parametrize("waiting", [True, False], ids=["one process", "many processes"])
def test_a_create_without_a_reply_is_found_by_its_name(bench: Bench, lag: float, waiting: bool):
    """The list shows it only once parsed, and late; it is looked for until then."""
    bench.platform.list_lag = lag
    bench.platform.plan["create", 1] = "drop_after"
    push = bench.create()
    for _ in range(200):
        push = bench.run(push, wait=waiting)
        if not push.is_working:
            break
        bench.clock.advance(60)
    assert push.state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1
    assert bench.quota.usage(QuotaKind.CREATE, str(OWNER), START).used == 1


def test_a_create_that_never_arrived_is_made_once_more_after_the_wait(bench: Bench):
    """Not before `push.reconcile_wait` since the intent, and only once."""
    bench.platform.plan["create", 1] = "drop_before"
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    first, second = push.calls_of(StepName.CREATE_DATA_SOURCE)
    assert (first.state, second.state) == (CallState.ABSENT, CallState.DONE)
    waited = second.intent_at - first.intent_at
    assert timedelta(minutes=90) <= waited < timedelta(minutes=91)
    assert bench.quota.usage(QuotaKind.CREATE, str(OWNER), START).used == 1


def test_two_creates_without_a_reply_ask_a_person(bench: Bench):
    bench.platform.plan["create", 1] = "drop_before"
    bench.platform.plan["create", 2] = "drop_before"
    push = bench.run(bench.create())
    assert push.state is PushState.NEEDS_OPERATOR
    error = ending(push)
    assert isinstance(error, GuardError)
    assert error.code == "CREATE_UNKNOWN"
    assert push.audience_name in str(error)
    assert bench.runner().run_due() == []
    assert bench.platform.calls["create"] == 2
    # The person looked and resumes: once more, and no second time behind the person's back.
    bench.platform.plan["create", 3] = "drop_before"
    push = bench.run(push)
    assert (push.state, bench.platform.calls["create"]) == (PushState.NEEDS_OPERATOR, 3)
    assert bench.run(push).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1


def test_a_person_who_resumes_gets_a_late_find_adopted(bench: Bench):
    """The resume looks first: what appeared meanwhile is taken, nothing is created."""
    bench.platform.plan["create", 1] = "drop_before"
    bench.platform.plan["create", 2] = "drop_after"
    bench.platform.parse_seconds = 6 * 3600
    push = bench.run(bench.create())
    assert push.state is PushState.NEEDS_OPERATOR
    bench.clock.advance(6 * 3600)
    assert bench.run(push).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1


def test_two_finds_stop_and_say_what_to_look_at(bench: Bench):
    bench.platform.plan["create", 1] = "drop_after"
    push = bench.run(bench.create(), wait=False)
    [source] = bench.platform.sources.values()
    path = next(iter(bench.platform.files))
    other = bench.platform.create_data_source(
        advertiser_id=OWNER, name=source.name, description="", file_paths=[path], source_type="UID"
    )
    bench.clock.advance(3600)
    push = bench.run(push)
    assert push.state is PushState.NEEDS_OPERATOR
    error = ending(push)
    assert error is not None
    assert error.code == "DATA_SOURCE_TWICE"
    assert source.ident in str(error)
    assert other in str(error)

    del bench.platform.sources[other]  # a person deleted one
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_name_that_is_taken_after_a_lost_create_is_ours(bench: Bench):
    """The platform may refuse doubles: then the lost one was carried out, and shows up."""
    bench.platform.list_lag = 2 * 3600
    bench.platform.plan["create", 1] = "drop_after"
    bench.platform.plan["create", 2] = RefusedError("NAME_TAKEN", msg("name exists"))
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == 1


def test_a_publish_without_a_reply_is_watched_then_made_once_more(bench: Bench):
    bench.platform.plan["publish", 1] = "drop_before"
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    first, second = push.calls_of(StepName.PUBLISH)
    assert second.intent_at - first.intent_at >= timedelta(minutes=5)
    assert len(bench.platform.publishes) == 1


def test_publishes_without_a_reply_are_repeated_until_one_is_answered(bench: Bench):
    """An outage that outlasts two of them must not cost a day: the platform takes one at most."""
    for number in range(1, 5):
        bench.platform.plan["publish", number] = "drop_before"
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    calls = push.calls_of(StepName.PUBLISH)
    assert [call.state for call in calls] == [CallState.UNSHOWN] * 4 + [CallState.DONE]
    assert calls[-1].intent_at - calls[0].intent_at < timedelta(hours=1)
    subject = str(push.custom_audience_id)
    assert bench.quota.usage(QuotaKind.PUBLISH, subject, bench.clock.now()).used == 1
    assert len(bench.platform.publishes) == 1


def test_a_refusal_after_an_unknown_publish_is_no_failure(bench: Bench):
    """It took the day's place: the push goes on watching until it shows."""
    bench.platform.plan["publish", 1] = "drop_after"
    bench.platform.publish_seconds = 520
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    assert [c.state for c in push.calls_of(StepName.PUBLISH)] == [
        CallState.UNSHOWN,
        CallState.REFUSED,
    ]
    assert len(bench.platform.publishes) == 1


def test_a_publish_that_never_shows_waits_for_the_window(bench: Bench):
    bench.platform.plan["publish", 1] = "drop_before"
    bench.platform.plan["publish", 2] = TryLaterError("PUBLISH_WINDOW", msg("within 24 hours"))
    push = bench.create()
    push = bench.run(push, wait=False)
    while push.state is not PushState.WAITING:
        bench.clock.advance(120)
        push = bench.run(push, wait=False)
    first = push.calls_of(StepName.PUBLISH)[0]
    assert push.next_at == first.intent_at + timedelta(hours=24)
    assert bench.run(push).state is PushState.SUCCEEDED
    assert len(bench.platform.publishes) == 1


@pytest.mark.parametrize(("setting", "copies"), [("again", 2), ("done", 1)])
def test_a_setting_may_decide_about_unknown_copies(setting: str, copies: int):
    from yuntu_push.domain.settings import PushSettings

    with memory_folder() as folder:
        bench = Bench(folder, PushSettings(copy_unknown=setting))  # type: ignore[arg-type]
        bench.platform.copies_readable = False
        bench.platform.plan["copy", 1] = "drop_after"
        assert bench.run(bench.create()).state is PushState.SUCCEEDED
        assert len(bench.platform.copies) == copies


@pytest.mark.parametrize("minutes", [0, 20, 80])
def test_a_lost_copy_is_looked_for_until_the_platform_has_made_it(bench: Bench, minutes: int):
    """A copy shows once it is made: nobody is asked about one that only takes its time."""
    bench.platform.copy_seconds = minutes * 60
    bench.platform.plan["copy", 1] = "drop_after"
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    assert len(bench.platform.copies) == 1
    assert {call.state for call in push.calls if call.step == "copy"} == {CallState.FOUND}


@pytest.mark.parametrize(("earlier", "asked_after"), [(0, 90 * 60), (1, 5 * 60)])
def test_a_person_is_asked_soon_where_a_brand_shows_no_copies(
    bench: Bench, earlier: int, asked_after: float
):
    """One that hides the copy made before will not show this one either."""
    push = bench.run(bench.create()) if earlier else bench.create()
    if earlier:
        bench.clock.advance(2 * 86_400)
        bench.segment("vip", seed="new")
        push = bench.update(push, copy="each")
    bench.platform.copies_readable = False
    bench.platform.plan["copy", earlier + 1] = "drop_before"
    push = bench.run(push)
    assert push.state is PushState.NEEDS_OPERATOR
    [lost] = [call for call in push.calls if call.step == "copy"]
    waited = (bench.clock.now() - lost.intent_at).total_seconds()
    assert asked_after <= waited <= asked_after + 300


def test_a_second_process_adopts_what_the_first_left(bench: Bench):
    """The upload's path, the data source, the audience: nothing is done again."""
    push = bench.create()
    for _ in range(40):
        push = bench.run(push, wait=False)
        if not push.is_working:
            break
        bench.clock.advance(300)
    assert push.state is PushState.SUCCEEDED
    assert bench.platform.calls["upload"] == 2
    assert bench.platform.calls["create"] == bench.platform.calls["publish"] == 1


def put_off() -> list[BaseException | str]:
    """Answers that say nothing about an earlier write of the same kind."""
    return [
        ThrottledError("PLATFORM_THROTTLED", msg("slow"), retry_in=5),
        TryLaterError("SECRETS_LOCKED", msg("the keyring is locked")),
        "unreachable",
    ]


@pytest.mark.parametrize("answer", put_off(), ids=["throttled", "locked", "unreachable"])
def test_what_only_puts_the_second_publish_off_does_not_prove_the_lost_one(bench: Bench, answer):
    """The audience is AVAILABLE with its old content, so a wrong proof would end the push."""
    first = bench.run(bench.create())
    bench.clock.advance(2 * 86_400)
    bench.segment("vip", seed="new")
    bench.platform.plan["publish", 2] = "drop_before"
    bench.platform.plan["publish", 3] = answer
    push = bench.run(bench.update(first))
    assert push.state is PushState.SUCCEEDED
    calls = push.calls_of(StepName.PUBLISH)
    assert (calls[0].state, calls[-1].state) == (CallState.UNSHOWN, CallState.DONE)
    assert calls[-1].intent_at - calls[0].intent_at < timedelta(hours=1), "not a day later"
    assert len(bench.platform.publishes) == 2
    subject = str(push.custom_audience_id)
    assert bench.quota.usage(QuotaKind.PUBLISH, subject, bench.clock.now()).used == 1


@pytest.mark.parametrize("answer", put_off(), ids=["throttled", "locked", "unreachable"])
def test_what_only_puts_the_second_create_off_asks_nobody(bench: Bench, answer):
    bench.platform.plan["create", 1] = "drop_before"
    bench.platform.plan["create", 2] = answer
    push = bench.run(bench.create())
    assert push.state is PushState.SUCCEEDED
    first, *_, last = push.calls_of(StepName.CREATE_DATA_SOURCE)
    assert last.intent_at - first.intent_at < timedelta(hours=2)
    assert len(bench.platform.sources) == 1


def test_a_right_that_is_missing_does_not_prove_a_lost_publish(bench: Bench):
    first = bench.run(bench.create())
    bench.clock.advance(2 * 86_400)
    bench.segment("vip", seed="new")
    bench.platform.plan["publish", 2] = "drop_before"
    bench.platform.plan["publish", 3] = LoginError("AUTH_RIGHT_MISSING", msg("no right"))
    push = bench.run(bench.update(first))
    assert (push.state, push.step) == (PushState.WAITING, StepName.PUBLISH)
    assert bench.run(push).state is PushState.SUCCEEDED
    assert len(bench.platform.publishes) == 2
