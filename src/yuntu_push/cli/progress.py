"""Progress bars on a terminal's stderr, silence everywhere else."""

from typing import TYPE_CHECKING

from yuntu_push.cli.i18n import Translator
from yuntu_push.domain.text import Text

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID


def rate(done: float, seconds: float) -> str:
    """How much is done in a second, in a few figures; empty while that says little."""
    if seconds < 0.5 or not done:
        return ""
    speed = done / seconds
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if speed >= size:
            return f"{speed / size:.2f} {unit}/s"
    return f"{speed:.1f}/s"


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
            for before in bars.tasks:  # its total was an estimate
                bars.update(before.id, total=before.completed)
                bars.stop_task(before.id)
            self._tasks[name] = bars.add_task(name, total=total, done="")
        bars.update(
            self._tasks[name],
            completed=done,
            total=total,
            done=f"{done:,}" if total is None else f"{done:,}/{total:,}",
        )

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
            Progress,
            ProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.text import Text as RichText

        class Rate(ProgressColumn):
            """How fast it goes on the whole."""

            def render(self, task: "Task") -> RichText:
                return RichText(rate(task.completed, task.elapsed or 0.0))

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}", justify="right"),
            Rate(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bars.start()
        return self._bars
