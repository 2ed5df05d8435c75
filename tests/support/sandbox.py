"""A running sandbox for tests, and the handles to steer it and read it back."""

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from yuntu_push.proto.dmp_pb2 import DmpData
from yuntu_push.sandbox.app import build_app
from yuntu_push.sandbox.options import SandboxOptions
from yuntu_push.sandbox.server import SandboxServer
from yuntu_push.sandbox.wire import Connections
from yuntu_push.sandbox.world import World

OWNER = 1700000000000001
"""An authorised advertiser, bound to the brands 星野食品 and 星野轻食."""
SECOND_OWNER = 1700000000000002
"""Same legal subject (主体) as OWNER; bound to 星野食品."""
OTHER_SUBJECT = 1700000000000003
"""An authorised advertiser of another legal subject; bound to 青禾美妆."""
UNBOUND = 1700000000000004
"""Same legal subject as OWNER; bound to no brand."""
INVALID = 1700000000000009
"""Authorised, but its management relation has gone (`is_valid` false)."""
WORKBENCH, WORKBENCH_SIZE = 1700000000000100, 137
AGENT, CHILD_AGENT = 1700000000000500, 1700000000000501
ENTERPRISE = 1700000000000700
SHOP, QIANCHUAN = 1700000000000900, 1700000000000901
BRAND_NAME, BRAND_ID, BRAND = "星野食品", 10250001, 1760000000000001
"""A brand, its id, and its virtual advertiser (the target of a copy)."""
OTHER_BRAND = 1760000000000003
"""The virtual advertiser of 青禾美妆, to which OWNER is not bound."""


@dataclass(frozen=True)
class Tokens:
    """A token pair."""

    access: str
    refresh: str


