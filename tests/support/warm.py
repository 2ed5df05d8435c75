"""Processes of the command line that start in milliseconds: forked from one that has imported all.

A fork is a process like any other (it has its own memory, files and locks, and dies alone), but
tests that start thousands of them need not import everything thousands of times.

`python -m support.warm` is the parent: it reads one JSON order a line and answers each with one.
"""

import atexit
import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from support.cli import Run

TESTS = Path(__file__).parent.parent
STREAMS = ("in", "out", "err")
PIPE_HOLDS = 65536  # bytes that nobody has read yet


@dataclass(frozen=True)
class Started:
    """A forked run of the command line."""

    pid: int
    folder: Path


@dataclass(frozen=True)
class Ended:
    """How a forked run ended: its exit code, or minus the signal that killed it."""

    code: int
    stdout: str
    stderr: str

    @property
    def killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.code == -signal.SIGKILL

    @property
    def run(self) -> Run:
        """The same as a plain run."""
        return Run(self.code, self.stdout, self.stderr)


class Warm:
    """The parent process of forked runs; `environ` is what every run finds in its environment."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ = environ
        self._folder = folder
        self._number = 0
        self._turn = threading.Lock()
        self.ended: list[Ended] = []
        """Every run that was waited for, for whoever searches what they printed."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "support.warm"],
            env={**os.environ, "PYTHONPATH": str(TESTS), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    def start(
        self, words: Sequence[str], *, stopped: bool = False, learning: bool = False,
        env: Mapping[str, str] | None = None, stdin: bytes = b"", cwd: Path | None = None,
        umask: int = 0,
    ) -> Started:  # fmt: skip
        """Fork a run of `yuntu-push WORDS…`; `stopped` waits for a SIGCONT before its first step.

        Its umask is 000, so that what it makes private is private by itself.
        """
        with self._turn:
            self._number += 1
            folder = self._folder / f"run-{self._number}"
        folder.mkdir()
        for name in STREAMS:  # here, as a kill may come before the run's first step
            (folder / name).touch(0o600)
        (folder / "in").write_bytes(stdin)
        order = {
            "words": list(words), "env": {**self._environ, **(env or {})}, "stopped": stopped,
            "learning": learning, "folder": str(folder), "cwd": str(cwd or Path.cwd()),
            "umask": umask,
        }  # fmt: skip
        return Started(int(self._ask(order)["pid"]), folder)

    def wait(self, started: Started, timeout: float | None = None) -> Ended:
        """How a run ended; `TimeoutError` when one had to be killed after `timeout` seconds."""
        in_time = _ends(started.pid, timeout)  # not in the parent: others go on, and may end this
        if not in_time:
            os.kill(started.pid, signal.SIGKILL)
        code = int(self._ask({"wait": started.pid})["code"])
        out, err = (started.folder / name for name in ("out", "err"))
        ended = Ended(code, out.read_text("utf-8"), err.read_text("utf-8"))
        for name in STREAMS:
            (started.folder / name).unlink()
        if not any(started.folder.iterdir()):
            started.folder.rmdir()
        if not in_time:
            raise TimeoutError(f"no end after {timeout} s: {ended}")
        self.ended.append(ended)
        return ended

    def __call__(self, *words: str, env: Mapping[str, str] | None = None) -> Run:
        """A whole run."""
        return self.wait(self.start(words, env=env)).run

    def learn(self, *words: str) -> Run:
        """A whole run, after which the parent imports whatever that run imported."""
        started = self.start(words, learning=True)
        run = self.wait(started).run
        assert self.learned(started), run
        return run

    def learned(self, started: Started) -> bool:
        """Have the parent import what a run imported that was started `learning`, and has ended;
        False when it was killed."""
        modules = started.folder / "modules"
        if not modules.exists():
            return False
        self._ask({"import": str(modules)})
        modules.unlink()
        started.folder.rmdir()
        return True

    def strace(
        self, words: Sequence[str], options: Sequence[str], log: Path | None = None, *,
        env: Mapping[str, str] | None = None,
    ) -> Ended:  # fmt: skip
        """A whole run under `strace`, from its first step on; `options` are strace's."""
        started = self.start(words, stopped=True, env=env)
        while not _has(started.pid, "State:\tT"):
            time.sleep(0.001)
        tracer = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", str(log or os.devnull), *options,
             "-p", str(started.pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while _has(started.pid, "TracerPid:\t0\n"):
            assert tracer.poll() is None, "strace could not attach"
            time.sleep(0.001)
        os.kill(started.pid, signal.SIGCONT)
        ended = self.wait(started)
        tracer.wait()
        return ended

    def _ask(self, order: Mapping[str, Any]) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with self._turn:
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
        return answer

    def close(self) -> None:
        """End the parent; runs that were not waited for are killed with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()


@contextlib.contextmanager
def warm_processes(environ: Mapping[str, str]) -> Iterator[Warm]:
    """Forked runs, as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        made = Warm(environ, Path(folder))
        try:
            yield made
        finally:
            made.close()


def _ends(pid: int, seconds: float | None) -> bool:
    """Whether a process ends within that time, or at all."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def _has(pid: int, line: str) -> bool:
    return line in Path(f"/proc/{pid}/status").read_text()


def _import(names: Sequence[str]) -> None:
    """Import what a run imported; what only works there is left to each run."""
    for name in names:
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)


def _leaving(modules: Path, leave: Callable[[int], NoReturn]) -> Callable[[int], NoReturn]:
    """The way out of a run that is learned from; the command line may take it, too."""

    def left(code: int) -> NoReturn:
        modules.write_text("\n".join(list(sys.modules)), "utf-8")
        leave(code)

    return left


def _given(path: Path) -> int:
    """Standard input: a pipe, as whoever pipes something in has it, where all of it fits in."""
    content = path.read_bytes()
    if len(content) > PIPE_HOLDS:
        return os.open(path, os.O_RDONLY)
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def _child(order: Mapping[str, Any]) -> NoReturn:
    """A run, from where a fresh interpreter would be when it has started, to its end."""
    folder = Path(order["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    given, out, err = (folder / name for name in STREAMS)
    streams = (_given(given), os.open(out, os.O_WRONLY), os.open(err, os.O_WRONLY))
    for descriptor, opened in enumerate(streams):
        os.dup2(opened, descriptor)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    os.umask(order["umask"])
    sys.argv = ["yuntu-push", *order["words"]]
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if order["learning"]:
        os._exit = _leaving(folder / "modules", os._exit)  # type: ignore[assignment]
    if order["stopped"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    code = 1
    try:
        code = _run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _run() -> int:
    """What the script does, and what an interpreter does before it ends; the exit code."""
    code = 1
    try:
        runpy.run_module("yuntu_push", run_name="__main__")
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def main() -> None:
    """Fork what the orders say."""
    # A Ctrl-C is for the runs: this process ends, and whatever is left of them with it, when the
    # one that gives the orders does.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _import(["yuntu_push.cli.main"])  # what every run needs
    living: set[int] = set()
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            _, status = os.waitpid(order["wait"], 0)
            living.discard(order["wait"])
            answer = {"code": os.waitstatus_to_exitcode(status)}
        elif "import" in order:
            _import(Path(order["import"]).read_text("utf-8").splitlines())
            answer = {}
        else:
            pid = os.fork()
            if pid == 0:
                _child(order)
            living.add(pid)
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in living:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
