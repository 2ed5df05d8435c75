"""Just enough HTTP for a callback: one small request per connection, one fixed answer."""

import contextlib
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass

from yuntu_push.adapters import callback_pages as pages

CONNECTION_SECONDS = 5.0
MAX_CONNECTIONS = 64
MAX_REQUEST_LINE = 8 * 1024
MAX_HEAD = 32 * 1024
_CHUNK = 16 * 1024


@dataclass(frozen=True)
class Response:
    """A status line, a fixed body, and where to go on."""

    status: str
    body: bytes
    location: str | None = None
    is_last_page: bool = False

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        head = [f"HTTP/1.1 {self.status}", *pages.SECURITY_HEADERS]
        head.append(f"Content-Length: {len(self.body)}")
        if self.body:
            head.append("Content-Type: text/html; charset=utf-8")
        if self.location is not None:
            head.append(f"Location: {self.location}")
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Request:
    """A request's head; `problem` is the answer to one that is no proper request."""

    method: str = ""
    target: str = ""
    host: str = ""
    problem: Response | None = None


class Connection:
    """One browser connection, read and written as far as it goes without waiting."""

    def __init__(
        self, peer: socket.socket, selector: selectors.BaseSelector, expires: float
    ) -> None:
        peer.setblocking(False)
        self.expires = expires
        self.is_over = False
        self.shows_last_page = False
        self._peer = peer
        self._selector = selector
        self._received = bytearray()
        self._request: Request | None = None
        self._unsent: memoryview | None = None
        selector.register(peer, selectors.EVENT_READ, self)

    @property
    def is_answering(self) -> bool:
        """Whether an answer is on its way."""
        return self._unsent is not None and not self.is_over

    @property
    def sent_fully(self) -> bool:
        """Whether the whole answer has been handed to the system."""
        return self._unsent is not None and not self._unsent

    def advance(self, answer: Callable[[Request], Response | None]) -> None:
        """Read and write what can be; a peer that breaks off ends the connection."""
        try:
            if self._unsent is None:
                self._read(answer)
            else:
                self._write(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.is_over = True

    def close(self) -> None:
        """Hang up."""
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(self._peer)
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)
        self._peer.close()

    def _read(self, answer: Callable[[Request], Response | None]) -> None:
        chunk = self._peer.recv(_CHUNK)
        if not chunk:
            self.is_over = True
            return
        self._received += chunk
        self._request = parsed(bytes(self._received))
        if self._request is not None:
            self.respond(answer)

    def respond(self, answer: Callable[[Request], Response | None]) -> None:
        """Begin to answer the request that was read, if there is one and an answer to it."""
        if self._request is None or self._unsent is not None:
            return
        response = answer(self._request)
        if response is None:
            return
        self.shows_last_page = response.is_last_page
        self._unsent = memoryview(response.encoded())
        self._selector.modify(self._peer, selectors.EVENT_WRITE, self)

    def _write(self, unsent: memoryview) -> None:
        self._unsent = unsent[self._peer.send(unsent) :]
        self.is_over = not self._unsent


def parsed(received: bytes) -> Request | None:
    """The request in what was received; None while its head is not complete."""
    line, ended, _ = received.partition(b"\r\n")
    if len(line) > MAX_REQUEST_LINE:
        return Request(problem=Response("414 URI Too Long", pages.NOT_HERE))
    head, complete, _ = received.partition(b"\r\n\r\n")
    if len(head) > MAX_HEAD:
        return Request(problem=Response("431 Request Header Fields Too Large", pages.NOT_HERE))
    if not ended or not complete:
        return None
    words = line.split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or not line.isascii():
        return _bad()
    fields = [field.partition(b":") for field in head.split(b"\r\n")[1:]]
    hosts = [value.strip() for name, _, value in fields if name.lower() == b"host"]
    if len(hosts) != 1:
        return _bad()
    return Request(
        method=words[0].decode("ascii", "replace"),
        target=words[1].decode("ascii", "replace"),
        host=hosts[0].decode("ascii", "replace").lower(),
    )


def _bad() -> Request:
    return Request(problem=Response("400 Bad Request", pages.NOT_HERE))
