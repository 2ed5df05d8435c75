"""A plan of things going wrong: on which call of which route, and how."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct, convert, field, to_builtins

from yuntu_push.sandbox.declarations import declarations


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


Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(ge=-1e9, le=1e9)]
Hint = Annotated[str, Meta(pattern="^[ -~]{0,100}$")]
"""Text that fits into a header."""


class Fault(Struct, forbid_unknown_fields=True):
    """One line of the plan.

    `route` is the end of an endpoint's path ("data_source/create/"; the slashes at its ends don't
    matter) or "*". The calls meant are the `nth` (1 is the first), or each `every`-th, or those
    from `start` to `stop`, or, without any, all. `after` lets the platform do its work before a
    `refuse`, `http`, `html`, `half_json` or `empty` answer spoils the reply.
    """

    route: Annotated[str, Meta(min_length=1)]
    effect: Effect
    nth: Count | None = None
    every: Count | None = None
    start: Count = field(default=1, name="from")
    stop: Count | None = field(default=None, name="to")
    after: bool = False
    code: int = 50000
    message: str = "系统错误"
    status: Annotated[int, Meta(ge=200, le=599)] = 500
    seconds: Seconds = 0.0
    factor: Annotated[float, Meta(ge=0, le=10_000)] = 1.0
    retry_after: Hint | int | None = None
    retry_in: Hint | int | None = None
    dimension: Hint | None = None


@dataclass
class Planned:
    """A fault in force, and how often its route was called."""

    fault: Fault
    seen: int = 0
    struck: int = 0

    def meets(self, path: str) -> bool:
        """Count a call of `path`; whether this is one to spoil."""
        if not _is_route_of(self.fault.route, path):
            return False
        self.seen += 1
        hit = self._is_due()
        self.struck += hit
        return hit

    def _is_due(self) -> bool:
        fault = self.fault
        if fault.nth is not None:
            return self.seen == fault.nth
        inside = self.seen >= fault.start and (fault.stop is None or self.seen <= fault.stop)
        if fault.every is not None:
            return inside and (self.seen - fault.start + 1) % fault.every == 0
        return inside


class FaultPlan:
    """The faults in force, counted per fault."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []

    def add(self, entries: Any) -> None:
        """Add faults from plain values; a wrong entry raises ValueError and adds none."""
        if not isinstance(entries, Iterable) or isinstance(entries, str):
            raise ValueError("expected a list of faults")  # noqa: TRY004 - a value of JSON
        self._planned.extend(
            [Planned(_fault(place, each)) for place, each in enumerate(entries, 1)]
        )

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self._planned.clear()

    def strike(self, path: str) -> list[Fault]:
        """The faults that spoil this call of `path`."""
        return [each.fault for each in self._planned if each.meets(path)]

    def dump(self) -> list[dict[str, Any]]:
        """The faults as plain values, with how often each was met and struck."""
        return [
            {**to_builtins(each.fault), "seen": each.seen, "struck": each.struck}
            for each in self._planned
        ]


def _fault(place: int, entry: Any) -> Fault:
    effect = entry.get("effect") if isinstance(entry, dict) else None
    if isinstance(effect, str) and effect.startswith("http_"):
        # "http_429" is short for http with that status.
        status = effect.removeprefix("http_")
        entry = {**entry, "effect": "http", "status": int(status) if status.isdecimal() else status}
    try:
        fault = convert(entry, Fault)
        _check(fault)
    except ValueError as error:
        raise ValueError(f"fault {place} makes no sense: {error}") from error
    return fault


def _check(fault: Fault) -> None:
    """Refuse what would never do anything: a rehearsal without its fault proves nothing."""
    paths = [key.partition(" ")[2] for key in declarations()]
    if not any(_is_route_of(fault.route, path) for path in paths):
        raise ValueError(f"no endpoint's path ends with {fault.route!r}")
    others = (fault.every is not None, fault.start != 1, fault.stop is not None)
    if fault.nth is not None and any(others):
        raise ValueError("`nth` means one call; leave `every`, `from` and `to` out")
    if fault.stop is not None and fault.stop < fault.start:
        raise ValueError("`to` comes before `from`")
    match fault.effect:
        case Effect.REFUSE if fault.code == 0:
            raise ValueError("`code` 0 is no refusal")
        case Effect.DELAY if fault.seconds <= 0:
            raise ValueError("`delay` needs `seconds`, more than 0")
        case Effect.CLOCK_JUMP if fault.seconds == 0:
            raise ValueError("`clock_jump` needs `seconds`")
        case Effect.SLOW if fault.factor == 1:
            raise ValueError("`slow` needs a `factor`")


def _is_route_of(route: str, path: str) -> bool:
    wanted = route.strip("/")
    return wanted == "*" or f"/{path.strip('/')}".endswith(f"/{wanted}")


def load_plan(path: Path) -> Any:
    """The entries of a JSON or YAML plan file: a list, or an object with `faults`."""
    plan = _parsed(path)
    return plan.get("faults") if isinstance(plan, dict) else plan


def _parsed(path: Path) -> Any:
    text = path.read_text("utf-8")
    if path.suffix not in {".yaml", ".yml"}:
        return json.loads(text)
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
