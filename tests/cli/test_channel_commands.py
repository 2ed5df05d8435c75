"""`channel …` as scripts and people meet it: in a pipe, and at a terminal."""

import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from support.cli import Run, yuntu, yuntu_json
from support.terminal import at_terminal
from yuntu_push.cli import contract

SECRET = "canary-secret-0123456789abcdef"
APP_ID = "1234567890123456"
CONFIG = "# ours\nsecrets:\n  backend: file # servers\n\n# the brand\nchannels:\n  # keep me\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


def add(home: Path, *words: str, name: str = "acme", stdin: str = SECRET, **options) -> Run:
    return yuntu_json(
        "channel", "add", name, "--kind", "yuntu", "--app-id", APP_ID, "--secret-stdin", *words,
        home=home, stdin=stdin, **options,
    )  # fmt: skip


def expect(run: Run, code: int, error: str) -> None:
    assert (run.code, run.error_code) == (code, error), run.stdout + run.stderr
    assert run.envelope["errors"][0]["hint"]
    assert SECRET not in run.stdout + run.stderr


def files(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_add_answers_what_show_answers_and_never_the_secret(home: Path):
    added = add(home)
    shown = yuntu_json("channel", "show", "acme", home=home)

    assert added.code == 0, added.stdout
    assert added.data == shown.data
    data = msgspec.convert(shown.data, contract.ChannelData, strict=True)
    assert data["app_id"] == APP_ID
    assert data["callback_url"] == "http://127.0.0.1:8787/oauth/callback"
    assert data["secret_stored"] is True
    assert SECRET not in added.stdout + added.stderr + shown.stdout
    assert "replaces the earlier one" in added.stderr


def test_the_secret_is_in_no_file_and_what_is_written_is_private(home: Path):
    add(home)

    assert not [path for path in files(home) if SECRET.encode() in path.read_bytes()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files(home)} == {0o600}


def test_the_choice_of_the_environment_is_pinned_for_cron(home: Path):
    add(home)

    environ = {"YUNTU_PUSH_SECRETS": ""}
    run = yuntu_json("config", "show", home=home, env=environ)
    assert "backend: file" in (home / "config.yaml").read_text()
    assert run.code == 0


def test_comments_and_order_of_the_config_survive_add_and_remove(home: Path):
    before = CONFIG + "  old:\n    kind: yuntu\n    app_id: 1\n"
    (home / "config.yaml").write_text(before)

    assert add(home).code == 0
    added = (home / "config.yaml").read_text()
    assert yuntu_json("channel", "remove", "acme", "--yes", home=home).code == 0

    assert added.startswith(before)
    assert (home / "config.yaml").read_text() == before


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ((), "--kind"),
        (("--kind", "yuntu"), "--app-id"),
        (("--kind", "yuntu", "--app-id", "5"), "--secret-stdin"),
    ],
)
def test_without_a_terminal_the_missing_option_is_named(home: Path, words, option):
    run = yuntu_json("channel", "add", "acme", *words, home=home)

    expect(run, 2, "OPTION_MISSING")
    assert option in run.envelope["errors"][0]["message"]
    assert files(home) == []


def test_an_empty_stdin_is_no_secret(home: Path):
    expect(add(home, stdin="\n"), 2, "SECRET_EMPTY")
    assert files(home) == []


def test_no_store_is_chosen_by_itself(home: Path):
    run = add(home, env={"YUNTU_PUSH_SECRETS": ""})

    assert run.code == 2
    assert "YUNTU_PUSH_SECRETS" in run.stdout
    assert files(home) == []


def test_a_refused_keyring_is_named_and_nothing_falls_back(home: Path):
    """The environment forces the keyring, and there is none here."""
    expect(add(home, env={"YUNTU_PUSH_SECRETS": "keyring"}), 2, "SECRETS_BACKEND_REFUSED")
    assert [path.name for path in files(home)] == []


def test_in_ci_the_secret_comes_from_the_environment(home: Path):
    environ = {"YUNTU_PUSH_SECRETS": "env", "YUNTU_PUSH_SECRET_ACME_APP_SECRET": SECRET}
    run = yuntu_json(
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", "5", home=home, env=environ
    )

    assert run.code == 0, run.stdout
    assert run.data["secret_stored"] is True
    assert yuntu_json("channel", "show", "acme", home=home).data["secret_stored"] is False
    login = yuntu_json("auth", "login", "acme", "--no-browser", home=home, env=environ)
    expect(login, 2, "SECRETS_READ_ONLY")


def test_channels_on_one_application(home: Path):
    add(home)
    second = yuntu_json("channel", "add", "second", "--same-app-as", "acme", home=home)

    assert second.code == 0, second.stdout
    assert second.data["app_id"] == APP_ID
    assert second.data["secret_stored"] is True
    expect(yuntu_json("channel", "remove", "acme", "--yes", home=home), 2, "CHANNEL_SHARED")


