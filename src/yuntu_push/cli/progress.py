"""Progress bars on a terminal's stderr, silence everywhere else."""

from typing import TYPE_CHECKING

from yuntu_push.cli.i18n import Translator
from yuntu_push.domain.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class ProgressBars:
    """Draws one bar per label; `close()` takes them off the screen."""

    def __init__(self, translator: Translator, *, enabled: bool) -> None:
        self._translator = translator
        self._enabled = enabled
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, label: Text, done: int, total: int | None) -> None:
        """Show that `done` of `total` (same unit; None when unknown) are behind us."""
        if not self._enabled:
            return
        name = self._translator.render(label)
        bars = self._bars or self._start()
        if name not in self._tasks:
            self._tasks[name] = bars.add_task(name, total=total)
        bars.update(self._tasks[name], completed=done, total=total)

    def close(self) -> None:
        """Take the bars off the screen."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None
            self._tasks = {}

    def _start(self) -> "Progress":
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bars.start()
        return self._bars
