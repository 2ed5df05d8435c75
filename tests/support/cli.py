"""Runs the command line as a process of its own: exit code, stdout, stderr, envelope."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

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
    """Run `yuntu-push WORDS…`; stdin is a pipe, never a terminal."""
    environ = {**TEST_ENVIRONMENT, **os.environ, **(env or {})}
    if home is not None:
        environ["YUNTU_PUSH_HOME"] = str(home)
    done = subprocess.run(
        command(*map(str, words)),
        input=stdin if isinstance(stdin, bytes) else stdin.encode(),
        env=environ,
        cwd=cwd,
        capture_output=True,
        check=False,
        timeout=timeout,
    )
    return Run(done.returncode, done.stdout.decode(), done.stderr.decode())


def yuntu_here(
    *words: str | Path,
    home: Path | None = None,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
) -> Run:
    """The same in this process, ten times as quick: for tests of many answers, not of processes."""
    from yuntu_push.cli.main import app

    environ = {**TEST_ENVIRONMENT, **os.environ, **(env or {})}
    if home is not None:
        environ["YUNTU_PUSH_HOME"] = str(home)
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with (
        mock.patch.dict(os.environ, environ),
        mock.patch.object(sys, "stdin", given),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = app([str(word) for word in words], standalone_mode=False)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err) if not stream.flush()]
    return Run(int(code), *texts)


def yuntu_json(*words: str | Path, **options: Any) -> Run:
    """The same with `--json`."""
    return yuntu(*words, "--json", **options)
