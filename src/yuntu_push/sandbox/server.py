"""Starts and stops the sandbox: in a thread beside a test or a demo, or as a program of its own."""

import contextlib
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self

import uvicorn

from yuntu_push.sandbox.app import build_app
from yuntu_push.sandbox.options import SandboxOptions
from yuntu_push.sandbox.statefile import held, save_world
from yuntu_push.sandbox.wire import Connections
from yuntu_push.sandbox.world import World

_START_SECONDS = 20.0


class SandboxServer:
    """A running sandbox; a context manager that starts and stops it."""

    def __init__(self, options: SandboxOptions | None = None) -> None:
        self.options = options or SandboxOptions()
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._listening = threading.Event()
        self._held = contextlib.ExitStack()
        self.port = self.options.port
        self.app_id, self.secret = 0, ""
        self.world: World

    @property
    def url(self) -> str:
        """Where it listens; the platform's paths begin right behind it."""
        host = f"[{self.options.host}]" if ":" in self.options.host else self.options.host
        return f"http://{host}:{self.port}"

    @property
    def auth_url(self) -> str:
        """The link that the developer console would show as 授权URL."""
        return f"{self.url}/audit/oauth.html?app_id={self.app_id}&state=your_custom_params"

    @property
    def console_url(self) -> str:
        """The pages for people."""
        return f"{self.url}/console"

    def facts(self) -> dict[str, object]:
        """What a client needs to know, as `sandbox serve` prints it."""
        return {
            "url": self.url,
            "app_id": str(self.app_id),
            "secret": self.secret,
            "auth_url": self.auth_url,
            "console_url": self.console_url,
        }

    def start(self) -> Self:
        """Listen; returns once requests are served. OSError when the port is taken."""
        connections = Connections()
        family = socket.AF_INET6 if ":" in self.options.host else socket.AF_INET
        listener = socket.create_server(
            (self.options.host, self.options.port), family=family, backlog=256
        )
        try:
            self._held.enter_context(held(self.options.state_file))
            app, self.world = build_app(self.options, connections)
        except BaseException:
            listener.close()
            self._held.close()
            raise
        self.port = listener.getsockname()[1]
        application = self.world.state.app
        self.app_id, self.secret = application.app_id, application.secret
        config = uvicorn.Config(
            app,
            http=connections.protocol(),
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Announcing(config, self._listening.set)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="sandbox", daemon=True
        )
        self._thread.start()
        if not self._listening.wait(_START_SECONDS):
            raise RuntimeError("the sandbox did not start")
        return self

    def stop(self) -> None:
        """Stop listening and save the state."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        save_world(self.world)
        self._held.close()
        self._server = self._thread = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


class _Announcing(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start up, then say so."""
        await super().startup(sockets)
        self._announce()


def serve_forever(options: SandboxOptions, announce: Callable[[dict[str, object]], None]) -> None:
    """Serve until SIGINT or SIGTERM; `announce` gets the facts once requests are served."""
    stopped = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    earlier = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with SandboxServer(options) as server:
            announce(server.facts())
            stopped.wait()
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)
