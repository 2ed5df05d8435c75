"""Quotas, windows, outages, logins: a push waits, says until when, and loses nothing."""

import contextlib
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from support.push import OWNER, Bench, FakeClock, memory_folder
from yuntu_push.domain.errors import (
    ConfigError,
    GuardError,
    LoginError,
    RefusedError,
    StillRunningError,
    ThrottledError,
    TryLaterError,
    UnreachableError,
)
from yuntu_push.domain.push import BrandState, CallState, Push, PushState, StepName
from yuntu_push.domain.push_record import PushFilter
from yuntu_push.domain.quota import PUBLISH_MARGIN, PUBLISH_WINDOW, QuotaKind, next_midnight
from yuntu_push.domain.text import msg
from yuntu_push.services.push.ending import ending
from yuntu_push.services.push.turns import Patience


@pytest.fixture
def bench():
    with memory_folder() as folder:
        yield Bench(folder)


def fill_creates(bench: Bench, count: int) -> None:
    with bench.database.write() as connection:
        for _ in range(count):
            connection.execute(
                "INSERT INTO quota_use (kind, subject, at) VALUES ('create', ?, ?)",
                (str(OWNER), bench.clock.now().isoformat(timespec="microseconds")),
            )


def test_the_create_quota_makes_a_push_wait_until_beijings_midnight(bench: Bench):
    """Exit 75 with the moment; nothing is sent; the next day it goes on by itself."""
    fill_creates(bench, 100)
    push = bench.run(bench.create(), wait=False)

    assert push.state is PushState.WAITING
    assert push.next_at == next_midnight(bench.clock.now())
    error = ending(push)
    assert isinstance(error, TryLaterError)
    assert (error.code, error.next_at) == ("CREATE_QUOTA", push.next_at)
    assert "create" not in bench.platform.calls

    assert bench.runner().run_due() == []  # not due yet: silent
    bench.clock.advance((push.next_at - bench.clock.now()).total_seconds())
    [ran] = bench.runner().run_due()
    assert ran.push.data_source_id is not None


def test_a_known_wait_is_no_stall(bench: Bench):
    """A hiccup when the wall opens is the first trouble, not the end of a day without progress."""
    fill_creates(bench, 100)
    push = bench.run(bench.create(), wait=False)
    assert push.next_at is not None
    bench.clock.advance((push.next_at - bench.clock.now()).total_seconds())
    bench.platform.plan["create", 0] = "unreachable"
    assert bench.run(push, wait=False).state is PushState.WAITING


def test_the_platforms_own_word_on_a_quota_counts_as_much(bench: Bench):
    """Another tool may have used it up; our reservation is given back."""
    bench.platform.plan["create", 1] = TryLaterError("CREATE_QUOTA", msg("今日额度已用完"))
    push = bench.run(bench.create(), wait=False)
    assert (push.state, push.next_at) == (PushState.WAITING, next_midnight(bench.clock.now()))
    assert bench.quota.usage(QuotaKind.CREATE, str(OWNER), bench.clock.now()).used == 0


def test_a_create_that_never_left_uses_no_quota(bench: Bench):
    bench.platform.plan["create", 0] = "unreachable"
    push = bench.run(bench.create(), wait=False)
    assert push.calls_of(StepName.CREATE_DATA_SOURCE)[-1].state is CallState.NOT_SENT
    assert bench.quota.usage(QuotaKind.CREATE, str(OWNER), bench.clock.now()).used == 0


def test_a_closed_publish_window_is_waited_for_on_the_platforms_clock(bench: Bench):
    """Our clock may be wrong; the window is reckoned on the platform's and shown on ours."""
    bench.platform.skew = timedelta(hours=5)
    push = bench.run(bench.create())
    audience = push.custom_audience_id
    server = bench.platform.server_now()
    window = bench.quota.usage(QuotaKind.PUBLISH, str(audience), server)
    published = bench.platform.publishes[0] + timedelta(hours=5)
    assert window.opens_at == published + PUBLISH_WINDOW + PUBLISH_MARGIN


def test_somebody_elses_publish_makes_ours_wait(bench: Bench):
    push = bench.run(bench.create(), wait=False)
    bench.clock.advance(3600)
    [audience] = bench.platform.made_audiences.values()
    bench.platform.publish_seconds = 1e9  # taken, and never done
    audience.published.append(bench.clock.now())
    push = bench.run(push, wait=False)
    assert (push.state, push.step) == (PushState.WAITING, "publish")
    assert push.next_at is not None
    assert push.next_at > bench.clock.now()


