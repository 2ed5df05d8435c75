"""The sandbox against the official declarations: what it wants and answers, field by field.

The table `vectors/ocean_fields.yaml` restates the vendor's SDK, `vectors/ocean_additions.yaml` what
the documents add. Every endpoint has one good request; it must be accepted, its answer must be made
of declared fields only, and any single mutation of it must be refused with a parameter error that
names the field.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.ocean_samples import SAMPLES, World, sample_world
from support.ocean_table import KEYS, TABLE, conforms, fields_of, is_required
from support.sandbox import OWNER, SECOND_OWNER, WORKBENCH, Sandbox, local_sandbox, phone_zip
from yuntu_push.sandbox.declarations import declarations


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with sample_world() as made:
        yield made


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
            if is_required(key, name):
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


def members() -> Iterator[tuple[str, str, str, Any]]:
    """Every member of every declared object: endpoint, field, member, declaration."""
    for key in SAMPLES:
        for name, field in fields_of(key).items():
            if isinstance(field["type"], dict) and not {"array", "enum"} & field["type"].keys():
                for inner, declared in field["type"].items():
                    yield key, name, inner, declared


@pytest.mark.parametrize(("key", "name", "inner", "declared"), list(members()))
def test_a_mutated_member_of_an_object_is_named_with_its_path(
    world: World, key: str, name: str, inner: str, declared: dict[str, Any]
):
    """Filters are looked into as closely as the fields around them."""
    good = SAMPLES[key](world)
    others = {each: value for each, value in good.get(name, {}).items() if each != inner}
    wrong = [{**others, inner: value} for value in wrong_values(declared["type"])]
    wrong.append({**good.get(name, {}), f"{inner}_": 1})
    if declared.get("required"):
        wrong.append(others)
    for value in wrong:
        answer = world.send(key, {**good, name: value})
        assert answer["code"] == 40001, (value, answer)
        assert f"{name}.{inner}" in answer["message"]


@pytest.mark.parametrize("key", SAMPLES)
def test_a_good_request_is_accepted_and_the_answer_is_as_declared(world: World, key: str):
    answer = world.send(key, SAMPLES[key](world))
    assert answer["code"] == 0, answer
    conforms(key, answer)


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
