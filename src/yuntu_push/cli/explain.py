"""`explain CODE`: what a code means, offline."""

from typing import Annotated

import typer

from yuntu_push.cli.errors import exit_code_for
from yuntu_push.cli.output import details
from yuntu_push.domain.explanations import explain as explanation_of
from yuntu_push.domain.explanations import known_codes
from yuntu_push.domain.names import unknown
from yuntu_push.domain.text import msg


def register(root: typer.Typer) -> None:
    """Add `explain` to the root."""
    root.command(epilog="Example: `yuntu-push explain 40002`")(explain)


def explain(
    ctx: typer.Context,
    code: Annotated[
        str, typer.Argument(help="A code of an error, ours or the platform's.", metavar="CODE")
    ],
) -> None:
    """Tell what a code means and what to do about it."""
    found = explanation_of(code)
    if found is None:
        raise unknown(
            "code", code, known_codes(), hint=msg("codes stand in brackets in every error")
        )
    exit_code = exit_code_for(found.kind(found.code, found.meaning))
    data = {
        "code": found.code,
        "meaning": found.meaning,
        "step": found.step,
        "retryable": found.kind.retryable,
        "exit_code": exit_code,
    }
    ctx.obj.output.show(
        data,
        details(
            [
                ("code", found.code),
                ("meaning", found.meaning),
                ("next", found.step),
                ("exit code", exit_code),
            ]
        ),
    )
