"""No raw or hashed id, Secret or token anywhere but in the secret store and the parts."""

import base64
import hashlib
import json
import os
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.canaries import (
    CANARIES,
    DATABASE,
    DEVICES,
    IN_URL,
    CommandLines,
    Search,
)
from support.canary_chapters import (
    PHONE,
    WAIT,
    answers_that_fail,
    answers_that_quote,
    begin,
    bugs,
    elsewhere,
    end,
    files_that_are_right,
    files_that_are_wrong,
    on_database,
    places,
    pushes,
    queries,
    sets,
)
from support.cli import TEST_ENVIRONMENT, Run, command
from support.commands import all_commands
from support.databases import OPENERS, kinds
from support.terminal import at_terminal
from support.world import World, world, write_csv
from yuntu_push import __version__

ELSEWHERE = {
    "demo": "starts processes; test_processes_leave_nothing",
    "sandbox serve": "serves until stopped; test_processes_leave_nothing",
}
QUIET = [  # what is only looked at, in every way
    "guide", "quota", "explain 40105", "schema push create", "completion bash", "config show",
    "config show --origin", "config check", "config path", "channel list", "channel show acme",
    "source list", "source test crm", "accounts list", "auth status", "segment list",
    "segment show half", "segment verify half", "segment rejects half", "segment diff half",
    "push list", "push status", "push resume --all", "schedule print daily",
    "schedule print daily --systemd", "schedule print daily --windows",
]  # fmt: skip


@contextmanager
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Search]]:
    """A world whose homes, temporary folder and current folder are searched after each run.

    What commands are given lies in `inputs`, which they must leave as it is.
    """
    home, moved, fresh, spare, here = (
        tmp_path / name for name in ("home", "moved", "fresh", "spare", "here")
    )
    spare.mkdir()
    here.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    monkeypatch.setenv("TMPDIR", str(spare))
    monkeypatch.chdir(here)
    # Pauses between tries are cut short.
    monkeypatch.setattr(
        "yuntu_push.adapters.system.SystemClock.sleep", lambda _, s: time.sleep(min(s, 0.02))
    )
    with world(home, logged_in=False, speed=1e6) as w:
        run = Search(
            home,
            (home, moved, fresh, spare, here),
            secrets=lambda: [str(w.sandbox.secret), *w.sandbox.tokens()],
            env={"YUNTU_PUSH_PUSH_POLL": "0.1"},
        )
        yield w, run
    assert list(spare.iterdir()) == []


def test_nothing_personal_and_nothing_secret_is_left_by_any_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Every command, well used and badly: all that it writes, removes and says is searched."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    with watched(tmp_path, monkeypatch) as (w, run):
        begin(w, run, inputs)
        files_that_are_wrong(run, inputs)
        files_that_are_right(run, inputs)
        queries(run, inputs)
        sets(run, inputs)
        account, brand = places(w)
        for line in QUIET:
            run.each_way(*line.split())
        push = pushes(w, run, inputs, account, brand)
        answers_that_quote(w, run, account, brand)
        answers_that_fail(w, run, account, brand)
        bugs(run, monkeypatch)
        elsewhere(w, run, tmp_path, monkeypatch, push)
        end(w, run)

    assert {path.name for path in inputs.iterdir()} == GIVEN
    assert all_commands() - set(run.done) == set(ELSEWHERE)
    assert run.hits == {}
    # The canaries were in play, and were looked for.
    assert run.counts["runs"] >= 300
    for what in ("removed", "ids in parts", "masked", "password", "key"):
        assert run.counts[what] > 0, what
    sys.stdout.write(f"{dict(run.counts)}\n")


