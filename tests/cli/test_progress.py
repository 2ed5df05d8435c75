"""Progress on a terminal: how much, how fast, how long."""

import io

import pytest
import rich.console

from yuntu_push.cli.i18n import Translator
from yuntu_push.cli.progress import ProgressBars, rate
from yuntu_push.domain.text import msg


@pytest.mark.parametrize(
    ("done", "seconds", "expected"),
    [
        (0, 10, ""),
        (5_000_000, 0.1, ""),
        (3, 2, "1.5/s"),
        (15_000, 10, "1.50 k/s"),
        (5_000_000, 2, "2.50 M/s"),
    ],
)
def test_a_rate_is_short_and_says_nothing_too_early(
    done: int, seconds: float, expected: str
) -> None:
    assert rate(done, seconds) == expected


@pytest.mark.parametrize(
    ("total", "shown"), [(20_000_000, "1,234,567/20,000,000"), (None, "1,234,567")]
)
def test_a_bar_counts_rows(monkeypatch: pytest.MonkeyPatch, total: int | None, shown: str) -> None:
    screen = io.StringIO()
    console = rich.console.Console

    def wide(**_: object) -> rich.console.Console:
        return console(file=screen, force_terminal=True, width=160)

    monkeypatch.setattr(rich.console, "Console", wide)
    bars = ProgressBars(Translator("en"), enabled=True)
    bars(msg("reading rows"), 1_234_567, total)
    bars.close()
    assert "reading rows" in screen.getvalue()
    assert shown in screen.getvalue()


def test_a_step_ends_where_the_next_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one's total was an estimate, and its clock stands still from then on."""
    console = rich.console.Console
    monkeypatch.setattr(
        rich.console, "Console", lambda **_: console(file=io.StringIO(), force_terminal=True)
    )
    bars = ProgressBars(Translator("en"), enabled=True)
    bars(msg("reading rows"), 95, 110)
    bars(msg("writing parts"), 1, 90)
    assert bars._bars is not None
    first, second = bars._bars.tasks
    assert (first.completed, first.total, first.stop_time is None) == (95, 95, False)
    assert (second.completed, second.total, second.stop_time) == (1, 90, None)
    bars.close()


def test_nothing_is_drawn_where_nobody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(**_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(rich.console, "Console", never)
    bars = ProgressBars(Translator("en"), enabled=False)
    bars(msg("reading rows"), 1, 2)
    bars.close()
