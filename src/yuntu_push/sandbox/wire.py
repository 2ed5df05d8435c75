"""Below HTTP: connections that can be dropped without a word."""

import asyncio
import socket
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """The server's open connections, by the client's address."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """A protocol class for uvicorn that keeps this list."""
        known = self._open

        class Listed(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                known[transport.get_extra_info("peername")[:2]] = transport
                self.app = in_one_piece(self.app, transport)

            def connection_lost(self, exc: Exception | None) -> None:
                known.pop(self.transport.get_extra_info("peername")[:2], None)
                super().connection_lost(exc)

        return Listed

    async def drop(self, scope: Scope, receive: Receive) -> None:
        """Cut the connection of a request: the client sees it end without an answer."""
        transport = self._open.get(tuple(scope["client"]))
        if transport is None:
            return
        transport.abort()
        message: dict[str, Any] = {"type": ""}
        while message["type"] != "http.disconnect":
            message = dict(await receive())


def in_one_piece(app: ASGIApp, transport: asyncio.Transport) -> ASGIApp:
    """`app`, whose answers leave with head and body together, as a gateway's do.

    uvicorn writes them one after the other; where the system can, they are held until both are
    there.
    """
    cork = getattr(socket, "TCP_CORK", None)
    if cork is None:
        return app
    wire = transport.get_extra_info("socket")

    async def corked(scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start" and not transport.is_closing():
                wire.setsockopt(socket.IPPROTO_TCP, cork, 1)
            await send(message)
            last = message["type"] == "http.response.body" and not message.get("more_body")
            if last and not transport.is_closing():
                wire.setsockopt(socket.IPPROTO_TCP, cork, 0)

        await app(scope, receive, sent)

    return corked


class Dropped(Exception):  # noqa: N818 - a verdict, not an error
    """This request shall get no answer at all."""


class NoAnswer(Response):
    """Cuts the connection where a response would be sent."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        """Drop the connection."""
        await self._connections.drop(scope, receive)
