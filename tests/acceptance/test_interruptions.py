"""Ctrl-C, kills, full disks and second runs: state is saved, nothing is done twice."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import TEST_ENVIRONMENT, Run, command, yuntu_json
from support.world import World, phones, world, write_csv

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def start(w: World, *words: str) -> "subprocess.Popen[str]":
    """A command running beside the test."""
    return subprocess.Popen(
        command(*words, "--json"),
        env={**TEST_ENVIRONMENT, **os.environ, "YUNTU_PUSH_HOME": str(w.home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def finish(process: "subprocess.Popen[str]") -> Run:
    stdout, stderr = process.communicate(timeout=60)
    return Run(process.returncode, stdout, stderr)


def until(condition: object, seconds: float = 30) -> None:
    """Wait for something another process does."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def create_words(w: World) -> list[str]:
    account, brand = w.bound_account()
    return [
        "push", "create", "--name", "x", "--segment", "vip",
        "--account", account["advertiser_id"], "--brand", brand["brand_id"],
        "--wait", "--poll", "1",
    ]  # fmt: skip


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_waiting_saves_the_state(tmp_path: Path, number: int, code: int):
    """The push goes on where it was; the platform has one data source, one publish, one copy."""
    with world(tmp_path / "home", speed=1.0) as w:
        w.build()
        process = start(w, *create_words(w))
        until(lambda: w.sandbox.state()["data_sources"])
        time.sleep(0.1)
        process.send_signal(number)
        run = finish(process)

        assert run.code == code, run.stdout + run.stderr
        envelope = json.loads(run.stdout)
        assert envelope["exit_code"] == code
        # The same command again would ask for a second audience.
        assert "a push goes on with `yuntu-push push resume" in envelope["errors"][0]["hint"]
        assert "Traceback" not in run.stderr
        push = w.json("push", "list").data["pushes"][0]
        assert push["state"] in ("running", "waiting")

        w.sandbox.advance(hours=2)
        assert w.json("push", "resume", push["push_id"]).code == 0
        w.sandbox.advance(hours=2)
        ended = w.json(
            "push", "resume", push["push_id"], "--wait", "--timeout", "30", "--poll", "1"
        )
        state = w.sandbox.state()
        assert ended.data["state"] == "succeeded", ended.stdout
        assert [len(state[k]) for k in ("data_sources", "publishes", "copies")] == [1, 1, 1]


