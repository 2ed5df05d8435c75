"""The client's own requests against the sandbox, which shares no constant with it.

Whatever the client can build is accepted; and the sandbox would have noticed: any single mutation
of one of these requests is refused with a parameter error.
"""

import email
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.ocean import QUICK, FakeClock, FixedTokens, a_channel
from support.sandbox import (
    AGENT,
    BRAND,
    ENTERPRISE,
    OWNER,
    SECOND_OWNER,
    WORKBENCH,
    WORKBENCH_SIZE,
    Sandbox,
    local_sandbox,
    phone_zip,
)
from yuntu_push.adapters.ocean import transport
from yuntu_push.adapters.ocean.client import OceanClient, OceanDirectory
from yuntu_push.adapters.ocean.oauth import OceanOAuth
from yuntu_push.domain.errors import RefusedError
from yuntu_push.domain.platform import Operation
from yuntu_push.domain.secret import SecretText
from yuntu_push.sandbox.options import CopyTo

OPTIONAL = {
    "description",
    "data_source_type",
    "page",
    "page_size",
    "select_type",
    "offset",
    "limit",
    "file_signature",
    "count",
    "cursor",
    "filtering",
    "permission",
}
API = "http://127.0.0.1"


class Wire(httpx.BaseTransport):
    """Brings requests to the sandbox without a socket, and keeps them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.seen.append(request)
        answer = self.sandbox.raw(
            request.method,
            str(request.url),
            content=request.content,
            headers=dict(request.headers),
        )
        body = httpx.ByteStream(answer.content)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=body)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    with local_sandbox() as sandbox:
        made = Wire(sandbox)

        def build(base_url: str, _api: object) -> httpx.Client:
            return httpx.Client(base_url=base_url, transport=made)

        monkeypatch.setattr(transport, "build_client", build)
        yield made


def client(wire: Wire, **api: Any) -> OceanClient:
    token = wire.sandbox.authorize().access
    return OceanClient(a_channel(API), FixedTokens(token), replace(QUICK, **api), FakeClock())


def part(folder: Path, first: int = 0, count: int = 10) -> tuple[Path, str]:
    path = folder / f"part-{first}-{count}.zip"
    path.write_bytes(phone_zip(first, count))
    return path, hashlib.md5(path.read_bytes()).hexdigest()


def upload(ocean: OceanClient, folder: Path, first: int = 0, count: int = 10) -> str:
    path, md5 = part(folder, first, count)
    return ocean.upload(advertiser_id=OWNER, path=path, md5=md5)


def whole_way(wire: Wire, ocean: OceanClient, folder: Path, name: str, description: str) -> int:
    """Upload to copy, as a push does it; the audience's id."""
    source = ocean.create_data_source(
        advertiser_id=OWNER,
        name=name,
        description=description,
        file_paths=[upload(ocean, folder)],
        source_type="UID",
    )
    wire.sandbox.advance(minutes=5)
    [read] = ocean.data_sources(advertiser_id=OWNER, ids=[source])
    assert read.audience is not None
    audience = read.audience.custom_audience_id
    ids = {"advertiser_id": OWNER, "custom_audience_id": audience}
    ocean.push(**ids, targets=[OWNER, SECOND_OWNER])
    ocean.publish(**ids)
    wire.sandbox.advance(minutes=5)
    ocean.copy(**ids, virtual_adv_id=BRAND)
    return audience


def test_the_whole_way_is_understood_on_both_sides(wire: Wire, tmp_path: Path):
    ocean = client(wire)

    audience = whole_way(wire, ocean, tmp_path, "高价值会员", "每日")

    [seen] = ocean.read_audiences(advertiser_id=OWNER, ids=[audience])
    assert (seen.name, seen.upload_num) == ("高价值会员", 10)
    assert [each.custom_audience_id for each in ocean.audiences(advertiser_id=OWNER)] == [audience]
    state = wire.sandbox.state()
    assert state["copies"][0]["audience_id"] == audience
    [source] = state["data_sources"]
    for operation, first, size in (
        (Operation.ADD, 5, 15),
        (Operation.DELETE, 0, 5),
        (Operation.RESET, 0, 10),
    ):
        ocean.update_data_source(
            advertiser_id=OWNER,
            data_source_id=source["id"],
            operation=operation,
            file_paths=[upload(ocean, tmp_path, first)],
        )
        wire.sandbox.advance(minutes=5)
        assert wire.sandbox.state()["audiences"][0]["upload_num"] == size
    ocean.delete_audience(advertiser_id=OWNER, custom_audience_id=audience)
    assert list(ocean.audiences(advertiser_id=OWNER)) == []


