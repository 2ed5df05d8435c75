"""Shell completion."""

import os
from typing import Annotated, Any

import typer

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg

_VARIABLE = "_YUNTU_PUSH_COMPLETE"
_SHELLS = ("bash", "zsh", "fish", "powershell")


def answer_shell(command: Any, variable: str | None) -> None:
    """Answer a shell that asks for completions through the environment, then exit."""
    variable = variable or _VARIABLE
    if variable in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
        command._main_shell_completion({}, "yuntu-push", variable)  # noqa: SLF001 - no public way


def register(app: typer.Typer) -> None:
    """Add `completion` to the root."""

    @app.command(
        epilog="Example: `yuntu-push completion bash > ~/.local/share/bash-completion/completions/"
        "yuntu-push`"
    )
    def completion(
        ctx: typer.Context,
        shell: Annotated[str, typer.Argument(metavar="bash|zsh|fish|powershell")],
    ) -> None:
        """Print the completion script of a shell."""
        if shell not in _SHELLS:
            raise ConfigError(
                "USAGE",
                msg("there is no completion for {shell}", shell=repr(shell)),
                hint=msg("choose one of {choices}", choices=", ".join(_SHELLS)),
            )
        from typer._completion_shared import get_completion_script

        script = get_completion_script(prog_name="yuntu-push", complete_var=_VARIABLE, shell=shell)
        ctx.obj.output.line(script)
