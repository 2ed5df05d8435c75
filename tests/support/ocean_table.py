"""The one table of the platform's fields: official declarations and what the reference adds."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

VECTORS = Path(__file__).parents[1] / "vectors"
TABLE: dict[str, Any] = yaml.safe_load((VECTORS / "ocean_fields.yaml").read_text("utf-8"))
ADDITIONS: dict[str, Any] = yaml.safe_load((VECTORS / "ocean_additions.yaml").read_text("utf-8"))
SERVICE_PROVIDERS = {key for key in TABLE if "/v3.0/yuntu/" in key}
KEYS = [key for key in TABLE if key not in SERVICE_PROVIDERS]
NULLABLE = frozenset(ADDITIONS["nullable"])


def fields_of(key: str) -> dict[str, Any]:
    """The declared request fields of an endpoint."""
    entry = TABLE[key]
    fields: dict[str, Any] = entry.get("query") or entry.get("body") or entry.get("form") or {}
    return fields


def is_required(key: str, name: str) -> bool:
    """Whether a request makes no sense without the field."""
    declared = bool(fields_of(key)[name].get("required"))
    return declared or name in ADDITIONS["required"].get(key, [])


def conforms(key: str, answer: dict[str, Any]) -> None:
    """Assert that an envelope is made of declared fields of the declared types."""
    declared = TABLE[key]["response"]
    assert {"code", "message", "request_id"} <= answer.keys()
    if answer["code"] == 0:
        assert ("data" in answer) == ("data" in declared)
        _conforms("", declared, answer)


_SCALARS: dict[str, type] = {"string": str, "boolean": bool, "object": dict}


def _conforms(where: str, kind: Any, value: Any) -> None:
    match kind:
        case "integer":
            null = value is None and where.rpartition(".")[2] in NULLABLE
            assert null or (isinstance(value, int) and not isinstance(value, bool)), where
        case str():
            assert isinstance(value, _SCALARS[kind]), where
        case {"array": item}:
            assert isinstance(value, list), where
            for each in value:
                _conforms(f"{where}[]", item, each)
        case {"enum": values}:
            assert value in values, where
        case _:
            assert isinstance(value, dict), where
            for name, each in value.items():
                assert name in kind, f"{where}.{name} is not declared"
                _conforms(f"{where}.{name}", kind[name]["type"], each)


def declared_paths(key: str) -> set[str]:
    """Every field that an endpoint's answer is declared to have, as a dotted path."""
    return set(_declared("", TABLE[key]["response"]))


def _declared(where: str, kind: Any) -> Iterator[str]:
    match kind:
        case {"array": item}:
            yield from _declared(f"{where}[]", item)
        case dict() if "enum" not in kind:
            for name, field in kind.items():
                yield f"{where}.{name}"
                yield from _declared(f"{where}.{name}", field["type"])


def paths_of(answer: Any, where: str = "") -> Iterator[str]:
    """Every field that an answer has, as a dotted path."""
    if isinstance(answer, list):
        for each in answer:
            yield from paths_of(each, f"{where}[]")
    elif isinstance(answer, dict):
        for name, value in answer.items():
            yield f"{where}.{name}"
            yield from paths_of(value, f"{where}.{name}")
