"""The config file: YAML and environment into `Settings`, and edits that keep the user's comments.

Precedence here: environment > file > default. Every key has the mechanical environment name
`YUNTU_PUSH_<SECTION>_<KEY>` (deeper keys and names of entries joined with `_`, `-` as `_`).
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, TextIO

import yaml

from yuntu_push.adapters.config_decoder import Decoder, PlainLoader, invalid
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.channel_rules import channel_problems
from yuntu_push.domain.disk import disk_error
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.setting_rules import setting_problems
from yuntu_push.domain.settings import Settings
from yuntu_push.domain.text import msg

_MOST_VALUES = 100_000  # aliases of aliases would fill the memory


@dataclass(frozen=True)
class LoadedConfig:
    """The settings, and for each key path where its value came from."""

    path: Path
    settings: Settings
    origins: Mapping[str, str]


class ConfigFile:
    """The config file at `path` seen through the environment.

    Edits are made under `exclusive`, so that of two at once none is lost.
    """

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        *,
        exclusive: Callable[[], AbstractContextManager[object]] = contextlib.nullcontext,
    ) -> None:
        self.path = path
        self._environ = environ
        self._exclusive = exclusive

    def load(self) -> LoadedConfig:
        """Everything the file and the environment say, or `ConfigError` naming key and line."""
        values, lines = _read(self.path)
        decoder = Decoder(self.path, lines, self._environ)
        settings = decoder.decode(Settings, values, "")
        decoder.raise_errors()
        _check_channels(settings, decoder)
        for key, problem in setting_problems(settings):
            decoder.fail(key, problem)
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
            raise disk_error(exc) or _unreadable(self.path, exc) from exc
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
        with self._exclusive():
            self._change(change)

    def _change(self, change: Callable[[Any], Any]) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml.comments import CommentedMap
        from ruamel.yaml.error import YAMLError

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
            raise disk_error(exc) or _unreadable(self.path, exc) from exc
        except (YAMLError, RecursionError, ValueError, TypeError) as exc:
            # Two libraries: the one that keeps comments is stricter about some oddities.
            mark = getattr(exc, "problem_mark", None)
            raise ConfigError(
                "CONFIG_NOT_EDITABLE",
                msg(
                    "the config file cannot be edited here: {problem} ({file}:{line})",
                    problem=getattr(exc, "problem", None) or type(exc).__name__,
                    file=self.path.name,
                    line=mark.line + 1 if mark else 1,
                ),
                hint=msg("simplify that line, or write the entry by hand"),
            ) from exc


def _section(root: Any, name: str) -> Any:
    if root.get(name) is None:
        root[name] = {}
    return root[name]


def _replace_file(path: Path, write: Callable[[TextIO], object]) -> None:
    """Write beside and rename, so that a kill leaves the old file or the new one.

    A link stays a link: people keep their config in a repository of their own.
    """
    path = path.resolve()
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
            msg(
                "the config file {path} is not UTF-8 (byte {byte})", path=str(path), byte=exc.start
            ),
            hint=msg("save it as UTF-8"),
        ) from exc
    except OSError as exc:
        raise _unreadable(path, exc) from exc
    try:
        values, lines = _parsed(text, path)
    except (yaml.YAMLError, RecursionError, ValueError) as exc:
        mark = getattr(exc, "problem_mark", None)
        before = text[: getattr(exc, "position", 0)]  # of a character that YAML does not allow
        raise ConfigError(
            "CONFIG_SYNTAX",
            msg(
                "the config file is not valid YAML: {problem} ({file}:{line})",
                problem=getattr(exc, "problem", None) or type(exc).__name__,
                file=path.name,
                line=mark.line + 1 if mark else before.count("\n") + 1,
            ),
            hint=msg("correct that line, then run `yuntu-push config check`"),
        ) from exc
    if not isinstance(values, dict):
        raise ConfigError(
            "CONFIG_INVALID",
            msg("{file}:1: expected sections such as `channels:`", file=path.name),
            hint=msg("`yuntu-push init` writes a commented example"),
        )
    return values, lines


def _parsed(text: str, path: Path) -> tuple[Any, dict[str, int]]:
    loader = PlainLoader(text)
    lines: dict[str, int] = {}
    try:
        node = loader.get_single_node()
        return (_construct(loader, node, "", lines, path) if node is not None else {}), lines
    finally:
        loader.dispose()


def _construct(
    loader: PlainLoader, node: yaml.Node, path: str, lines: dict[str, int], file: Path
) -> Any:
    """The plain value of a node; notes the line of every key path on the way."""
    lines.setdefault(path, node.start_mark.line + 1)
    if len(lines) > _MOST_VALUES:
        problem = "its aliases make it too large"
        raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            below = f"{path}.{key}" if path else key
            if key in result:
                raise invalid(below, msg("is there twice"), file, key_node.start_mark.line + 1)
            lines[below] = key_node.start_mark.line + 1
            result[key] = _construct(loader, value_node, below, lines, file)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, f"{path}[{place}]", lines, file)
            for place, item in enumerate(node.value)
        ]
    return loader.construct_object(node, deep=True)


def _check_channels(settings: Settings, decoder: Decoder) -> None:
    for name, entry in settings.channels.items():
        for key, problem in channel_problems(entry.channel(name)):
            decoder.fail(f"channels.{name}.{key}", problem.message)
        other = entry.same_app_as
        if other is None:
            continue
        owner = settings.channels.get(other)
        if owner is None or owner.same_app_as or owner.app_id != entry.app_id:
            decoder.fail(
                f"channels.{name}.same_app_as",
                msg("expected the name of a channel with this app_id and a Secret of its own"),
            )
