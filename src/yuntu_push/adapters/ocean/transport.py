"""Requests to one API host: sent once, bounded in time and size, answered or explained.

Nothing here looks into an answer; `envelope` does. What goes wrong is told apart by the one thing
that matters to a caller who must not do things twice: whether the request can have been received.
"""

import contextlib
import functools
import json
import logging
import ssl
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from io import FileIO
from typing import Literal
from urllib.parse import urlsplit

import httpx

from yuntu_push.adapters.ocean.connecting import build_client, plain, require_tls
from yuntu_push.adapters.ocean.deadline import Deadline
from yuntu_push.adapters.ocean.envelope import Reply, summary
from yuntu_push.adapters.ocean.needs import Clock
from yuntu_push.domain.errors import OutcomeUnknownError, UnreachableError
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.settings import ApiSettings
from yuntu_push.domain.text import Text, msg

# What `--verbose` shows: never a query, a body or a header, which hold tokens and ids.
_log = logging.getLogger("yuntu_push.platform")
MAX_BODY = 8 * 1024 * 1024  # the largest honest answer is a page of 100 audiences: about 60 KB
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)


@dataclass(frozen=True)
class FilePart:
    """The file of a multipart upload; `stream` is rewound for each attempt."""

    name: str
    stream: FileIO


@dataclass(frozen=True)
class Call:
    """One request in the platform's terms: query values that are no strings travel as JSON."""

    method: Literal["GET", "POST"]
    path: str
    query: Mapping[str, object] = field(default_factory=dict)
    body: Mapping[str, object] | None = None
    form: Mapping[str, object] | None = None
    file: FilePart | None = None
    sign: Literal["header", "query", "none"] = "header"


class Transport:
    """Sends requests to one API host and keeps that host's clock."""

    def __init__(self, base_url: str, api: ApiSettings, clock: Clock) -> None:
        require_tls(base_url)
        self.base_url = base_url.rstrip("/")
        self._api = api
        self._clock = clock
        self._announced: tuple[datetime, float] | None = None

    @functools.cached_property
    def _client(self) -> httpx.Client:
        return build_client(self.base_url, self._api)

    @property
    def host(self) -> str:
        """The host's name and port."""
        return urlsplit(self.base_url).netloc

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()

    def server_now(self) -> datetime:
        """The host's clock by its last `Date` header, aware UTC; ours before the first answer."""
        if self._announced is None:
            return self._clock.now()
        moment, at = self._announced
        return moment + timedelta(seconds=self._clock.monotonic() - at)

    def announced_time(self) -> datetime | None:
        """The same, None before the first `Date` header."""
        return None if self._announced is None else self.server_now()

    def send(
        self,
        call: Call,
        token: SecretText | None = None,
        *,
        seconds: float | None = None,
        on_body: Callable[[bytes], None] = lambda _body: None,
    ) -> Reply:
        """The answer to one request; `UnreachableError` or `OutcomeUnknownError` without one.

        `seconds` limits the request as a whole. `on_body` gets the body as soon as it is whole,
        before anything else is done, the connection's close included.
        """
        limit = seconds if seconds is not None else self._api.timeout
        began = self._clock.monotonic()
        with Deadline(limit) as deadline:
            try:
                request = self._request(call, token, deadline)
                with contextlib.closing(self._client.send(request, stream=True)) as response:
                    self._note_date(response.headers.get("date"))
                    body = _read_body(response, on_body)
                    reply = Reply(call.path, response.status_code, dict(response.headers), body)
            except httpx.TransportError as exc:
                error = self._explained(exc, deadline, limit)
                self._tell(call, error.code, began)
                raise error from exc
        if _log.isEnabledFor(logging.DEBUG):
            self._tell(call, summary(reply), began)
        return reply

    def _tell(self, call: Call, came: str, began: float) -> None:
        took = self._clock.monotonic() - began
        _log.debug("%s %s%s: %s, %.2f s", call.method, self.host, call.path, came, took)

    def _request(self, call: Call, token: SecretText | None, deadline: Deadline) -> httpx.Request:
        query = dict(call.query)
        headers = {}
        if token is not None and call.sign == "header":
            headers["Access-Token"] = token.reveal()
        elif token is not None and call.sign == "query":
            query["access_token"] = token.reveal()
        form = {name: _wire_text(value) for name, value in call.form.items()} if call.form else None
        files = None
        if call.file is not None:
            call.file.stream.seek(0)
            files = {"file": (call.file.name, call.file.stream, "application/zip")}
        return self._client.build_request(
            call.method,
            call.path,
            params={name: _wire_text(value) for name, value in query.items()} or None,
            json=call.body,
            data=form,
            files=files,
            headers=headers,
            extensions={"trace": deadline.trace},
        )

    def _note_date(self, header: str | None) -> None:
        if not header:
            return
        with contextlib.suppress(ValueError, TypeError, IndexError, OverflowError):
            moment = parsedate_to_datetime(header)
            if moment.tzinfo is None:  # "-0000": UTC of unknown origin
                moment = moment.replace(tzinfo=UTC)
            self._announced = (moment.astimezone(UTC), self._clock.monotonic())

    def _explained(
        self, exc: httpx.TransportError, deadline: Deadline, limit: float
    ) -> UnreachableError | OutcomeUnknownError:
        host = self.host
        untrusted = _certificate_problem(exc)
        if untrusted is not None:
            return UnreachableError(
                "TLS_UNTRUSTED",
                msg(
                    "{host} showed a certificate that is not trusted: {reason}",
                    host=host,
                    reason=untrusted,
                ),
                hint=msg("behind a company proxy, point SSL_CERT_FILE to the company's CA bundle"),
            )
        if isinstance(exc, _NEVER_SENT) or (deadline.tunnelling and not deadline.sent):
            return UnreachableError(
                "PLATFORM_UNREACHABLE",
                msg("{host} cannot be reached: {reason}", host=host, reason=_reason(exc)),
                hint=msg("check the network and HTTPS_PROXY; `yuntu-push doctor` tests each part"),
            )
        if deadline.expired or isinstance(exc, httpx.TimeoutException):
            return OutcomeUnknownError(
                "PLATFORM_TIMEOUT",
                msg(
                    "{host} gave no whole answer within {seconds} s",
                    host=host,
                    seconds=f"{limit:g}",
                ),
                hint=TRY_AGAIN,
            )
        if isinstance(exc, _TooLargeError):
            return OutcomeUnknownError(
                "PLATFORM_ANSWER_UNREADABLE",
                msg(
                    "{host} gave an answer of more than {limit} MiB",
                    host=host,
                    limit=MAX_BODY // 1024**2,
                ),
                hint=TRY_AGAIN,
            )
        return OutcomeUnknownError(
            "PLATFORM_DROPPED",
            msg("{host} ended the connection before its answer was whole", host=host),
            hint=TRY_AGAIN,
        )


