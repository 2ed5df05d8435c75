"""Reads request bodies, in memory only: what people upload must not lie in a temporary file."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from yuntu_push.sandbox.answers import wrong_parameter

_MAX_JSON = 16_000_000
_FORM_SLACK = 1_000_000


class _InMemoryParser(MultiPartParser):
    spool_max_size = 1 << 30


@dataclass(frozen=True)
class Form:
    """A multipart request's text parts and files."""

    text: Mapping[str, str]
    files: Mapping[str, bytes]
    size: int


async def drain(request: Request) -> None:
    """Read the body away, so that the client gets to read the answer."""
    async for _ in request.stream():
        pass


async def _whole(request: Request, most: int, what: str) -> bytes:
    body = bytearray()
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= most:
            body += chunk
        else:
            body.clear()
    if size > most:
        raise wrong_parameter(what)
    return bytes(body)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request) -> tuple[dict[str, Any], int]:
    """The JSON object of a request, and its size in bytes."""
    body = await _whole(request, _MAX_JSON, f"请求体超过 {_MAX_JSON // 1_000_000} MB")
    if _content_type(request) != "application/json":
        raise wrong_parameter("Content-Type 应为 application/json")
    try:
        value = json.loads(body)
    except ValueError:
        raise wrong_parameter("请求体不是 JSON") from None
    if not isinstance(value, dict):
        raise wrong_parameter("请求体应为 JSON 对象")
    return value, len(body)


async def read_form(request: Request, most: int) -> Form:
    """The multipart form of a request, whose file may have `most` bytes."""
    too_large = f"file 超过 {most // 1_000_000} MB"
    body = await _whole(request, most + _FORM_SLACK, too_large)
    if _content_type(request) != "multipart/form-data":
        raise wrong_parameter("Content-Type 应为 multipart/form-data")

    async def once() -> AsyncIterator[bytes]:
        yield body

    try:
        form = await _InMemoryParser(request.headers, once()).parse()  # type: ignore[arg-type]
    except (MultiPartException, KeyError):
        raise wrong_parameter("请求体不是 multipart/form-data") from None
    text: dict[str, str] = {}
    files: dict[str, bytes] = {}
    for name, value in form.multi_items():
        if isinstance(value, str):
            text[name] = value
        else:
            files[name] = await value.read()
    await form.close()
    if any(len(content) > most for content in files.values()):
        raise wrong_parameter(too_large)
    return Form(text, files, len(body))
