"""`schema COMMAND`: the JSON Schema of a command's `data`."""

import json
from typing import Annotated, Any

import typer

from yuntu_push.cli import contract
from yuntu_push.domain.names import unknown
from yuntu_push.domain.text import msg


def register(app: typer.Typer) -> None:
    """Add `schema` to the root."""
    app.command(epilog="Example: `yuntu-push schema push create > push-create.schema.json`")(schema)


def schema(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Such as: push create.")
    ] = None,
) -> None:
    """Print the JSON Schema of a command's data; without a command, list those that have one."""
    output = ctx.obj.output
    if not command:
        for name in sorted(contract.ANSWERS):
            output.line(name)
        return
    name = _known(ctx, " ".join(command).split())
    if name not in contract.ANSWERS:
        raise unknown(
            "command", name, contract.ANSWERS, hint=msg("`yuntu-push schema` lists the commands")
        )
    output.line(json.dumps(data_schema(name), ensure_ascii=False, indent=2))


def _known(ctx: typer.Context, words: list[str]) -> str:
    """The command's own name; its group may be named in singular or plural, as on any line."""
    root: Any = ctx.find_root().command
    group = root.get_command(ctx, words[0]) if words else None
    return " ".join([str(group.name), *words[1:]] if group else words)


def data_schema(command: str) -> dict[str, Any]:
    """The JSON Schema of the `data` of a command that did what it was asked.

    After an error `data` may be empty. Where the arguments decide between two shapes, either fits.
    """
    import msgspec

    shapes = contract.ANSWERS[command]
    answers, components = msgspec.json.schema_components(shapes, ref_template="#/$defs/{name}")
    body = components.pop(shapes[0].__name__) if len(shapes) == 1 else {"anyOf": list(answers)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **body,
        "title": f"data of yuntu-push {command}",
        "$defs": components,
    }
