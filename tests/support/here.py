"""Runs the command line in this process: for tests of many answers, not of processes."""

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

from support.cli import TEST_ENVIRONMENT, Run
from yuntu_push.cli.main import app


def yuntu_here(
    *words: str | Path,
    home: Path | None = None,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
) -> Run:
    """`support.cli.yuntu` in this process, ten times as quick."""
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
    return Run(int(code), _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()