@pytest.mark.parametrize("call", ["upload", "create", "push", "publish", "copy", "data_sources"])
def test_a_platform_that_asks_to_slow_down_is_obeyed(bench: Bench, call: str):
    """Its own hint decides; the call is not made before."""
    bench.platform.plan[call, 1] = ThrottledError("PLATFORM_THROTTLED", msg("slow"), retry_in=400)
    push = bench.create()
    before = bench.clock.now()
    stopped = bench.run(push, wait=False)
    while stopped.state is PushState.RUNNING:  # not there yet
        bench.clock.advance(600)
        before = bench.clock.now()
        stopped = bench.run(push, wait=False)
    assert stopped.state is PushState.WAITING
    assert stopped.next_at is not None
    assert stopped.next_at - before >= timedelta(seconds=400)
    assert bench.run(push).state is PushState.SUCCEEDED


@pytest.mark.parametrize("skew", [timedelta(days=1), timedelta(), -timedelta(days=1)])
def test_a_throttle_lasts_as_long_as_the_platform_says_whatever_the_clocks_show(
    bench: Bench, skew: timedelta
):
    """Its moment is on the platform's clock: a day apart would make a day of five minutes."""
    bench.platform.skew = skew
    bench.platform.plan["create", 1] = ThrottledError(
        "PLATFORM_THROTTLED",
        msg("slow"),
        retry_in=300,
        next_at=bench.platform.server_now() + timedelta(seconds=300),
    )
    push = bench.run(bench.create(), wait=False)
    assert push.next_at is not None
    assert abs(push.next_at - bench.clock.now() - timedelta(seconds=300)) < timedelta(seconds=15)
    error = ending(push)
    assert error is not None
    assert error.next_at == push.next_at


def test_a_host_that_is_left_alone_is_not_asked_before_its_moment(bench: Bench):
    until = bench.clock.now() + timedelta(hours=1)
    down = UnreachableError("PLATFORM_PAUSED", msg("left alone"), next_at=until)
    bench.platform.plan["create", 0] = down
    push = bench.run(bench.create(), wait=False)
    assert (push.state, push.next_at) == (PushState.WAITING, until)


def test_a_hiccup_is_sat_out_even_without_wait(bench: Bench):
    bench.platform.plan["create", 1] = UnreachableError("PLATFORM_UNREACHABLE", msg("down"))
    push = bench.run(bench.create(), wait=False)
    assert push.data_source_id is not None
    assert len(bench.platform.sources) == 1


def test_an_outage_of_hours_stalls_a_push_and_loses_nothing(bench: Bench):
    """Less than one try a minute on average; it says that it stalled, and goes on afterwards."""
    push = bench.run(bench.create(), wait=False)
    down = UnreachableError("PLATFORM_UNREACHABLE", msg("down"))
    bench.platform.plan["data_sources", 0] = down
    began, tries = bench.clock.now(), bench.platform.calls.get("data_sources", 0)
    push = bench.run(push)
    assert push.state is PushState.STALLED
    hours = (bench.clock.now() - began).total_seconds() / 3600
    assert 5.9 < hours < 6.5
    assert bench.platform.calls["data_sources"] - tries <= hours * 60 * 2.1
    error = ending(push)
    assert isinstance(error, TryLaterError)
    assert error.code == "PUSH_STALLED"

    del bench.platform.plan["data_sources", 0]
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_parse_that_never_ends_stalls(bench: Bench):
    bench.platform.parse_seconds = 1e9
    push = bench.run(bench.create())
    assert (push.state, push.step) == (PushState.STALLED, "parse")
    bench.platform.parse_seconds = 0
    for source in bench.platform.sources.values():
        source.ready_at = [bench.clock.now()]
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_source_that_shows_its_failure_by_its_state_alone_is_a_failure(bench: Bench, monkeypatch):
    """Some answers have no change log: the number beside the name says it."""
    push = bench.run(bench.create(), wait=False)
    shown = bench.platform.data_sources

    def failed(**call: object):
        return [replace(each, status=3, change_logs=()) for each in shown(**call)]

    monkeypatch.setattr(bench.platform, "data_sources", failed)
    push = bench.run(push)
    assert (push.state, push.step) == (PushState.FAILED, "parse")


def test_a_wait_that_runs_out_is_no_failure(bench: Bench):
    push = bench.create()
    started = bench.clock.now()
    push = bench.runner().run(push.push_id, Patience(wait=True, timeout=600))
    assert push.state is PushState.RUNNING
    assert bench.clock.now() - started <= timedelta(seconds=601)
    assert isinstance(ending(push, waited=True), StillRunningError)
    assert ending(push, waited=False) is None


