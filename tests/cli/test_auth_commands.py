"""`auth …` against the sandbox: login, status, refresh, logout, move, and their ways to fail."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from support.cli import Run, command
from support.terminal import at_terminal
from support.world import World, open_url, world


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    """A home with a channel that is not logged in."""
    with world(tmp_path / "home", logged_in=False) as made:
        added = made.add_channel()
        assert added.code == 0, added.stdout
        yield made


def expect(run: Run, code: int, error: str) -> None:
    assert (run.code, run.error_code) == (code, error), run.stdout + run.stderr
    assert run.envelope["errors"][0]["hint"]
    assert "Traceback" not in run.stderr


def authorized(w: World) -> bool:
    return bool(w.json("channel", "show", "acme").data["authorized"])


def test_a_login_and_its_life(w: World):
    """Status asks for a login (4), the login names accounts, a refresh renews, logout ends it."""
    expect(w.json("auth", "status", "acme"), 4, "AUTH_LOGIN_REQUIRED")

    login = w.login()
    assert login.code == 0, login.stdout + login.stderr
    assert login.data["accounts"]
    assert login.data["gained"] == login.data["accounts"]
    assert login.data["lost"] == []
    urls = [line for line in login.stderr.splitlines() if line.startswith("http")]
    assert len(urls) == 1
    assert urls[0] == urls[0].strip()

    before = w.json("auth", "status")
    (channel,) = before.data["channels"]
    assert (before.code, channel["authorized"], channel["days_left"]) == (0, True, 30)
    assert before.data["store"]["name"] == "file"
    assert "weakest" in before.data["store"]["description"]
    refreshed = w.json("auth", "refresh", "acme")
    assert refreshed.code == 0, refreshed.stdout
    assert len(w.sandbox.requests("oauth2/refresh_token")) == 1

    assert w.json("auth", "logout", "acme").code == 0
    expect(w.json("auth", "status", "acme"), 4, "AUTH_LOGIN_REQUIRED")
    assert w.json("channel", "show", "acme").data["secret_stored"] is True


def test_status_warns_when_fewer_than_seven_days_are_left(w: World, tmp_path: Path):
    """By the machine's clock, which is moved on here."""
    from support.clock import shifted

    w.login()

    late = w("auth", "status", "acme", env=shifted(tmp_path, days=24))
    early = w("auth", "status", "acme", env=shifted(tmp_path, days=20))
    over = w("auth", "status", "acme", env=shifted(tmp_path, days=31))

    assert (late.code, "auth refresh acme" in late.stderr) == (0, True)
    assert (early.code, "auth refresh acme" in early.stderr) == (0, False)
    assert over.code == 4