def test_ctrl_c_in_a_build_leaves_nothing(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    path = write_csv(home / "big.csv", "p", phones(400_000))
    w = World(home, None)
    process = start(w, "segment", "build", "big", "--csv", str(path), "--id", "phone=p")
    until(lambda: list((home / "segments").glob("big/.building-*")))
    process.send_signal(signal.SIGINT)

    run = finish(process)

    assert run.code == 130, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert [p for p in (home / "segments").rglob("*") if p.is_file() and p.suffix != ".lock"] == []
    assert w.json("segment", "list").data["segments"] == []


def test_a_killed_build_is_swept_by_the_next_one(tmp_path: Path):
    home = tmp_path / "home"
    home.mkdir()
    path = write_csv(home / "big.csv", "p", phones(400_000))
    w = World(home, None)
    process = start(w, "segment", "build", "big", "--csv", str(path), "--id", "phone=p")
    until(lambda: list((home / "segments").glob("big/.building-*")))
    process.kill()
    finish(process)

    small = write_csv(home / "small.csv", "p", phones(10))
    run = w.json("segment", "build", "big", small, "--id", "phone=p")

    assert run.code == 0, run.stdout
    assert list((home / "segments").glob("**/.building-*")) == []


def test_a_second_run_of_the_same_push_is_told_who_holds_it(tmp_path: Path):
    """75 for the named push, silence for `resume --all`; afterwards the first one is done."""
    with world(tmp_path / "home", speed=1.0) as w:
        w.build()
        process = start(w, *create_words(w))
        until(lambda: w.sandbox.state()["data_sources"])
        push = w.json("push", "list").data["pushes"][0]["push_id"]

        second = w.json("push", "resume", push)
        every = w("push", "resume", "--all")

        process.send_signal(signal.SIGTERM)
        finish(process)
        assert (second.code, second.error_code) == (75, "PUSH_HELD"), second.stdout
        assert str(process.pid) in second.envelope["errors"][0]["message"]
        assert every.code == 0
        assert "PUSH_HELD" not in every.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_neither_files_nor_processes(
    tmp_path: Path, number: int, code: int
):
    """Also while the command that logs in runs inside it."""
    process = subprocess.Popen(
        command("demo"),
        env={**TEST_ENVIRONMENT, **os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any("auth login" in line for line in process.stderr)
    process.send_signal(number)

    run = finish(process)

    assert run.code == code, run.stderr
    assert "Traceback" not in run.stderr
    assert group_is_gone(process.pid)
    assert list(tmp_path.glob("yuntu-push-demo-*")) == []


def group_is_gone(group: int, seconds: float = 20.0) -> bool:
    """Whether a process group has no members, once what was ended has been reaped."""
    for _ in range(round(seconds / 0.1)):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, soon full."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a tmpfs needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.server
def test_a_full_disk_is_75_and_loses_nothing(tmp_path: Path):
    path = write_csv(tmp_path / "in.csv", "p", phones(60_000))
    with small_disk(tmp_path / "disk", "1m") as disk:
        run = yuntu_json("segment", "build", "s", path, "--id", "phone=p", home=disk)

        assert (run.code, run.error_code) == (75, "DISK_FULL"), run.stdout + run.stderr
        assert list((disk / "segments").glob("**/*.zip")) == []
        small = write_csv(tmp_path / "small.csv", "p", phones(10))
        again = yuntu_json("segment", "build", "s", small, "--id", "phone=p", home=disk)
        assert again.code == 0, again.stdout


@pytest.mark.server
def test_a_full_disk_stops_a_push_before_it_calls(tmp_path: Path):
    """Without room for the intent nothing is sent; with room again the push goes on."""
    with small_disk(tmp_path / "disk", "4m") as disk, world(disk / "home") as w:
        w.build()
        words = [*create_words(w), "--timeout", "60"]
        filler = disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while True:
                stream.write(b"x" * 4096)
        before = len(w.sandbox.requests("data_source/create"))

        run = w.json(*words)

        assert run.code == 75, run.stdout + run.stderr
        assert len(w.sandbox.requests("data_source/create")) == before
        filler.unlink()
        assert w.json(*words, "--again").code == 0
        assert len(w.sandbox.state()["data_sources"]) == 1


@pytest.mark.server
def test_a_full_disk_under_the_config_is_75_and_keeps_it(tmp_path: Path):
    """No half config, and the file that was there is the file that is there."""
    with small_disk(tmp_path / "disk", "64k") as disk:
        home = disk / "home"
        assert yuntu_json("init", home=home).code == 0
        before = (home / "config.yaml").read_bytes()
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as stream:
            while True:
                stream.write(b"x" * 1024)

        fresh = yuntu_json("init", home=disk / "other")
        added = yuntu_json(
            "channel", "add", "acme", "--kind", "yuntu", "--app-id", "1793441188998485",
            "--secret-stdin", home=home, stdin="abc",
        )  # fmt: skip

        assert (fresh.code, fresh.error_code) == (75, "DISK_FULL"), fresh.stdout
        assert added.code == 75, added.stdout
        assert not list((disk / "other").iterdir())
        assert (home / "config.yaml").read_bytes() == before


def test_a_file_size_limit_is_no_bug(tmp_path: Path):
    """`ulimit -f` ends a write with an error of its own; nothing is kept."""
    path = write_csv(tmp_path / "in.csv", "p", phones(60_000))
    line = f"ulimit -f 100; exec {' '.join(command())} segment build s {path} --id phone=p --json"

    done = subprocess.run(
        ["bash", "-c", line],
        env={**TEST_ENVIRONMENT, **os.environ, "YUNTU_PUSH_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )

    run = Run(done.returncode, done.stdout, done.stderr)
    assert (run.code, run.error_code) == (75, "FILE_LIMIT"), run.stdout + run.stderr
    assert list((tmp_path / "home" / "segments").glob("**/*.zip")) == []
