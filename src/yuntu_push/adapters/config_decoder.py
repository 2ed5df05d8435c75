"""Plain values from YAML and the environment into frozen settings, every error with its place."""

import dataclasses
import difflib
import re
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from yuntu_push.domain.errors import ConfigError, YuntuPushError
from yuntu_push.domain.names import channel_name, local_name
from yuntu_push.domain.text import Text, msg

ENV_PREFIX = "YUNTU_PUSH"
# Short names that stand for a key as well.
ENV_ALIASES = {"secrets.backend": "YUNTU_PUSH_SECRETS"}
_MAPS = {"channels", "sources", "pushes"}  # sections whose keys are names that people choose


class PlainLoader(yaml.SafeLoader):
    """YAML whose plain scalars are numbers, booleans, null or text, and nothing else.

    YAML 1.1 reads `12:30` as 750 and `2026-01-01` as a date; a config file means text.
    """


PlainLoader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789")
)


def invalid(key: str, problem: Text, file: Path | str, line: int | None) -> ConfigError:
    place = f"{Path(file).name}:{line}" if line else str(file)
    return ConfigError(
        "CONFIG_INVALID",
        msg("{key}: {problem} ({place})", key=key, problem=problem, place=place),
        hint=msg("correct it, then run `yuntu-push config check`"),
    )


class Decoder:
    """Turns plain values into settings, collecting every error with its key path and line."""

    def __init__(self, path: Path, lines: Mapping[str, int], environ: Mapping[str, str]) -> None:
        self._path = path
        self._lines = lines
        self._environ = environ
        self._errors: list[YuntuPushError] = []
        self.origins: dict[str, str] = {}

    def raise_errors(self) -> None:
        if self._errors:
            first, *rest = self._errors
            first.also = tuple(rest)
            raise first

    def fail(self, key: str, problem: Text) -> None:
        origin = self.origins.get(key, "")
        if origin.startswith("env "):
            self._errors.append(invalid(key, problem, origin.removeprefix("env "), None))
        else:
            self._errors.append(invalid(key, problem, self._path, self._line(key)))

    def decode(self, cls: type, values: Mapping[str, Any], path: str) -> Any:
        """A `cls` from a mapping; on errors a default stands in, so that all of them are found."""
        hints = typing.get_type_hints(cls)
        fields = {f.name: f for f in dataclasses.fields(cls)}
        for key in values:
            if key not in fields:
                self._unknown(path, key, fields)
        arguments: dict[str, Any] = {}
        for name, field in fields.items():
            below = f"{path}.{name}" if path else name
            if dataclasses.is_dataclass(hints[name]):
                arguments[name] = self._nested(hints[name], field, values.get(name), below)
            elif name in _MAPS and not path:
                arguments[name] = self._entries(hints[name], values.get(name), below)
            else:
                value, found = self._value(values, name, below, hints[name])
                if found and value is not None:
                    arguments[name] = self._leaf(hints[name], field, value, below)
                elif _has_default(field):
                    self.origins[below] = "default"
                else:
                    self.fail(below, msg("is missing"))
        return None if self._errors else cls(**arguments)

    def _nested(self, cls: Any, field: "dataclasses.Field[Any]", value: Any, path: str) -> Any:
        if value is not None and not isinstance(value, dict):
            self.fail(path, msg("expected keys and values"))
        elif value is None and not _has_default(field):
            self.fail(path, msg("is missing"))
        else:
            return self.decode(cls, value or {}, path)
        return None

    def _entries(self, hint: Any, value: Any, path: str) -> dict[str, Any]:
        entry_type = typing.get_args(hint)[1]
        if value is not None and not isinstance(value, dict):
            self.fail(path, msg("expected names with their entries"))
            return {}
        entries = {}
        for name, entry in (value or {}).items():
            below = f"{path}.{name}"
            try:
                known_as = _entry_name(path, name)
            except ConfigError as exc:
                self.fail(below, exc.message)
                continue
            if not isinstance(entry, dict):
                self.fail(below, msg("expected keys and values"))
                continue
            entries[known_as] = self.decode(entry_type, entry, below)
        return entries

    def _value(self, values: Mapping[str, Any], name: str, path: str, hint: Any) -> Any:
        """The value that the environment or the file has for a key, and whether one has."""
        for variable in (env_name(path), ENV_ALIASES.get(path)):
            if variable and variable in self._environ:
                self.origins[path] = f"env {variable}"
                return _from_environment(self._environ[variable], hint), True
        if name in values:
            self.origins[path] = f"{self._path.name}:{self._line(path)}"
            return values[name], True
        return None, False

    def _leaf(self, hint: Any, field: "dataclasses.Field[Any]", value: Any, path: str) -> Any:
        parse = field.metadata.get("parse")
        try:
            if parse is not None:
                return parse(value)
            return msgspec.convert(_ids_as_text(value, hint), hint, strict=False)
        except (msgspec.ValidationError, ValueError, TypeError):
            self.fail(path, msg("expected {kind}", kind=_expected(hint, field)))
            return None

    def _unknown(self, path: str, key: str, fields: Mapping[str, Any]) -> None:
        below = f"{path}.{key}" if path else key
        close = difflib.get_close_matches(key, fields, n=1, cutoff=0.6)
        self.fail(
            below,
            msg("unknown key; did you mean {known}?", known=close[0])
            if close
            else msg("unknown key; known here: {known}", known=", ".join(fields)),
        )

    def _line(self, path: str) -> int:
        while path and path not in self._lines:
            path = path.rpartition(".")[0]
        return self._lines.get(path, 1)