TRY_AGAIN = msg("run the same command again in a few minutes; nothing is done twice")


class _TooLargeError(httpx.TransportError):
    """The body is larger than any honest answer."""


def _wire_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _read_body(response: httpx.Response, on_body: Callable[[bytes], None]) -> bytes:
    """The body, decoded; neither its raw nor its decoded form may pass `MAX_BODY`."""
    packed = response.headers.get("content-encoding", "").lower() in ("gzip", "deflate")
    announced = None if packed else response.headers.get("content-length")
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_raw():
        size += len(chunk)
        if size > MAX_BODY:
            raise _TooLargeError("body too large")
        chunks.append(chunk)
        if announced == str(size):  # the next turn of the loop closes the connection
            on_body(b"".join(chunks))
    body = b"".join(chunks)
    if packed:
        body = _unpacked(body)
    if not size or announced != str(size):
        on_body(body)
    return body


def _unpacked(raw: bytes) -> bytes:
    # Not asked for, but some gateways compress anyway. Unreadable bytes stay what they are:
    # the envelope calls them unreadable.
    with contextlib.suppress(zlib.error):
        raw = zlib.decompressobj(wbits=47).decompress(raw, MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise _TooLargeError("body too large")
    return raw


def _certificate_problem(exc: BaseException) -> str | None:
    """Why a certificate was not trusted, when that is what happened."""
    chain: list[BaseException] = []  # a chain of causes may run in a circle
    seen: BaseException | None = exc
    while seen is not None and seen not in chain:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return seen.verify_message or "?"
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__
    return None


def _reason(exc: httpx.TransportError) -> Text | str:
    if isinstance(exc, httpx.ProxyError):
        return msg("the proxy refused")
    if isinstance(exc, httpx.TimeoutException):
        return msg("no connection in time")
    return plain(exc)
