"""The sandbox against the official declarations: what it wants and answers, field by field.

The table `vectors/ocean_fields.yaml` restates the vendor's SDK. Every endpoint has one good request
here; it must be accepted, its answer must be made of declared fields only, and any single mutation
of it must be refused with a parameter error that names the field.
"""

import copy
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.sandbox import (
    AGENT,
    BRAND,
    ENTERPRISE,
    OTHER_SUBJECT,
    OWNER,
    QIANCHUAN,
    SECOND_OWNER,
    SHOP,
    WORKBENCH,
    Sandbox,
    local_sandbox,
    phone_zip,
)
from yuntu_push.sandbox.declarations import declarations

VECTORS = Path(__file__).parents[1] / "vectors" / "ocean_fields.yaml"
TABLE: dict[str, Any] = yaml.safe_load(VECTORS.read_text("utf-8"))
SERVICE_PROVIDERS = {key for key in TABLE if "/v3.0/yuntu/" in key}
KEYS = [key for key in TABLE if key not in SERVICE_PROVIDERS]
# Declared optional, because generated SDKs make query fields pointers, but meaningless without.
REALLY_REQUIRED = {
    "POST /open_api/oauth2/access_token/": {"app_id"},
    "POST /open_api/oauth2/refresh_token/": {"app_id"},
    "GET /open_api/2/advertiser/info/": {"advertiser_ids"},
    "GET /open_api/2/advertiser/public_info/": {"advertiser_ids"},
    "GET /open_api/2/customer_center/advertiser/list/": {"cc_account_id"},
    "GET /open_api/2/agent/advertiser/select/": {"advertiser_id"},
    "GET /open_api/2/dmp/brand/get/": {"advertiser_id"},
    "GET /open_api/2/dmp/data_source/read/": {"advertiser_id", "data_source_id_list"},
}