GIVEN = {
    "bad.csv", "good.csv", "half.csv", "daily.csv", "headless.csv", "ragged.csv", "broken.csv",
    "gbk.csv", "devices.csv", "hashed.csv", "md5.csv", "book.xlsx", "locked.xlsx", "crm.db",
    "good.parquet",
}  # fmt: skip


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc and a pty")
def test_processes_leave_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Real processes, at a terminal too, with the command lines of all their children."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    good = write_csv(inputs / "good.csv", "手机号", CANARIES)
    with CommandLines() as lines, watched(tmp_path, monkeypatch) as (w, run):
        demo = subprocess.Popen(
            command("demo", "-v"), env={**os.environ, "YUNTU_PUSH_HOME": str(run.home)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        )  # fmt: skip
        for made in (w.add_channel(), w.login()):
            assert made.code == 0, made.stdout
            run.note(("channel", "process"), made)
        typed = [("Secret", str(w.sandbox.secret))]
        run.note(("set", "terminal"), shown("channel", "set-secret", "acme", w=w, typed=typed))
        words = ("segment", "build", "vip", str(good), *PHONE)
        run.note(("build", "terminal"), shown(*words, w=w))
        account, brand = places(w)
        words = ("push", "create", "--name", "会员", "--segment", "vip", "--account", account)
        run.note(("create", "terminal"), shown(*words, "--brand", brand, *WAIT, w=w, typed=[
            ("[y/N]", "y"),
        ]))  # fmt: skip
        the_platform_as_a_process(run, tmp_path, good)
        said = demo.communicate(timeout=60)
        run.note(("demo",), Run(demo.returncode, *said))

    run.lines(lines.seen)
    assert set(ELSEWHERE) <= set(run.done)
    assert run.hits == {}
    assert run.counts["command lines"] >= 8


def shown(*words: str, w: World, typed: list[tuple[str, str]] | None = None) -> Run:
    """A run at a terminal, which shows all that is said."""
    environ = {**TEST_ENVIRONMENT, "YUNTU_PUSH_PUSH_POLL": "0.1"}
    code, text = at_terminal(*words, home=w.home, answers=typed or [], env=environ)
    assert code == 0, text
    return Run(code, text, "")


def the_platform_as_a_process(run: Search, tmp_path: Path, good: Path) -> None:
    """`sandbox serve` gets a push; its state file, which is the platform's, holds no id."""
    state = tmp_path / "world.json"
    serve = command(
        "sandbox", "serve", "--auto-consent", "--speed", "1e6", "--state-file", str(state)
    )
    process = subprocess.Popen(
        serve, env={**os.environ, "YUNTU_PUSH_HOME": str(run.home)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    assert process.stdout is not None
    facts = json.loads(process.stdout.readline())
    fresh = {"home": tmp_path / "fresh", "code": 0}
    try:
        run(
            "channel", "add", "served", "--kind", "yuntu", "--app-id", str(facts["app_id"]),
            "--auth-url", facts["auth_url"], "--api-url", facts["url"], "--secret-stdin",
            stdin=facts["secret"], **fresh,
        )  # fmt: skip
        consent = httpx.post(f"{facts['url']}/_sandbox/authorize", json={}, trust_env=False)
        code = consent.json()["auth_code"]
        login = run.json("auth", "login", "served", "--paste", stdin=code, **fresh)
        run("segment", "build", "vip", good, *PHONE, **fresh)
        account = next(a for a in login.data["accounts"] if a["brands"] and a["valid"])
        run(
            "push", "create", "--name", "会员", "--segment", "vip", "--account",
            account["advertiser_id"], "--brand", account["brands"][0]["brand_id"], *WAIT, **fresh,
        )  # fmt: skip
    finally:
        process.terminate()
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    run.note(("sandbox", "serve"), Run(0, stdout, stderr))
    assert state.stat().st_size > 1000
    kept = [state, *(path for path in tmp_path.glob("world*/**/*") if path.is_file())]
    assert [path for path in kept if run.people_in(path.read_bytes())] == []


@pytest.mark.parametrize("kind", kinds())
def test_what_databases_say_of_values_is_not_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    """Their errors quote cells; nor is a password of theirs anywhere but in the secret store."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    run = Search(home, (home,), secrets=tuple)
    with OPENERS[kind](tmp_path) as database:
        table = f"people_{os.getpid()}"
        database.write(f"create table {table} (mobile varchar(40))")
        rows = ", ".join(f"('{phone}')" for phone in CANARIES)
        database.write(f"insert into {table} values {rows}")
        try:
            url = database.url.replace(":secret@", "@")
            run("source", "add", "crm", "--url", url)
            on_database(run, "crm", table)
            run("source", "login", "crm", "--password-stdin", stdin=DATABASE)
            run.each_way("source", "test", "crm", code=None)
        finally:
            database.write(f"drop table {table}")

    assert run.hits == {}
    assert run.counts["ids in parts"] > 0


PLACES = {
    "stdout": lambda run, text: run.note(("x",), Run(0, text.decode("latin-1"), "")),
    "stderr": lambda run, text: run.note(("x",), Run(1, "", text.decode("latin-1"))),
    "a file": lambda run, text: left(run, "logs", text),
    "a reject file": lambda run, text: left(run, "segments/vip/v1/rejects.csv", text),
    "a removed file": lambda run, text: removed(run, text),  # noqa: PLW0108 - defined below
    "a zip": lambda run, text: zipped(run, "state/x.zip", text),
    "a command line": lambda run, text: run.lines([b"curl\0" + text]),
}


def left(run: Search, name: str, text: bytes) -> Path:
    path = run.home / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"some " + text + b" more")
    run.note(("x",), Run(0, "", ""))
    return path


def removed(run: Search, text: bytes) -> None:
    path = run.home / "spill"
    path.write_bytes(text)
    with run.watching(("x",)):
        path.unlink()


def zipped(run: Search, name: str, text: bytes) -> None:
    path = run.home / name
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", base64.b64encode(b"some " + text + b" more") + b"\n")
    run.note(("x",), Run(0, "", ""))


@pytest.mark.parametrize("place", PLACES)
def test_the_search_finds_what_is_planted(tmp_path: Path, place: str):
    """An id, a digest in each spelling, a token, a password: at every place that is searched."""
    phone, token = CANARIES[4], "0d6f4a5e9b2c7d81"
    digest = hashlib.sha256(phone.encode()).digest()
    planted = [
        phone.encode(), f"{phone[:3]} {phone[3:7]} {phone[7:]}".encode(), digest.hex().encode(),
        digest.hex().upper().encode(), base64.b64encode(b"x" + digest),
        base64.b64encode(b"xy" + digest.hex().encode()), token.encode(), IN_URL.encode(),
        hashlib.md5(phone.encode()).hexdigest().encode(), DEVICES["IDFA"].lower().encode(),
    ]  # fmt: skip
    for number, text in enumerate(planted):
        home = tmp_path / str(number)
        home.mkdir()
        run = Search(home, (home,), secrets=lambda: [token])
        run.note(("x",), Run(0, "", ""))
        assert run.hits == {}
        PLACES[place](run, text)
        assert run.hits, text


def test_the_search_knows_where_ids_may_be(tmp_path: Path):
    """A part holds digests and no phone, a reject file masked values; nothing else does."""
    digest = hashlib.sha256(CANARIES[4].encode()).hexdigest().encode()
    masked = f"{CANARIES[4][:3]}****{CANARIES[4][7:]}".encode()

    def search(name: str) -> Search:
        home = tmp_path / name
        home.mkdir()
        return Search(home, (home,), secrets=tuple)

    part = "segments/vip/v1/part-0001-mobile_hash_sha256.zip"
    zipped(in_place := search("part"), part, digest)
    zipped(raw := search("raw"), part, CANARIES[4].encode())
    left(rejects := search("rejects"), "segments/vip/v1/rejects.csv", masked)
    left(log := search("log"), "logs/x.log", masked)
    assert [bool(run.hits) for run in (in_place, raw, rejects, log)] == [False, True, False, True]


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_what_is_written_is_private_whatever_the_umask(tmp_path: Path):
    """Files are 0600 and folders 0700 even where the caller's umask is 000."""
    home = tmp_path / "home"
    before = os.umask(0)
    try:
        with world(home) as w:
            w.build()
            assert w.create().code == 0
            w("segment", "build", "nope", w.home / "none.csv", "--id", "phone=p")
            wide = [
                (str(path), oct(path.stat().st_mode))
                for path in home.rglob("*")
                if path.parent != home and stat.S_IMODE(path.lstat().st_mode) & 0o077
            ]
    finally:
        os.umask(before)

    assert wide == []


BROKEN = """
import runpy, sys
from yuntu_push.services.channels import Channels

value = sys.argv.pop()

def broken(self):
    try:
        {}[value]
    except KeyError as exc:
        raise ValueError(f"cannot use {exc}") from exc

Channels.list = broken
sys.argv[1:1] = ["channel", "list", "--json"]
runpy.run_module("yuntu_push", run_name="__main__")
"""


@pytest.mark.parametrize(
    "value",
    [
        CANARIES[0],
        f"{CANARIES[0][:3]} {CANARIES[0][3:7]} {CANARIES[0][7:]}",
        hashlib.sha256(CANARIES[0].encode()).hexdigest(),
        "e9c4b2d0-4f3a-4c58-9b1e-6f7a8d9c0b1a",
        "correct-horse-battery",
    ],
    ids=["phone", "grouped phone", "digest", "device", "password"],
)
def test_a_bug_report_says_where_and_holds_no_value(tmp_path: Path, value: str):
    """Exit 1 names a private file with the types and lines of the chain, and nothing else."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN, value],
        env={**TEST_ENVIRONMENT, **os.environ, "YUNTU_PUSH_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    run = Run(done.returncode, done.stdout, done.stderr)
    assert (run.code, run.error_code) == (1, "INTERNAL"), done.stderr
    (path,) = (tmp_path / "logs").iterdir()
    report = path.read_text("utf-8")
    assert str(path) in run.envelope["errors"][0]["hint"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert all(known in report for known in ("ValueError", "KeyError", "in broken", __version__))
    assert value not in report + done.stdout + done.stderr