def _from_environment(text: str, hint: Any) -> Any:
    """The value that a variable means: text as it stands, anything else as a line of YAML."""
    if not text.strip():
        return None
    wanted = [each for each in typing.get_args(hint) or (hint,) if each is not types.NoneType]
    if wanted == [str]:
        return text
    try:
        value = plain_value(text)
    except (yaml.YAMLError, ValueError):
        return text
    is_list = typing.get_origin(hint) is tuple
    return text if is_list and not isinstance(value, list) else value


def plain_value(text: str) -> Any:
    """The value that a line of YAML says."""
    loader = PlainLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _entry_name(section: str, name: str) -> str:
    return channel_name(name) if section == "channels" else local_name(name, what="entry")


def env_name(path: str) -> str:
    """The environment variable of a key path."""
    return f"{ENV_PREFIX}_{path.replace('.', '_').replace('-', '_').upper()}"


def _has_default(field: "dataclasses.Field[Any]") -> bool:
    return not (field.default is dataclasses.MISSING is field.default_factory)


def _ids_as_text(value: Any, hint: Any) -> Any:
    """Unquoted ids are read as numbers; where text is expected they become text again."""
    args = [a for a in typing.get_args(hint) if a is not types.NoneType]
    origin = typing.get_origin(hint)
    if isinstance(value, int) and not isinstance(value, bool) and (hint is str or args == [str]):
        return str(value)
    if isinstance(value, list) and origin is tuple:
        return [_ids_as_text(item, args[0]) for item in value]
    if isinstance(value, str) and origin is tuple:
        return [value]
    if isinstance(value, dict) and origin is dict:
        return {str(k): _ids_as_text(v, args[1]) for k, v in value.items()}
    return value


def _expected(hint: Any, field: "dataclasses.Field[Any]") -> Text:
    kind = field.metadata.get("expected")
    options = [a for a in typing.get_args(hint) if a is not types.NoneType]
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union) and len(options) == 1:
        return _expected(options[0], field)
    if origin in (types.UnionType, typing.Union) and typing.get_origin(options[0]) is Literal:
        return _expected(options[0], field)
    if origin is Literal:
        return msg("one of {choices}", choices=", ".join(map(str, options)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return msg("one of {choices}", choices=", ".join(str(m.value) for m in hint))
    sentences = {
        "duration": msg("a duration such as 90, 90s, 3m or 3h"),
        "size": msg("a size such as 10MB or 500KB"),
        int: msg("a number"),
        float: msg("a number"),
        bool: msg("true or false"),
        str: msg("text"),
        tuple: msg("a list"),
        dict: msg("keys and values"),
    }
    return sentences.get(kind or origin or hint) or msg("another value")