def test_the_console_link_decides_the_callback(home: Path):
    link = f"https://open.oceanengine.com/audit/oauth.html?app_id={APP_ID}&state=x&redirect_uri=http%3A%2F%2F127.0.0.1%3A9528%2Fcb"

    run = add(home, "--auth-url", link)

    assert run.data["callback_url"] == "http://127.0.0.1:9528/cb"
    assert run.data["auth_url"] == link


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--callback-url", "http://example.com/cb"), "CALLBACK_URL_INVALID"),
        (("--auth-url", "http://example.com/"), "AUTH_URL_INVALID"),
        (("--auth-url", "https://example.com/?app_id=7"), "AUTH_URL_MISMATCH"),
        (("--api-url", "http://example.com"), "API_URL_INVALID"),
    ],
)
def test_wrong_urls_are_refused_before_anything_is_written(home: Path, words, error):
    expect(add(home, *words), 2, error)
    assert files(home) == []


def test_list_and_set_secret(home: Path):
    add(home)
    new = yuntu_json("channel", "set-secret", "acme", "--secret-stdin", home=home, stdin="another")
    listed = yuntu("channel", "list", home=home)

    assert new.code == 0, new.stdout
    header, row = listed.stdout.splitlines()
    assert header.split("\t")[0] == "name"
    assert row.split("\t")[0] == "acme"


def test_removing_is_confirmed_or_not_done(home: Path):
    add(home)

    refused = yuntu_json("channel", "remove", "acme", home=home)
    expect(refused, 2, "NOT_CONFIRMED")
    assert yuntu_json("channel", "show", "acme", home=home).code == 0

    assert yuntu_json("channel", "remove", "acme", "-y", home=home).code == 0
    assert yuntu_json("channel", "list", home=home).data == {"channels": []}
    assert not list((home / "secrets").glob("*.sealed"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_at_a_terminal_everything_is_asked_for_with_where_to_copy_it_from(home: Path):
    code, shown = at_terminal(
        "channel", "add", "acme",
        home=home,
        env={"YUNTU_PUSH_SECRETS": "", "COLUMNS": "300"},
        answers=[
            ("kind:", "yunto"),
            ("kind:", ""),
            ("APP_ID", "not a number"),
            ("APP_ID", APP_ID),
            ("授权URL", ""),
            ("回调地址", ""),
            ("keyring or file", "somewhere"),
            ("keyring or file", "file"),
            ("Secret", SECRET),
        ],
    )  # fmt: skip

    assert code == 0, shown
    for word in ("APPID管理", "应用详情", "APP_ID", "Secret", "回调地址", "授权URL"):
        assert word in shown
    assert SECRET not in shown
    assert yuntu_json("channel", "show", "acme", home=home).data["secret_stored"] is True
    assert "backend: file" in (home / "config.yaml").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_at_a_terminal_removing_asks(home: Path):
    add(home)

    code, shown = at_terminal("channel", "remove", "acme", home=home, answers=[("[y/N]", "n")])
    assert (code, "was not removed" in shown) == (2, True)
    code, _ = at_terminal("channel", "remove", "acme", home=home, answers=[("[y/N]", "y")])
    assert code == 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
@pytest.mark.parametrize(("typed", "code"), [("", 2), ("\x04", 130)])
def test_no_answer_at_set_secret_keeps_the_stored_one(home: Path, typed: str, code: int):
    """Enter is no Secret; Ctrl-D leaves the question."""
    add(home)
    sealed = {path: path.read_bytes() for path in (home / "secrets").iterdir()}

    ended, shown = at_terminal(
        "channel", "set-secret", "acme", home=home, answers=[("Secret", typed)],
        env={"YUNTU_PUSH_LANG": "en"},
    )  # fmt: skip

    assert ended == code, shown
    assert "bug" not in shown
    assert {path: path.read_bytes() for path in (home / "secrets").iterdir()} == sealed


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pty")
def test_ctrl_d_ends_the_questions_of_add(home: Path):
    ended, shown = at_terminal(
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", "5", home=home,
        answers=[("授权URL", "\x04")], env={"YUNTU_PUSH_LANG": "en"},
    )  # fmt: skip

    assert ended == 130, shown
    assert "needed" not in shown
    assert not (home / "config.yaml").exists()


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_bytes_that_are_no_text_are_no_secret(home: Path, locale: str):
    run = yuntu_json(
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", APP_ID, "--secret-stdin",
        home=home, stdin=b"ab\xff\xfe\n", env={"LC_ALL": locale},
    )  # fmt: skip

    expect(run, 2, "SECRET_UNREADABLE")
    assert files(home) == []


def test_a_secret_that_would_be_left_out_is_refused(home: Path):
    """`--same-app-as` uses the stored Secret; one that is piped in would vanish."""
    add(home)

    run = yuntu_json(
        "channel", "add", "second", "--same-app-as", "acme", "--secret-stdin",
        home=home, stdin=SECRET,
    )  # fmt: skip

    expect(run, 2, "USAGE")


def test_channels_added_at_once_are_all_there(home: Path):
    names = [f"c{number}" for number in range(4)]
    with ThreadPoolExecutor(len(names)) as pool:
        ended = list(pool.map(lambda name: add(home, name=name).code, names))

    known = yuntu_json("channel", "list", home=home).data["channels"]
    assert ended == [0] * len(names)
    assert sorted(channel["name"] for channel in known) == names
