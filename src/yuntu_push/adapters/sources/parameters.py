"""Parameters of a query: `name=value` or `name:type=value`, bound, never pasted into the text."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.lookalikes import NONE, likeness
from yuntu_push.domain.scrubbing import HIDDEN
from yuntu_push.domain.text import msg

BEIJING = ZoneInfo("Asia/Shanghai")
_NAME = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::([a-z]+))?")
_RELATIVE = re.compile(r"(today|yesterday)(?:([+-][0-9]{1,5})d?)?")
# Quoted text, quoted names, comments and dollar quotes hold no parameters; `::` is a cast.
_TOKEN = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|--[^\n]*|/\*.*?\*/|\$(\w*)\$.*?\$\1\$|::|:=|"
    r"(?<![\w:]):([A-Za-z_]\w*)",
    re.DOTALL,
)
_TRUE = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True)
class Bound:
    """Parameters as the database gets them, and as the manifest records them."""

    values: Mapping[str, object]
    shown: Mapping[str, str]


def bind(params: Sequence[tuple[str, str]], names: Iterable[str], now: datetime) -> Bound:
    """The values of a query's parameters, or `ConfigError`: malformed, missing, or not used in it.

    Relative dates (`today`, `yesterday`, `today-7`) are days in Beijing, resolved here, once.
    """
    values: dict[str, object] = {}
    for key, text in params:
        match = _NAME.fullmatch(key)
        if match is None:
            raise _wrong(key, text)
        values[match[1]] = _value(match[1], match[2] or "str", text, now.astimezone(BEIJING).date())
    used = set(names)
    for problem, names in (("missing", used - set(values)), ("unused", set(values) - used)):
        if names:
            listed = ", ".join(sorted(names))
            raise ConfigError(
                "PARAM_MISSING" if problem == "missing" else "PARAM_UNUSED",
                msg("the SQL needs a value for {names}", names=listed)
                if problem == "missing"
                else msg("the SQL does not use {names}", names=listed),
                hint=msg("write :name in the SQL and pass --param name=value"),
            )
    return Bound(values, {name: _shown(value) for name, value in values.items()})


def names_in(sql: str) -> list[str]:
    """The parameters that a query for the embedded engine uses, `:name` outside of text."""
    return [match[2] for match in _TOKEN.finditer(sql) if match[2]]


def with_marks(sql: str, mark: Callable[[str], str]) -> str:
    """The query with each `:name` written as `mark(name)`."""

    def marked(match: re.Match[str]) -> str:
        if not match[2]:
            return match[0]
        return fitted(mark(match[2]), sql[: match.start()], sql[match.end() :])

    return _TOKEN.sub(marked, sql)


def fitted(mark: str, before: str, after: str) -> str:
    """A mark without its own brackets where the query has some: `in :list` and `in (:list)`."""
    has_brackets = before.rstrip().endswith("(") and after.lstrip().startswith(")")
    return mark[1:-1] if mark.startswith("(") and has_brackets else mark


def expanded(
    values: Mapping[str, object], mark: Callable[[str], str]
) -> tuple[dict[str, object], dict[str, str]]:
    """Values as a driver binds them, and each parameter's text; a list becomes `(:x_0, :x_1)`."""
    flat: dict[str, object] = {}
    texts: dict[str, str] = {}
    for name, value in values.items():
        if not isinstance(value, list):
            flat[name], texts[name] = value, mark(name)
            continue
        members = {f"{name}_{place}": item for place, item in enumerate(value)}
        flat |= members
        texts[name] = f"({', '.join(mark(member) for member in members)})"
    return flat, texts


def _value(name: str, kind: str, text: str, today: date) -> object:
    try:
        match kind:
            case "str":
                return text
            case "int":
                return int(text)
            case "decimal":
                return Decimal(text)
            case "bool":
                return _TRUE[text.lower()]
            case "date":
                return _date(text, today)
            case "datetime":
                return datetime.fromisoformat(text)
            case "list":
                return _members(text)
            case _:
                raise _wrong(f"{name}:{kind}", text)
    except (ValueError, KeyError, InvalidOperation):
        raise _wrong(f"{name}:{kind}", text) from None


def _members(text: str) -> list[str]:
    members = [item.strip() for item in text.split(",") if item.strip()]
    if not members:
        raise ValueError(text)  # no database takes `in ()`
    return members


def _date(text: str, today: date) -> date:
    match = _RELATIVE.fullmatch(text.strip().lower())
    if match is None:
        return date.fromisoformat(text)
    start = today - timedelta(days=1) if match[1] == "yesterday" else today
    return start + timedelta(days=int(match[2] or 0))


def _shown(value: object) -> str:
    """The value for the manifest; somebody's id is hidden there."""
    texts = [str(item) for item in value] if isinstance(value, list) else [str(value)]
    return ",".join(HIDDEN if likeness(text) != NONE else text for text in texts)


def _wrong(key: str, text: str) -> ConfigError:
    return ConfigError(
        "PARAM_INVALID",
        msg("{param} is not a parameter", param=repr(f"{key}={text}")),
        hint=msg("pass name=value, or name:type=value with int, decimal, date, bool or list"),
    )