def test_both_forms_of_copy(wire: Wire, tmp_path: Path):
    """The client's setting and the sandbox's switch have to agree, and then do."""
    wire.sandbox.world.options = replace(wire.sandbox.world.options, copy_to=CopyTo.LIST)
    with pytest.raises(RefusedError) as refused:
        whole_way(wire, client(wire), tmp_path, "a", "")
    assert refused.value.platform_code == 40001
    whole_way(wire, client(wire, copy_to="list"), tmp_path, "b", "")


def test_the_account_tree_is_found_whole(wire: Wire):
    token = wire.sandbox.authorize().access
    directory = OceanDirectory(FixedTokens(token), QUICK, FakeClock())
    channel = a_channel(API)
    by_id = {each.account_id: each for each in directory.authorized_accounts(channel)}
    found = {
        number: len(directory.expand(channel, by_id[number]).accounts)
        for number in (WORKBENCH, AGENT, ENTERPRISE)
    }
    assert found == {WORKBENCH: WORKBENCH_SIZE, AGENT: 8, ENTERPRISE: 12}


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip),
    description=st.text(st.characters(codec="utf-8"), max_size=256),
    count=st.integers(1, 50),
)
def test_whatever_the_client_can_build_is_accepted(
    wire: Wire, tmp_path: Path, name: str, description: str, count: int
):
    wire.sandbox.reset()
    ocean = client(wire)
    audience = whole_way(wire, ocean, tmp_path, name, description)
    ids = [audience, *range(1, count)]
    assert len(ocean.read_audiences(advertiser_id=OWNER, ids=ids)) == 1
    assert wire.sandbox.state()["data_sources"][0]["name"] == name


def everything(wire: Wire, folder: Path) -> None:
    """Make the client send each kind of request that it knows."""
    sandbox = wire.sandbox
    channel = replace(a_channel(API), app_id=sandbox.app_id)
    secret = SecretText(sandbox.secret)
    logins = OceanOAuth(QUICK, FakeClock())
    pair = logins.exchange(channel, secret, SecretText(sandbox.auth_code()))
    logins.refresh(channel, secret, SecretText(pair.refresh_token), on_answer=lambda _: None)
    directory = OceanDirectory(FixedTokens(sandbox.authorize().access), QUICK, FakeClock())
    for account in directory.authorized_accounts(channel):
        directory.expand(channel, account)
    directory.brands(channel, OWNER)
    assert directory.companies(channel, [OWNER, SECOND_OWNER])
    ocean = client(wire)
    audience = whole_way(wire, ocean, folder, "a", "b")
    ocean.read_audiences(advertiser_id=OWNER, ids=[audience])
    list(ocean.audiences(advertiser_id=OWNER))
    [source] = sandbox.state()["data_sources"]
    ocean.update_data_source(
        advertiser_id=OWNER,
        data_source_id=source["id"],
        operation=Operation.RESET,
        file_paths=[upload(ocean, folder)],
    )
    ocean.delete_audience(advertiser_id=OWNER, custom_audience_id=audience)


