"""`schema COMMAND`: the JSON Schema of a command's envelope."""

import json
from typing import Annotated, Any

import typer

from yuntu_push.cli import contract
from yuntu_push.cli.output import SCHEMA
from yuntu_push.domain.names import unknown


def register(app: typer.Typer) -> None:
    """Add `schema` to the root."""
    app.command(epilog="Example: `yuntu-push schema push create > push-create.schema.json`")(schema)


def schema(
    ctx: typer.Context,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="Such as: push create.")
    ] = None,
) -> None:
    """Print the JSON Schema of a command's answer; without a command, list those that have one."""
    output = ctx.obj.output
    if not command:
        for name in sorted(contract.ANSWERS):
            output.line(name)
        return
    name = " ".join(command)
    if name not in contract.ANSWERS:
        raise unknown("command", name, contract.ANSWERS)
    output.line(json.dumps(envelope_schema(name), ensure_ascii=False, indent=2))


def envelope_schema(command: str) -> dict[str, Any]:
    """The JSON Schema of a command's envelope; on errors `data` may be empty."""
    import msgspec

    answers, components = msgspec.json.schema_components(
        contract.ANSWERS[command], ref_template="#/$defs/{name}"
    )
    error = {
        "type": "object",
        "properties": {
            "code": {"type": "string"},
            "message": {"type": "string"},
            "hint": {"type": ["string", "null"]},
            "retryable": {"type": "boolean"},
            "platform_code": {"type": "integer"},
            "request_id": {"type": "string"},
            "next_at": {"type": "string"},
        },
        "required": ["code", "message", "hint", "retryable"],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"yuntu-push {command}",
        "type": "object",
        "properties": {
            "schema": {"const": SCHEMA},
            "command": {"const": command},
            "status": {"enum": ["ok", "pending", "partial", "error"]},
            "exit_code": {"type": "integer"},
            "data": {"anyOf": [*answers, {"type": "object", "maxProperties": 0}]},
            "errors": {"type": "array", "items": error},
        },
        "required": ["schema", "command", "status", "exit_code", "data", "errors"],
        "$defs": components,
    }