def plain_zip(*lines: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ids.txt", "\n".join(lines))
    return buffer.getvalue()


@dataclass
class World:
    """A world in which every endpoint has something to answer about."""

    sb: Sandbox
    token: str
    refresh: str
    path: str
    source: str
    audience: int
    fresh: int
    file_key: str
    qc_audience: int

    def send(self, key: str, values: dict[str, Any]) -> dict[str, Any]:
        method, path = key.split(" ")
        token = self.token if TABLE[key]["access_token_header"] else None
        headers = {"Access-Token": token} if token else {}
        if "form" in TABLE[key]:
            files = {k: ("x.zip", v) for k, v in values.items() if isinstance(v, bytes)}
            data = {k: text(v) for k, v in values.items() if not isinstance(v, bytes)}
            if not files:  # stays multipart
                data, files = {}, {k: (None, v.encode()) for k, v in data.items()}  # type: ignore[misc]
            answer = self.sb.raw(method, path, data=data, files=files, headers=headers)
        elif method == "POST":
            answer = self.sb.raw(method, path, json=values, headers=headers)
        else:
            pairs = {k: text(v) for k, v in values.items()}
            answer = self.sb.raw(method, path, params=pairs, headers=headers)
        assert answer.status_code == 200
        envelope: dict[str, Any] = answer.json()
        return envelope


def text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with local_sandbox() as sb:
        tokens = sb.authorize()
        token = tokens.access
        audience = sb.available(token, phone_zip(0, 50))
        fresh = sb.audience(token, phone_zip(0, 20))
        sb.post(
            "2/dmp/custom_audience/push_v2/",
            {
                "advertiser_id": OWNER,
                "custom_audience_id": fresh,
                "target_advertiser_ids": [OWNER],
            },
            token,
        )
        key = sb.upload(
            token,
            plain_zip("1" * 15),
            advertiser_id=QIANCHUAN,
            path="v1.0/qianchuan/audience_file/upload/",
            signature=None,
        )["data"]["file_key"]
        body = {
            "advertiser_id": QIANCHUAN,
            "audience_name": "a",
            "audience_group": "g",
            "data_type": 1,
            "match_type": "UID",
            "file_key": key,
        }
        made = sb.post("v1.0/qianchuan/audience/create_by_file/", body, token)
        sb.advance(60)
        yield World(
            sb,
            token,
            tokens.refresh,
            sb.file_path(token, phone_zip(0, 5)),
            sb.state()["data_sources"][1]["id"],
            audience,
            fresh,
            key,
            made["data"]["audience_id"],
        )


SAMPLES: dict[str, Callable[[World], dict[str, Any]]] = {
    "POST /open_api/oauth2/access_token/": lambda w: {
        "app_id": w.sb.app_id,
        "secret": w.sb.secret,
        "auth_code": w.sb.control("authorize", uid=1801000000000002)["auth_code"],
    },
    "POST /open_api/oauth2/app_access_token/": lambda w: {
        "app_id": w.sb.app_id,
        "secret": w.sb.secret,
    },
    "GET /open_api/oauth2/advertiser/get/": lambda w: {"access_token": w.token},
    "GET /open_api/2/user/info/": lambda _: {},
    "GET /open_api/2/advertiser/info/": lambda _: {"advertiser_ids": [OWNER, OTHER_SUBJECT]},
    "GET /open_api/2/advertiser/public_info/": lambda _: {"advertiser_ids": [OWNER, 5]},
    "GET /open_api/v3.0/customer_center/account/list/": lambda _: {
        "account_id": WORKBENCH,
        "filter": {"account_type": "AD", "account_name": "门店"},
        "page": 1,
        "page_size": 100,
    },
    "GET /open_api/2/customer_center/advertiser/list/": lambda _: {
        "cc_account_id": WORKBENCH,
        "account_source": "AD",
        "filtering": {"account_name": "门店"},
        "page": 1,
        "page_size": 3,
    },
    "GET /open_api/2/agent/advertiser/select/": lambda _: {
        "advertiser_id": AGENT,
        "filtering": {"advertiser_ids": [AGENT + 11]},
        "page": 1,
        "page_size": 100,
    },
    "GET /open_api/2/agent/child_agent/select/": lambda _: {
        "advertiser_id": AGENT,
        "page": 1,
        "page_size": 100,
    },
    "GET /open_api/2/ebp/advertiser/list/": lambda _: {
        "enterprise_organization_id": ENTERPRISE,
        "account_source": "AD",
        "filtering": {"account_name": "系列", "active_account": True},
        "page": 1,
        "page_size": 3,
    },
    "GET /open_api/2/dmp/brand/get/": lambda _: {"advertiser_id": OWNER},
    "POST /open_api/2/dmp/data_source/file/upload/": lambda _: {
        "advertiser_id": OWNER,
        "file": phone_zip(0, 3),
    },
    "POST /open_api/2/dmp/data_source/create/": lambda w: {
        "advertiser_id": OWNER,
        "data_source_name": "会员",
        "description": "每日",
        "data_format": 0,
        "file_storage_type": 0,
        "data_source_type": "UID",
        "file_paths": [w.path],
    },
    "POST /open_api/2/dmp/data_source/update/": lambda w: {
        "advertiser_id": OWNER,
        "data_source_id": w.source,
        "operation_type": 1,
        "data_format": 0,
        "file_storage_type": 0,
        "file_paths": [w.path],
    },
    "GET /open_api/2/dmp/data_source/read/": lambda w: {
        "advertiser_id": OWNER,
        "data_source_id_list": [w.source],
    },
    "POST /open_api/2/dmp/custom_audience/publish/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.fresh,
    },
    "POST /open_api/2/dmp/custom_audience/push_v2/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.fresh,
        "target_advertiser_ids": [OWNER, SECOND_OWNER],
    },
    "POST /open_api/2/dmp/custom_audience/copy/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.audience,
        "to_advertiser_id": BRAND,
    },
    "GET /open_api/2/dmp/custom_audience/read/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_ids": [w.audience],
    },
    "GET /open_api/2/dmp/custom_audience/select/": lambda _: {
        "advertiser_id": OWNER,
        "select_type": 0,
        "offset": 0,
        "limit": 100,
    },
    "GET /open_api/v1.0/qianchuan/shop/advertiser/list/": lambda _: {
        "shop_id": SHOP,
        "permission": ["QC_AWEME"],
        "page": 1,
        "page_size": 10,
    },
    "GET /open_api/v1.0/qianchuan/advertiser/type/get/": lambda _: {"advertiser_ids": [QIANCHUAN]},
    "POST /open_api/v1.0/qianchuan/audience_file/upload/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "file": plain_zip("1" * 15),
    },
    "POST /open_api/v1.0/qianchuan/audience_file/part_upload/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "part_num": 0,
        "is_finished": 1,
        "file": plain_zip("1" * 15),
    },
    "POST /open_api/v1.0/qianchuan/audience/create_by_file/": lambda w: {
        "advertiser_id": QIANCHUAN,
        "audience_name": "名单",
        "audience_group": "分组",
        "data_type": 14,
        "match_type": "UID",
        "file_key": w.file_key,
    },
    "POST /open_api/v1.0/qianchuan/audience/push/": lambda w: {
        "advertiser_id": QIANCHUAN,
        "audience_id": w.qc_audience,
        "account_type": "NO_LOCAL",
        "adv_ids": [QIANCHUAN + 1],
        "is_for_brand": 1,
    },
    "GET /open_api/v1.0/qianchuan/audience_list/get/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "filtering": {"audience_type": ["UPLOAD"], "audience_name": "a"},
        "page": 1,
        "page_size": 20,
    },
    "GET /open_api/v1.0/qianchuan/audience_group/get/": lambda _: {
        "advertiser_id": QIANCHUAN,
        "filtering": {"name": "g"},
    },
    # These two end something, so they come last.
    "POST /open_api/2/dmp/custom_audience/delete/": lambda w: {
        "advertiser_id": OWNER,
        "custom_audience_id": w.fresh,
    },
    "POST /open_api/v1.0/qianchuan/audience/delete/": lambda w: {
        "advertiser_id": QIANCHUAN,
        "audience_id": w.qc_audience,
    },
    "POST /open_api/oauth2/refresh_token/": lambda w: {
        "app_id": w.sb.app_id,
        "secret": w.sb.secret,
        "refresh_token": w.refresh,
    },
}
SPENT_BY_SUCCESS = {"POST /open_api/oauth2/access_token/"}


