"""Whole runs of the command line, forked: one parent for each process of tests."""

import atexit
import os
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from support.cli import Run
from support.warm import Warm

_learned: set[tuple[str, ...]] = set()


def forked(
    words: Sequence[str], environ: Mapping[str, str], stdin: bytes, cwd: Path | None,
    timeout: float,
) -> Run:  # fmt: skip
    """A run of `yuntu-push WORDS…` with `environ` and nothing else."""
    warm = _parent()
    command = tuple(word for word in words if word.isalpha())[:2]
    learning = command not in _learned
    _learned.add(command)
    umask = os.umask(0o077)
    os.umask(umask)
    started = warm.start(words, learning=learning, env=environ, stdin=stdin, cwd=cwd, umask=umask)
    run = warm.wait(started, timeout).run
    if learning:
        warm.learned(started)
    warm.ended.clear()
    return run


def of_the_interpreter(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that an interpreter reads when it starts."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(("LC_", "LANG", "TZ"))
        or (name.startswith("PYTHON") and not name.startswith("PYTHON_"))
    }


@cache
def _parent() -> Warm:
    folder = tempfile.TemporaryDirectory()
    warm = Warm({}, Path(folder.name))
    atexit.register(folder.cleanup)
    atexit.register(warm.close)
    return warm
