"""No raw or hashed id, Secret or token anywhere but in the secret store and the parts."""

import base64
import hashlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from support.cli import Run, yuntu
from support.world import phones, world, write_csv

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
    """Every argument list and environment-free command line seen while the tests run."""

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
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_bytes())
                except OSError:
                    continue


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
        argued = [w for w, needle in unwanted.items() if any(needle in line for line in lines.seen)]

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


def test_an_unexpected_error_keeps_values_out_of_its_report(tmp_path: Path):
    """A bug report holds the traceback, scrubbed of digits and digests."""
    from yuntu_push.cli.boundary import scrubbed

    text = f"ValueError: {CANARIES[0]} {hashlib.sha256(b'x').hexdigest()} secret=abc Bearer tok"

    report = scrubbed(text)

    assert CANARIES[0] not in report
    assert hashlib.sha256(b"x").hexdigest() not in report
    assert "abc" not in report
    assert "tok" not in report
    assert yuntu("--version", home=tmp_path).code == 0