def fields_of(key: str) -> dict[str, Any]:
    entry = TABLE[key]
    fields: dict[str, Any] = entry.get("query") or entry.get("body") or entry.get("form") or {}
    return fields


def test_every_endpoint_has_a_sample():
    assert set(SAMPLES) == set(KEYS)


def test_the_sandbox_carries_the_official_declarations():
    """Its own copy agrees with the table, endpoint by endpoint and field by field."""
    assert set(declarations()) == set(TABLE)
    for key, declared in declarations().items():
        assert declared.token == TABLE[key]["access_token_header"]
        wanted = {name: bool(field.get("required")) for name, field in fields_of(key).items()}
        assert {name: field.required for name, field in declared.fields.items()} == wanted


def mutations() -> Iterator[tuple[str, str, str]]:
    for key in SAMPLES:
        for name, field in fields_of(key).items():
            required = field.get("required") or name in REALLY_REQUIRED.get(key, set())
            if required:
                yield key, name, "drop"
            yield key, name, "rename"
            if not (field["type"] == "string" and ("query" in TABLE[key] or "form" in TABLE[key])):
                yield key, name, "retype"
                yield key, name, "retype deep"


WRONG: dict[str, list[Any]] = {
    "integer": ["abc", [1]],
    "string": [123, ["x"]],
    "boolean": ["x", 1],
    "file": ["text instead of a file", "x"],
}


def wrong_values(kind: Any) -> list[Any]:
    match kind:
        case str():
            return WRONG[kind]
        case {"array": item}:
            return ["x", [wrong_values(item if isinstance(item, str | dict) else "string")[0]]]
        case {"enum": _}:
            return ["NOT_A_VALUE", [1]]
        case _:
            return ["x", {"no_such_field": 1}]


@pytest.mark.parametrize(("key", "name", "how"), list(mutations()))
def test_a_single_mutation_is_a_parameter_error_that_names_the_field(
    world: World, key: str, name: str, how: str
):
    values = copy.copy(SAMPLES[key](world))
    kind = fields_of(key)[name]["type"]
    if how == "rename" and name not in values:
        values[name] = 1
    match how:
        case "drop":
            del values[name]
        case "rename":
            values[f"{name}_"] = values.pop(name)
        case "retype":
            values[name] = wrong_values(kind)[0]
        case _:
            values[name] = wrong_values(kind)[1]

    answer = world.send(key, values)

    assert answer["code"] == 40001, answer
    assert name in answer["message"]


