"""Commands over a real Secret Service: unlocked they work, locked they say `try later` (75)."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cli import command
from support.keyring_session import Runner, keyring_session
from support.sandbox import Sandbox, running_sandbox

pytestmark = pytest.mark.server


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as made:
        yield made


def envelope(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def environ(home: Path) -> dict[str, str]:
    return {
        "YUNTU_PUSH_HOME": str(home),
        "YUNTU_PUSH_SECRETS": "keyring",
        "YUNTU_PUSH_LANG": "en",
        "YUNTU_PUSH_API_RATE": "1000",
    }


def add(run: Runner, home: Path, sandbox: Sandbox) -> dict[str, Any]:
    words = (
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", str(sandbox.app_id),
        "--auth-url", sandbox.auth_url, "--api-url", sandbox.url, "--secret-stdin", "--json",
    )  # fmt: skip
    return envelope(run(command(*words), env=environ(home), stdin=sandbox.secret))


def ask(run: Runner, home: Path, *words: str, stdin: str = "") -> dict[str, Any]:
    return envelope(run(command(*words, "--json"), env=environ(home), stdin=stdin))


def test_channel_and_login_live_in_the_keyring_and_move_to_the_file(
    tmp_path: Path, sandbox: Sandbox
):
    """Nothing of them is in a file, until `auth move` takes them into the encrypted one."""
    home = tmp_path / "home"
    with keyring_session(tmp_path, password="pw") as run:
        assert add(run, home, sandbox)["exit_code"] == 0
        login = ask(run, home, "auth", "login", "acme", "--paste", stdin=sandbox.auth_code())
        assert login["exit_code"] == 0, login
        status = ask(run, home, "auth", "status")
        assert status["data"]["store"]["name"] == "keyring"
        assert "SecretService" in status["data"]["store"]["description"]
        assert ask(run, home, "auth", "refresh", "acme")["exit_code"] == 0
        assert not (home / "secrets").exists()

        forced = environ(home)
        del forced["YUNTU_PUSH_SECRETS"]
        moved = envelope(run(command("auth", "move", "acme", "--to", "file", "--json"), env=forced))
        assert (moved["exit_code"], moved["data"]["channels"]) == (0, ["acme"]), moved
        after = envelope(run(command("auth", "status", "--json"), env=forced))
        assert (after["exit_code"], after["data"]["store"]["name"]) == (0, "file"), after
        left = ask(run, home, "channel", "show", "acme")
        assert (left["data"]["secret_stored"], left["data"]["authorized"]) == (False, False)


def test_a_locked_keyring_is_75_for_every_command_and_nothing_is_stored_elsewhere(
    tmp_path: Path, sandbox: Sandbox
):
    home = tmp_path / "home"
    with keyring_session(tmp_path, password="pw") as run:
        assert add(run, home, sandbox)["exit_code"] == 0
    before = (home / "config.yaml").read_text()
    with keyring_session(tmp_path, password=None) as run:
        for words in (
            ("auth", "status"),
            ("auth", "refresh", "acme"),
            ("auth", "login", "acme", "--no-browser"),
            ("channel", "set-secret", "acme", "--secret-stdin"),
            ("channel", "remove", "acme", "--yes"),
        ):
            ended = ask(run, home, *words, stdin="another-secret")
            assert ended["exit_code"] == 75, (words, ended)
            assert ended["errors"][0]["code"] == "SECRETS_LOCKED"
            assert ended["errors"][0]["retryable"] is True

    assert (home / "config.yaml").read_text() == before
    assert not (home / "secrets").exists()
    assert not (home / "secrets.key").exists()
