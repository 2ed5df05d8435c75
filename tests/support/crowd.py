"""A crowd of processes that do the same thing at the same moment."""

import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent


def crowd(size: int, job: Callable[[int], object]) -> list[Any]:
    """What `job` gave in each of `size` forks of this process, or the traceback of its error.

    All of them wait until the last one is there. To be called in a process without threads.
    """
    gate, opener = os.pipe()
    readers = []
    for number in range(size):
        answer, said = os.pipe()
        if os.fork() == 0:
            os.close(opener)
            os.read(gate, 1)  # ends when the parent closes its side
            _say(said, job, number)
        os.close(said)
        readers.append(answer)
    os.close(gate)
    os.close(opener)
    heard = [_hear(reader) for reader in readers]
    for _ in range(size):
        os.wait()
    return heard


def _say(said: int, job: Callable[[int], object], number: int) -> None:
    try:
        text = json.dumps(job(number))
    except BaseException:
        text = json.dumps(traceback.format_exc())
    os.write(said, text.encode())
    os._exit(0)


def _hear(reader: int) -> Any:
    with os.fdopen(reader, "rb") as stream:
        return json.loads(stream.read() or b'"killed"')


def of_module(module: str, words: Sequence[str]) -> list[Any]:
    """What the crowd of `python -m module WORDS…` printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", module, *words],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    heard: list[Any] = json.loads(done.stdout)
    return heard