@pytest.mark.parametrize("whole", [True, False], ids=["url", "code"])
def test_paste_takes_the_redirected_url_or_the_bare_code(w: World, whole: bool):
    process = subprocess.Popen(
        command("auth", "login", "acme", "--paste", "--json"),
        env={**os.environ, "YUNTU_PUSH_HOME": str(w.home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stderr is not None
    url = next(line.strip() for line in process.stderr if line.startswith("http"))
    state = parse_qs(urlsplit(url).query)["state"][0]
    code = w.sandbox.auth_code()
    pasted = f"https://elsewhere.example/cb?auth_code={code}&state={state}" if whole else code
    stdout, stderr = process.communicate(pasted + "\n", timeout=60)

    assert process.returncode == 0, stdout
    assert code not in stdout + stderr
    assert authorized(w)


@pytest.mark.parametrize(
    ("pasted", "error"),
    [
        ("", "AUTH_NOTHING_PASTED"),
        ("http://127.0.0.1:8787/oauth/callback?auth_code=x&state=y", "AUTH_STATE_WRONG"),
        ("no-such-code", "AUTH_LOGIN_REQUIRED"),
    ],
)
def test_what_cannot_be_used_is_4_with_the_next_step(w: World, pasted: str, error: str):
    expect(w.json("auth", "login", "acme", "--paste", stdin=pasted), 4, error)
    assert not authorized(w)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_what_is_pasted_at_a_terminal_is_not_shown(w: World):
    code = w.sandbox.auth_code()

    ended, shown = at_terminal(
        "auth", "login", "acme", "--paste", home=w.home, answers=[("paste", code)]
    )

    assert ended == 0, shown
    assert code not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="how a browser is named differs")
def test_what_a_browser_prints_is_not_in_our_answer(w: World, tmp_path: Path):
    """Chromium, for one, says on stdout that it opened a page in a running session."""
    program = tmp_path / "browser.py"
    program.write_text(
        "import sys, urllib.request\n"
        "print('Opening in existing browser session.', flush=True)\n"
        "urllib.request.urlopen(sys.argv[1]).read()\n"
    )

    run = w.json("auth", "login", "acme", env={"BROWSER": f"{sys.executable} {program} %s &"})

    assert run.code == 0, run.stdout
    assert run.envelope["command"] == "auth login"
    assert "existing browser session" in run.stderr


def test_the_time_for_an_answer_ends(w: World):
    run = w.json("auth", "login", "acme", "--no-browser", "--timeout", "1s")

    expect(run, 4, "AUTH_LOGIN_TIMEOUT")
    assert "--paste" in run.envelope["errors"][0]["hint"]


def test_a_wrong_duration_is_a_usage_error(w: World):
    expect(w.json("auth", "login", "acme", "--timeout", "soon"), 2, "USAGE")


def interrupted(w: World, number: int) -> tuple[int, str]:
    """The exit code and output of a login that waits and then gets a signal."""
    process = subprocess.Popen(
        command("auth", "login", "acme", "--no-browser", "--json"),
        env={**os.environ, "YUNTU_PUSH_HOME": str(w.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "waiting" in line:
            break
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)
    assert "Traceback" not in stdout + stderr
    return process.returncode, stdout


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_login_leaves_things_as_they_were(w: World, number: int, code: int):
    w.login()

    assert interrupted(w, number)[0] == code
    assert authorized(w)
    assert w.login().code == 0  # the port is free again


def test_a_wrong_state_is_said_and_the_login_goes_on(w: World):
    process = subprocess.Popen(
        command("auth", "login", "acme", "--no-browser", "--json"),
        env={**os.environ, "YUNTU_PUSH_HOME": str(w.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stderr is not None
    url = next(line.strip() for line in process.stderr if line.startswith("http"))
    callback = parse_qs(urlsplit(url).query)["redirect_uri"][0]
    with pytest.raises(OSError, match="400"):
        open_url(f"{callback}?auth_code=evil&state=guessed")
    page = open_url(url).decode()
    stdout, stderr = process.communicate(timeout=60)

    assert process.returncode == 0, stdout
    assert "授权成功" in page
    assert "wrong state" in stderr
    assert "evil" not in stdout + stderr


def test_a_refusal_by_the_person_is_shown_and_4(tmp_path: Path):
    """The page comes back without a code: nothing is stored, the browser says what to do."""
    with world(tmp_path / "home", logged_in=False) as w:
        w.add_channel()
        process = subprocess.Popen(
            command("auth", "login", "acme", "--no-browser", "--json"),
            env={**os.environ, "YUNTU_PUSH_HOME": str(w.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        assert process.stderr is not None
        url = next(line.strip() for line in process.stderr if line.startswith("http"))
        fields = parse_qs(urlsplit(url).query)
        page = open_url(f"{fields['redirect_uri'][0]}?state={fields['state'][0]}").decode()
        stdout, stderr = process.communicate(timeout=60)

        expect(Run(process.returncode, stdout, stderr), 4, "AUTH_REFUSED")
        assert "授权未完成" in page
        assert not authorized(w)


def test_a_lost_answer_to_a_refresh_is_log_in_again(w: World):
    """The platform renewed, the connection broke: exit 4 with the command, never a traceback."""
    w.login()
    w.sandbox.fault("oauth2/refresh_token", "drop_after", nth=1)

    expect(w.json("auth", "refresh", "acme"), 4, "AUTH_LOGIN_REQUIRED")
    expect(w.json("auth", "status", "acme"), 4, "AUTH_LOGIN_REQUIRED")
    assert w.login().code == 0
    assert w.json("auth", "refresh", "acme").code == 0


def test_a_refresh_that_never_reached_the_platform_is_tried_later(w: World):
    w.login()
    w.sandbox.fault("oauth2/refresh_token", "drop_before", nth=1)

    again = w.json("auth", "refresh", "acme")

    assert again.code in (0, 75), again.stdout
    assert w.json("auth", "refresh", "acme").code == 0


def test_a_second_login_elsewhere_ends_this_one(w: World):
    """Authorising again replaces the earlier grant; the next refresh here says so."""
    w.login()
    w.sandbox.authorize()

    expect(w.json("auth", "refresh", "acme"), 4, "AUTH_LOGIN_REQUIRED")


def test_a_wrong_secret_names_the_command_that_sets_it(tmp_path: Path):
    with world(tmp_path / "home", logged_in=False) as w:
        w.json(
            "channel", "add", "acme", "--kind", "yuntu", "--app-id", str(w.sandbox.app_id),
            "--auth-url", w.sandbox.auth_url, "--api-url", w.sandbox.url, "--secret-stdin",
            stdin="not-the-secret",
        )  # fmt: skip
        run = w.json("auth", "login", "acme", "--paste", stdin=w.sandbox.auth_code())

        expect(run, 4, "APP_REFUSED")
        assert "channel set-secret acme" in run.envelope["errors"][0]["hint"]
        assert "not-the-secret" not in run.stdout + run.stderr


def test_moving_needs_a_store_to_move_to(w: World):
    """There is no keyring here: refused by name, and the login stays usable."""
    w.login()
    environ = {"YUNTU_PUSH_SECRETS": ""}

    run = w.json("auth", "move", "acme", "--to", "keyring", env=environ)

    assert run.code == 2, run.stdout
    assert authorized(w)
    again = w.json("auth", "move", "acme", "--to", "file", env=environ)
    assert (again.code, again.data["channels"]) == (0, []), again.stdout
