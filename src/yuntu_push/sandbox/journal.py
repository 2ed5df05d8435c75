"""The log of requests: what came, the verdict, and why; without tokens, codes or ids of people."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_KEPT = 2_000
_MASKED = {"access_token", "refresh_token", "auth_code", "secret"}


@dataclass
class Entry:
    """One request and its verdict."""

    number: int
    time: str
    method: str
    path: str
    fields: dict[str, Any] = field(default_factory=dict)
    http_status: int = 0
    code: int | None = None
    message: str = ""
    request_id: str = ""
    faults: list[str] = field(default_factory=list)
    user_agent: str = ""
    bytes_in: int = 0
    milliseconds: float = 0.0


class Journal:
    """The last two thousand requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_KEPT)
        self._count = 0

    def open(self, time: str, method: str, path: str, user_agent: str) -> Entry:
        """Note a request as it comes in."""
        self._count += 1
        entry = Entry(self._count, time, method, path, user_agent=user_agent[:80])
        self._entries.append(entry)
        return entry

    def entries(self) -> list[Entry]:
        """The requests so far, oldest first."""
        return list(self._entries)

    def dump(self) -> list[dict[str, Any]]:
        """The requests as plain values."""
        return [asdict(entry) for entry in self._entries]

    def clear(self) -> None:
        """Forget the requests; the numbering goes on."""
        self._entries.clear()


def shown_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields as the log may show them: secrets masked, files and long values shortened."""
    return {name: _shown(name, value) for name, value in fields.items()}


def _shown(name: str, value: Any) -> Any:
    if name in _MASKED:
        return "***"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, list) and len(value) > 5:
        return [*(_shown("", each) for each in value[:5]), f"… {len(value)}"]
    if isinstance(value, str) and len(value) > 120:
        return f"{value[:120]}…"
    return value
