"""The config file: YAML and environment into `Settings`, and edits that keep the user's comments.

Precedence here: environment > file > default. Every key has the mechanical environment name
`YUNTU_PUSH_<SECTION>_<KEY>` (deeper keys and names of entries joined with `_`, `-` as `_`).
"""

import dataclasses
import difflib
import os
import re
import tempfile
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec
import yaml

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import ConfigError, YuntuPushError
from yuntu_push.domain.names import channel_name, local_name
from yuntu_push.domain.settings import Settings
from yuntu_push.domain.text import Text, msg

ENV_PREFIX = "YUNTU_PUSH"
# Short names that stand for a key as well.
ENV_ALIASES = {"secrets.backend": "YUNTU_PUSH_SECRETS"}
_MAPS = {"channels", "sources", "pushes"}  # sections whose keys are names that people choose


class _Loader(yaml.SafeLoader):
    """YAML whose plain scalars are numbers, booleans, null or text, and nothing else.

    YAML 1.1 reads `12:30` as 750 and `2026-01-01` as a date; a config file means text.
    """


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:int"}
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(  # type: ignore[no-untyped-call]
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789")
)


@dataclass(frozen=True)
class LoadedConfig:
    """The settings, and for each key path where its value came from."""

    path: Path
    settings: Settings
    origins: Mapping[str, str]


class ConfigFile:
    """The config file at `path` seen through the environment."""

    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self.path = path
        self._environ = environ

    def load(self) -> LoadedConfig:
        """Everything the file and the environment say, or `ConfigError` naming key and line."""
        values, lines = _read(self.path)
        decoder = _Decoder(self.path, lines, self._environ)
        settings = decoder.decode(Settings, values, "")
        decoder.raise_errors()
        _check_shared_apps(settings, decoder)
        decoder.raise_errors()
        return LoadedConfig(self.path, settings, decoder.origins)

    def write_example(self) -> bool:
        """Write the commented example, all of it commented out; False when a file is there."""
        if self.path.exists():
            return False
        text = (resources.files("yuntu_push") / "config.example.yaml").read_text("utf-8")
        lines = [
            line if not line.strip() or line.startswith("#") else f"# {line}"
            for line in text.splitlines()
        ]
        try:
            _replace_file(self.path, lambda stream: stream.write("\n".join(lines) + "\n"))
        except OSError as exc:
            raise _unreadable(self.path, exc) from exc
        return True

    def channels(self) -> dict[str, Channel]:
        """The channels by name."""
        return {name: entry.channel(name) for name, entry in self.load().settings.channels.items()}

    def add_channel(self, channel: Channel) -> None:
        """Write the entry of a channel; comments and order of the file survive."""
        entry: dict[str, Any] = {"kind": channel.kind.value, "app_id": channel.app_id}
        entry |= {"callback_url": channel.callback_url, "auth_url": channel.auth_url}
        if channel.api_url:
            entry["api_url"] = channel.api_url
        if channel.client:
            entry["client"] = channel.client
        if channel.same_app_as:
            entry["same_app_as"] = channel.same_app_as
        self._edit(lambda root: _section(root, "channels").__setitem__(channel.name, entry))

    def remove_channel(self, name: str) -> None:
        """Take the entry of a channel out; nothing happens when there is none."""
        self._edit(lambda root: _section(root, "channels").pop(name, None))

    def add_source(self, name: str, url: str) -> None:
        """Write the entry of a data connection (数据连接)."""
        self._edit(lambda root: _section(root, "sources").__setitem__(name, {"url": url}))

    def remove_source(self, name: str) -> None:
        """Take the entry of a data connection out."""
        self._edit(lambda root: _section(root, "sources").pop(name, None))

    def pin_secrets_backend(self, backend: str) -> None:
        """Write down which secret store was chosen."""
        self._edit(lambda root: _section(root, "secrets").__setitem__("backend", backend))

    def _edit(self, change: Callable[[Any], Any]) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml.comments import CommentedMap

        editor = YAML()
        editor.preserve_quotes = True
        editor.width = 4096
        editor.indent(mapping=2, sequence=4, offset=2)
        try:
            text = self.path.read_text("utf-8-sig") if self.path.exists() else ""
            root = editor.load(text)
            # A file of comments alone has no root to hang them on: they are kept as they stand.
            head = text.rstrip() + "\n\n" if root is None and text.strip() else ""
            root = CommentedMap() if root is None else root
            change(root)

            def write(stream: TextIO) -> None:
                stream.write(head)
                editor.dump(root, stream)

            _replace_file(self.path, write)
        except OSError as exc:
            raise _unreadable(self.path, exc) from exc


def _section(root: Any, name: str) -> Any:
    if root.get(name) is None:
        root[name] = {}
    return root[name]


