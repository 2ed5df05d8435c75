"""A limit on a whole request: connect, send and receive together.

The HTTP library limits each single read and write; a peer that sends one byte a minute passes
those for ever. Here a timer shuts the request's socket down when its time is over, which ends
whatever read or write is under way in the other thread.
"""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Any, Self


class Deadline:
    """Watches one request through the HTTP library's trace hook and cuts it after `seconds`.

    `expired` tells that it was cut; `sent` that the request's own headers went out;
    `tunnelling` that a proxy was asked for a tunnel.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.sent = False
        self.tunnelling = False
        self._stream: Any = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note what the HTTP library is doing."""
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._stream = info["return_value"]
            if self.expired:  # the socket was exchanged for its TLS wrapper while time ran out
                self._shut_down()
        elif event.endswith(".send_request_headers.started"):
            if info["request"].method == b"CONNECT":
                self.tunnelling = True
            else:
                self.sent = True

    def _cut(self) -> None:
        self.expired = True
        self._shut_down()

    def _shut_down(self) -> None:
        connection = self._stream.get_extra_info("socket") if self._stream is not None else None
        if isinstance(connection, socket.socket):
            with contextlib.suppress(OSError):
                # The base class's method: that of a TLS socket would take the TLS state away
                # from under the thread that is reading.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
