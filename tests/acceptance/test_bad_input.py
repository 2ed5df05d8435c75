"""Every failure of the user's making: a clear error, the right exit code, nothing lost."""

import ctypes
import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from support.cli import TEST_ENVIRONMENT, Run, command, yuntu, yuntu_json
from support.world import World, phones, world, write_csv


def build(home: Path, *words: str | Path, **options: object) -> Run:
    return yuntu_json("segment", "build", "s", *words, home=home, **options)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


def nothing_left(home: Path) -> bool:
    """No version and no working folder of the segment."""
    folder = home / "segments"
    return not [p for p in folder.rglob("*") if p.is_file() and "lock" not in p.name]


def expect(run: Run, code: int, error: str) -> None:
    assert (run.code, run.error_code) == (code, error), run.stdout + run.stderr
    assert run.envelope["errors"][0]["message"]
    assert run.envelope["errors"][0]["hint"]
    assert "Traceback" not in run.stderr + run.stdout


def test_missing_column_names_the_nearest(home: Path):
    path = write_csv(home / "x.csv", "mobile", phones(3))

    run = build(home, path, "--id", "phone=mobil")

    expect(run, 3, "SOURCE_COLUMN_MISSING")
    assert "mobile" in run.stdout
    assert nothing_left(home)


def test_ambiguous_column(home: Path):
    (home / "x.csv").write_text("p,p\n13800138001,13800138002\n")

    expect(build(home, home / "x.csv", "--id", "phone=p"), 3, "SOURCE_COLUMN_AMBIGUOUS")


@pytest.mark.parametrize("content", ["", "\n", "mobile\n", "\ufeff"])
def test_empty_file(home: Path, content: str):
    (home / "x.csv").write_text(content)

    run = build(home, home / "x.csv", "--id", "phone=mobile")

    assert run.code == 3, run.stdout
    assert nothing_left(home)


def test_unreadable_encoding(home: Path):
    (home / "x.csv").write_bytes(b"mobile,name\n13800138001,\xff\xfe\x81\x00\x01\x02\x9f\xff\n")

    run = build(home, home / "x.csv", "--id", "phone=mobile")

    assert run.code == 3, run.stdout
    assert "--encoding" in run.envelope["errors"][0]["hint"]


def test_phones_that_excel_turned_into_floats(home: Path):
    path = write_csv(home / "x.csv", "mobile", ["1.38E+10"] * 20 + phones(20))

    run = build(home, path, "--id", "phone=mobile")

    assert run.code == 3, run.stdout
    assert "scientific" in run.stdout.lower()
    assert nothing_left(home)


