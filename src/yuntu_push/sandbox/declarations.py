"""The published request fields of every endpoint, read from `declarations.json`.

The file restates what the vendor's SDK declares: for each method and path where the fields travel
(query, JSON body or form), whether the `Access-Token` header is wanted, and the fields with their
types. A type is `integer`, `string`, `boolean`, `object`, `file`, `{"array": TYPE}`,
`{"enum": [...]}` or `{"object": {fields}}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Place = Literal["query", "body", "form"]


@dataclass(frozen=True)
class Array:
    """A list of values of one type."""

    item: "Type"


@dataclass(frozen=True)
class Choice:
    """One of the published values."""

    values: tuple[str | int, ...]


@dataclass(frozen=True)
class Record:
    """An object with declared fields."""

    fields: Mapping[str, "Field"]


Type = Literal["integer", "string", "boolean", "object", "file"] | Array | Choice | Record


@dataclass(frozen=True)
class Field:
    """A field's type, and whether it must be there."""

    type: Type
    required: bool


@dataclass(frozen=True)
class Declaration:
    """What one endpoint wants."""

    key: str
    place: Place
    token: bool
    fields: Mapping[str, Field]


@cache
def declarations() -> Mapping[str, Declaration]:
    """Every declared endpoint by "METHOD /path/"."""
    text = files("yuntu_push.sandbox").joinpath("declarations.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return {
        key: Declaration(key, entry["in"], entry["token"], _fields(entry["fields"]))
        for key, entry in table.items()
    }


def _fields(table: Mapping[str, Any]) -> dict[str, Field]:
    return {
        name: Field(_type(entry["type"]), bool(entry.get("required")))
        for name, entry in table.items()
    }


def _type(entry: Any) -> Type:
    match entry:
        case "integer" | "string" | "boolean" | "object" | "file":
            kind: Literal["integer", "string", "boolean", "object", "file"] = entry
            return kind
        case {"array": item}:
            return Array(_type(item))
        case {"enum": values}:
            return Choice(tuple(values))
        case {"object": fields}:
            return Record(_fields(fields))
        case _:
            raise ValueError(f"unknown type in declarations.json: {entry!r}")
