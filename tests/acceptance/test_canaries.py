"""No raw or hashed id, Secret or token anywhere but in the secret store and the parts."""

import base64
import contextlib
import hashlib
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import pytest

from support.cli import TEST_ENVIRONMENT, Run
from support.world import phones, world, write_csv
from yuntu_push import __version__

CANARIES = phones(40, seed=99)


def needles(secrets: list[str]) -> dict[str, bytes]:
    """What must not be found: ids, their digests in every spelling, secrets and tokens."""
    found: dict[str, bytes] = {}
    for phone in CANARIES:
        digest = hashlib.sha256(phone.encode()).digest()
        found[f"raw {phone}"] = phone.encode()
        found[f"hex {phone}"] = digest.hex().encode()
        found[f"bytes {phone}"] = digest
        found[f"base64 {phone}"] = base64.b64encode(digest)[:40]
        found[f"md5 {phone}"] = hashlib.md5(phone.encode()).hexdigest().encode()
    for place, secret in enumerate(secrets):
        if secret:
            found[f"secret {place}"] = secret.encode()
    return found


class CommandLines:
    """Every command line of this process's descendants that was seen; others run tests too."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            parents: dict[str, str] = {}
            lines: dict[str, bytes] = {}
            for folder in Path("/proc").glob("[0-9]*"):
                with contextlib.suppress(OSError):
                    lines[folder.name] = (folder / "cmdline").read_bytes()
                    stat_line = (folder / "stat").read_text("utf-8", "replace")
                    parents[folder.name] = stat_line.rpartition(")")[2].split()[1]
            self.seen |= {line for process, line in lines.items() if _is_ours(process, parents)}


def _is_ours(process: str, parents: Mapping[str, str]) -> bool:
    while process in parents:
        process = parents[process]
        if process == str(os.getpid()):
            return True
    return False


def written(home: Path) -> Iterator[Path]:
    """Every file in the home but the parts and the secret store."""
    for path in home.rglob("*"):
        inside = path.relative_to(home).parts
        if path.is_file() and path.suffix != ".zip" and inside[0] != "secrets":
            yield path


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_nothing_personal_and_nothing_secret_is_left_anywhere(tmp_path: Path):
    """The whole way and its failures, with every file, output and command line searched."""
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    good = write_csv(inputs / "good.csv", "手机号", CANARIES)
    bad = write_csv(inputs / "bad.csv", "手机号", [f"{p}x" for p in CANARIES])
    runs: list[Run] = []
    with CommandLines() as lines, world(tmp_path / "home", logged_in=False) as w:
        runs += [w.add_channel(), w.login(), w.json("auth", "status"), w.json("channel", "list")]
        runs.append(w.json("auth", "refresh", "acme"))
        runs.append(w.json("segment", "build", "vip", good, "--id", "phone=手机号", "-v"))
        runs.append(w("segment", "build", "bad", bad, "--id", "phone=手机号", "-v"))
        runs.append(
            w("segment", "build", "part", bad, "--id", "phone=手机号", "--max-rejects", "99%")
        )
        runs.append(w("segment", "build", "s", good, "--id", "IMEI=手机号", "-v"))
        runs.append(w("segment", "build", "s", good, "--id", "UID=手机号", "-v"))
        runs.append(w("segment", "build", "vip", good, "--id", "phone=手机号", "--dry-run"))
        runs.append(w.create("--wait", "--poll", "1", "--timeout", "60", "-v"))
        w.sandbox.fault("data_source/create", "http", nth=1, status=500)
        runs.append(w.create("--again", "-v"))
        runs.append(w("push", "list"))
        secrets = [str(w.sandbox.secret), *w.sandbox.tokens()]
        assert runs[0].code == runs[1].code == runs[5].code == runs[11].code == 0

        unwanted = needles(secrets)
        found = [
            (str(path), what)
            for path in written(w.home)
            for what, needle in unwanted.items()
            if needle in path.read_bytes()
        ]
        shown = [
            (number, what)
            for number, run in enumerate(runs)
            for what, needle in unwanted.items()
            if needle in (run.stdout + run.stderr).encode()
        ]

    # Only now does the watcher add nothing more.
    argued = [
        (what, line) for what, needle in unwanted.items() for line in lines.seen if needle in line
    ]
    assert len(secrets) >= 3
    assert found == []
    assert shown == []
    assert argued == []


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
