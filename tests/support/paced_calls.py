"""What one of many processes does that call a host at one pace; imports little."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from yuntu_push.adapters.ocean.pace import Pacer
from yuntu_push.adapters.store.database import Database
from yuntu_push.adapters.store.pace import PaceFile
from yuntu_push.adapters.system import SystemClock
from yuntu_push.domain.errors import UnreachableError
from yuntu_push.domain.pace import Lane, Turn

HOST = "api.oceanengine.com"
Found = TypeVar("Found")


def pace_in(folder: Path) -> PaceFile:
    """The lanes of a state file."""
    return PaceFile(lambda: Database(folder / "state.db"))


class Noting:
    """Lanes of a state file that note the turns they give."""

    def __init__(self, lanes: PaceFile) -> None:
        self.turns: list[float] = []
        self._lanes = lanes

    def change(self, host: str, step: Callable[[Lane], tuple[Lane, Found]]) -> Found:
        """The same as of the lanes."""
        found = self._lanes.change(host, step)
        if isinstance(found, Turn):
            self.turns.append(found.at)
        return found


def make_calls(folder: str, rate: float, count: int) -> tuple[list[float], list[float]]:
    """The turns that `count` calls in a row got, and when they were made."""
    lanes = pace_in(Path(folder))
    noting = Noting(lanes)
    pacer = Pacer(rate, SystemClock(), noting)
    made: list[float] = []
    for _ in range(count):
        pacer.wait(HOST)
        made.append(datetime.now(UTC).timestamp())
        pacer.note(HOST, answered=True)
    lanes.close()
    return noting.turns, made


def make_failing_calls(folder: str, count: int) -> int:
    """How many of `count` calls, which all fail, were made before the host was left alone."""
    lanes = pace_in(Path(folder))
    pacer = Pacer(0, SystemClock(), lanes)
    made = 0
    for _ in range(count):
        try:
            pacer.wait(HOST)
        except UnreachableError:
            continue
        made += 1
        pacer.note(HOST, answered=False)
    lanes.close()
    return made
