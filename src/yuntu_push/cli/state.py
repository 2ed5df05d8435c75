"""`state export|import`: a setup moves to another machine, without any secret."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yuntu_push.cli.output import Table, details
from yuntu_push.cli.session import Session
from yuntu_push.cli.times import iso
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg
from yuntu_push.services.setup_move import SetupMoved

app = typer.Typer(help="Move config, accounts, pushes and quotas to another machine.")
FileArgument = Annotated[Path, typer.Argument(help="A JSON file.", metavar="FILE")]


@app.command(epilog="Example: `yuntu-push state export setup.json`")
def export(ctx: typer.Context, file: FileArgument) -> None:
    """Write the setup into one file; Secrets, tokens, passwords and ids are not in it."""
    session: Session = ctx.obj
    path = file.expanduser().absolute()
    if session.setup_move.would_replace(path) and not session.prompts.confirm(
        msg("replace {path}?", path=str(path))
    ):
        raise ConfigError(
            "NOT_CONFIRMED",
            msg("{path} is there already", path=str(path)),
            hint=msg("choose another file, or replace it with --yes"),
        )
    moved = session.setup_move.export(path)
    session.output.show(_data(moved), _table(moved))
    if moved.working:
        session.messages.warning(
            msg(
                "{count} pushes are under way: from now on, let one machine alone go on with them",
                count=moved.working,
            )
        )


@app.command("import", epilog="Example: `yuntu-push --home new-home state import setup.json`")
def import_(ctx: typer.Context, file: FileArgument) -> None:
    """Take the setup of another machine in; a setup that is here is only replaced after a yes."""
    session: Session = ctx.obj
    path = file.expanduser().absolute()
    move = session.setup_move
    setup = move.read(path)
    replace = not move.is_empty() and session.prompts.confirm(
        msg("replace the setup of this home ({home})?", home=str(session.paths.config_file.parent))
    )
    moved = move.take_in(path, setup, replace=replace)
    session.output.show(_data(moved), _table(moved))
    if moved.kept is not None:
        session.messages.notice(msg("what was here is kept in {path}", path=str(moved.kept)))
    session.messages.notice(
        msg(
            "Secrets do not move: for each channel `yuntu-push channel set-secret NAME` and "
            "`yuntu-push auth login NAME`, for each database `yuntu-push source login NAME`; "
            "segments are built anew"
        )
    )


def _data(moved: SetupMoved) -> dict[str, Any]:
    return {
        "path": str(moved.path),
        "made_at": iso(moved.setup.made_at),
        "made_by": moved.setup.made_by,
        "accounts": moved.setup.accounts,
        "pushes": moved.setup.pushes,
        "working": moved.working,
        "kept": str(moved.kept) if moved.kept else None,
    }


def _table(moved: SetupMoved) -> Table:
    return details(
        [(name, "-" if value is None else value) for name, value in _data(moved).items()]
    )
