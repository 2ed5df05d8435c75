"""The files of a moved setup: the exported JSON, and the config file as text. All mode 0600."""

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg

MOST_BYTES = 1024 * 1024 * 1024  # a file of a hundred and fifty thousand pushes


class JsonFiles:
    """Private JSON files."""

    def exists(self, path: Path) -> bool:
        """Whether something is there."""
        return path.exists()

    def write(self, path: Path, document: Any) -> None:
        """Write all of it or nothing."""
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        write_privately(path, text + "\n")

    def read(self, path: Path) -> Any:
        """The document, or `ConfigError`."""
        try:
            if path.stat().st_size > MOST_BYTES:
                raise _unreadable(path, msg("it is too large"))
            return json.loads(path.read_bytes())
        except OSError as exc:
            raise _unreadable(path, exc.strerror or str(exc)) from exc
        except (ValueError, RecursionError) as exc:
            raise _unreadable(path, msg("it is no JSON")) from exc


class ConfigTextFile:
    """The config file at `path` as text; `load` raises for a file that may not stand there."""

    def __init__(self, path: Path, load: Callable[[Path], object]) -> None:
        self._path = path
        self._load = load

    def read(self) -> str:
        """The text; empty when there is no file."""
        try:
            return self._path.read_text("utf-8-sig")
        except FileNotFoundError:
            return ""

    def check(self, text: str) -> None:
        """`ConfigError` when a config file may not say this."""
        with tempfile.TemporaryDirectory(prefix="yuntu-push-") as folder:
            path = Path(folder) / self._path.name
            write_privately(path, text)
            self._load(path)

    def replace(self, text: str) -> None:
        """Write it; a kill leaves the old file or the new one."""
        write_privately(self._path, text)


def write_privately(path: Path, text: str) -> None:
    """Write beside and rename; mode 0600, its folder made with 0700 when missing."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".setup-", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as exc:
        raise _unreadable(path, exc.strerror or str(exc)) from exc


def _unreadable(path: Path, reason: object) -> ConfigError:
    return ConfigError(
        "EXPORT_UNREADABLE",
        msg("{path} cannot be used: {reason}", path=str(path), reason=reason),
        hint=msg("check the path"),
    )