@pytest.mark.parametrize("call", ["upload", "create", "push", "publish", "copy", "read_audiences"])
def test_a_login_that_ended_keeps_the_push(bench: Bench, call: str):
    """Exit 4 at every attempt until somebody logs in, then it goes on where it was."""
    refused = LoginError("AUTH_LOGIN_REQUIRED", msg("token expired"), platform_code=40103)
    bench.platform.plan[call, 0] = refused
    push = bench.run(bench.create())
    assert push.state is PushState.WAITING
    assert isinstance(ending(push), LoginError)
    [ran] = bench.runner().run_due()
    assert isinstance(ending(ran.push), LoginError)

    del bench.platform.plan[call, 0]
    assert bench.run(push).state is PushState.SUCCEEDED
    assert len(bench.platform.sources) == len(bench.platform.publishes) == 1


def test_a_secret_that_is_refused_is_no_failure_of_a_brand(bench: Bench):
    """It is the channel's: each brand would be refused, and told to be at fault."""
    bench.platform.plan["copy", 0] = LoginError("APP_REFUSED", msg("wrong secret"))
    push = bench.run(bench.create(brands=("某品牌", "别品牌")))
    assert push.state is PushState.WAITING
    assert {brand.state for brand in push.brands} == {BrandState.PENDING}

    del bench.platform.plan["copy", 0]
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_refusal_ends_a_push_and_a_resume_tries_it_again(bench: Bench):
    bench.platform.plan["create", 1] = RefusedError(
        "NAME_TOO_LONG", msg("name"), platform_code=40001
    )
    push = bench.run(bench.create())
    assert push.state is PushState.FAILED
    error = ending(push)
    assert isinstance(error, RefusedError)
    assert error.platform_code == 40001
    assert bench.runner().run_due() == []  # cron does not hammer what was refused for good
    assert bench.run(push).state is PushState.SUCCEEDED


def test_expired_paths_are_sent_again(bench: Bench):
    """The platform forgets an uploaded file after 14 days; a resumed old push sends it anew."""
    fill_creates(bench, 100)
    push = bench.run(bench.create(), wait=False)
    assert bench.platform.calls["upload"] == 2
    bench.clock.advance(14 * 86400)
    bench.platform.files.clear()
    assert bench.run(push).state is PushState.SUCCEEDED
    assert bench.platform.calls["upload"] == 4


def test_paths_that_the_platform_forgot_are_sent_again_once(bench: Bench):
    gone = RefusedError("UPLOAD_EXPIRED", msg("文件已过期"), platform_code=40001)
    bench.platform.plan["create", 1] = gone
    assert bench.run(bench.create()).state is PushState.SUCCEEDED
    assert bench.platform.calls["upload"] == 4

    bench.platform.plan["create", 0] = gone
    assert bench.run(bench.create(name="再来")).state is PushState.FAILED
    assert bench.platform.calls["upload"] == 8, "and no third time"


def test_forgotten_paths_are_sent_again_also_after_a_creation_was_put_off(bench: Bench):
    bench.platform.plan["create", 1] = TryLaterError("CREATE_QUOTA", msg("used up"))
    bench.platform.plan["create", 2] = RefusedError("UPLOAD_EXPIRED", msg("文件已过期"))
    assert bench.run(bench.create()).state is PushState.SUCCEEDED
    assert bench.platform.calls["upload"] == 4


def test_a_name_that_is_taken_before_anything_was_lost_is_a_failure(bench: Bench):
    """Somebody else's data source: it must not be waited for, nor taken."""
    bench.platform.plan["create", 1] = RefusedError("NAME_TAKEN", msg("name exists"))
    began = bench.clock.now()
    push = bench.run(bench.create())
    assert (push.state, push.data_source_id) == (PushState.FAILED, None)
    assert bench.clock.now() - began < timedelta(minutes=1)


def test_uploads_stop_at_the_first_wall(bench: Bench, monkeypatch):
    """The rest would meet it, too."""
    upload = bench.platform.upload
    bench.platform.plan["upload", 0] = LoginError("AUTH_LOGIN_REQUIRED", msg("expired"))

    def slowly(**call: object) -> str:
        time.sleep(0.05)
        return upload(**call)

    monkeypatch.setattr(bench.platform, "upload", slowly)
    bench.segment("wide", parts=40)
    push = bench.run(bench.create(segment="wide"))
    assert push.state is PushState.WAITING
    assert bench.platform.calls["upload"] < 20


