"""A process that meets an expired token: what many of them, and killed ones, are made of.

`python -m support.refresh_process FOLDER` prints the access token it got, or the code of its
error. With `KILL_AT=n` it dies by SIGKILL at the n-th step of the refresh, counted over what it
does to files and over the platform's side of the call; without it, `STEPS` gets the steps' names.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.secrets import DAY, SetClock, TokenPlatform, channel
from yuntu_push.adapters.secrets.file_key import FileKey
from yuntu_push.adapters.secrets.file_store import FileStore
from yuntu_push.adapters.secrets.journal import FileJournal
from yuntu_push.adapters.system import FileLocks, SystemClock
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.services.tokens import Tokens

_STEPS = ("open", "write", "fsync", "replace", "unlink", "close", "mkdir", "link")


def tokens(folder: Path, *, late: float = DAY) -> Tokens:
    """Tokens over real files in `folder`, a day after the login."""
    clock = SetClock()
    clock.advance(late)
    key = FileKey(environ={}, command=(), beside=folder / "secrets.key")
    return Tokens(
        secrets=FileStore(folder / "secrets", key),
        oauth=TokenPlatform(folder / "platform.json"),
        journal=FileJournal(folder / "journal"),
        locks=FileLocks(folder / "locks", SystemClock()),
        clock=clock,
        notice=lambda _text: None,
    )


class Killer:
    """Counts steps and dies at one of them."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.names: list[str] = []

    def step(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, owner: Any, name: str) -> None:
        """Count a step before each call of `owner.name`."""
        original: Callable[..., Any] = getattr(owner, name)

        def watched(*args: Any, **more: Any) -> Any:
            self.step(name)
            return original(*args, **more)

        setattr(owner, name, watched)


def main() -> None:
    folder = Path(sys.argv[1])
    made = tokens(folder)
    killer = Killer(int(os.environ.get("KILL_AT", "0")))
    if "KILL_AT" in os.environ or "STEPS" in os.environ:
        answered = made._oauth._answer  # type: ignore[attr-defined]

        def answer(number: int) -> Any:
            killer.step("the platform has acted")
            return answered(number)

        made._oauth._answer = answer  # type: ignore[attr-defined]
        for name in _STEPS:
            killer.watch(os, name)
    while "GO" in os.environ and not Path(os.environ["GO"]).exists():
        time.sleep(0.01)
    try:
        sys.stdout.write(made.access_token(channel()).reveal())
    except YuntuPushError as exc:
        sys.stdout.write(exc.code)
    if "STEPS" in os.environ:
        Path(os.environ["STEPS"]).write_text("\n".join(killer.names))


if __name__ == "__main__":
    main()
