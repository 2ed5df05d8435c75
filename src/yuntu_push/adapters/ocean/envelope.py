"""Answers of the platform: `code`, `message`, `request_id`, `data`. No input or output here.

A business failure arrives as HTTP 200 with a non-zero `code`, a gateway's as HTML or as nothing,
so neither the status nor the body can be trusted alone.
"""

import contextlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from yuntu_push.adapters.ocean import refusals
from yuntu_push.adapters.ocean.refusals import Refusal, Scene
from yuntu_push.domain.errors import (
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    YuntuPushError,
)
from yuntu_push.domain.scrubbing import scrubbed
from yuntu_push.domain.text import msg

MAX_WAIT = 3600.0  # a longer hint than an hour is a new appointment, not a wait
MAX_MESSAGE = 300
TOO_MANY = 429
_TRANSIENT_STATUS = {408, 425}
_TOKEN_CODES = {40102, 40104, 40105}


@dataclass(frozen=True)
class Reply:
    """What came back over the wire for a call of `path`; header names are lower case."""

    path: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Reply({self.path}, {self.status}, {len(self.body)} bytes)"


def summary(reply: Reply) -> str:
    """An answer in a few words without content: its HTTP status, code and request id."""
    document = _document(reply) or {}
    found = {
        "code": _integer(document.get("code")),
        "request_id": _request_id(document.get("request_id")),
    }
    facts = [f"{name}={value}" for name, value in found.items() if value is not None]
    return " ".join([f"HTTP {reply.status}", *facts])


def token_refused(reply: Reply) -> bool:
    """Whether the platform refused the access token, which a fresh one may mend."""
    document = _document(reply)
    return document is not None and _integer(document.get("code")) in _TOKEN_CODES


def asked_pause(reply: Reply, now: datetime) -> float | None:
    """The seconds that a throttling answer asks us to stay away; None for any other answer."""
    wait = retry_in(reply.headers, now)
    if wait is None or reply.status == TOO_MANY:
        return wait
    document = _document(reply)
    throttled = document is not None and _integer(document.get("code")) in refusals.THROTTLED
    return wait if throttled else None


def held_off(seconds: float) -> ThrottledError:
    """The error for a call that is not made, because the platform asked to stay away so long."""
    return ThrottledError(
        "PLATFORM_THROTTLED",
        msg("the platform asked to be left alone for {seconds} s more", seconds=math.ceil(seconds)),
        retry_in=seconds,
        hint=msg("run the same command again in a few minutes"),
    )


def opened(reply: Reply, *, channel: str, now: datetime) -> Any:
    """`data` of a successful answer (None when there is none), else the typed error is raised.

    `now` is the platform's clock; `channel` is named in the next step.
    """
    document = _document(reply)
    code = _integer(document.get("code")) if document is not None else None
    if document is None or code is None:
        raise _without_envelope(reply, now)
    if code == 0 and reply.status < 300:
        return document.get("data")
    if code == 0:
        raise _unreadable(reply)
    raise refusals.error(
        Refusal(
            code=code,
            text=scrubbed(_sentence(document.get("message"))),
            request_id=_request_id(document.get("request_id")),
            retry_in=retry_in(reply.headers, now),
        ),
        Scene(path=reply.path, channel=channel, now=now),
    )


def unexpected(path: str) -> OutcomeUnknownError:
    """The error for a successful answer that lacks what it must hold."""
    return OutcomeUnknownError(
        "PLATFORM_ANSWER_UNREADABLE",
        msg("the platform's answer to {path} lacks what it must hold", path=path),
        hint=msg("run the same command again; if it stays so, the platform changed: upgrade"),
    )


def retry_in(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds after which the platform says to come back, at most an hour."""
    for name in ("x-ratelimit-retryin", "retry-after"):
        seconds = _seconds(headers.get(name), now)
        if seconds is not None:
            return min(max(seconds, 0.0), MAX_WAIT)
    return None


def _seconds(value: str | None, now: datetime) -> float | None:
    if not value:
        return None
    with contextlib.suppress(ValueError):
        seconds = float(value)
        return seconds if math.isfinite(seconds) else None
    with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return (moment - now).total_seconds()
    return None


def _document(reply: Reply) -> dict[str, Any] | None:
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _without_envelope(reply: Reply, now: datetime) -> YuntuPushError:
    """The error for an answer of something before the platform: a gateway, a proxy, a portal."""
    status = reply.status
    if status == TOO_MANY:
        wait = retry_in(reply.headers, now)
        return ThrottledError(
            "PLATFORM_THROTTLED",
            msg("the platform asks to slow down"),
            retry_in=wait,
            next_at=now + timedelta(seconds=wait) if wait is not None else None,
            hint=msg("run the same command again in a few minutes"),
        )
    if status >= 500 or status in _TRANSIENT_STATUS:
        return OutcomeUnknownError(
            "PLATFORM_SERVER_ERROR",
            msg("the platform answered {path} with HTTP {status}", path=reply.path, status=status),
            hint=msg("run the same command again in a few minutes; nothing is done twice"),
        )
    if status >= 400:
        return RefusedError(
            "PLATFORM_HTTP_REFUSED",
            msg(
                "{path} was refused with HTTP {status}, before the platform itself answered",
                path=reply.path,
                status=status,
            ),
            hint=msg("check the channel's `api_url` and the proxy; `yuntu-push doctor` tests both"),
        )
    return _unreadable(reply)


def _unreadable(reply: Reply) -> OutcomeUnknownError:
    kind = reply.headers.get("content-type", "").partition(";")[0].strip() or "-"
    return OutcomeUnknownError(
        "PLATFORM_ANSWER_UNREADABLE",
        msg(
            "the answer to {path} cannot be read (HTTP {status}, {kind}, {size} bytes)",
            path=reply.path,
            status=reply.status,
            kind=kind[:60],
            size=len(reply.body),
        ),
        hint=msg(
            "run the same command again in a few minutes; if a login page of your network "
            "answers in the platform's place, sign in to it first"
        ),
    )


def _integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 20:
        return int(value)
    return None


def _sentence(value: object) -> str:
    """The platform's words, on one line and of bounded length."""
    text = "".join(c if c.isprintable() else " " for c in str(value or ""))
    return " ".join(text.split())[:MAX_MESSAGE]


def _request_id(value: object) -> str | None:
    return _sentence(value)[:100] or None if isinstance(value, str | int) else None
