"""Puts gateway, control, consent page and console together as one web application."""

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from yuntu_push.sandbox.clock import PlatformClock, http_date
from yuntu_push.sandbox.consent import Consent
from yuntu_push.sandbox.console import Console
from yuntu_push.sandbox.control import Control
from yuntu_push.sandbox.faults import FaultPlan, load_plan
from yuntu_push.sandbox.gateway import Gateway
from yuntu_push.sandbox.journal import Journal
from yuntu_push.sandbox.options import SandboxOptions
from yuntu_push.sandbox.pages import Pages
from yuntu_push.sandbox.statefile import open_world
from yuntu_push.sandbox.wire import Connections
from yuntu_push.sandbox.world import World

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def build_app(options: SandboxOptions, connections: Connections) -> tuple[ASGIApp, World]:
    """The application, and the world it shows."""
    journal, plan = Journal(), FaultPlan()
    if options.faults is not None:
        try:
            plan.add(load_plan(options.faults))
        except ValueError as error:
            raise ValueError(f"{options.faults}: {error}") from error
    world = open_world(options)
    gateway = Gateway(world, journal, plan, connections)
    pages = Pages(world)
    token = secrets.token_hex(16)
    inner = Starlette(
        routes=[
            Route(
                "/open_api/{rest:path}", gateway.answer, methods=["GET", "POST", "PUT", "DELETE"]
            ),
            *Control(world, journal, plan).routes(),
            *Consent(world, pages).routes(),
            *Console(world, journal, pages, token).routes(),
        ]
    )
    inner.router.redirect_slashes = False
    return Outermost(inner, world.clock, options.host), world


class Outermost:
    """Around everything: the platform's date, and the host check."""

    def __init__(self, inner: ASGIApp, clock: PlatformClock, host: str) -> None:
        self._inner = inner
        self._clock = clock
        self._hosts = _LOOPBACK if host in _LOOPBACK else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        dated = self._dated(send)
        if self._hosts is not None and _host(scope) not in self._hosts:
            # A page elsewhere that made its name point here must not read this.
            await PlainTextResponse("421 misdirected request", 421)(scope, receive, dated)
            return
        await self._inner(scope, receive, dated)

    def _dated(self, send: Send) -> Callable[[MutableMapping[str, Any]], Awaitable[None]]:
        async def dated(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                date = http_date(self._clock.now()).encode()
                message["headers"] = [*message.get("headers", []), (b"date", date)]
            await send(message)

        return dated


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return urlsplit(f"//{value.decode('latin-1')}").hostname or ""
    return ""
