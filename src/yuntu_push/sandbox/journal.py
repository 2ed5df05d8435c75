"""The log of requests: what came, the verdict, and why; without tokens, codes or ids of people."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from yuntu_push.sandbox.declarations import Array, Field, Record, Type

_KEPT = 2_000
_LONGEST = 120
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


def shown_fields(fields: Mapping[str, Any], declared: Mapping[str, Field]) -> dict[str, Any]:
    """Fields as the log may show them: secrets masked, files and long values shortened.

    Of fields that the endpoint does not have only the kind is told, at any depth: who sends
    people's ids under a name of their own must not find them here.
    """
    return {
        _cut(name): _shown(name, value, declared[name].type) if name in declared else _kind(value)
        for name, value in fields.items()
    }


def _kind(value: Any) -> str:
    size = f" {len(value)}" if isinstance(value, str | bytes | list | dict) else ""
    return f"<{type(value).__name__}{size}>"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _shown(name: str, value: Any, kind: Type) -> Any:
    if name in _MASKED:
        return "***"
    if kind == "file":
        return f"<{len(value)} bytes>" if isinstance(value, bytes) else _kind(value)
    if isinstance(value, list):
        item = kind.item if isinstance(kind, Array) else "string"
        most = [_shown("", each, item) for each in value[:5]]
        return most if len(value) <= 5 else [*most, f"… {len(value)}"]
    if isinstance(value, dict):
        return shown_fields(value, kind.fields if isinstance(kind, Record) else {})
    return _cut(value) if isinstance(value, str) else value