KNOWN_PATHS = {
    "/open_api/oauth2/access_token/",
    "/open_api/oauth2/refresh_token/",
    "/open_api/oauth2/advertiser/get/",
    "/open_api/2/advertiser/public_info/",
    "/open_api/v3.0/customer_center/account/list/",
    "/open_api/2/agent/advertiser/select/",
    "/open_api/2/agent/child_agent/select/",
    "/open_api/2/ebp/advertiser/list/",
    "/open_api/v1.0/qianchuan/shop/advertiser/list/",
    "/open_api/2/dmp/brand/get/",
    "/open_api/2/dmp/data_source/file/upload/",
    "/open_api/2/dmp/data_source/create/",
    "/open_api/2/dmp/data_source/update/",
    "/open_api/2/dmp/data_source/read/",
    "/open_api/2/dmp/custom_audience/push_v2/",
    "/open_api/2/dmp/custom_audience/publish/",
    "/open_api/2/dmp/custom_audience/copy/",
    "/open_api/2/dmp/custom_audience/read/",
    "/open_api/2/dmp/custom_audience/select/",
    "/open_api/2/dmp/custom_audience/delete/",
}


def mutations(values: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in values.items():
        others = {key: each for key, each in values.items() if key != name}
        if name not in OPTIONAL:
            yield f"drop {name}", others
        yield f"rename {name}", {**others, f"{name}_": value}
        if isinstance(value, bytes):
            continue
        if isinstance(value, str):
            yield f"retype {name}", {**others, name: 1}
            continue
        yield f"retype {name}", {**others, name: {"x": 1}}
        yield f"retype {name} to text", {**others, name: "x"}
        if isinstance(value, dict):
            for inner, changed in mutations(value):
                yield f"{name}: {inner}", {**others, name: changed}


def parts_of(request: httpx.Request) -> dict[str, Any]:
    """The fields of a multipart request: text as values, the file as bytes."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    fields: dict[str, Any] = {}
    for part in email.message_from_bytes(head + request.content).walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            fields[name] = content if part.get_filename() else _value(content.decode())
    return fields


def fields_of(request: httpx.Request) -> dict[str, Any]:
    if request.headers.get("content-type", "").startswith("multipart"):
        return parts_of(request)
    if request.method == "POST":
        fields: dict[str, Any] = json.loads(request.content)
        return fields
    return {k: _value(v) for k, v in parse_qsl(request.url.query.decode())}


def send(wire: Wire, like: httpx.Request, fields: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request with other fields."""
    token = like.headers.get("access-token")
    headers = {"Access-Token": token} if token else {}
    as_text = {k: v if isinstance(v, str | bytes) else json.dumps(v) for k, v in fields.items()}
    options: dict[str, Any] = {"params": as_text}
    if like.headers.get("content-type", "").startswith("multipart"):
        files = {k: ("a.zip", v) if isinstance(v, bytes) else (None, v) for k, v in as_text.items()}
        options = {"files": files}
    elif like.method == "POST":
        options = {"json": fields}
    answer: dict[str, Any] = wire.sandbox.raw(
        like.method, like.url.path, headers=headers, **options
    ).json()
    return answer


def test_any_single_mutation_of_the_clients_requests_is_a_parameter_error(
    wire: Wire, tmp_path: Path
):
    """The sandbox accepts the client because it is right, not because it takes anything."""
    everything(wire, tmp_path)
    first = {request.url.path: request for request in reversed(wire.seen)}
    assert first.keys() == KNOWN_PATHS
    token = wire.sandbox.authorize().access
    tried = 0
    for path, request in first.items():
        if "access-token" in request.headers:
            request.headers["access-token"] = token
        original = fields_of(request)
        if "access_token" in original:
            original["access_token"] = token
        for what, changed in mutations(original):
            if (path, what) in _NO_MISTAKE:
                continue
            answer = send(wire, request, changed)
            assert answer["code"] == 40001, (path, what, answer)
            tried += 1
    assert tried > 150


_NO_MISTAKE = {
    # The token may come in the header, and text that is no token is wrong in another way.
    ("/open_api/oauth2/advertiser/get/", "drop access_token"),
    ("/open_api/oauth2/advertiser/get/", "retype access_token"),
    # In a form everything is text; another signature has a code of its own.
    ("/open_api/2/dmp/data_source/file/upload/", "retype file_signature"),
}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
