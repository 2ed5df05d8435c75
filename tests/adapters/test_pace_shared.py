"""One pace and one breaker for all processes of a home; a call never fails for its book-keeping."""

import itertools
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import timedelta
from io import FileIO
from pathlib import Path
from typing import TypeVar

import httpx
import pytest
import respx

from support.ocean import API, QUICK, FakeClock, FixedTokens, a_caller, a_channel, answer
from support.paced_calls import HOST, make_calls, make_failing_calls, pace_in
from yuntu_push.adapters.ocean.auth import Signer
from yuntu_push.adapters.ocean.client import OceanDirectory
from yuntu_push.adapters.ocean.envelope import Reply
from yuntu_push.adapters.ocean.pace import Pacer
from yuntu_push.adapters.ocean.transport import Call, FilePart, Transport
from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.pace import PaceFile
from yuntu_push.domain.errors import (
    OutcomeUnknownError,
    TryLaterError,
    UnreachableError,
    YuntuPushError,
)
from yuntu_push.domain.pace import FAILURES_IN_A_ROW, Lane
from yuntu_push.domain.text import msg

PROCESSES, CALLS, RATE = 8, 10, 100.0
BRANDS = f"{API}/open_api/2/dmp/brand/get/"
GOOD = httpx.Response(200, json=answer({"brand_info": []}))
Found = TypeVar("Found")


def test_processes_together_keep_the_rate(tmp_path: Path) -> None:
    """8 processes × 10 calls: every turn is the interval apart from the next, none comes early."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        runs = [
            pool.submit(make_calls, str(tmp_path), RATE, CALLS).result for _ in range(PROCESSES)
        ]
        found = [run() for run in runs]
    turns = sorted(turn for given, _ in found for turn in given)

    assert len(turns) == PROCESSES * CALLS
    gaps = [late - early for early, late in itertools.pairwise(turns)]
    assert min(gaps) >= 1 / RATE - 1e-6
    for given, made in found:
        assert all(at >= turn - 1e-3 for turn, at in zip(given, made, strict=True))


def test_processes_together_stop_calling_a_failing_host(tmp_path: Path) -> None:
    """What one process met, the others know: few more calls than the five are made in all."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(4, mp_context=context) as pool:
        runs = [pool.submit(make_failing_calls, str(tmp_path), 20).result for _ in range(4)]
        made = sum(run() for run in runs)

    # Calls that were under way when the fifth failed are made all the same: one for each process.
    assert FAILURES_IN_A_ROW <= made < FAILURES_IN_A_ROW + 4


def test_a_new_process_finds_the_host_left_alone(tmp_path: Path) -> None:
    """And says until when: exit 75, to be tried again."""
    clock = FakeClock()
    lanes = pace_in(tmp_path)
    first = Pacer(3, clock, lanes)
    for _ in range(FAILURES_IN_A_ROW):
        first.wait(HOST)
        first.note(HOST, answered=False)
    lanes.close()

    with pytest.raises(UnreachableError) as caught:
        Pacer(3, clock, pace_in(tmp_path)).wait(HOST)

    assert caught.value.code == "PLATFORM_PAUSED"
    assert caught.value.retryable
    assert caught.value.next_at == clock.now() + timedelta(seconds=60)
    Pacer(3, clock, pace_in(tmp_path)).wait("another.host")


def directory(clock: FakeClock, lanes: PaceFile | None = None, rate: float = 0) -> OceanDirectory:
    """Account reads at a pace."""
    pacer = Pacer(rate, clock, lanes)
    return OceanDirectory(FixedTokens(), replace(QUICK, rate=rate), clock, pace=pacer)


@pytest.mark.parametrize("trouble", [httpx.Response(503), httpx.ConnectError("refused")])
@pytest.mark.parametrize("minutes", [10, 180])
@respx.mock
def test_an_outage_sees_one_probe_a_minute(
    tmp_path: Path, minutes: int, trouble: httpx.Response | Exception
) -> None:
    """Ten minutes or three hours: at most a call a minute once it is known, and an end after it."""
    clock = FakeClock()
    api = directory(clock, pace_in(tmp_path))
    calls: list[float] = []
    state = {"down": True}

    def reply(_request: httpx.Request) -> httpx.Response:
        calls.append(clock.ticks)
        if not state["down"]:
            return GOOD
        if isinstance(trouble, Exception):
            raise trouble
        return trouble

    respx.get(BRANDS).mock(side_effect=reply)
    while clock.ticks < minutes * 60:
        with pytest.raises(TryLaterError):
            api.brands(a_channel(), 1)
        clock.pass_by(7)
    known = [at for at in calls if at > calls[FAILURES_IN_A_ROW - 1]]
    assert all(b - a >= 60 for a, b in itertools.pairwise(known))
    assert len(known) <= minutes

    state["down"] = False
    clock.pass_by(60)
    assert api.brands(a_channel(), 1) == []
    assert api.brands(a_channel(), 1) == []
    api.close()


