"""The forked runs of the suite: like processes of their own, and none is left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Timer

import pytest

from support.cli import TEST_ENVIRONMENT
from support.warm import TESTS, Started, Warm, warm_processes

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and what /proc says of them"),
    pytest.mark.timeout(60),
]

INTERRUPTED = """
import time
from support.warm import warm_processes

with warm_processes({}) as warm:
    print(warm.start(["--version"], stopped=True).pid, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def warm(tmp_path: Path) -> Iterator[Warm]:
    with warm_processes({**TEST_ENVIRONMENT, "YUNTU_PUSH_HOME": str(tmp_path)}) as made:
        yield made


def state(pid: int) -> str:
    """The letter of a process's state; Z when it has ended."""
    status = Path(f"/proc/{pid}/status")
    return status.read_text().partition("State:\t")[2][:1] if status.exists() else "Z"


def until(pid: int, wanted: str) -> None:
    end = time.monotonic() + 10
    while state(pid) != wanted:
        assert time.monotonic() < end, f"{pid} is {state(pid)}, not {wanted}"
        time.sleep(0.005)


def hanging(warm: Warm) -> Started:
    started = warm.start(["--version"], stopped=True, stdin=b"text\n")
    until(started.pid, "T")
    return started


def test_what_is_piped_in_comes_through_a_pipe(warm: Warm):
    """A file could be read twice, or from its middle."""
    started = hanging(warm)
    assert str(Path(f"/proc/{started.pid}/fd/0").readlink()).startswith("pipe:")
    os.kill(started.pid, signal.SIGCONT)
    assert warm.wait(started).code == 0


def test_a_wait_that_is_cut_short_holds_nobody_up(warm: Warm):
    """As by the timeout of a test: the next one has its own runs, and the end comes."""

    def cut_short(*_: object) -> None:
        raise InterruptedError

    started = hanging(warm)
    before = signal.signal(signal.SIGUSR1, cut_short)
    try:
        Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        with pytest.raises(InterruptedError):
            warm.wait(started)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert warm("--version").code == 0
    warm.close()
    until(started.pid, "Z")


def test_nothing_is_left_after_a_ctrl_c(tmp_path: Path):
    """It goes to all processes of the terminal at once."""
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED],
        env={**os.environ, "PYTHONPATH": str(TESTS), "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        run = int(process.stdout.readline())
        until(run, "T")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=20)
    until(run, "Z")
    assert list(tmp_path.iterdir()) == []
