"""Runs the command line at a terminal (a pty), typing answers as its questions appear."""

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from support.cli import command

CTRL_C, CTRL_D = "\x03", "\x04"


def at_terminal(
    *words: str,
    home: Path,
    answers: Sequence[tuple[str, str]] = (),
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
    finished_lines: bool = False,
) -> tuple[int, str]:
    """The exit code, and all that the terminal showed; each answer is typed at its question.

    An answer is a line, or a key such as `CTRL_C` by itself. A question stands in the last line,
    and with `finished_lines` in any that was shown since the last answer.
    """
    import fcntl
    import pty
    import termios

    master, slave = pty.openpty()
    environ = {**os.environ, "YUNTU_PUSH_HOME": str(home), "NO_COLOR": "1", **(env or {})}
    process = subprocess.Popen(
        command(*words), stdin=slave, stdout=slave, stderr=slave, env=environ,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no threads here
    )  # fmt: skip
    os.close(slave)
    seen, answered = b"", 0
    left = list(answers)
    with contextlib.suppress(OSError):  # the other end is closed when the process ends
        while select.select([master], [], [], seconds)[0]:
            chunk = os.read(master, 65536)
            if not chunk:
                break
            seen += chunk
            if (
                left
                and left[0][0].encode() in seen[answered if finished_lines else _last_line(seen) :]
            ):
                answered = len(seen)
                typed = left.pop(0)[1]
                _until_it_waits(process.pid)
                os.write(master, typed.encode() + (b"" if typed in (CTRL_C, CTRL_D) else b"\n"))
    os.close(master)
    return process.wait(timeout=seconds), seen.decode("utf-8", "replace").replace("\r\n", "\n")


def _until_it_waits(pid: int) -> None:
    """A person is slower than the step from a question to the wait for its answer, in which a
    Ctrl-C is not yet noticed."""
    status = Path(f"/proc/{pid}/status")
    until = time.monotonic() + 5
    while status.exists() and "State:\tS" not in status.read_text():
        assert time.monotonic() < until, "it does not wait for an answer"
        time.sleep(0.001)


def _last_line(seen: bytes) -> int:
    return seen.rfind(b"\n") + 1