@respx.mock
def test_refusals_of_the_platform_pause_nothing(tmp_path: Path) -> None:
    """An answer with an error code is an answer: the host is well."""
    respx.get(BRANDS).mock(return_value=httpx.Response(200, json=answer(code=40002)))
    api = directory(FakeClock(), pace_in(tmp_path))

    for _ in range(3 * FAILURES_IN_A_ROW):
        with pytest.raises(YuntuPushError) as caught:
            api.brands(a_channel(), 1)
        assert caught.value.platform_code == 40002


def test_an_untrusted_certificate_is_told_each_time() -> None:
    """It says what to do, and waiting a minute would not help."""

    class Untrusted(Transport):
        def send(self, *_args: object, **_options: object) -> Reply:
            raise UnreachableError("TLS_UNTRUSTED", msg("not trusted"))

    clock = FakeClock()
    signer = Signer(a_channel(), FixedTokens(), Untrusted(API, QUICK, clock), Pacer(0, clock))

    for _ in range(2 * FAILURES_IN_A_ROW):
        with pytest.raises(UnreachableError) as caught:
            signer.send(Call("GET", "/"))
        assert caught.value.code == "TLS_UNTRUSTED"


class Broken:
    """Lanes that cannot be used, until they can."""

    def __init__(self) -> None:
        self.asked = 0

    def change(self, host: str, step: Callable[[Lane], tuple[Lane, Found]]) -> Found:
        """Nothing but the error."""
        self.asked += 1
        raise TryLaterError("STATE_UNAVAILABLE", msg("the disk is full"))


def test_without_the_state_file_the_process_keeps_its_own_pace() -> None:
    """No call fails; the lanes are asked again after a minute, not at every call."""
    clock, lanes = FakeClock(), Broken()
    pacer = Pacer(2, clock, lanes)

    for _ in range(11):
        pacer.wait(HOST)
        pacer.note(HOST, answered=True)

    assert clock.ticks == pytest.approx(5.0)
    assert lanes.asked == 1
    clock.pass_by(60)
    pacer.wait(HOST)
    assert lanes.asked == 2


@pytest.mark.parametrize("kind", ["folder in the way", "not a database", "newer", "parent a file"])
def test_a_state_file_that_cannot_be_used_stops_no_call(tmp_path: Path, kind: str) -> None:
    """Whoever needs the file itself says what is wrong with it; the pace does not."""
    path = tmp_path / "state" / "state.db"
    path.parent.mkdir()
    match kind:
        case "folder in the way":
            path.mkdir()
        case "not a database":
            path.write_bytes(b"no database" * 500)
        case "newer":
            with Database(path).write() as connection:
                connection.execute("PRAGMA user_version=999")
        case _:
            path.parent.rmdir()
            path.parent.touch()
    clock = FakeClock()
    pacer = Pacer(1, clock, PaceFile(lambda: Database(path)))

    for _ in range(3):
        pacer.wait(HOST)
        pacer.note(HOST, answered=True)

    assert clock.ticks == pytest.approx(2.0)


def test_a_locked_state_file_stops_no_call(tmp_path: Path) -> None:
    """Somebody holds it for long: the call is made at the process's own pace."""
    lanes = pace_in(tmp_path)
    clock = FakeClock()
    pacer = Pacer(1, clock, lanes)
    pacer.wait(HOST)
    with Database(tmp_path / "state.db").write():
        pacer.wait(HOST)
        pacer.wait(HOST)
    lanes.close()

    assert clock.ticks >= 1.0


def test_the_lanes_tell_nothing_but_the_host(tmp_path: Path) -> None:
    """The file stays private, and holds a host's name and numbers."""
    lanes = pace_in(tmp_path)
    Pacer(3, FakeClock(), lanes).wait(HOST)
    lanes.close()

    assert (tmp_path / "state.db").stat().st_mode & 0o777 == 0o600
    with Database(tmp_path / "state.db").read() as connection:
        rows = [dict(row) for row in connection.execute("SELECT * FROM pace")]
    assert [row["host"] for row in rows] == [HOST]


@respx.mock
def test_a_queued_call_is_not_made_once_the_host_is_left_alone(tmp_path: Path) -> None:
    """It had its turn already; it looks again after its sleep."""
    lanes = pace_in(tmp_path)
    other = Pacer(0, FakeClock(), lanes)

    class Busy(FakeClock):
        """While this one sleeps, another process meets the failures."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            for _ in range(FAILURES_IN_A_ROW):
                other.note(HOST, answered=False)

    pacer = Pacer(1, Busy(), lanes)
    pacer.wait(HOST)
    with pytest.raises(UnreachableError):
        pacer.wait(HOST)
    lanes.close()


@respx.mock
def test_a_slow_upload_does_not_pause_the_host(tmp_path: Path) -> None:
    """The link is slow, not the platform: uploads that time out count for nothing."""
    part = tmp_path / "part.zip"
    part.write_bytes(b"zip")
    respx.post(f"{API}/up").mock(side_effect=httpx.WriteTimeout("slow"))
    respx.get(f"{API}/ok").mock(return_value=httpx.Response(200, json=answer({})))
    caller = a_caller()
    with FileIO(part) as stream:
        for _ in range(2 * FAILURES_IN_A_ROW):
            with pytest.raises(OutcomeUnknownError):
                caller.write(Call("POST", "/up", file=FilePart("part.zip", stream)))
    caller.get("/ok")
    caller.close()
