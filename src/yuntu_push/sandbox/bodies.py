"""Reads request bodies, in memory only: what people upload must not lie in a temporary file."""

import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from yuntu_push.sandbox.answers import wrong_parameter

_MAX_JSON = 16_000_000
_FORM_SLACK = 1_000_000


class _InMemoryParser(MultiPartParser):
    spool_max_size = 1 << 30

    def close(self) -> None:
        """Let go of the files, also of one that never ended."""
        for file in self._files_to_close_on_error:
            file.close()


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


class _Counted:
    """A request's body, piece by piece; beyond `most` bytes it is read away and `over` is set."""

    def __init__(self, request: Request, most: int) -> None:
        self._stream = request.stream()
        self._most = most
        self.size = 0

    @property
    def over(self) -> bool:
        """Whether more came than may."""
        return self.size > self._most

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """The pieces up to the limit."""
        async for piece in self._stream:
            self.size += len(piece)
            if not self.over:
                yield piece

    async def drain(self) -> None:
        """Read the rest away."""
        async for piece in self._stream:
            self.size += len(piece)


def _content_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request) -> tuple[dict[str, Any], int]:
    """The JSON object of a request, and its size in bytes."""
    counted = _Counted(request, _MAX_JSON)
    body = b"".join([piece async for piece in counted.pieces()])
    if counted.over:
        raise wrong_parameter(f"请求体超过 {_MAX_JSON // 1_000_000} MB")
    if _content_type(request) != "application/json":
        raise wrong_parameter("Content-Type 应为 application/json")
    value = parsed_json(body)
    if not isinstance(value, dict):
        raise wrong_parameter("请求体应为 JSON 对象")
    return value, counted.size


async def read_json_of_get(request: Request) -> dict[str, Any]:
    """The JSON object in the body of a GET request; empty when there is no body."""
    if _content_type(request) != "application/json":
        return {}
    return (await read_json(request))[0]


def parsed_json(text: str | bytes) -> Any:
    """The value of a JSON text; refused when it is none, or holds what no text can hold."""
    try:
        value = json.loads(text)
        # Half a surrogate pair passes the parser and no encoder.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise wrong_parameter("请求体不是 JSON") from None
    return value


async def read_form(request: Request, most: int) -> Form:
    """The multipart form of a request, whose file may have `most` bytes."""
    if _content_type(request) != "multipart/form-data":
        await drain(request)
        raise wrong_parameter("Content-Type 应为 multipart/form-data")
    counted = _Counted(request, most + _FORM_SLACK)
    too_large = wrong_parameter(f"file 超过 {most // 1_000_000} MB")
    parser = _InMemoryParser(request.headers, counted.pieces())
    text: dict[str, str] = {}
    files: dict[str, bytes] = {}
    broken = False
    try:
        for name, value in (await parser.parse()).multi_items():
            if isinstance(value, str):
                text[name] = value
            else:
                files[name] = await value.read()
    except (MultiPartException, KeyError):
        broken = True
    finally:
        parser.close()
    await counted.drain()
    if counted.over:
        raise too_large
    if broken:
        raise wrong_parameter("请求体不是 multipart/form-data")
    if any(len(content) > most for content in files.values()):
        raise too_large
    return Form(text, files, counted.size)
