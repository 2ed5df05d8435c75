"""The loopback listener for the answer of a login.

It binds loopback addresses only, serves until the one request with the registered path and the
right state has come, and answers everything else with fixed pages. One thread watches all
connections, so that a browser's idle connection or a slow one holds up nobody. Stray requests are
not counted: with a limit, any page that the person has open could end the login.
"""

import contextlib
import errno
import selectors
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Protocol, Self
from urllib.parse import urlsplit

from yuntu_push.adapters import callback_pages as pages
from yuntu_push.adapters.callback_http import (
    CONNECTION_SECONDS,
    MAX_CONNECTIONS,
    Connection,
    Request,
    Response,
)
from yuntu_push.adapters.port_holder import port_holder
from yuntu_push.domain.authorize import Answer, Verdict, answer_in_query
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.text import Text, msg

LAST_PAGE_SECONDS = 5.0
_IN_USE = {errno.EADDRINUSE, getattr(errno, "WSAEADDRINUSE", errno.EADDRINUSE)}
_FORBIDDEN = {errno.EACCES, getattr(errno, "WSAEACCES", errno.EACCES)}
_NO_FAMILY = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}


class Clock(Protocol):
    """Seconds for deadlines."""

    def monotonic(self) -> float: ...


class CallbackListener:
    """Listens on a registered callback URL such as `http://127.0.0.1:8787/oauth/callback`.

    Port 0 takes a free port; `url` then has the real one. `TryLaterError` when the port is taken:
    another one is never picked, for the URL is registered.
    """

    def __init__(self, callback_url: str, *, clock: Clock, notice: Callable[[Text], None]) -> None:
        parts = urlsplit(callback_url)
        self._clock = clock
        self._notice = notice
        self._path = parts.path or "/"
        self._done_path = "/done" if self._path != "/done" else "/finished"
        self._state = ""
        self._answer: Answer | None = None
        self._last_page: bytes | None = None
        self._last_page_shown = False
        self._told = False
        host = parts.hostname or ""
        port = 80 if parts.port is None else parts.port
        self._listeners = _listeners(host, port)
        port = self._listeners[0].getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self._host = shown if port == 80 else f"{shown}:{port}"
        self.url = parts._replace(netloc=self._host).geturl()
        self._selector = selectors.DefaultSelector()
        for listener in self._listeners:
            self._selector.register(listener, selectors.EVENT_READ)
        self._open: list[Connection] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, state: str, seconds: float) -> Answer | None:
        """The code or the refusal that came with the state, or None when `seconds` are over."""
        self._state = state
        self._serve(seconds, until=lambda: self._answer is not None)
        return self._answer

    def finish(self, *, succeeded: bool) -> None:
        """Show the browser its last page; waits a moment for the browser to ask for it."""
        if self._answer is None:
            return  # nobody is waiting for a page
        self._last_page = pages.SUCCEEDED if succeeded else pages.FAILED
        for connection in self._open:  # browsers that asked while we talked to the platform
            connection.expires = self._clock.monotonic() + LAST_PAGE_SECONDS
            connection.respond(self._answer_to)
        self._drop_finished()
        self._serve(LAST_PAGE_SECONDS, until=lambda: self._last_page_shown)

    def close(self) -> None:
        """Stop listening."""
        for connection in self._open:
            connection.close()
        self._open.clear()
        for listener in self._listeners:
            listener.close()
        self._selector.close()

    def _serve(self, seconds: float, *, until: Callable[[], bool]) -> None:
        """Answer requests until something is so and has been sent, or the time is over."""
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            if until() and not any(c.is_answering for c in self._open):
                return
            for key, _ in self._selector.select(min(left, 0.5)):
                if isinstance(key.data, Connection):
                    key.data.advance(self._answer_to)
                elif isinstance(key.fileobj, socket.socket):
                    self._accept(key.fileobj)
            self._drop_finished()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            peer, _ = listener.accept()
            if len(self._open) >= MAX_CONNECTIONS:
                self._drop(self._open[0])  # the oldest has had its chance
            expires = self._clock.monotonic() + CONNECTION_SECONDS
            connection = Connection(peer, self._selector, expires)
            self._open.append(connection)

    def _drop_finished(self) -> None:
        now = self._clock.monotonic()
        for connection in [c for c in self._open if c.is_over or now > c.expires]:
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._open.remove(connection)
        connection.close()
        if connection.sent_fully and connection.shows_last_page:
            self._last_page_shown = True

    def _answer_to(self, request: Request) -> Response | None:
        """The response to a request; None for one that has to wait for the last page."""
        if request.problem is not None:
            return request.problem
        if request.host != self._host.lower():
            return Response("400 Bad Request", pages.NOT_HERE)
        path, _, query = request.target.partition("?")
        if path == self._done_path and self._answer is not None:
            return self._last(request)
        if path != self._path or not self._state:
            return Response("404 Not Found", pages.NOT_HERE)
        if request.method != "GET":
            return Response("405 Method Not Allowed", pages.NOT_HERE)
        return self._callback(query)

    def _last(self, request: Request) -> Response | None:
        if request.method != "GET":
            return Response("405 Method Not Allowed", pages.NOT_HERE)
        if self._last_page is None:
            return None
        return Response("200 OK", self._last_page, is_last_page=True)

    def _callback(self, query: str) -> Response:
        """What to answer to a request for the registered path; the first right one is kept."""
        answer = answer_in_query(query, self._state)
        if answer.verdict is Verdict.FOREIGN:
            self._tell_once()
            return Response("400 Bad Request", pages.FOREIGN)
        if self._answer is None:
            self._answer = answer
        # Away from the address with the code in it: no history, no bookmark, no referrer.
        return Response("303 See Other", b"", location=self._done_path)

    def _tell_once(self) -> None:
        if not self._told:
            self._told = True
            self._notice(
                msg(
                    "a callback with a wrong state was ignored; "
                    "use the link that this command shows"
                )
            )


def _listeners(host: str, port: int) -> list[socket.socket]:
    """Listening sockets on the loopback addresses that a registered host means."""
    families = {
        "localhost": [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")],
        "::1": [(socket.AF_INET6, "::1")],
    }.get(host, [(socket.AF_INET, host)])
    opened: list[socket.socket] = []
    try:
        for family, address in families:
            # A browser may try either address of `localhost`; nobody else may wait on the other.
            with _absent_family_is_fine(bool(opened)):
                opened.append(_listener(family, address, port))
                port = opened[0].getsockname()[1]
    except OSError as exc:
        for listener in opened:
            listener.close()
        raise _refused(exc, port) from exc
    return opened


@contextlib.contextmanager
def _absent_family_is_fine(already_open: bool) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        if not already_open or exc.errno not in _NO_FAMILY:
            raise


def _listener(family: int, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # an earlier login's closed connections must not hold the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(128)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _refused(exc: OSError, port: int) -> TryLaterError | ConfigError:
    if exc.errno in _FORBIDDEN:
        return ConfigError(
            "CALLBACK_PORT_FORBIDDEN",
            msg("this user may not listen on port {port}", port=port),
            hint=msg("register a callback with a port above 1023, or log in with --paste"),
        )
    holder = port_holder(port) if exc.errno in _IN_USE else None
    return TryLaterError(
        "CALLBACK_PORT_IN_USE",
        msg("port {port} is held by {holder}", port=port, holder=holder)
        if holder
        else msg("port {port} is in use", port=port),
        hint=msg("end that process and log in again, or log in with --paste"),
    )
