"""Generated weeks of throttling and outages: no call comes early, every push ends right."""

import itertools
import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from support.ocean import FakeClock, FixedTokens, a_channel, answer
from support.push import Bench, memory_folder
from yuntu_push.adapters.ocean.caller import Caller
from yuntu_push.adapters.ocean.envelope import Reply
from yuntu_push.adapters.ocean.pace import OwnLanes, Pacer
from yuntu_push.adapters.ocean.transport import Call, Transport
from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.pace import PaceFile
from yuntu_push.domain.errors import OutcomeUnknownError, ThrottledError
from yuntu_push.domain.pace import FAILURES_IN_A_ROW, PAUSE_SECONDS
from yuntu_push.domain.push import PushState
from yuntu_push.domain.settings import ApiSettings
from yuntu_push.domain.text import msg

GOOD = {"list": []}
PATHS = ("/open_api/2/dmp/a/", "/open_api/2/dmp/b/")


@pytest.fixture
def schedules(request: pytest.FixtureRequest) -> int:
    """How many schedules are generated."""
    return 1000 if request.config.getoption("--full-crash-matrix") else 60


@dataclass
class Throttling:
    """A platform that asks to come back later, in every way it has, and counts who comes early."""

    clock: FakeClock
    chance: random.Random
    allowed_at: dict[str, float] = field(default_factory=dict)
    early: int = 0
    calls: int = 0
    asked: int = 0

    def send(self, call: Call) -> Reply:
        self.calls += 1
        now = self.clock.moment.timestamp()
        self.early += now < self.allowed_at.get(call.path, 0.0) - 1e-6
        self.clock.pass_by(self.chance.uniform(0.01, 0.5))
        if self.chance.random() < 0.5:
            return Reply(call.path, 200, {}, _body(answer(GOOD)))
        self.asked += 1
        seconds = self.chance.choice((1, 2, 5, 9, 30, 300, 3000))
        headers, status = self._hint(seconds), self.chance.choice((200, 429))
        if headers:
            self.allowed_at[call.path] = self.clock.moment.timestamp() + seconds
        code = self.chance.choice((40100, 40110, 40130))
        return Reply(call.path, status, headers, _body(answer(code=code, message="请求过于频繁")))

    def _hint(self, seconds: int) -> dict[str, str]:
        when = format_datetime(self.clock.moment + timedelta(seconds=seconds + 1), usegmt=True)
        return self.chance.choice(
            (
                {},
                {"retry-after": str(seconds)},
                {"retry-after": when},
                {"x-ratelimit-retryin": str(seconds), "x-ratelimit-dimension": "developer_qpm"},
                # The platform's own header is the more exact one.
                {"x-ratelimit-retryin": str(seconds), "retry-after": "0"},
            )
        )


def _body(document: object) -> bytes:
    return json.dumps(document).encode()


def callers(clock: FakeClock, lanes: Callable[[], object], count: int) -> list[Caller]:
    """As many processes would have them."""
    api = ApiSettings()
    return [
        Caller(a_channel(), FixedTokens(), api, clock, pace=Pacer(api.rate, clock, lanes()))  # type: ignore[arg-type]
        for _ in range(count)
    ]


def test_no_call_comes_before_the_platforms_hint(schedules: int, monkeypatch: pytest.MonkeyPatch):
    """Three processes on two endpoints: what one was told, all obey; all come through at last."""
    made = [throttled_calls(random.Random(seed), monkeypatch) for seed in range(schedules)]
    early = sum(each.early for each in made)
    sys.stdout.write(
        f"{schedules} schedules, {sum(each.calls for each in made)} calls, "
        f"{sum(each.asked for each in made)} throttled, {early} early\n"
    )
    assert early == 0


def throttled_calls(chance: random.Random, monkeypatch: pytest.MonkeyPatch) -> Throttling:
    """The platform after six calls, reads and writes, that were tried until they came through."""
    clock = FakeClock()
    platform, shared = Throttling(clock, chance), OwnLanes()
    monkeypatch.setattr(Transport, "send", lambda _self, call, *_, **__: platform.send(call))
    crew = callers(clock, lambda: shared, 3)
    wanted = [(caller, path) for path in PATHS for caller in crew]
    while wanted:
        caller, path = chance.choice(wanted)
        try:
            if chance.random() < 0.5:
                caller.get(path)
            else:
                caller.post(path)
        except ThrottledError:
            clock.pass_by(chance.choice((0.2, 3, 60, 1000)))
        else:
            wanted.remove((caller, path))
    return platform


