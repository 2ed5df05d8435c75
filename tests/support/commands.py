"""The commands that there are, as the command line itself has them."""

from typing import Any

import typer

from yuntu_push.cli.main import app


def all_commands() -> set[str]:
    """The paths of all commands."""
    return _leaves(typer.main.get_command(app), "")


def _leaves(node: Any, path: str) -> set[str]:
    below = getattr(node, "commands", None)
    if not below:
        return {path}
    return set().union(*(_leaves(sub, f"{path} {name}".strip()) for name, sub in below.items()))
