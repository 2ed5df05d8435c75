"""`accounts`, `doctor` and `explain` as scripts and people meet them."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from support.cli import Run, yuntu, yuntu_json
from support.sandbox import (
    BRAND,
    BRAND_ID,
    BRAND_NAME,
    INVALID,
    OWNER,
    WORKBENCH,
    WORKBENCH_SIZE,
    Sandbox,
    running_sandbox,
)
from yuntu_push.cli import contract


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """One imitation for this module."""
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """The imitation, as seeded; nobody paces calls to it."""
    shared.reset()
    shared.clear_faults()
    monkeypatch.setenv("YUNTU_PUSH_API_RATE", "0")
    return shared


@pytest.fixture
def home(tmp_path: Path, sandbox: Sandbox) -> Path:
    """A home with the channel acme."""
    path = tmp_path / "home"
    added = yuntu(
        "channel", "add", "acme", "--kind", "yuntu", "--app-id", str(sandbox.app_id),
        "--api-url", sandbox.url, "--secret-stdin", home=path, stdin=sandbox.secret,
    )  # fmt: skip
    assert added.code == 0, added.stderr
    return path


def _login(home: Path, sandbox: Sandbox, *accounts: int) -> Run:
    code = sandbox.auth_code(*accounts)
    done = yuntu_json("auth", "login", "acme", "--paste", home=home, stdin=code)
    assert done.code == 0, done.stdout + done.stderr
    return done


def test_accounts_are_read_and_listed(home: Path, sandbox: Sandbox) -> None:
    """The same data after a refresh and offline; ids are strings."""
    _login(home, sandbox)

    refreshed = yuntu_json("accounts", "refresh", "acme", home=home)
    listed = yuntu_json("account", "list", "acme", home=home)

    assert refreshed.code == 0, refreshed.stdout
    assert refreshed.data == listed.data
    data = msgspec.convert(listed.data, contract.AccountsData, strict=True)
    found = {account["advertiser_id"]: account for account in data["accounts"]}
    assert found[str(OWNER)]["brands"][0] == {
        "brand_id": str(BRAND_ID),
        "brand_name": BRAND_NAME,
        "virtual_adv_id": str(BRAND),
    }
    assert found[str(INVALID)]["valid"] is False
    below = [a for a in data["accounts"] if a["parent_id"] == str(WORKBENCH)]
    assert len(below) == WORKBENCH_SIZE
    assert "巨量云图 is bound" in refreshed.stderr


def test_an_unbound_login_says_what_to_do(home: Path, sandbox: Sandbox) -> None:
    """One line: who does what where, then this command again."""
    sandbox.unbind(BRAND_ID, OWNER)
    sandbox.unbind(BRAND_ID + 1, OWNER)
    _login(home, sandbox, OWNER)

    run = yuntu("accounts", "refresh", "acme", home=home)

    [line] = [line for line in run.stderr.splitlines() if "巨量云图" in line]
    assert "not bound" in line
    assert "`yuntu-push accounts refresh acme`" in line


def test_a_pipe_gets_tab_separated_lines(home: Path, sandbox: Sandbox) -> None:
    """A header, then one line for each account."""
    _login(home, sandbox, OWNER)

    run = yuntu("accounts", "list", home=home)

    header, line = run.stdout.splitlines()
    assert header.split("\t")[:3] == ["channel", "account", "name"]
    assert line.split("\t")[:2] == ["acme", str(OWNER)]


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("accounts", "refresh", "acne"), 2, "CHANNEL_UNKNOWN"),
        (("accounts", "list", "acne"), 2, "CHANNEL_UNKNOWN"),
        (("accounts", "refresh", "acme"), 4, "AUTH_LOGIN_REQUIRED"),
        (("accounts", "refresh"), 2, "USAGE"),
        (("doctor", "acne"), 2, "CHANNEL_UNKNOWN"),
        (("explain", "NO_SUCH_CODE"), 2, "CODE_UNKNOWN"),
    ],
)
def test_what_cannot_be_done_is_explained(
    words: tuple[str, ...], code: int, error: str, home: Path
) -> None:
    """The exit code of the contract, and a next step."""
    run = yuntu_json(*words, home=home)

    assert (run.code, run.error_code) == (code, error)
    assert run.envelope["errors"][0]["hint"]


@pytest.mark.parametrize(
    ("effect", "more"),
    [
        ("html", {}),
        ("drop_before", {}),
        ("refuse", {"code": 40100, "retry_in": "600"}),
    ],
)
def test_a_platform_in_trouble_is_tried_later(
    effect: str, more: dict[str, object], home: Path, sandbox: Sandbox
) -> None:
    """Exit 75, nothing lost: the accounts known before are still listed."""
    _login(home, sandbox, OWNER)
    before = yuntu_json("accounts", "list", home=home).data
    sandbox.fault("oauth2/advertiser/get", effect, **more)

    run = yuntu_json("accounts", "refresh", "acme", home=home)

    assert run.code == 75, run.stdout
    [error] = run.envelope["errors"]
    assert error["retryable"] is True
    assert error["hint"]
    assert yuntu_json("accounts", "list", home=home).data == before


def test_a_workbench_that_cannot_be_read_is_a_warning(home: Path, sandbox: Sandbox) -> None:
    """The rest is read; what was known under it stays."""
    _login(home, sandbox)
    before = yuntu_json("accounts", "list", home=home).data
    for route in ("customer_center/account/list", "customer_center/advertiser/list"):
        sandbox.fault(route, "refuse", code=40002, message="无权限")

    run = yuntu_json("accounts", "refresh", "acme", home=home)

    assert run.code == 0
    assert "warning" in run.stderr
    assert run.envelope["status"] == "partial"
    assert [error["platform_code"] for error in run.envelope["errors"]] == [40002]
    shown = {account["advertiser_id"] for account in run.data["accounts"]}
    assert shown == {account["advertiser_id"] for account in before["accounts"]}


def test_the_doctor_finds_a_healthy_set_up_healthy(home: Path, sandbox: Sandbox) -> None:
    """Exit 0, and a line for each part."""
    _login(home, sandbox, OWNER)

    run = yuntu_json("doctor", "acme", home=home)

    assert run.code == 0, run.stdout
    states = {check["name"]: check["state"] for check in run.data["checks"]}
    assert set(states.values()) == {"ok"}
    assert {"config", "secrets", "network", "clock", "login", "rights", "brands"} <= states.keys()


def test_the_doctor_ends_with_the_worst(home: Path, sandbox: Sandbox) -> None:
    """Without a login and with a clock a day off: both are told, a person's work comes first."""
    sandbox.advance(days=2)

    run = yuntu_json("doctor", home=home)

    assert run.envelope["status"] == "error"
    assert run.code == 2
    assert {"CLOCK_WRONG", "AUTH_LOGIN_REQUIRED"} == {e["code"] for e in run.envelope["errors"]}
    assert all(error["hint"] for error in run.envelope["errors"])
    sandbox.advance(days=-2)


def test_the_doctor_works_with_a_broken_config(home: Path) -> None:
    """It is what it is there for."""
    (home / "config.yaml").write_text("channels: [\n", "utf-8")

    run = yuntu_json("doctor", home=home)

    assert run.code == 2
    assert run.data["checks"][0]["state"] == "failed"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_codes_are_explained_without_a_home(language: str, tmp_path: Path) -> None:
    """Own and platform codes, offline, in both languages."""
    own = yuntu_json("explain", "PUBLISH_WINDOW", "--lang", language, home=tmp_path / "none")
    theirs = yuntu_json("explain", "40900", "--lang", language, home=tmp_path / "none")

    assert (own.code, own.data["exit_code"], own.data["retryable"]) == (0, 75, True)
    assert (theirs.code, theirs.data["exit_code"]) == (0, 5)
    assert "文件签名错误" in theirs.data["meaning"]
    assert not (tmp_path / "none").exists()
