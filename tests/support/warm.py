"""Processes of the command line that start in milliseconds: forked from one that has imported all.

A fork is a process like any other (it has its own memory, files and locks, and dies alone), but a
test that kills thousands of them need not import everything thousands of times.

`python -m support.warm` is the parent: it reads one JSON order a line and answers each with one.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from support.cli import TEST_ENVIRONMENT, Run

TESTS = Path(__file__).parent.parent


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
        self._environ = {**TEST_ENVIRONMENT, "YUNTU_PUSH_JSON": "1", **environ}
        self._folder = folder
        self._number = 0
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
        env: Mapping[str, str] | None = None,
    ) -> Started:  # fmt: skip
        """Fork a run of `yuntu-push WORDS…`; `stopped` waits for a SIGCONT before its first step.

        Its umask is 000, so that what it makes private is private by itself.
        """
        self._number += 1
        folder = self._folder / f"run-{self._number}"
        folder.mkdir()
        for name in ("out", "err"):  # here, as a kill may come before the run's first step
            (folder / name).touch(0o600)
        order = {
            "words": list(words), "env": {**self._environ, **(env or {})}, "stopped": stopped,
            "learning": learning, "folder": str(folder),
        }  # fmt: skip
        return Started(int(self._ask(order)["pid"]), folder)

    def wait(self, started: Started) -> Ended:
        """How a run ended."""
        code = int(self._ask({"wait": started.pid})["code"])
        out, err = (started.folder / name for name in ("out", "err"))
        ended = Ended(code, out.read_text("utf-8"), err.read_text("utf-8"))
        for path in (out, err):
            path.unlink()
        if not any(started.folder.iterdir()):
            started.folder.rmdir()
        self.ended.append(ended)
        return ended

    def __call__(self, *words: str, env: Mapping[str, str] | None = None) -> Run:
        """A whole run."""
        return self.wait(self.start(words, env=env)).run

    def learn(self, *words: str) -> Run:
        """A whole run, after which the parent imports whatever that run imported."""
        started = self.start(words, learning=True)
        run = self.wait(started).run
        assert (started.folder / "modules").exists(), run
        self._ask({"import": str(started.folder / "modules")})
        (started.folder / "modules").unlink()
        started.folder.rmdir()
        return run

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


def _child(order: Mapping[str, Any]) -> None:
    from yuntu_push.cli.main import run

    folder = Path(order["folder"])
    for descriptor, path, flags in (
        (0, Path(os.devnull), os.O_RDONLY),
        (1, folder / "out", os.O_WRONLY),
        (2, folder / "err", os.O_WRONLY),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = ["yuntu-push", *order["words"]]
    os.umask(0)
    if order["learning"]:
        os._exit = _leaving(folder / "modules", os._exit)  # type: ignore[assignment]
    if order["stopped"]:
        os.kill(os.getpid(), signal.SIGSTOP)
    code = 1
    try:
        run()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Fork what the orders say."""
    import yuntu_push.cli.main  # noqa: F401 - what every run needs

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
