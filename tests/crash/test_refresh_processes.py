"""Many processes refresh once; a process killed in the middle loses the login in one place only."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from support.refresh_process import tokens
from support.secrets import APP_SECRET, TokenPlatform, channel
from yuntu_push.domain.errors import LoginError
from yuntu_push.domain.secret import SecretText
from yuntu_push.services.grants import app_secret_key

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and flock of POSIX")

TESTS = Path(__file__).parent.parent
PROCESSES, ROUNDS = 12, 3


def start(folder: Path, env: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "support.refresh_process", str(folder)],
        env={**os.environ, "PYTHONPATH": str(TESTS), **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def log_in(folder: Path) -> TokenPlatform:
    """A home whose login is a day old for the processes that come."""
    folder.mkdir()
    made = tokens(folder, late=0)
    platform = TokenPlatform(folder / "platform.json")
    made._grants.store.put(app_secret_key(channel()), SecretText(APP_SECRET))
    made.accept(channel(), lambda secret: platform.exchange(channel(), secret, SecretText("c")))
    return platform


def test_many_processes_that_meet_an_expired_token_make_one_refresh(tmp_path: Path):
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        platform = log_in(folder)
        go = folder / "go"
        running = [start(folder, {"GO": str(go)}) for _ in range(PROCESSES)]
        go.touch()
        ended = [process.communicate(timeout=120) for process in running]

        assert {out for out, _ in ended} == {platform.current[0]}, ended
        assert (platform.refreshes, platform.refused) == (1, 0)


def steps_of_a_refresh(folder: Path) -> list[str]:
    platform = log_in(folder)
    steps = folder / "steps"
    out, err = start(folder, {"STEPS": str(steps)}).communicate(timeout=60)
    assert out == platform.current[0], err
    return steps.read_text().splitlines()


def next_run(folder: Path) -> str | LoginError:
    """The token that the next run gets, or its error."""
    try:
        return tokens(folder).access_token(channel()).reveal()
    except LoginError as exc:
        return exc


def test_a_kill_at_any_step_loses_the_login_only_while_the_answer_arrives(tmp_path: Path):
    """Everywhere else the next run has a valid token; there it says `log in again`."""
    steps = steps_of_a_refresh(tmp_path / "counted")
    killed, lost = 0, []
    for number, step in enumerate(steps, start=1):
        folder = tmp_path / f"kill-{number}"
        platform = log_in(folder)
        process = start(folder, {"KILL_AT": str(number)})
        _, err = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, (step, err)
        killed += 1
        ended = next_run(folder)
        if isinstance(ended, LoginError):
            lost.append(f"{number} before {step}")
            assert ended.code == "AUTH_LOGIN_REQUIRED"
            assert "auth login acme" in str(ended.hint)
        else:
            assert ended == platform.current[0], (number, step)
            assert platform.refused == 0
            tokens(folder).refresh(channel())
        assert list((folder / "journal").glob("*")) == []

    sys.stdout.write(f"{killed} points killed, lost at {lost}\n")
    assert killed == len(steps) >= 30
    assert len(lost) <= 2, lost


def test_the_next_process_goes_on_when_the_holder_of_the_lock_dies(tmp_path: Path):
    steps = steps_of_a_refresh(tmp_path / "counted")
    folder = tmp_path / "home"
    platform = log_in(folder)
    at = steps.index("the platform has acted") - 3
    waiting = [start(folder, {"KILL_AT": str(at)})]
    waiting += [start(folder, {}) for _ in range(3)]
    ended = [process.communicate(timeout=60)[0] for process in waiting]

    assert waiting[0].returncode in (-signal.SIGKILL, 0)
    assert set(ended[1:]) == {platform.current[0]}
    assert (platform.refreshes, platform.refused) == (1, 0)


def test_nothing_secret_is_left_in_any_file_or_output_of_killed_processes(tmp_path: Path):
    """Tokens and the app's Secret are in no file but sealed ones, wherever the process died."""
    steps = steps_of_a_refresh(tmp_path / "counted")
    found = []
    for number in range(1, len(steps) + 1, 4):
        folder = tmp_path / f"kill-{number}"
        log_in(folder)
        out, err = start(folder, {"KILL_AT": str(number)}).communicate(timeout=60)
        assert "canary" not in out + err
        for path in folder.rglob("*"):
            mine = path.is_file() and not path.name.startswith("platform")
            if mine and b"canary" in path.read_bytes():
                found.append((number, path.name))

    assert found == []
