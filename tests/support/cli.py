"""Runs the command line as a process of its own: exit code, stdout, stderr, envelope."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What every run of a test has, also where no fixture has set it.
TEST_ENVIRONMENT = {
    "YUNTU_PUSH_SECRETS": "file",
    "YUNTU_PUSH_API_RATE": "1000",
    "YUNTU_PUSH_LANG": "en",
}


@dataclass(frozen=True)
class Run:
    """How a run ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def envelope(self) -> dict[str, Any]:
        """The one JSON document of stdout."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document

    @property
    def data(self) -> dict[str, Any]:
        """The envelope's data."""
        data: dict[str, Any] = self.envelope["data"]
        return data

    @property
    def error_code(self) -> str:
        """The stable code of the first error."""
        return str(self.envelope["errors"][0]["code"])


def command(*words: str) -> list[str]:
    """The argument list that runs the command line with this interpreter."""
    return [sys.executable, "-m", "yuntu_push", *words]


def yuntu(
    *words: str | Path,
    home: Path | None = None,
    stdin: str | bytes = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float = 120,
) -> Run:
    """Run `yuntu-push WORDS…` to its end; stdin is never a terminal.

    Its process is a fork of one that has imported everything, or an interpreter of its own where
    the environment is to make a difference to that.
    """
    environ = {**TEST_ENVIRONMENT, **os.environ, **(env or {})}
    if home is not None:
        environ["YUNTU_PUSH_HOME"] = str(home)
    line = [str(word) for word in words]
    given = stdin if isinstance(stdin, bytes) else stdin.encode()
    if sys.platform == "linux":
        from support.forks import forked, of_the_interpreter

        if of_the_interpreter(environ) == of_the_interpreter(os.environ):
            return forked(line, environ, given, cwd, timeout)
    return _fresh(line, environ, given, cwd, timeout)


def _fresh(
    words: list[str], environ: Mapping[str, str], stdin: bytes, cwd: Path | None, timeout: float
) -> Run:
    done = subprocess.run(
        command(*words),
        input=stdin,
        env=environ,
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=timeout,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def yuntu_json(*words: str | Path, **options: Any) -> Run:
    """The same with `--json`."""
    return yuntu(*words, "--json", **options)
