"""The fault plan: which calls it spoils, how, and that the log tells."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.sandbox import OWNER, Sandbox, local_sandbox, phone_zip, running_sandbox

INFO = "/open_api/2/user/info/"


def hit(sb: Sandbox, token: str) -> httpx.Response:
    return sb.raw("GET", INFO, headers={"Access-Token": token})


def codes(sb: Sandbox, token: str, count: int) -> list[int]:
    return [hit(sb, token).json()["code"] for _ in range(count)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, [1, 1, 1, 1, 1, 1]),
        ({"nth": 2}, [0, 1, 0, 0, 0, 0]),
        ({"every": 3}, [0, 0, 1, 0, 0, 1]),
        ({"from": 2, "to": 4}, [0, 1, 1, 1, 0, 0]),
        ({"from": 2, "every": 2}, [0, 0, 1, 0, 1, 0]),
    ],
)
def test_which_calls_are_spoiled(sb: Sandbox, token: str, when: dict, expected: list[int]):
    sb.fault("user/info", "refuse", code=50000, message="忙", **when)
    assert [int(code == 50000) for code in codes(sb, token, 6)] == expected
    assert sb.browse("/_sandbox/faults").json()[0]["struck"] == sum(expected)


def test_a_route_is_the_end_of_a_path_or_a_star(sb: Sandbox, token: str):
    sb.fault("data_source/read", "refuse")
    assert codes(sb, token, 1) == [0]
    sb.fault("*", "refuse", code=40100)
    assert codes(sb, token, 1) == [40100]
    sb.clear_faults()
    assert codes(sb, token, 1) == [0]


def test_throttling_comes_with_the_platforms_hints(sb: Sandbox, token: str):
    sb.fault("*", "refuse", nth=1, code=40110, retry_in="7", dimension="developer_qpm")
    answer = hit(sb, token)
    assert answer.status_code == 200
    assert answer.headers["X-RateLimit-RetryIn"] == "7"
    assert answer.headers["X-RateLimit-Dimension"] == "developer_qpm"
    sb.fault("*", "http_429", nth=1, retry_after="3")
    answer = hit(sb, token)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3")


@pytest.mark.parametrize(
    ("effect", "check"),
    [
        ("http_500", lambda r: r.status_code == 500),
        ("html", lambda r: r.status_code == 200 and r.text.startswith("<!doctype html>")),
        ("half_json", lambda r: r.status_code == 200 and r.text.startswith('{"code"')),
        ("empty", lambda r: r.status_code == 200 and r.content == b""),
    ],
)
@pytest.mark.parametrize("after", [False, True])
def test_answers_that_are_no_envelope(
    sb: Sandbox, token: str, effect: str, check: Any, after: bool
):
    """`after` lets the work happen first; either way the client cannot tell."""
    path = sb.file_path(token, phone_zip(0, 1))
    sb.fault("data_source/create", effect, nth=1, after=after)
    body = {
        "advertiser_id": OWNER,
        "data_source_name": "x",
        "data_format": 0,
        "file_storage_type": 0,
        "file_paths": [path],
    }
    answer = sb.raw(
        "POST",
        "/open_api/2/dmp/data_source/create/",
        json=body,
        headers={"Access-Token": token},
    )
    assert check(answer)
    with pytest.raises(ValueError):
        answer.json()
    assert len(sb.state()["data_sources"]) == int(after)
    assert sb.requests("data_source/create")[0]["faults"] != []


def test_a_dropped_connection_before_and_after_the_work():
    with running_sandbox() as sb:
        token = sb.authorize().access
        path = sb.file_path(token, phone_zip(0, 1))
        body = {
            "advertiser_id": OWNER,
            "data_source_name": "x",
            "data_format": 0,
            "file_storage_type": 0,
            "file_paths": [path],
        }
        for effect, made in (("drop_before", 0), ("drop_after", 1)):
            sb.clear_faults()
            sb.fault("data_source/create", effect, nth=1)
            with pytest.raises(httpx.TransportError):
                sb.post("2/dmp/data_source/create/", body, token)
            assert len(sb.state()["data_sources"]) == made
        assert sb.get("2/user/info/", token=token)["code"] == 0


def test_a_dropped_upload():
    with running_sandbox() as sb:
        token = sb.authorize().access
        sb.fault("file/upload", "drop_before", nth=1)
        with pytest.raises(httpx.TransportError):
            sb.upload(token, b"\0" * 30_000_000)
        assert sb.upload(token, phone_zip(0, 1))["code"] == 0


def test_delay_lets_others_through(sb: Sandbox, token: str):
    sb.fault("user/info", "delay", seconds=0.05, nth=1)
    hit(sb, token)
    assert sb.requests("user/info")[0]["milliseconds"] >= 50


def test_parsing_can_be_slow_or_fail():
    with local_sandbox(speed=60) as sb:
        token = sb.authorize().access
        sb.fault("data_source/create", "slow", factor=100, nth=1)
        sb.fault("data_source/create", "fail_parse", message="文件损坏", nth=2)
        sb.data_source(token, phone_zip(0, 1), name="slow")
        sb.data_source(token, phone_zip(0, 1), name="bad")
        sb.advance(minutes=3)
        slow, bad = sb.state()["data_sources"]
        assert slow["state"] == "processing"
        assert (bad["state"], bad["logs"][0]["message"]) == ("failed", "文件损坏")
        sb.advance(hours=2)
        assert sb.state()["data_sources"][0]["state"] == "effective"


def test_list_lag_and_clock_jump(sb: Sandbox, token: str):
    before = sb.state()["now"]
    sb.fault("data_source/create", "list_lag", seconds=600, nth=1)
    sb.fault("user/info", "clock_jump", seconds=3600, nth=1)
    source = sb.data_source(token, phone_zip(0, 1))
    query = {"advertiser_id": OWNER, "data_source_id_list": [source]}
    assert sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"] == []
    hit(sb, token)
    assert len(sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"]) == 1
    assert sb.state()["now"] - before >= 3600


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_status_without_a_body_has_none(status: int):
    """A body there would break the connection in another way than was asked for."""
    with running_sandbox() as sb:
        token = sb.authorize().access
        sb.fault("user/info", f"http_{status}", nth=1)
        answer = hit(sb, token)
        assert (answer.status_code, answer.content) == (status, b"")
        assert hit(sb, token).json()["code"] == 0


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_a_plan_can_be_a_file(tmp_path: Path, kind: str):
    plan = tmp_path / f"plan.{kind}"
    entry = {"route": "user/info", "effect": "refuse", "code": 40130, "nth": 1}
    plan.write_text(json.dumps([entry] if kind == "json" else {"faults": [entry]}), "utf-8")
    with local_sandbox(faults=plan) as sb:
        token = sb.authorize().access
        assert codes(sb, token, 2) == [40130, 0]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plan.json", "{"),
        ("plan.yaml", "a: [1"),
        ("plan.json", "3"),
        ("plan.json", '[{"route": "x"}]'),
        ("plan.json", "[3]"),
    ],
)
def test_a_plan_file_that_is_none_names_the_file(tmp_path: Path, name: str, text: str):
    plan = tmp_path / name
    plan.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"fault|plan\."), local_sandbox(faults=plan):
        pass


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"route": "x"},
        {"route": "x", "effect": "nonsense"},
        {"route": "x", "effect": "refuse", "typo": 1},
        {"faults": "x"},
        {"route": "x", "effect": "refuse", "nth": "2"},
        {"route": 1, "effect": "refuse"},
        {"route": "x", "effect": "http_9"},
        {"route": "x", "effect": "http_x"},
        {"route": "x", "effect": "http_²"},
        {"route": "", "effect": "refuse"},
        {"route": "x", "effect": "refuse", "every": 0},
        {"route": "x", "effect": "refuse", "nth": 0},
        {"route": "x", "effect": "refuse", "nth": True},
        {"route": "x", "effect": "refuse", "start": 2},
        {"route": "x", "effect": "refuse", "retry_after": "1\r\nX: y"},
        {"route": "x", "effect": "clock_jump", "seconds": 1e300},
        {"route": "x", "effect": "slow", "factor": -1},
        {"route": "x", "effect": "refuse", "seen": 5},
        {"route": "data_source/creat", "effect": "refuse"},
        {"route": "ource/create", "effect": "refuse"},
        {"route": "data_source/create", "effect": "refuse", "code": 0},
        {"route": "data_source/create", "effect": "refuse", "nth": 1, "every": 2},
        {"route": "data_source/create", "effect": "refuse", "nth": 1, "to": 2},
        {"route": "data_source/create", "effect": "refuse", "from": 3, "to": 2},
        {"route": "data_source/create", "effect": "delay"},
        {"route": "data_source/create", "effect": "delay", "seconds": -1},
        {"route": "data_source/create", "effect": "clock_jump"},
        {"route": "data_source/create", "effect": "slow"},
    ],
)
def test_a_wrong_fault_is_named_and_changes_nothing(sb: Sandbox, entry: dict):
    answer = sb.raw("POST", "/_sandbox/faults", json=entry)
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert sb.browse("/_sandbox/faults").json() == []


def test_the_fault_that_makes_no_sense_is_numbered(sb: Sandbox):
    good = {"route": "*", "effect": "html"}
    answer = sb.raw("POST", "/_sandbox/faults", json={"faults": [good, {**good, "route": "nope"}]})
    assert answer.json()["error"] == "fault 2 makes no sense: no endpoint's path ends with 'nope'"
    assert sb.browse("/_sandbox/faults").json() == []


def test_the_log_says_what_came_and_why_without_secrets(sb: Sandbox):
    tokens = sb.authorize()
    sb.get("oauth2/advertiser/get/", {"access_token": tokens.access})
    sb.post("2/dmp/custom_audience/publish/", {"advertiser_id": OWNER}, tokens.access)
    sb.upload(tokens.access, phone_zip(0, 3))
    entries = sb.requests()
    exchange, listing, publish, upload = entries[-4:]
    assert exchange["fields"]["secret"] == exchange["fields"]["auth_code"] == "***"
    assert listing["fields"] == {"access_token": "***"}
    assert (publish["code"], publish["http_status"]) == (40001, 200)
    assert "custom_audience_id" in publish["message"]
    assert upload["fields"]["file"].endswith("bytes>")
    shown = json.dumps(entries)
    for secret in (*tokens_of(sb), sb.secret):
        assert secret not in shown


def test_the_log_shows_no_id_of_a_person(sb: Sandbox, token: str):
    """Whatever mistake a client makes: a file as text, ids in fields of its own, lists, filters."""
    phone, path = "13800138001", "2/dmp/data_source/create/"
    upload = "/open_api/v1.0/qianchuan/audience_file/upload/"
    part = {"advertiser_id": (None, "1"), "file": (None, f"{phone}\n" * 40)}
    sb.raw("POST", upload, files=part, headers={"Access-Token": token})
    for value in (phone, [phone], {"phone": phone}, {"access_token": token}, int(phone)):
        sb.post(path, {"advertiser_id": OWNER, "ids": value}, token)
    sb.get("2/dmp/brand/get/", {"advertiser_id": OWNER, "accessToken": token}, token)
    query = {"enterprise_organization_id": 1, "filtering": {"phone": phone}}
    sb.get("2/ebp/advertiser/list/", query, token)
    sb.raw("POST", f"/open_api/{path}", content=phone, headers={"Access-Token": token})
    sb.raw("GET", "/open_api/2/user/info/", json={"phone": phone}, headers={"Access-Token": token})
    shown = json.dumps(sb.requests()) + sb.browse("/console/log").text
    assert phone not in shown
    assert token not in shown
    assert "ids" in shown


def tokens_of(sb: Sandbox) -> list[str]:
    issued = sb.tokens()
    assert len(issued) >= 3
    return issued


def test_a_limit_of_calls_per_second_answers_40110():
    with local_sandbox(qps=2) as sb:
        token = sb.authorize().access
        answers = [hit(sb, token) for _ in range(3)]
        assert [each.json()["code"] for each in answers] == [0, 0, 40110]
        assert answers[2].headers["X-RateLimit-RetryIn"] == "1"
