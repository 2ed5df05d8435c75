"""For tests of the Ocean Engine client: a patient clock, tokens, servers that misbehave."""

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from yuntu_push.adapters.ocean.caller import Caller
from yuntu_push.adapters.ocean.client import OceanClient, OceanDirectory
from yuntu_push.domain.channel import Channel, ChannelKind
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.settings import ApiSettings

API = "https://api.oceanengine.com"
TOKEN, FRESH_TOKEN = "token-of-the-grant", "token-after-the-refresh"
START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
QUICK = replace(ApiSettings(), rate=0)


@dataclass
class FakeClock:
    """Time that passes only when somebody sleeps; what was slept stands in `slept`."""

    moment: datetime = START
    slept: list[float] = field(default_factory=list)
    ticks: float = 0.0

    def now(self) -> datetime:
        """The wall clock."""
        return self.moment

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.ticks

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.pass_by(seconds)

    def pass_by(self, seconds: float) -> None:
        """Let time pass without anybody sleeping."""
        self.moment += timedelta(seconds=seconds)
        self.ticks += seconds


@dataclass
class FixedTokens:
    """One token, and one more when that is refused."""

    token: str = TOKEN
    replaced: list[str] = field(default_factory=list)

    def access_token(self, channel: Channel) -> SecretText:
        """The present token."""
        return SecretText(self.token)

    def replace_refused(self, channel: Channel, refused: SecretText) -> SecretText:
        """The other token."""
        self.replaced.append(refused.reveal())
        self.token = FRESH_TOKEN
        return SecretText(self.token)


def a_channel(api_url: str = API, kind: ChannelKind = ChannelKind.YUNTU) -> Channel:
    """A channel at an API address."""
    return Channel("acme", kind, 1234567890123456, api_url=api_url)


def a_caller(
    api_url: str = API,
    *,
    api: ApiSettings = QUICK,
    clock: FakeClock | None = None,
    tokens: FixedTokens | None = None,
    kind: ChannelKind = ChannelKind.YUNTU,
) -> Caller:
    """A caller without jitter."""
    return Caller(
        a_channel(api_url, kind),
        tokens or FixedTokens(),
        api,
        clock or FakeClock(),
        jitter=lambda: 0.0,
    )


def a_client(
    api_url: str = API,
    *,
    api: ApiSettings = QUICK,
    clock: FakeClock | None = None,
    tokens: FixedTokens | None = None,
) -> OceanClient:
    """The client of a channel."""
    return OceanClient(a_channel(api_url), tokens or FixedTokens(), api, clock or FakeClock())


def a_directory(
    api_url: str = API, *, api: ApiSettings = QUICK, clock: FakeClock | None = None
) -> OceanDirectory:
    """The account reads of channels."""
    return OceanDirectory(FixedTokens(), api, clock or FakeClock())


def answer(data: Any = None, *, code: int = 0, message: str = "OK") -> dict[str, Any]:
    """An envelope."""
    found: dict[str, Any] = {"code": code, "message": message, "request_id": "2026112312000001"}
    return found if data is None else {**found, "data": data}


def raw_answer(document: Any, *, status: str = "200 OK", headers: str = "") -> bytes:
    """A whole HTTP answer with a JSON body."""
    body = json.dumps(document, ensure_ascii=False).encode()
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


Behaviour = Callable[[socket.socket], None]


@dataclass
class RudeServer:
    """A server that reads a request and then does what `behaviour` says."""

    url: str
    behaviour: Behaviour
    requests: list[bytes] = field(default_factory=list)


@contextlib.contextmanager
def rude_server(behaviour: Behaviour, *, reads_body: bool = True) -> Iterator[RudeServer]:
    """A server on a free port; with `reads_body` false it never reads more than the headers."""
    served = RudeServer("", behaviour)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            connection: socket.socket = self.request
            connection.settimeout(10)
            with contextlib.suppress(OSError):
                served.requests.append(read_request(connection, reads_body=reads_body))
                served.behaviour(connection)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()


def read_request(connection: socket.socket, *, reads_body: bool = True) -> bytes:
    """The bytes of one request."""
    seen = b""
    while b"\r\n\r\n" not in seen:
        chunk = connection.recv(65536)
        if not chunk:
            return seen
        seen += chunk
    head, _, body = seen.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    while reads_body and len(body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            break
        body += chunk
    return head + b"\r\n\r\n" + body


def says(raw: bytes) -> Behaviour:
    """Send these bytes, then close."""
    return lambda connection: connection.sendall(raw)


def dribbles(raw: bytes, *, pause: Callable[[], object] = lambda: None) -> Behaviour:
    """Send these bytes one by one."""

    def behave(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw:
            connection.sendall(bytes([byte]))
            pause()

    return behave


def hangs(stop: threading.Event) -> Behaviour:
    """Say nothing until `stop`."""

    def behave(_connection: socket.socket) -> None:
        stop.wait(20)

    return behave