def test_hints_are_shared_through_the_state_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    clock = FakeClock()
    replies = iter(
        [
            Reply(PATHS[0], 200, {"x-ratelimit-retryin": "300"}, _body(answer(code=40110))),
            Reply(PATHS[1], 200, {}, _body(answer(GOOD))),
            Reply(PATHS[0], 200, {}, _body(answer(GOOD))),
        ]
    )
    monkeypatch.setattr(Transport, "send", lambda *_, **__: next(replies))
    opened = [PaceFile(lambda: Database(tmp_path / "state.db")) for _ in range(2)]
    lanes = iter(opened)
    first, second = callers(clock, lambda: next(lanes), 2)
    with pytest.raises(ThrottledError):
        first.get(PATHS[0])
    with pytest.raises(ThrottledError) as caught:
        second.get(PATHS[0])
    assert caught.value.retry_in == pytest.approx(300, abs=1)
    assert second.get(PATHS[1]) == GOOD, "another endpoint is another matter"
    clock.pass_by(300)
    assert second.get(PATHS[0]) == GOOD
    for each in opened:
        each.close()


# Pushes.

CALLS = ("upload", "create", "data_sources", "push", "publish", "read_audiences", "copy")


@pytest.fixture
def bench() -> Iterator[Callable[[], Bench]]:
    with memory_folder() as folder:
        numbers = iter(range(10_000))

        def make() -> Bench:
            place = folder / str(next(numbers))
            place.mkdir()
            return Bench(place)

        yield make


def test_throttled_pushes_end_or_say_when_to_come_back(schedules: int, bench: Callable[[], Bench]):
    """By the runs of a cron: at each end a push is done, or waits with a moment and a reason."""
    ended = 0
    for seed in range(schedules):
        chance = random.Random(seed)
        made = bench()
        for call in CALLS:
            for nth in chance.sample(range(1, 5), chance.randrange(3)):
                hint = chance.choice((None, 3.0, 400.0, 3600.0))
                made.platform.plan[call, nth] = ThrottledError(
                    "PLATFORM_THROTTLED", msg("slow"), retry_in=hint
                )
        push = made.create()
        for _ in range(200):
            push = made.run(push, wait=False)
            if push.state is PushState.SUCCEEDED:
                break
            assert push.next_at is not None
            assert push.reason is not None
            made.clock.advance(max(60.0, (push.next_at - made.clock.now()).total_seconds()))
        ended += push.state is PushState.SUCCEEDED
        assert (len(made.platform.sources), len(made.platform.copies)) == (1, 1)
    sys.stdout.write(f"{ended} of {schedules} throttled pushes ended\n")
    assert ended == schedules


WRITES_AND_READS = (
    "upload", "create_data_source", "data_sources", "audiences", "read_audiences", "publish",
    "push", "copy",
)  # fmt: skip


@pytest.mark.parametrize("minutes", [10, 180])
@pytest.mark.parametrize("begins", [0, 10, 20, 35])
def test_an_outage_is_probed_once_a_minute_and_outlived(
    bench: Callable[[], Bench], monkeypatch: pytest.MonkeyPatch, minutes: int, begins: int
):
    """HTTP 5xx for minutes or hours, from creation, parsing or publishing on.

    The breaker lets one call a minute through; cron's runs every ten minutes bring the end.
    """
    made = bench()
    clock, platform, pacer = made.clock, made.platform, Pacer(0, made.clock)
    down = clock.now() + timedelta(minutes=begins)
    up = down + timedelta(minutes=minutes)
    tried: list[float] = []

    def guarded(name: str) -> Callable[..., object]:
        method = getattr(platform, name)

        def call(**given: object) -> object:
            pacer.wait("host")
            if down <= clock.now() < up:
                tried.append(clock.now().timestamp())
                clock.advance(1)
                pacer.note("host", answered=False)
                raise OutcomeUnknownError("PLATFORM_SERVER_ERROR", msg("HTTP 502"))
            pacer.note("host", answered=True)
            return method(**given)

        return call

    for name in WRITES_AND_READS:
        monkeypatch.setattr(platform, name, guarded(name))
    push = made.create()
    while push.state not in (PushState.SUCCEEDED, PushState.NEEDS_OPERATOR):
        assert clock.now() < up + timedelta(days=1), push
        assert push.state is not PushState.FAILED, push
        push = made.run(push, wait=False)
        clock.advance(600 - clock.monotonic() % 600)
    gaps = [
        later - earlier for earlier, later in itertools.pairwise(tried[FAILURES_IN_A_ROW - 1 :])
    ]
    assert tried
    assert all(gap >= PAUSE_SECONDS for gap in gaps), gaps
    assert (len(platform.sources), len(platform.publishes)) == (1, 1)
    # A copy that got no answer is a person's decision where no brand can be read.
    assert push.state is PushState.SUCCEEDED or push.step == "copy"
