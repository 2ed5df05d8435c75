"""A setup as it moves from one machine to another: config, directory, pushes, quotas; no secret."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KIND = "yuntu-push-setup"
FORMAT = 1

Tables = Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class Setup:
    """`config` is the text of the config file, `tables` the rows of the state file by table;
    `state_format` is the number of the state file's format."""

    made_at: datetime
    made_by: str
    state_format: int
    config: str
    tables: Tables

    @property
    def pushes(self) -> int:
        """How many pushes are in it."""
        return len(self.tables.get("push", ()))

    @property
    def accounts(self) -> int:
        """How many accounts are in it."""
        return len(self.tables.get("account", ()))
