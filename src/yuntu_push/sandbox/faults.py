"""A plan of things going wrong: on which call of which route, and how."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Effect(StrEnum):
    """What a fault does."""

    REFUSE = "refuse"
    DELAY = "delay"
    HTTP = "http"
    HTML = "html"
    HALF_JSON = "half_json"
    EMPTY = "empty"
    DROP_BEFORE = "drop_before"
    DROP_AFTER = "drop_after"
    SLOW = "slow"
    FAIL_PARSE = "fail_parse"
    LIST_LAG = "list_lag"
    CLOCK_JUMP = "clock_jump"


@dataclass
class Fault:
    """One line of the plan.

    `route` is the end of a path ("data_source/create/"; the slashes at its ends don't matter) or
    "*". The calls meant are the `nth` (1 is the first), or each `every`-th, or those from `start`
    to `stop`, or, without any, all. `after` lets the platform do its work before a `refuse`,
    `http`, `html`, `half_json` or `empty` answer spoils the reply.
    """

    route: str
    effect: Effect
    nth: int | None = None
    every: int | None = None
    start: int = 1
    stop: int | None = None
    after: bool = False
    code: int = 50000
    message: str = "系统错误"
    status: int = 500
    seconds: float = 0.0
    factor: float = 1.0
    retry_after: str | int | None = None
    retry_in: str | int | None = None
    dimension: str | None = None
    seen: int = field(default=0, init=False)
    struck: int = field(default=0, init=False)

    def meets(self, path: str) -> bool:
        """Count a call of `path`; whether this is one to spoil."""
        wanted = self.route.strip("/")
        if wanted != "*" and not path.strip("/").endswith(wanted):
            return False
        self.seen += 1
        hit = self._is_due()
        self.struck += hit
        return hit

    def _is_due(self) -> bool:
        if self.nth is not None:
            return self.seen == self.nth
        inside = self.seen >= self.start and (self.stop is None or self.seen <= self.stop)
        if self.every is not None:
            return inside and (self.seen - self.start + 1) % self.every == 0
        return inside


_WORDS = {"from": "start", "to": "stop"}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "route": (str,),
    "effect": (str,),
    "nth": (int,),
    "every": (int,),
    "start": (int,),
    "stop": (int,),
    "after": (bool,),
    "code": (int,),
    "message": (str,),
    "status": (int,),
    "seconds": (int, float),
    "factor": (int, float),
    "retry_after": (str, int),
    "retry_in": (str, int),
    "dimension": (str,),
}


class FaultPlan:
    """The faults in force, counted per fault."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, entries: list[Mapping[str, Any]]) -> None:
        """Add faults; a wrong entry raises ValueError and adds none."""
        self.faults.extend([_fault(entry) for entry in entries])

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.faults.clear()

    def strike(self, path: str) -> list[Fault]:
        """The faults that spoil this call of `path`."""
        return [fault for fault in self.faults if fault.meets(path)]


def _fault(entry: Mapping[str, Any]) -> Fault:
    if not isinstance(entry, Mapping):
        raise TypeError("a fault is an object with route and effect")
    given = {_WORDS.get(key, key): value for key, value in entry.items()}
    if unknown := given.keys() - _TYPES.keys():
        raise ValueError(f"unknown key in fault: {', '.join(sorted(map(str, unknown)))}")
    if "route" not in given or "effect" not in given:
        raise ValueError("a fault needs route and effect")
    for name, value in given.items():
        if not isinstance(value, _TYPES[name]):
            raise TypeError(f"{name} of a fault cannot be {value!r}")
    effect = given["effect"]
    if effect.startswith("http_"):  # "http_429" is short for http with that status
        given["effect"], given["status"] = Effect.HTTP, int(effect.removeprefix("http_"))
    else:
        given["effect"] = Effect(effect)
    if not 200 <= given.get("status", 500) <= 599:
        raise ValueError("status of a fault is an HTTP status from 200 to 599")
    return Fault(**given)


def load_plan(path: Path) -> list[Mapping[str, Any]]:
    """The entries of a JSON or YAML plan file: a list, or an object with `faults`."""
    try:
        plan = _parsed(path)
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    entries = plan.get("faults") if isinstance(plan, dict) else plan
    if not isinstance(entries, list):
        raise ValueError(f"{path}: expected a list of faults")  # noqa: TRY004 - a file's content
    return entries


def _parsed(path: Path) -> Any:
    text = path.read_text("utf-8")
    if path.suffix not in {".yaml", ".yml"}:
        return json.loads(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
