"""`init`, and `config show|check|path`."""

import dataclasses
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from yuntu_push.cli.output import Table
from yuntu_push.domain.settings import Settings, SourceEntry
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.sources import split_password

app = typer.Typer(help="The config file: where it is, what it says, whether it is right.")


@app.command(epilog='Example: `$EDITOR "$(yuntu-push config path)"`')
def path(ctx: typer.Context) -> None:
    """Print the path of the config file."""
    ctx.obj.output.line(str(ctx.obj.paths.config_file))


@app.command(epilog="Example: `yuntu-push config check && echo fine`")
def check(ctx: typer.Context) -> None:
    """Check every key and value; wrong ones are named with their path and line."""
    session = ctx.obj
    session.check_config()
    config_file = session.paths.config_file
    for name in _with_passwords(session.settings):
        session.messages.warning(
            msg(
                "sources.{name}.url holds a password; take it out, then `yuntu-push source login "
                "{name}` keeps it in the secret store",
                name=name,
            )
        )
    session.output.show(
        {"path": str(config_file), "exists": config_file.exists(), "valid": True},
        Table(columns=(Text("path"), Text("valid")), rows=[(config_file, True)]),
    )


@app.command(epilog="Example: `yuntu-push config show --origin | grep env`")
def show(
    ctx: typer.Context,
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value came from.")
    ] = False,
) -> None:
    """Show every setting as it applies now."""
    session = ctx.obj
    loaded = session.loaded_config
    values = _plain(_without_passwords(loaded.settings))
    data: dict[str, Any] = {"path": str(loaded.path), "settings": values}
    flat = _flat(values)
    columns = [Text("key"), Text("value")]
    rows: list[list[Any]] = [[key, _shown(value)] for key, value in flat]
    if origin:
        data["origins"] = {key: _origin(loaded.origins, key) for key, _ in flat}
        columns.append(Text("origin"))
        for row in rows:
            row.append(data["origins"][row[0]])
    session.output.show(data, Table(columns=columns, rows=rows))


def register(root: typer.Typer) -> None:
    """Add `init` to the root."""
    root.command(epilog="Example: `mkdir my-brand && yuntu-push --home my-brand init`")(init)


def init(ctx: typer.Context) -> None:
    """Write a commented config file, then say what to do next."""
    session = ctx.obj
    created = session.write_example_config()
    config_file = session.paths.config_file
    session.output.show(
        {"path": str(config_file), "created": created},
        Table(columns=(Text("path"), Text("created")), rows=[(config_file, created)]),
    )
    if not created:
        session.messages.notice(msg("{path} is there already; nothing changed", path=config_file))
    session.messages.notice(
        msg(
            "next: `yuntu-push channel add NAME --kind yuntu` (what to copy from where is asked), "
            "or `yuntu-push demo` to see the whole way first; `yuntu-push guide` lists all steps"
        )
    )


def _with_passwords(settings: Settings) -> list[str]:
    return [name for name, entry in settings.sources.items() if split_password(entry.url)[1]]


def _without_passwords(settings: Settings) -> Settings:
    bare = {name: SourceEntry(split_password(e.url)[0]) for name, e in settings.sources.items()}
    return dataclasses.replace(settings, sources=bare)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 2**31:
        return str(value)  # an id
    if isinstance(value, Path):
        return str(value)
    return value


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in values.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, dict) and value:
            found += _flat(value, name)
        elif value != {}:
            found.append((name, value))
    return found


def _origin(origins: Mapping[str, str], key: str) -> str:
    """Where a value came from; what stands inside a map came with the map."""
    while key not in origins and "." in key:
        key = key.rpartition(".")[0]
    return origins.get(key, "default")


def _shown(value: Any) -> Any:
    return "-" if value is None or value == [] else value
