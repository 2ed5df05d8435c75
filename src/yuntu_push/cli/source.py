"""`source`: databases that segments are built from."""

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from yuntu_push.cli.output import Table
from yuntu_push.cli.prompts import secret_from_stdin
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg
from yuntu_push.services.sources import SourceInfo

app = typer.Typer(help="Databases (数据连接) that segments are built from.")
_Name = Annotated[str, typer.Argument(help="The source's name.", metavar="NAME")]


@app.command(epilog="Example: `yuntu-push source add crm --url postgresql://analyst@db/crm`")
def add(
    ctx: typer.Context,
    name: _Name,
    url: Annotated[str, typer.Option(help="Its URL, without the password.", metavar="URL")],
) -> None:
    """Write a database into the config."""
    info, had_password = ctx.obj.sources.add(name, url)
    ctx.obj.output.show(_data(info), _table([info]))
    if had_password:
        ctx.obj.messages.warning(
            msg("the password was moved to the secret store, but your shell may remember it")
        )
    elif "@" in url:
        ctx.obj.messages.notice(
            msg("now store its password: `yuntu-push source login {name}`", name=name)
        )


@app.command(epilog="Example: `yuntu-push source login crm`")
def login(
    ctx: typer.Context,
    name: _Name,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
) -> None:
    """Store a database's password in the secret store."""
    option = "--password-stdin"
    if password_stdin:
        password = secret_from_stdin(option)
    else:
        password = ctx.obj.prompts.secret(msg("Password of {name}", name=name), option=option)
    if not password:
        raise ConfigError(
            "SECRET_EMPTY",
            msg("no password was given"),
            hint=msg("run this again and type the password of the database's user"),
        )
    info = ctx.obj.sources.login(name, password)
    ctx.obj.output.show(_data(info), _table([info]))


@app.command("list", epilog="Example: `yuntu-push source list`")
def list_sources(ctx: typer.Context) -> None:
    """List the databases of the config."""
    found = ctx.obj.sources.list()
    ctx.obj.output.show({"sources": [_data(info) for info in found]}, _table(found))


@app.command(epilog="Example: `yuntu-push source test crm`")
def test(ctx: typer.Context, name: _Name) -> None:
    """Connect to a database and read one row."""
    info = ctx.obj.sources.test(name)
    ctx.obj.output.show(_data(info), _table([info]))
    ctx.obj.messages.notice(msg("{name} answers", name=name))


@app.command(epilog="Example: `yuntu-push source remove crm`")
def remove(ctx: typer.Context, name: _Name) -> None:
    """Forget a database and its password."""
    info = ctx.obj.sources.remove(name)
    ctx.obj.output.show(_data(info), _table([info]))


def _data(info: SourceInfo) -> dict[str, Any]:
    return {
        "name": info.name,
        "url": info.url,
        "kind": info.kind,
        "password_stored": info.password_stored,
    }


def _table(found: Iterable[SourceInfo]) -> Table:
    return Table(
        columns=("source", "kind", "url", "password stored"),
        rows=[(info.name, info.kind, info.url, info.password_stored) for info in found],
    )