@pytest.mark.parametrize("key", SAMPLES)
def test_a_good_request_is_accepted_and_the_answer_is_as_declared(world: World, key: str):
    answer = world.send(key, SAMPLES[key](world))
    assert answer["code"] == 0, answer
    declared = TABLE[key]["response"]
    conforms("", {"type": declared}, answer)
    if "data" not in declared:
        assert "data" not in answer


def conforms(where: str, field: Any, value: Any) -> None:
    kind = field["type"]
    match kind:
        case "integer":
            # Counters may be null on the real platform.
            assert value is None or (isinstance(value, int) and not isinstance(value, bool)), where
        case "string":
            assert isinstance(value, str), where
        case "boolean":
            assert isinstance(value, bool), where
        case "object":
            assert isinstance(value, dict), where
        case {"array": item}:
            assert isinstance(value, list), where
            nested = item if isinstance(item, str) or set(item) == {"enum"} else dict(item)
            for each in value:
                conforms(f"{where}[]", {"type": nested}, each)
        case {"enum": values}:
            assert value in values, where
        case dict():
            assert isinstance(value, dict), where
            for name, each in value.items():
                assert name in kind, f"{where}.{name} is not declared"
                conforms(f"{where}.{name}", kind[name], each)


@pytest.mark.parametrize("key", sorted(SERVICE_PROVIDERS))
def test_service_providers_endpoints_refuse_with_their_own_code(world: World, key: str):
    token = world.sb.control("authorize", uid=1801000000000002)["auth_code"]
    assert token
    values = {name: 1 for name, field in fields_of(key).items() if field["type"] == "integer"}
    if key.endswith("create/"):
        values |= {"name": "n", "expire_date": "2027-01-01", "calculate_pools": []}  # type: ignore[dict-item]
    headers = {"Access-Token": world.sb.authorize().access}
    method, path = key.split(" ")
    options: dict[str, Any] = {"json": values} if method == "POST" else {"params": values}
    answer = world.sb.raw(method, path, headers=headers, **options).json()
    assert answer["code"] == 40118


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_slash_or_the_wrong_method_is_no_envelope(world: World, key: str):
    method, path = key.split(" ")
    assert world.sb.raw(method, path.rstrip("/")).status_code == 404
    other = "GET" if method == "POST" else "POST"
    if f"{other} {path}" not in TABLE:
        assert world.sb.raw(other, path).status_code == 405


@pytest.mark.parametrize("key", [key for key in KEYS if TABLE[key]["access_token_header"]])
def test_every_business_endpoint_wants_a_token(world: World, key: str):
    method, path = key.split(" ")
    options: dict[str, Any] = {}
    if "body" in TABLE[key]:
        options = {"json": {}}
    elif "form" in TABLE[key]:
        options = {"files": {"file": ("x", b"x")}}
    assert world.sb.raw(method, path, **options).json()["code"] == 40104


@pytest.mark.parametrize("key", [key for key in KEYS if "body" in TABLE[key]])
@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{}", "text/plain"),
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'"x"', "application/json"),
        (b"\xff", "application/json"),
        (b'{"advertiser_id": "\\ud800"}', "application/json"),
        (b'{"x": ' + b"[" * 100_000, "application/json"),
        (b'{"x": ' + b"1" * 10_000 + b"}", "application/json"),
    ],
)
def test_a_body_that_is_no_json_object(world: World, key: str, content: bytes, content_type: str):
    headers = {"Content-Type": content_type, "Access-Token": world.token}
    method, path = key.split(" ")
    answer = world.sb.raw(method, path, content=content, headers=headers).json()
    assert answer["code"] == 40001


