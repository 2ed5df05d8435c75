"""A crowd of processes that meet an expired token together, over real files and kernel locks.

`python -m support.refresh_process PROCESSES FOLDER…` prints, for each home, the access token that
each process got, or the code of its error.
"""

import json
import sys
from functools import partial
from pathlib import Path

from support.crowd import crowd
from support.secrets import DAY, SetClock, TokenPlatform, channel
from yuntu_push.adapters.secrets import sealing
from yuntu_push.adapters.secrets.file_key import FileKey
from yuntu_push.adapters.secrets.file_store import FileStore
from yuntu_push.adapters.secrets.journal import FileJournal
from yuntu_push.adapters.system import FileLocks, SystemClock
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.services.tokens import Tokens


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


def main() -> None:
    processes, *folders = sys.argv[1:]
    sealing.derived_key(b"so that its imports are made once", "crowd")

    def job(folder: str, _number: int) -> str:
        try:
            return tokens(Path(folder)).access_token(channel()).reveal()
        except YuntuPushError as exc:
            return exc.code

    rounds = [crowd(int(processes), partial(job, at)) for at in folders]
    sys.stdout.write(json.dumps(rounds))


if __name__ == "__main__":
    main()