def test_truncated_gzip(home: Path):
    whole = gzip.compress(("mobile\n" + "\n".join(phones(5000))).encode())
    (home / "x.csv.gz").write_bytes(whole[: len(whole) // 2])

    run = build(home, home / "x.csv.gz", "--id", "phone=mobile")

    assert run.code == 3, run.stdout
    assert nothing_left(home)


def test_rejects_over_the_limit_say_why(home: Path):
    path = write_csv(home / "x.csv", "mobile", phones(80) + ["138****8000"] * 20)

    refused = build(home, path, "--id", "phone=mobile")
    allowed = build(home, path, "--id", "phone=mobile", "--max-rejects", "20%")

    assert refused.code == 3, refused.stdout
    assert "masked" in refused.stdout
    assert allowed.code == 0, allowed.stdout
    assert allowed.data["rejects"] == {"masked": 20}


def test_a_directory_where_a_file_is_expected(home: Path):
    (home / "dir.csv").mkdir()

    expect_code = build(home, "--csv", home / "dir.csv", "--id", "phone=mobile")

    assert expect_code.code == 3, expect_code.stdout


def test_a_file_that_is_not_there(home: Path):
    assert build(home, home / "none.csv", "--id", "phone=mobile").code == 3


def without_override() -> None:
    """Let a root process feel the modes of files, as everybody else does."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            assert libc.prctl(24, capability, 0, 0, 0) == 0  # PR_CAPBSET_DROP


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux capabilities where root tests")
@pytest.mark.parametrize("closed", ["file", "folder"])
@pytest.mark.parametrize("name", ["x.csv", "x.parquet", "x.xlsx", "x*.csv"])
def test_no_permission(home: Path, name: str, closed: str):
    """A file that may not be read, or a folder that may not be entered, is unusable data."""
    folder = home / "in"
    folder.mkdir()
    path = write_csv(folder / name.replace("*", "1"), "mobile", phones(3))
    (path if closed == "file" else folder).chmod(0)

    done = subprocess.run(
        command("segment", "build", "s", str(folder / name), "--id", "phone=mobile", "--json"),
        env={**TEST_ENVIRONMENT, **os.environ, "YUNTU_PUSH_HOME": str(home)},
        capture_output=True,
        text=True,
        preexec_fn=without_override,
    )
    folder.chmod(0o700)

    expect(Run(done.returncode, done.stdout, done.stderr), 3, "SOURCE_NO_PERMISSION")
    assert str(folder) in done.stdout
    assert nothing_left(home)


def test_a_file_name_that_cannot_be_is_unusable_data(home: Path):
    expect(build(home, f"{'x' * 300}.csv", "--id", "phone=mobile"), 3, "SOURCE_UNREADABLE")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--id", "phone"), 2),
        (("--id", "nonsense=mobile"), 2),
        ((), 2),
        (("--id", "phone=mobile", "--max-rejects", "many"), 2),
        (("--id", "phone=mobile", "--part-size", "60MB"), 2),
    ],
)
def test_wrong_options_are_usage_errors(home: Path, words: tuple[str, ...], code: int):
    path = write_csv(home / "x.csv", "mobile", phones(3))

    assert build(home, path, *words).code == code


def test_a_segment_is_never_a_path(home: Path):
    path = write_csv(home / "x.csv", "mobile", phones(3))

    run = yuntu_json("segment", "build", "../x", path, "--id", "phone=mobile", home=home)

    expect(run, 2, "NAME_INVALID")


@pytest.fixture(scope="module")
def logged_in(tmp_path_factory: pytest.TempPathFactory):
    with world(tmp_path_factory.mktemp("bad") / "home") as w:
        w.build()
        yield w


@pytest.mark.parametrize("name", ["a" * 17, "vip-2026", "会员 日报"])
def test_a_push_name_is_refused_before_anything_is_sent(logged_in: World, name: str):
    before = len(logged_in.sandbox.requests())

    run = logged_in.create(name=name)

    expect(run, 2, "PUSH_NAME_INVALID")
    assert "^" in run.envelope["errors"][0]["message"]
    assert len(logged_in.sandbox.requests()) == before


def test_unknown_names_come_with_the_nearest_known_ones(logged_in: World):
    account, brand = logged_in.bound_account()
    base = ("push", "create", "--name", "x", "--segment", "vip")
    wrong = {
        "channel": ("--channel", "acmee", "--account", account["advertiser_id"]),
        "account": ("--account", account["name"] + "店"),
        "brand": ("--account", account["advertiser_id"], "--brand", brand["brand_name"] + "牌"),
    }
    known = {"channel": "acme", "account": account["name"], "brand": brand["brand_name"]}

    for what, words in wrong.items():
        extra = () if what == "brand" else ("--brand", brand["brand_id"])
        run = logged_in.json(*base, *words, *extra)
        assert run.code == 2, (what, run.stdout)
        assert known[what] in run.stdout, (what, run.stdout)


def test_an_unknown_segment(logged_in: World):
    run = logged_in.create(segment="vipp")

    assert run.code == 2, run.stdout
    assert "vip" in run.envelope["errors"][0]["message"]


def test_a_wrong_secret_is_a_login_error(tmp_path: Path):
    with world(tmp_path / "home", logged_in=False) as w:
        w.sandbox.secret = "not-the-secret"
        assert w.add_channel().code == 0

        run = w.login()

        assert run.code in (4, 5), run.stdout
        assert run.envelope["errors"][0]["hint"]


def test_the_callback_port_is_in_use(tmp_path: Path):
    with world(tmp_path / "home", logged_in=False) as w, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        w.json(
            "channel", "add", "acme", "--kind", "yuntu", "--app-id", str(w.sandbox.app_id),
            "--callback-url", f"http://127.0.0.1:{port}/cb", "--auth-url", w.sandbox.auth_url,
            "--api-url", w.sandbox.url, "--secret-stdin", stdin=str(w.sandbox.secret),
        )  # fmt: skip

        run = w.json("auth", "login", "acme", "--no-browser", "--timeout", "5")

        assert run.code in (2, 75), run.stdout
        assert str(port) in run.envelope["errors"][0]["message"]


def test_an_expired_login_is_4_and_loses_nothing(tmp_path: Path):
    """31 days later the refresh token is dead too: log in again, and the push goes on."""
    with world(tmp_path / "home", speed=1.0) as w:
        w.build()
        push = w.create().data["push_id"]
        w.sandbox.advance(days=31)

        run = w.json("push", "resume", push)

        assert run.code == 4, run.stdout
        assert "auth login acme" in run.envelope["errors"][0]["hint"]
        assert w.login().code == 0
        assert w.json("push", "resume", push).code == 0


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "html"},
        {"effect": "half_json"},
        {"effect": "empty"},
        {"effect": "http", "status": 500},
        {"effect": "http", "status": 429, "retry_after": "1"},
        {"effect": "drop_before"},
        {"effect": "drop_after"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
@pytest.mark.parametrize("route", ["data_source/file/upload", "data_source/read"])
def test_a_platform_that_answers_nonsense_once(
    tmp_path: Path, route: str, fault: dict[str, object]
):
    """A read is repeated, an upload too; the push still ends as it should."""
    with world(tmp_path / "home", speed=1_000_000.0) as w:
        w.build()
        w.sandbox.fault(route, nth=1, **fault)

        run = w.create("--wait", "--poll", "1", "--timeout", "60")

        assert run.code == 0, (fault, run.stdout, run.stderr)
        assert len(w.sandbox.state()["data_sources"]) == 1


def test_no_bad_input_prints_a_traceback(home: Path):
    """Odd lines of every kind end in an error of ours."""
    lines = [
        ("push", "status", "nope"),
        ("push", "resume"),
        ("push", "resume", "nope"),
        ("segment", "show", "nope"),
        ("segment", "remove", "nope"),
        ("channel", "show", "nope"),
        ("channel", "remove", "nope"),
        ("auth", "login", "nope"),
        ("accounts", "refresh", "nope"),
        ("push", "create", "--name", "x", "--segment", "none"),
        ("explain", "nope"),
        ("schema", "nope"),
        ("config", "show", "--bad"),
        ("nonsense",),
    ]
    for words in lines:
        run = yuntu(*words, home=home)
        assert run.code in (2, 3, 4), (words, run.code, run.stderr)
        assert "Traceback" not in run.stderr, words
        assert "error[" in run.stderr, words
