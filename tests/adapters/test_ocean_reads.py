"""Reads are repeated briefly, obey the platform's hints, and are paced."""

import random
import threading
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
import respx

from support.ocean import (
    API,
    QUICK,
    FakeClock,
    a_caller,
    a_channel,
    a_client,
    a_directory,
    answer,
)
from yuntu_push.adapters.ocean.caller import LONGEST_PAUSE, READ_TRIES
from yuntu_push.adapters.ocean.pace import Pacer
from yuntu_push.domain.errors import (
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    TryLaterError,
    UnreachableError,
)

HOST = "api.oceanengine.com"
BRANDS = f"{API}/open_api/2/dmp/brand/get/"
GOOD = httpx.Response(200, json=answer({"brand_info": []}))
TROUBLES = [
    httpx.Response(502, text="<html>bad gateway</html>"),
    httpx.Response(200, text="<html>login</html>"),
    httpx.Response(200, json=answer(code=50000, message="系统错误")),
    httpx.Response(200, content=b'{"code"'),
    httpx.ReadTimeout("late"),
    httpx.ConnectError("refused"),
    httpx.RemoteProtocolError("cut"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=range(len(TROUBLES)))
@respx.mock
def test_a_read_survives_two_troubles(trouble: object) -> None:
    """Twice something else, then the answer."""
    route = respx.get(BRANDS).mock(side_effect=[trouble, trouble, GOOD])
    clock = FakeClock()

    assert a_directory(clock=clock).brands(a_channel(), 1) == []

    assert route.call_count == 3
    assert len(clock.slept) == 2


@respx.mock
def test_pauses_grow() -> None:
    """Half a second, then a second; jitter comes on top."""
    respx.get(BRANDS).mock(side_effect=[TROUBLES[0], TROUBLES[0], GOOD])
    clock = FakeClock()

    a_caller(clock=clock).get("/open_api/2/dmp/brand/get/", advertiser_id=1)

    assert clock.slept == [0.5, 1.0]


@pytest.mark.parametrize("trouble", TROUBLES, ids=range(len(TROUBLES)))
@respx.mock
def test_after_three_tries_a_read_is_to_be_made_later(trouble: object) -> None:
    """Nothing was changed, so it is never "unknown": the way on is to try later."""
    route = respx.get(BRANDS).mock(side_effect=[trouble] * 9)

    with pytest.raises(TryLaterError) as caught:
        a_directory().brands(a_channel(), 1)

    assert route.call_count == READ_TRIES
    assert not isinstance(caught.value, OutcomeUnknownError)
    unsent = isinstance(trouble, httpx.ConnectError)
    assert isinstance(caught.value, UnreachableError) == unsent


@respx.mock
def test_a_refusal_is_not_repeated() -> None:
    """The same request would be refused again."""
    route = respx.get(BRANDS).respond(json=answer(code=40001, message="参数错误"))

    with pytest.raises(RefusedError):
        a_directory().brands(a_channel(), 1)

    assert route.call_count == 1


@respx.mock
def test_a_long_wait_is_the_callers() -> None:
    """Five minutes of penalty are no pause inside a call; the hint goes up."""
    route = respx.get(BRANDS).respond(
        json=answer(code=40110), headers={"X-RateLimit-RetryIn": "300"}
    )
    clock = FakeClock()

    with pytest.raises(ThrottledError) as caught:
        a_directory(clock=clock).brands(a_channel(), 1)

    assert (caught.value.retry_in, route.call_count, clock.slept) == (300, 1, [])


@respx.mock
def test_a_throttled_write_is_told_at_once() -> None:
    """It was not carried out; when to come back is for the runner."""
    route = respx.post(f"{API}/open_api/2/dmp/custom_audience/publish/").respond(
        json=answer(code=40100), headers={"Retry-After": "3"}
    )

    with pytest.raises(ThrottledError) as caught:
        a_client().publish(advertiser_id=1, custom_audience_id=2)

    assert (caught.value.retry_in, route.call_count) == (3, 1)


@respx.mock
def test_when_to_come_back_is_told_on_our_clock() -> None:
    """Also where the platform is two days ahead of it: it asked for three seconds."""
    respx.post(f"{API}/open_api/2/dmp/custom_audience/publish/").respond(
        json=answer(code=40110),
        headers={"X-RateLimit-RetryIn": "3", "Date": "Wed, 25 Nov 2026 04:00:00 GMT"},
    )
    clock = FakeClock()
    client = a_client(clock=clock)

    for _ in range(2):  # refused, then not even asked
        with pytest.raises(ThrottledError) as caught:
            client.publish(advertiser_id=1, custom_audience_id=2)
        assert caught.value.next_at == clock.now() + timedelta(seconds=3)


@respx.mock
def test_hints_of_a_thousand_schedules_are_obeyed() -> None:
    """No call comes before its hint; each schedule ends in the answer or in "later"."""
    clock, chance, opens_at, hints = FakeClock(), random.Random(7), 0.0, []

    def platform(_request: httpx.Request) -> httpx.Response:
        nonlocal opens_at
        assert clock.ticks >= opens_at, "a call came before the hint allowed it"
        if not hints:
            return GOOD
        hint = hints.pop(0)
        opens_at = clock.ticks + hint
        return httpx.Response(429, headers={"Retry-After": str(hint)})

    respx.get(BRANDS).mock(side_effect=platform)
    directory, answered, later = a_directory(clock=clock), 0, 0
    for _ in range(1000):
        hints = chance.choices([0, 0.5, 3, 9.9, 10.1, 60, 7200], k=chance.randint(0, 5))
        try:
            directory.brands(a_channel(), 1)
            answered += 1
        except ThrottledError:
            later += 1
        clock.pass_by(7200)

    assert answered + later == 1000
    assert answered
    assert later
    assert all(pause <= LONGEST_PAUSE for pause in clock.slept)


def test_calls_are_spaced() -> None:
    """At three a second, a burst of seven takes two seconds."""
    clock = FakeClock()
    limiter = Pacer(3, clock)

    for _ in range(7):
        limiter.wait(HOST)

    assert clock.ticks == pytest.approx(2.0)


def test_a_quiet_time_is_not_saved_up() -> None:
    """After a minute of silence the next calls are spaced all the same."""
    clock = FakeClock()
    limiter = Pacer(2, clock)
    limiter.wait(HOST)
    clock.pass_by(60)

    before = clock.ticks
    for _ in range(3):
        limiter.wait(HOST)

    assert clock.ticks - before == pytest.approx(1.0)


def test_a_rate_of_zero_is_no_limit() -> None:
    """For the sandbox and for tests."""
    clock = FakeClock()
    limiter = Pacer(0, clock)

    for _ in range(100):
        limiter.wait(HOST)

    assert clock.slept == []


def test_threads_share_one_pace() -> None:
    """Every thread gets a turn of its own."""

    class Turns(FakeClock):
        def sleep(self, seconds: float) -> None:
            self.slept.append(seconds)

    clock = Turns()
    limiter = Pacer(10, clock)
    threads = [threading.Thread(target=limiter.wait, args=(HOST,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(clock.slept) == pytest.approx([n / 10 for n in range(1, 20)])


@respx.mock
def test_a_repeated_sending_waits_for_its_turn_as_well() -> None:
    """Refused tokens and repeats count against the platform's limits like any call."""
    respx.get(BRANDS).mock(
        side_effect=[httpx.Response(200, json=answer(code=40105)), TROUBLES[0], GOOD]
    )
    clock = FakeClock()

    a_directory(api=replace(QUICK, rate=0.1), clock=clock).brands(a_channel(), 1)

    assert clock.ticks == pytest.approx(20.0)
