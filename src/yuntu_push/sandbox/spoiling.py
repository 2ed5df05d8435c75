"""The answers that faults put in place of the platform's."""

import json
from collections.abc import Mapping

from starlette.responses import PlainTextResponse, Response

from yuntu_push.sandbox.answers import envelope
from yuntu_push.sandbox.faults import Effect, Fault
from yuntu_push.sandbox.journal import Entry

SPOILING = frozenset({Effect.REFUSE, Effect.HTTP, Effect.HTML, Effect.HALF_JSON, Effect.EMPTY})
_BODILESS = {204, 205, 304}
_PAGE = """<!doctype html><html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>
"""


def json_answer(answer: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """An envelope as the platform sends it, with HTTP status 200 whatever its code."""
    body = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, 200, dict(headers or {}), "application/json")


def html_answer(status: int, title: str, headers: Mapping[str, str] | None = None) -> Response:
    """A page such as gateways put in front of an interface."""
    return Response(_PAGE.format(title), status, dict(headers or {}), "text/html")


def spoiled(fault: Fault, response: Response | None, entry: Entry, rid: str) -> Response:
    """What the client gets under `fault`; `response` is the true answer when the work was done."""
    hints = {
        "Retry-After": fault.retry_after,
        "X-RateLimit-RetryIn": fault.retry_in,
        "X-RateLimit-Dimension": fault.dimension,
    }
    headers = {name: str(value) for name, value in hints.items() if value is not None}
    entry.message = entry.message or f"故障:{fault.effect.value}"
    match fault.effect:
        case Effect.REFUSE:
            entry.code, entry.message = fault.code, fault.message
            return json_answer(envelope(fault.code, fault.message, {}, rid), headers)
        case Effect.HTTP:
            body = "" if fault.status in _BODILESS else f"HTTP {fault.status}"
            return PlainTextResponse(body, fault.status, headers)
        case Effect.HTML:
            return html_answer(200, "502 Bad Gateway", headers)
        case Effect.HALF_JSON:
            whole = bytes(response.body) if response else b'{"code":0,"message":"OK","request_id":'
            return Response(whole[: len(whole) // 2], 200, headers, "application/json")
        case _:
            return Response(b"", 200, headers, "application/json")
