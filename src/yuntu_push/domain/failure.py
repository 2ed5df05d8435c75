"""Failures as stored values: what a push remembers of an error, and the error again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from yuntu_push.domain import errors as e
from yuntu_push.domain.text import Text

_KINDS: Mapping[str, type[e.YuntuPushError]] = {
    cls.__name__: cls
    for cls in (
        e.ConfigError,
        e.SourceError,
        e.LoginError,
        e.RefusedError,
        e.GuardError,
        e.PartialError,
        e.StillRunningError,
        e.TryLaterError,
        e.UnreachableError,
        e.OutcomeUnknownError,
        e.ThrottledError,
    )
}


@dataclass(frozen=True)
class Failure:
    """An error's facts; `kind` is the name of its class, which decides the exit code."""

    kind: str
    code: str
    message: Text
    hint: Text | None = None
    platform_code: int | None = None
    request_id: str | None = None
    next_at: datetime | None = None

    @classmethod
    def of(cls, error: e.YuntuPushError) -> "Failure":
        """What is kept of an error."""
        kind = next(c.__name__ for c in type(error).__mro__ if c.__name__ in _KINDS)
        return cls(
            kind=kind,
            code=error.code,
            message=error.message,
            hint=error.hint,
            platform_code=error.platform_code,
            request_id=error.request_id,
            next_at=error.next_at,
        )

    def error(self) -> e.YuntuPushError:
        """The error again, to be raised or shown."""
        return _KINDS.get(self.kind, e.RefusedError)(
            self.code,
            self.message,
            hint=self.hint,
            platform_code=self.platform_code,
            request_id=self.request_id,
            next_at=self.next_at,
        )


def text_to_json(text: Text) -> dict[str, Any]:
    """A sentence as JSON: its catalogue key and its facts; other facts than numbers as text."""
    facts: dict[str, Any] = {}
    for name, fact in text.facts.items():
        if isinstance(fact, Text):
            facts[name] = text_to_json(fact)
        else:
            facts[name] = fact if isinstance(fact, int | float | str) else str(fact)
    return {"text": text.msgid, "facts": facts}


def text_from_json(value: Mapping[str, Any]) -> Text:
    """The sentence that `text_to_json` wrote."""
    facts = {
        name: text_from_json(fact) if isinstance(fact, Mapping) else fact
        for name, fact in value["facts"].items()
    }
    return Text(value["text"], facts)


def failure_to_json(failure: Failure) -> dict[str, Any]:
    """A failure as JSON, without anything that is not set."""
    found = {
        "kind": failure.kind,
        "code": failure.code,
        "message": text_to_json(failure.message),
        "hint": text_to_json(failure.hint) if failure.hint else None,
        "platform_code": failure.platform_code,
        "request_id": failure.request_id,
        "next_at": failure.next_at.isoformat() if failure.next_at else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def failure_from_json(value: Mapping[str, Any]) -> Failure:
    """The failure that `failure_to_json` wrote."""
    return Failure(
        kind=value["kind"],
        code=value["code"],
        message=text_from_json(value["message"]),
        hint=text_from_json(value["hint"]) if "hint" in value else None,
        platform_code=value.get("platform_code"),
        request_id=value.get("request_id"),
        next_at=datetime.fromisoformat(value["next_at"]) if "next_at" in value else None,
    )