def test_ids_may_come_in_quotes_and_nothing_else_may(world: World):
    key = "POST /open_api/2/dmp/custom_audience/push_v2/"
    body = {
        "advertiser_id": str(OWNER),
        "custom_audience_id": str(world.audience),
        "target_advertiser_ids": [str(SECOND_OWNER)],
    }
    headers = {"Access-Token": world.sb.authorize().access}
    assert world.sb.raw("POST", key.split()[1], json=body, headers=headers).json()["code"] == 0
    query = {"account_id": str(WORKBENCH), "filter": '{"account_type":"AD"}', "page": '"1"'}
    path = "/open_api/v3.0/customer_center/account/list/"
    answer = world.sb.raw("GET", path, params=query, headers=headers).json()
    assert answer["code"] == 40001
    assert "page" in answer["message"]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    name=st.text(min_size=1, max_size=30).filter(str.strip),
    description=st.none() | st.text(max_size=256),
    kind=st.none() | st.sampled_from(["UID", "DID"]),
    paths=st.integers(1, 1000),
)
def test_any_create_within_the_limits_is_taken(
    name: str, description: str | None, kind: str | None, paths: int
):
    """Whatever a client may fill in, in any script, it is stored as it came."""
    sb, token, path = _create_world()
    body: dict[str, Any] = {
        "advertiser_id": OWNER,
        "data_source_name": name.encode("utf-8", "ignore").decode() or "x",
        "data_format": 0,
        "file_storage_type": 0,
        "file_paths": [path] * paths,
    }
    if description is not None:
        body["description"] = description.encode("utf-8", "ignore").decode()
    if kind is not None:
        body["data_source_type"] = kind
    answer = sb.post("2/dmp/data_source/create/", body, token)
    assert answer["code"] == 0, answer
    stored = sb.world.state.data_sources.pop(answer["data"]["data_source_id"])
    assert stored.name == body["data_source_name"]


_CREATE_WORLD: list[tuple[Any, Sandbox, str, str]] = []


def _create_world() -> tuple[Sandbox, str, str]:
    if not _CREATE_WORLD:
        context = local_sandbox()
        sb = context.__enter__()
        token = sb.authorize().access
        _CREATE_WORLD.append((context, sb, token, sb.file_path(token, phone_zip(0, 1))))
    return _CREATE_WORLD[0][1:]


@pytest.fixture(scope="module", autouse=True)
def _close_create_world() -> Iterator[None]:
    yield
    while _CREATE_WORLD:
        _CREATE_WORLD.pop()[0].__exit__(None, None, None)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["advertiser_id", "file_paths", "custom_audience_id", "x"]), inner
            )
        ),
        max_leaves=8,
    ),
    key=st.sampled_from([key for key in KEYS if "body" in TABLE[key]]),
)
def test_no_body_breaks_the_sandbox(body: Any, key: str):
    """Any JSON gets an envelope with a code, never a crash."""
    sb, token, _ = _create_world()
    method, path = key.split(" ")
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    headers = {"Access-Token": token, "Content-Type": "application/json"}
    answer = sb.raw(method, path, content=content, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["code"] != 0


def test_undeclared_fields_pass_when_the_switch_says_so():
    """As on the real platform, probably; at any depth."""
    query = {
        "account_id": WORKBENCH,
        "filter": {"account_type": "AD", "unknown": 1},
        "unknown": "x",
    }
    for strict, code in ((True, 40001), (False, 0)):
        with local_sandbox(strict_fields=strict) as sb:
            token = sb.authorize().access
            path = "v3.0/customer_center/account/list/"
            assert sb.get(path, query, token)["code"] == code
            del query["unknown"]
            assert sb.get(path, query, token)["code"] == code
            query["unknown"] = "x"


@pytest.mark.parametrize("value", [0.0, 1.0, True, None, "0", 1 << 70, -1])
def test_numbers_are_whole_and_real(world: World, value: Any):
    """No float, flag, null, text or number beyond 64 bits passes for the enum 0 or an id."""
    body = {
        "advertiser_id": OWNER,
        "data_source_name": "x",
        "data_format": value,
        "file_storage_type": 0,
        "file_paths": [world.path],
    }
    token = world.sb.authorize().access
    answer = world.sb.post("2/dmp/data_source/create/", body, token)
    assert answer["code"] == 40001
    assert "data_format" in answer["message"]
    body |= {"data_format": 0, "advertiser_id": value}
    answer = world.sb.post("2/dmp/data_source/create/", body, token)
    assert answer["code"] in (40001, 40002)