class Local:
    """Requests that reach the application without a socket, some hundred times as quick."""

    def __init__(self, app: Any) -> None:
        self._loop = asyncio.new_event_loop()
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """The answer."""
        return self._loop.run_until_complete(self._client.request(method, url, **options))

    def close(self) -> None:
        """Let go of the event loop."""
        self._loop.run_until_complete(self._client.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


class Sandbox:
    """One sandbox and plain calls to it."""

    def __init__(self, url: str, world: World, http: httpx.Client | Local) -> None:
        self.url = url
        """The base address, for a client's `api_url`."""
        self.secret = world.state.app.secret
        """The application's Secret; a test may set a wrong one for what it does next."""
        self.app_id = world.state.app.app_id
        """The developer application."""
        self.auth_url = f"{url}/audit/oauth.html?app_id={self.app_id}&state=your_custom_params"
        """The authorisation page's address, for a client's `auth_url`."""
        self.console_url = f"{url}/console"
        """The console's address."""
        self.world = world
        """What the server works on; look, but don't touch while it serves."""
        self._http = http

    def tokens(self) -> list[str]:
        """Every code and token issued so far, to search files and logs for."""
        return list(self.world.issued)

    def control(self, name: str, /, **given: Any) -> Any:
        """POST to `/_sandbox/<name>`; the answer."""
        answer = self._http.request("POST", f"/_sandbox/{name}", json=given)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def state(self) -> dict[str, Any]:
        """What the platform has: data_sources, audiences, copies, publishes, pushes, quotas, …"""
        state: dict[str, Any] = self._http.request("GET", "/_sandbox/state").json()
        return state

    def requests(self, ending: str = "") -> list[dict[str, Any]]:
        """The logged requests whose path ends with `ending`, oldest first."""
        entries: list[dict[str, Any]] = self._http.request("GET", "/_sandbox/requests").json()
        wanted = ending.strip("/")
        return [each for each in entries if each["path"].strip("/").endswith(wanted)]

    def advance(
        self, seconds: float = 0, *, minutes: float = 0, hours: float = 0, days: float = 0
    ) -> None:
        """Step the platform's clock."""
        total = seconds + 60 * minutes + 3600 * hours + 86400 * days
        self.control("clock", advance=total)

    def set_time(self, moment: str) -> None:
        """Set the platform's clock to an ISO time with offset."""
        self.control("clock", set=moment)

    def fault(self, route: str, effect: str, **more: Any) -> None:
        """Add a fault, for example `fault("data_source/create", "drop_after", nth=1)`."""
        self.control("faults", route=route, effect=effect, **more)

    def clear_faults(self) -> None:
        """Nothing goes wrong any more."""
        self.control("faults/clear")

    def bind(self, brand_id: int, advertiser_id: int) -> None:
        """Bind a brand (its id, not its virtual advertiser) to an advertiser."""
        self.control("bind", brand_id=brand_id, advertiser_id=advertiser_id)

    def unbind(self, brand_id: int, advertiser_id: int) -> None:
        """Undo a binding."""
        self.control("unbind", brand_id=brand_id, advertiser_id=advertiser_id)

    def browse(self, path: str, **options: Any) -> httpx.Response:
        """GET any path of the sandbox as a plain HTTP client."""
        return self._http.request("GET", path, **options)

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request, unchecked."""
        return self._http.request(method, path, **options)

    def reset(self) -> None:
        """The seeded world again."""
        self.control("reset")

    def auth_code(self, *accounts: int) -> str:
        """A fresh code, as if a person had ticked `accounts` (all by default)."""
        given = {"accounts": list(accounts)} if accounts else {}
        code: str = self.control("authorize", **given)["auth_code"]
        return code

    def authorize(self, *accounts: int) -> Tokens:
        """A token pair, as if a person had ticked `accounts` (all by default)."""
        body = {
            "app_id": self.app_id,
            "secret": self.world.state.app.secret,
            "auth_code": self.auth_code(*accounts),
        }
        data = self.post("oauth2/access_token/", body)["data"]
        return Tokens(data["access_token"], data["refresh_token"])

    def post(self, path: str, body: Any, token: str | None = None) -> dict[str, Any]:
        """POST JSON to `/open_api/<path>`; the envelope."""
        answer = self._http.request("POST", f"/open_api/{path}", json=body, headers=_headers(token))
        return _envelope(answer)

    def get(
        self, path: str, query: Mapping[str, Any] | None = None, token: str | None = None
    ) -> dict[str, Any]:
        """GET `/open_api/<path>` with the platform's query encoding; the envelope."""
        pairs = {
            name: value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
            for name, value in (query or {}).items()
        }
        answer = self._http.request(
            "GET", f"/open_api/{path}", params=pairs, headers=_headers(token)
        )
        return _envelope(answer)

    def file_path(self, token: str, content: bytes, advertiser_id: int = OWNER) -> str:
        """Upload a DMP zip; its path."""
        path: str = self.upload(token, content, advertiser_id=advertiser_id)["data"]["file_path"]
        return path

    def data_source(
        self, token: str, content: bytes, *, name: str = "会员", advertiser_id: int = OWNER
    ) -> str:
        """Upload a DMP zip and create a data source of it, not yet parsed; its id."""
        body = {
            "advertiser_id": advertiser_id,
            "data_source_name": name,
            "data_format": 0,
            "file_storage_type": 0,
            "file_paths": [self.file_path(token, content, advertiser_id)],
        }
        answer = self.post("2/dmp/data_source/create/", body, token)
        assert answer["code"] == 0, answer
        number: str = answer["data"]["data_source_id"]
        return number

    def audience(self, token: str, content: bytes | None = None, **options: Any) -> int:
        """A parsed audience, neither pushed nor published; its id."""
        source = self.data_source(token, content or phone_zip(0, 100), **options)
        self.advance(minutes=5)
        sources = self.state()["data_sources"]
        number: int = next(each["audience_id"] for each in sources if each["id"] == source)
        return number

    def available(self, token: str, content: bytes | None = None, **options: Any) -> int:
        """An audience pushed to its owner and published, so AVAILABLE; its id."""
        audience = self.audience(token, content, **options)
        owner = options.get("advertiser_id", OWNER)
        body = {"advertiser_id": owner, "custom_audience_id": audience}
        for path, more in (("push_v2/", {"target_advertiser_ids": [owner]}), ("publish/", {})):
            answer = self.post(f"2/dmp/custom_audience/{path}", {**body, **more}, token)
            assert answer["code"] == 0, answer
        self.advance(minutes=5)
        return audience

    def upload(
        self,
        token: str,
        content: bytes,
        *,
        advertiser_id: int = OWNER,
        path: str = "2/dmp/data_source/file/upload/",
        signature: str | None = "",
        **fields: Any,
    ) -> dict[str, Any]:
        """POST a file as multipart; the envelope. An empty `signature` becomes the right one."""
        form = {"advertiser_id": str(advertiser_id), **{k: str(v) for k, v in fields.items()}}
        if signature is not None:
            form["file_signature"] = signature or hashlib.md5(content).hexdigest()
        answer = self._http.request(
            "POST",
            f"/open_api/{path}",
            data=form,
            files={"file": ("part.zip", content, "application/zip")},
            headers=_headers(token),
        )
        return _envelope(answer)


def _headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Access-Token": token}


def _envelope(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, f"HTTP {answer.status_code}: {answer.text[:200]}"
    envelope: dict[str, Any] = answer.json()
    assert {"code", "message", "request_id"} <= envelope.keys()
    return envelope


@contextlib.contextmanager
def running_sandbox(**options: Any) -> Iterator[Sandbox]:
    """A sandbox on a free port, a million times as quick as the platform unless told otherwise."""
    options.setdefault("speed", 1e6)
    server = SandboxServer(SandboxOptions(**options))
    with server, httpx.Client(base_url=server.url, timeout=30, trust_env=False) as http:
        yield Sandbox(server.url, server.world, http)


@contextlib.contextmanager
def local_sandbox(**options: Any) -> Iterator[Sandbox]:
    """The same without a socket and without a thread; only this test reaches it."""
    options.setdefault("speed", 1e6)
    app, world = build_app(SandboxOptions(**options), Connections())
    local = Local(app)
    try:
        yield Sandbox("http://127.0.0.1", world, local)
    finally:
        local.close()


def dmp_line(items: Iterable[tuple[int, str]]) -> bytes:
    """One line of a DMP file: base64 of a `DmpData` with (type, id) items."""
    message = DmpData()
    for kind, value in items:
        message.idList.add(dataType=kind, id=value)
    return base64.b64encode(message.SerializeToString()) + b"\n"


def dmp_zip(*lines: bytes, name: str = "part.txt") -> bytes:
    """A deflate zip with one file of `lines`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"".join(lines))
    return buffer.getvalue()


def phone_zip(first: int, count: int) -> bytes:
    """A DMP zip of `count` SHA-256 phones; `first` says where the invented numbers begin."""
    ids = [
        (6, hashlib.sha256(f"1{3_000_000_000 + n}".encode()).hexdigest())
        for n in range(first, first + count)
    ]
    lines = [dmp_line(ids[start : start + 10_000]) for start in range(0, count, 10_000)]
    return dmp_zip(*lines)
