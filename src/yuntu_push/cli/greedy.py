"""Options that take all the words up to the next option, so that shell globs work."""

from collections.abc import Sequence
from typing import Any, ClassVar

from typer.core import TyperCommand


def spread(args: Sequence[str], greedy: frozenset[str]) -> list[str]:
    """The line with `--csv a b` written as `--csv a --csv b`; `-` is a word, not an option."""
    spread_args: list[str] = []
    option: str | None = None
    taken = 0
    for place, word in enumerate(args):
        if word == "--":
            return [*spread_args, *args[place:]]
        if word.startswith("-") and word != "-":
            option = word if word in greedy else None
            taken = 0
            spread_args.append(word)
            continue
        if option is not None:
            if taken:
                spread_args.append(option)
            taken += 1
        spread_args.append(word)
    return spread_args


class GreedyCommand(TyperCommand):
    """A command whose `greedy` options take several words."""

    greedy: ClassVar[frozenset[str]] = frozenset()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the line with its greedy options spread."""
        return super().parse_args(ctx, spread(args, self.greedy))