def _replace_file(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write beside and rename, so that a kill leaves the old file or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".config-", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _unreadable(path: Path, exc: OSError) -> ConfigError:
    return ConfigError(
        "CONFIG_UNREADABLE",
        msg(
            "the config file {path} cannot be used: {reason}",
            path=str(path),
            reason=exc.strerror or str(exc),
        ),
        hint=msg("check the path and its permissions, or use --config"),
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The file's values and the line of each key path; both empty when there is no file."""
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        return {}, {}
    except UnicodeDecodeError as exc:
        raise ConfigError(
            "CONFIG_ENCODING",
            msg("the config file {path} is not UTF-8 (byte {byte})", path=str(path), byte=exc.start),
            hint=msg("save it as UTF-8"),
        ) from exc
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        lines: dict[str, int] = {}
        values = _construct(loader, node, "", lines, path) if node is not None else {}
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        mark = getattr(exc, "problem_mark", None)
        raise ConfigError(
            "CONFIG_SYNTAX",
            msg(
                "the config file is not valid YAML: {problem} ({file}:{line})",
                problem=getattr(exc, "problem", None) or type(exc).__name__,
                file=path.name,
                line=mark.line + 1 if mark else 1,
            ),
            hint=msg("correct that line, then run `yuntu-push config check`"),
        ) from exc
    finally:
        loader.dispose()  # type: ignore[no-untyped-call]
    if not isinstance(values, dict):
        raise ConfigError(
            "CONFIG_INVALID",
            msg("{file}:1: expected sections such as `channels:`", file=path.name),
            hint=msg("`yuntu-push init` writes a commented example"),
        )
    return values, lines


def _construct(
    loader: _Loader, node: yaml.Node, path: str, lines: dict[str, int], file: Path
) -> Any:
    """The plain value of a node; notes the line of every key path on the way."""
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            below = f"{path}.{key}" if path else key
            if key in result:
                raise _invalid(below, msg("is there twice"), file, key_node.start_mark.line + 1)
            lines[below] = key_node.start_mark.line + 1
            result[key] = _construct(loader, value_node, below, lines, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, f"{path}[{place}]", lines, file)
            for place, item in enumerate(node.value)
        ]
    return loader.construct_object(node, deep=True)  # type: ignore[no-untyped-call]


def _invalid(key: str, problem: Text, file: Path | str, line: int | None) -> ConfigError:
    place = f"{Path(file).name}:{line}" if line else str(file)
    return ConfigError(
        "CONFIG_INVALID",
        msg("{key}: {problem} ({place})", key=key, problem=problem, place=place),
        hint=msg("correct it, then run `yuntu-push config check`"),
    )


class _Decoder:
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
            self._errors.append(_invalid(key, problem, origin.removeprefix("env "), None))
        else:
            self._errors.append(_invalid(key, problem, self._path, self._line(key)))

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
            nested_keys = dataclasses.is_dataclass(hints[name]) or (name in _MAPS and not path)
            value, found = self._value(values, name, below, from_env=not nested_keys)
            if dataclasses.is_dataclass(hints[name]):
                nested = value if isinstance(value, dict) else {}
                if found and value is not None and not isinstance(value, dict):
                    self.fail(below, msg("expected keys and values"))
                required = field.default is field.default_factory is dataclasses.MISSING
                if required and not found:
                    self.fail(below, msg("is missing"))
                else:
                    arguments[name] = self.decode(typing.cast(type, hints[name]), nested, below)
            elif name in _MAPS and not path:
                arguments[name] = self._entries(hints[name], value, below)
            elif found and value is not None:
                arguments[name] = self._leaf(hints[name], field, value, below)
            elif _has_default(field):
                self.origins[below] = "default"
            else:
                self.fail(below, msg("is missing"))
        if self._errors:
            return None
        return cls(**arguments)

    def _entries(self, hint: Any, value: Any, path: str) -> dict[str, Any]:
        entry_type = typing.get_args(hint)[1]
        if value is not None and not isinstance(value, dict):
            self.fail(path, msg("expected names with their entries"))
            return {}
        entries = {}
        for name, entry in (value or {}).items():
            below = f"{path}.{name}"
            try:
                name = channel_name(name) if path == "channels" else local_name(name, what="entry")
            except ConfigError as exc:
                self.fail(below, exc.message)
                continue
            if not isinstance(entry, dict):
                self.fail(below, msg("expected keys and values"))
                continue
            entries[name] = self.decode(entry_type, entry, below)
        return entries

    def _value(
        self, values: Mapping[str, Any], name: str, path: str, *, from_env: bool
    ) -> tuple[Any, bool]:
        for variable in (env_name(path), ENV_ALIASES.get(path)) if from_env else ():
            if variable and variable in self._environ:
                self.origins[path] = f"env {variable}"
                try:
                    return yaml.load(self._environ[variable], _Loader), True
                except (yaml.YAMLError, ValueError):
                    return self._environ[variable], True
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


def _check_shared_apps(settings: Settings, decoder: _Decoder) -> None:
    for name, entry in settings.channels.items():
        other = entry.same_app_as
        if other is None:
            continue
        owner = settings.channels.get(other)
        if owner is None or owner.same_app_as or owner.app_id != entry.app_id:
            decoder.fail(
                f"channels.{name}.same_app_as",
                msg("expected the name of a channel with this app_id and a Secret of its own"),
            )
