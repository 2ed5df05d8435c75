"""What moving a setup needs from the state file, the config file and the exported file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from yuntu_push.domain.setup import Tables


class StateTables(Protocol):
    """The state file as a whole."""

    @property
    def format(self) -> int:
        """The number of its format."""
        ...

    def is_empty(self) -> bool:
        """Whether there is neither a push nor an account."""
        ...

    def dump(self) -> Tables:
        """All rows that make a setup, as of one moment."""
        ...

    def restore(self, tables: Tables, also: Callable[[], None]) -> None:
        """Make `tables` all that is there, and do `also`: both or neither.

        `ConfigError` `EXPORT_INVALID` for rows that no state file can have.
        """
        ...


class ConfigText(Protocol):
    """The config file as text."""

    def read(self) -> str:
        """The text; empty when there is no file."""
        ...

    def check(self, text: str) -> None:
        """`ConfigError` when a config file may not say this."""
        ...

    def replace(self, text: str) -> None:
        """Write it; a kill leaves the old file or the new one."""
        ...


class PrivateFiles(Protocol):
    """JSON files of mode 0600 that people carry about."""

    def exists(self, path: Path) -> bool: ...

    def write(self, path: Path, document: Any) -> None:
        """Write all of it or nothing."""
        ...

    def read(self, path: Path) -> Any:
        """The document; `ConfigError` when it cannot be read."""
        ...
