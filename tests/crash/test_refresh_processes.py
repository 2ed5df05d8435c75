"""Many processes refresh once; a process killed in the middle loses the login in one place only."""

import json
import random
import sys
from pathlib import Path

import pytest

from support.crowd import of_module
from support.refresh_process import tokens
from support.sampling import sampled
from support.scene import Scene
from support.secrets import APP_SECRET, TokenPlatform, channel
from support.warm import Ended
from yuntu_push.domain.secret import SecretText
from yuntu_push.services.grants import app_secret_key

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and flock of POSIX"),
    pytest.mark.timeout(3600),
]

REFRESH = ("auth", "refresh", "acme")
EXPIRED_HOURS = 25
CUT = None  # the verdict on a request of which only a part arrived


def log_in(folder: Path) -> TokenPlatform:
    """A home whose login is a day old for the processes that come."""
    folder.mkdir()
    made = tokens(folder, late=0)
    platform = TokenPlatform(folder / "platform.json")
    made._grants.store.put(app_secret_key(channel()), SecretText(APP_SECRET))
    made.accept(channel(), lambda secret: platform.exchange(channel(), secret, SecretText("c")))
    return platform


@pytest.mark.parametrize(("processes", "rounds"), [(50, 100), (128, 10)])
def test_many_processes_that_meet_an_expired_token_make_one_refresh(
    tmp_path: Path, processes: int, rounds: int, whole: bool
):
    platforms = [log_in(tmp_path / str(number)) for number in range(rounds if whole else 1)]
    folders = [str(platform.path.parent) for platform in platforms]
    ended = of_module("support.refresh_process", [str(processes), *folders])
    for platform, got in zip(platforms, ended, strict=True):
        assert got == [platform.current[0]] * processes
        assert (platform.refreshes, platform.refused) == (1, 0)
    sys.stdout.write(f"{len(ended)} rounds of {processes} processes: one refresh each\n")


def test_fifty_commands_that_are_told_of_an_expired_token_make_one_refresh(
    one_push: Scene, whole: bool
):
    """Each believes its token to be valid until the platform says otherwise."""
    words = ("audience", "list", "--account", one_push.advertiser_id)
    for _ in range(5 if whole else 1):
        one_push.renew()
        one_push.sandbox.advance(hours=EXPIRED_HOURS)
        running = [one_push.warm.start(words) for _ in range(50)]
        ended = [one_push.warm.wait(process) for process in running]
        assert {each.code for each in ended} == {0}, [each.stderr for each in ended if each.code]
        assert verdicts(one_push) == [0]
        one_push.assert_no_trace("refresh")


def verdicts(scene: Scene) -> list[int]:
    """The codes with which the platform answered the refreshes so far."""
    return [each["code"] for each in scene.sandbox.requests("oauth2/refresh_token")]


def test_a_kill_at_any_system_call_loses_the_login_only_while_the_answer_arrives(
    one_push: Scene, whole: bool
):
    """Everywhere else the next run has a valid token; there it says `log in again`."""
    points, _ = one_push.points(REFRESH)
    # A sample must hold those where the login can be lost at all.
    random.Random(1).shuffle(points)
    points.sort(key=lambda point: point.syscall != "recvfrom")
    killed, lost = 0, []
    for point in sampled(points, whole=whole):
        one_push.renew()
        killed += one_push.killed_at(REFRESH, point).killed
        ended = one_push.warm.wait(one_push.warm.start(REFRESH))
        if ended.code != 0:
            lost.append(point)
            assert_says_log_in(ended)
        else:
            assert set(verdicts(one_push)) <= {0, CUT}, (point, verdicts(one_push))
            again = one_push.warm(*REFRESH)
            assert again.code == 0, (point, again.stdout)
        assert list((one_push.home / "state").rglob("*.refresh")) == [], point
        one_push.assert_no_trace(point)
    sys.stdout.write(f"{killed} points killed, of {len(points)}; lost at {lost}\n")
    assert killed >= 2
    assert len(lost) <= 2, lost


def assert_says_log_in(ended: Ended) -> None:
    envelope = json.loads(ended.stdout)
    assert ended.code == envelope["exit_code"] == 4, ended
    assert envelope["errors"][0]["code"] == "AUTH_LOGIN_REQUIRED"
    assert "auth login acme" in envelope["errors"][0]["hint"]