def test_a_second_process_says_who_holds_the_push(bench: Bench):
    push = bench.create()
    with bench.runner().hold(push.push_id):
        with pytest.raises(TryLaterError) as caught:
            bench.run(push)
        assert caught.value.code == "PUSH_HELD"
        assert "pid 1" in str(caught.value)
        assert bench.runner().run_due() == []
    assert bench.run(push).state is PushState.SUCCEEDED


def test_a_cancelled_push_stays_cancelled(bench: Bench):
    push = bench.run(bench.create(), wait=False)
    done = bench.tasks.cancel(push)
    assert done.push.state is PushState.CANCELLED
    assert "stays on the platform" in str(done.remains[0])
    with pytest.raises(GuardError):
        bench.run(push)
    with pytest.raises(GuardError):
        bench.tasks.cancel(done.push)


def test_a_push_that_another_process_runs_cannot_be_cancelled(bench: Bench):
    push = bench.create()
    with bench.runner().hold(push.push_id), pytest.raises(TryLaterError) as caught:
        bench.tasks.cancel(push)
    assert caught.value.code == "PUSH_HELD"
    stored = bench.store.get(push.push_id)
    assert stored is not None
    assert stored.state is PushState.PENDING


def test_cancelling_new_content_of_an_audience_never_published_names_no_old_one(bench: Bench):
    bench.platform.plan["publish", 0] = TryLaterError("PLATFORM_BUSY", msg("busy"))
    first = bench.run(bench.create(), wait=False)
    bench.clock.advance(3600)
    first = bench.run(first, wait=False)
    assert first.step is StepName.PUBLISH
    bench.tasks.cancel(first)
    bench.segment("vip", seed="new")
    second = bench.run(bench.update(first), wait=False)

    [said] = map(str, bench.tasks.cancel(second).remains)

    assert "has the new content" in said
    assert "was never published" in said
    assert "old one" not in said


def test_resume_all_takes_every_push_to_its_end(bench: Bench):
    """With a bug in one of them, the others still go on."""
    pushes: list[Push] = [bench.create(name=f"推送{n}") for n in range(3)]
    ran = bench.runner().run_due(Patience(wait=True))
    assert [each.push.state for each in ran] == [PushState.SUCCEEDED] * 3
    assert {each.push.push_id for each in ran} == {p.push_id for p in pushes}

    bench.platform.plan["create", 4] = ZeroDivisionError()
    for n in range(2):
        bench.create(name=f"再推{n}")
    ran = bench.runner().run_due(Patience(wait=True))
    assert [type(each.stopped) for each in ran] == [ZeroDivisionError, type(None)]
    assert ran[1].push.state is PushState.SUCCEEDED


def test_a_push_whose_channel_is_gone_keeps_none_of_the_others(bench: Bench):
    orphan, other = bench.create(name="一"), bench.create(name="二")
    with bench.database.write() as connection:
        connection.execute("UPDATE push SET channel = 'gone' WHERE push_id = ?", (orphan.push_id,))
    ran = {each.push.push_id: each for each in bench.runner().run_due(Patience(wait=True))}
    assert ran[other.push_id].push.state is PushState.SUCCEEDED
    stopped = ran[orphan.push_id].stopped
    assert isinstance(stopped, ConfigError)
    assert stopped.code == "CHANNEL_UNKNOWN"


def test_a_push_cancelled_since_it_was_found_due_is_passed_over(bench: Bench):
    """Another process was quicker: nobody has to see that."""
    first, second = bench.create(name="一"), bench.create(name="二")
    upload = bench.platform.upload

    def cancelling(**call: object) -> str:
        if bench.store.get(second.push_id).state is PushState.PENDING:
            bench.tasks.cancel(second)
        return upload(**call)

    bench.platform.upload = cancelling
    [ran] = bench.runner().run_due()
    assert (ran.push.push_id, ran.stopped) == (first.push_id, None)


def test_a_state_file_that_cannot_be_used_ends_the_run(bench: Bench):
    bench.create()
    full = TryLaterError("STATE_UNAVAILABLE", msg("disk full"))

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(bench.store, name)

        def claim(self, *_: object) -> None:
            raise full

    with pytest.raises(TryLaterError) as caught:
        bench.runner(Full()).run_due()
    assert caught.value is full


def test_nobody_waits_for_a_push_that_another_run_took_over(bench: Bench, monkeypatch):
    """Its next look is over, by our last knowledge: asking again and again would heat the room."""
    push = bench.create()
    bench.platform.parse_seconds = 3600
    slept: list[float] = []
    with contextlib.ExitStack() as other:

        def sleep(seconds: float) -> None:
            slept.append(seconds)
            bench.clock.advance(seconds)
            if len(slept) == 3:
                other.enter_context(bench.runner().hold(push.push_id))
                bench.store.claim(push.push_id, bench.clock.now())
            assert len(slept) < 50

        monkeypatch.setattr(bench.clock, "sleep", sleep)
        assert bench.runner().run_due(Patience(wait=True)) == []
    assert len(slept) == 3


def test_resume_all_waits_for_a_push_that_is_not_due_yet(bench: Bench):
    """To its end; or, when the time is over before its next look, it is told of as under way."""
    push = bench.run(bench.create(), wait=False)
    assert push.state is PushState.RUNNING
    assert bench.runner().run_due() == []

    [going] = bench.runner().run_due(Patience(wait=True, timeout=5.0))
    assert isinstance(ending(going.push, waited=True), StillRunningError)

    [ran] = bench.runner().run_due(Patience(wait=True))
    assert ran.push.state is PushState.SUCCEEDED


def test_resume_all_waits_neither_for_a_far_wall_nor_for_another_run(bench: Bench):
    fill_creates(bench, 100)
    walled = bench.run(bench.create(), wait=False)
    assert walled.state is PushState.WAITING
    held = bench.create(name="别人的")
    before = bench.clock.now()

    with bench.runner().hold(held.push_id):
        assert bench.runner().run_due(Patience(wait=True)) == []

    assert bench.clock.now() == before


@pytest.mark.parametrize(("wait", "told"), [(False, False), (True, True)])
def test_resume_all_says_nothing_of_what_merely_waits(bench: Bench, wait: bool, told: bool):
    push = bench.run(bench.create(), wait=False)
    bench.notices.clear()
    bench.clock.advance(60)

    bench.runner().run_due(Patience(wait=wait, timeout=1.0))

    assert any("parsing" in str(said) for said in bench.notices) is told
    assert bench.tasks.find(push.push_id).state is PushState.RUNNING


def test_a_wall_that_the_platform_told_of_keeps_its_code_and_request(bench: Bench):
    """Support asks for them."""
    bench.platform.plan["create", 1] = TryLaterError(
        "CREATE_QUOTA", msg("今日额度已用完"), platform_code=40001, request_id="2026112312"
    )
    error = ending(bench.run(bench.create(), wait=False))
    assert isinstance(error, TryLaterError)
    assert (error.platform_code, error.request_id) == (40001, "2026112312")


def test_a_wall_that_opens_after_the_timeout_is_not_sat_out(bench: Bench):
    """`--timeout` is what the person has; without `--wait` the two minutes are the run's own."""
    fill_creates(bench, 100)
    opens = next_midnight(bench.clock.now())
    bench.clock.advance((opens - bench.clock.now()).total_seconds() - 60)
    begun, push = bench.clock.now(), bench.create()

    push = bench.runner().run(push.push_id, Patience(wait=True, timeout=5.0))
    assert (push.state, bench.clock.now()) == (PushState.WAITING, begun)

    push = bench.runner().run(push.push_id)
    assert (push.step, bench.clock.now()) == (StepName.PARSE, opens)


def test_an_upload_too_slow_stops_with_its_advice(bench: Bench):
    slow = TryLaterError("UPLOAD_TOO_SLOW", msg("0.2 MB/s"), hint=msg("--part-size 1200KB"))
    bench.platform.plan["upload", 0] = slow
    push = bench.run(bench.create())
    assert push.state is PushState.FAILED
    error = ending(push)
    assert isinstance(error, TryLaterError)
    assert "1200KB" in str(error.hint)
    assert bench.platform.calls["upload"] <= 2 * 2, "each part twice, then its size is the reason"


def test_the_list_knows_states_brands_and_times(bench: Bench):
    one, two = bench.run(bench.create()), bench.create(name="别的", brands=("别品牌",))
    find = bench.store.find
    assert [p.push_id for p in find(PushFilter())] == [two.push_id, one.push_id]
    assert [p.push_id for p in find(PushFilter(states=[PushState.PENDING]))] == [two.push_id]
    assert [p.push_id for p in find(PushFilter(brand="某品牌"))] == [one.push_id]
    assert find(PushFilter(channel="other")) == []
    assert [p.push_id for p in find(PushFilter(since=two.created_at))] == [two.push_id]


def test_the_clock_of_the_bench_only_moves_by_sleeping():
    clock = FakeClock()
    clock.sleep(5)
    assert clock.monotonic() == 5
