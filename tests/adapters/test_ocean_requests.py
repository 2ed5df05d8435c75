"""Each call goes out as the vendor declares it: method, path, parameters, body, headers."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from support.ocean import (
    API,
    FRESH_TOKEN,
    QUICK,
    TOKEN,
    FakeClock,
    FixedTokens,
    a_channel,
    a_client,
    a_directory,
    answer,
)
from yuntu_push.adapters.ocean.client import OceanClient
from yuntu_push.adapters.ocean.oauth import OceanOAuth
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import LoginError, OutcomeUnknownError, UnreachableError
from yuntu_push.domain.platform import DeliveryStatus, Operation
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import msg

OWNER, AUDIENCE, VIRTUAL = 1700000000000001, 312000740, 1760000000000001
BIG = 9_223_372_036_854_775_807  # the largest id the wire's 64 bits can hold
DMP = "/open_api/2/dmp/"


def _sent(route: respx.Route) -> httpx.Request:
    request: httpx.Request = route.calls.last.request
    return request


def _body(route: respx.Route) -> Any:
    return json.loads(_sent(route).content)


Act = Callable[[OceanClient], object]
WRITES: dict[str, tuple[str, Act, dict[str, Any], Any]] = {
    "create_data_source": (
        "data_source/create/",
        lambda c: c.create_data_source(
            advertiser_id=BIG, name="高价值会员", description="d", file_paths=["a", "b"],
            source_type="DID",
        ),
        {
            "advertiser_id": BIG, "data_source_name": "高价值会员", "description": "d",
            "data_format": 0, "file_storage_type": 0, "file_paths": ["a", "b"],
            "data_source_type": "DID",
        },
        {"data_source_id": "abc"},
    ),
    "update_data_source": (
        "data_source/update/",
        lambda c: c.update_data_source(
            advertiser_id=OWNER, data_source_id="abc", operation=Operation.RESET, file_paths=["a"]
        ),
        {
            "advertiser_id": OWNER, "data_source_id": "abc", "operation_type": 3,
            "data_format": 0, "file_storage_type": 0, "file_paths": ["a"],
        },
        None,
    ),
    "publish": (
        "custom_audience/publish/",
        lambda c: c.publish(advertiser_id=OWNER, custom_audience_id=AUDIENCE),
        {"advertiser_id": OWNER, "custom_audience_id": AUDIENCE},
        {},
    ),
    "push": (
        "custom_audience/push_v2/",
        lambda c: c.push(advertiser_id=OWNER, custom_audience_id=AUDIENCE, targets=[OWNER, BIG]),
        {
            "advertiser_id": OWNER, "custom_audience_id": AUDIENCE,
            "target_advertiser_ids": [OWNER, BIG],
        },
        {},
    ),
    "copy": (
        "custom_audience/copy/",
        lambda c: c.copy(
            advertiser_id=OWNER, custom_audience_id=AUDIENCE, virtual_adv_id=VIRTUAL
        ),
        {"advertiser_id": OWNER, "custom_audience_id": AUDIENCE, "to_advertiser_id": VIRTUAL},
        {"custom_audience_id": "512000089"},
    ),
    "delete": (
        "custom_audience/delete/",
        lambda c: c.delete_audience(advertiser_id=OWNER, custom_audience_id=AUDIENCE),
        {"advertiser_id": OWNER, "custom_audience_id": AUDIENCE},
        {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRITES)
@respx.mock
def test_a_write_is_one_post_of_json(name: str) -> None:
    """Ids are JSON numbers with all their digits; the token is in its header."""
    path, act, body, data = WRITES[name]
    route = respx.post(f"{API}{DMP}{path}").respond(json=answer(data))

    act(a_client())

    assert _body(route) == body
    request = _sent(route)
    assert request.headers["Access-Token"] == TOKEN
    assert request.headers["Content-Type"] == "application/json"
    assert request.url.query == b""
    assert request.headers["User-Agent"].startswith("yuntu-push/")


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("trouble", ["timeout", "dropped", "html", "500", "50000", "empty"])
@respx.mock
def test_a_write_without_a_usable_answer_is_unknown_and_never_repeated(
    name: str, trouble: str
) -> None:
    """Whether the platform acted is for the caller to find out; sending it again is not ours."""
    path, act, _body, _data = WRITES[name]
    route = respx.post(f"{API}{DMP}{path}")
    match trouble:
        case "timeout":
            route.side_effect = httpx.ReadTimeout("")
        case "dropped":
            route.side_effect = httpx.RemoteProtocolError("peer closed")
        case "html":
            route.respond(html="<html>502</html>")
        case "500":
            route.respond(500, text="oops")
        case "50000":
            route.respond(json=answer(code=50000, message="系统错误"))
        case "empty":
            route.respond(content=b"")

    with pytest.raises(OutcomeUnknownError):
        act(a_client())

    assert route.call_count == 1


@respx.mock
def test_copy_can_send_a_list() -> None:
    """The vendor's SDKs disagree on the type; a setting decides."""
    route = respx.post(f"{API}{DMP}custom_audience/copy/").respond(json=answer({}))
    client = a_client(api=replace(QUICK, copy_to="list"))

    copied = client.copy(advertiser_id=OWNER, custom_audience_id=AUDIENCE, virtual_adv_id=VIRTUAL)

    assert copied is None
    assert _body(route)["to_advertiser_id"] == [VIRTUAL]


@respx.mock
def test_targets_go_a_hundred_at_a_time() -> None:
    """More than the platform takes in a call become several calls."""
    route = respx.post(f"{API}{DMP}custom_audience/push_v2/").respond(json=answer({}))
    targets = list(range(BIG - 249, BIG + 1))

    a_client().push(advertiser_id=OWNER, custom_audience_id=AUDIENCE, targets=targets)

    sent = [json.loads(call.request.content)["target_advertiser_ids"] for call in route.calls]
    assert [len(batch) for batch in sent] == [100, 100, 50]
    assert targets == [target for batch in sent for target in batch]


@respx.mock
def test_a_creation_without_an_id_is_unknown() -> None:
    """Success without the one thing it must tell: the source may exist, so it is looked for."""
    respx.post(f"{API}{DMP}data_source/create/").respond(json=answer({"data_source_id": None}))

    with pytest.raises(OutcomeUnknownError) as caught:
        a_client().create_data_source(
            advertiser_id=OWNER, name="n", description="", file_paths=["a"], source_type="UID"
        )

    assert caught.value.code == "PLATFORM_ANSWER_UNREADABLE"


@respx.mock
def test_an_upload_is_multipart_with_its_signature(tmp_path: Path) -> None:
    """Text parts for the scalars, the zip under its base name, MD5 in hex."""
    part = tmp_path / "part-0001.zip"
    part.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 100)
    md5 = hashlib.md5(part.read_bytes()).hexdigest()
    route = respx.post(f"{API}{DMP}data_source/file/upload/").respond(
        json=answer({"file_path": "dmp-0123"})
    )

    path = a_client().upload(advertiser_id=OWNER, path=part, md5=md5)

    assert path == "dmp-0123"
    request = _sent(route)
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")
    assert int(request.headers["Content-Length"]) == len(request.content)
    body = request.content
    assert b'name="advertiser_id"\r\n\r\n1700000000000001\r\n' in body
    assert f'name="file_signature"\r\n\r\n{md5}\r\n'.encode() in body
    assert b'name="file"; filename="part-0001.zip"\r\nContent-Type: application/zip' in body
    assert part.read_bytes() in body


@respx.mock
def test_reads_send_json_in_the_query() -> None:
    """A list is a compact JSON array; strings in it are quoted, numbers are digits."""
    read = respx.get(f"{API}{DMP}data_source/read/").respond(json=answer({"data_list": []}))
    audiences = respx.get(f"{API}{DMP}custom_audience/read/").respond(
        json=answer({"custom_audience_list": []})
    )

    a_client().data_sources(advertiser_id=OWNER, ids=["a", "b"])
    a_client().read_audiences(advertiser_id=OWNER, ids=[1, BIG])

    assert dict(_sent(read).url.params) == {
        "advertiser_id": str(OWNER),
        "data_source_id_list": '["a","b"]',
    }
    assert dict(_sent(audiences).url.params) == {
        "advertiser_id": str(OWNER),
        "custom_audience_ids": f"[1,{BIG}]",
    }
    assert "Content-Type" not in _sent(read).headers


@respx.mock
def test_a_data_source_is_read_in_either_spelling() -> None:
    """Counters may be null, ids quoted, fields spelled two ways, enums new: all are understood."""
    respx.get(f"{API}{DMP}data_source/read/").respond(
        json=answer(
            {
                "data_list": [
                    {"data_source_id": "second", "status": 1, "upload_num": None},
                    {
                        "data_source_id": "first",
                        "name": "n",
                        "status": "2",
                        "upload_num": None,
                        "latest_published_time": "2026-11-23 10:00:00",
                        "lastest_published_change_log_id": -1,
                        "change_logs": [
                            {"change_log_id": 7, "status": 3, "action": 0, "message": "坏文件"}
                        ],
                        "default_audience": {
                            "custom_audience_id": str(BIG),
                            "source": 6,
                            "delivery_status": "CUSTOM_AUDIENCE_DELIVERY_STATUS_NEED_PUSH",
                            "expire_date": "2027-05-23",
                            "isdel": 0,
                        },
                    },
                    {"name": "without an id"},
                    "no object",
                ]
            }
        )
    )

    first, second = a_client().data_sources(advertiser_id=OWNER, ids=["first", "second", "third"])

    assert (first.data_source_id, second.data_source_id) == ("first", "second")
    assert (first.status, first.upload_num, first.published_change_log_id) == (2, None, None)
    assert first.published_time == "2026-11-23 10:00:00"
    assert [(log.status, log.message) for log in first.change_logs] == [(3, "坏文件")]
    assert first.audience is not None
    assert first.audience.custom_audience_id == BIG
    assert first.audience.delivery_status is DeliveryStatus.NEED_PUSH
    assert first.audience.expiry_date == "2027-05-23"
    assert second.audience is None


@respx.mock
def test_an_unknown_status_is_no_failure() -> None:
    """The platform may add states; what we don't know is None."""
    respx.get(f"{API}{DMP}custom_audience/read/").respond(
        json=answer(
            {"custom_audience_list": [{"custom_audience_id": 5, "delivery_status": "NEW_STATE"}]}
        )
    )

    [audience] = a_client().read_audiences(advertiser_id=OWNER, ids=[5])

    assert audience.delivery_status is None


@respx.mock
def test_the_audience_list_is_followed_to_its_end() -> None:
    """Next offset is offset + limit, until the total is reached; pages come as they are needed."""
    rows = [{"custom_audience_id": n, "name": str(n)} for n in range(1, 251)]

    def page(request: httpx.Request) -> httpx.Response:
        offset, limit = (int(request.url.params[name]) for name in ("offset", "limit"))
        data = {
            "custom_audience_list": rows[offset : offset + limit],
            "total_num": 250,
            "offset": offset,
        }
        return httpx.Response(200, json=answer(data))

    route = respx.get(f"{API}{DMP}custom_audience/select/").mock(side_effect=page)
    found = a_client().audiences(advertiser_id=OWNER)
    next(found)
    assert route.call_count == 1

    assert list(range(2, 251)) == [a.custom_audience_id for a in found]
    assert route.call_count == 3
    assert _sent(route).url.params["select_type"] == "0"


@pytest.mark.parametrize("code", [40102, 40104, 40105])
@respx.mock
def test_a_refused_token_is_replaced_once(code: int, tmp_path: Path) -> None:
    """The call was not carried out, so it is sent again with the fresh token, file and all."""
    part = tmp_path / "p.zip"
    part.write_bytes(b"z" * 200_000)
    tokens = FixedTokens()
    route = respx.post(f"{API}{DMP}data_source/file/upload/").mock(
        side_effect=[
            httpx.Response(200, json=answer(code=code)),
            httpx.Response(200, json=answer({"file_path": "dmp-1"})),
        ]
    )

    path = a_client(tokens=tokens).upload(advertiser_id=OWNER, path=part, md5="0" * 32)

    assert path == "dmp-1"
    assert tokens.replaced == [TOKEN]
    first, second = (call.request for call in route.calls)
    assert (first.headers["Access-Token"], second.headers["Access-Token"]) == (TOKEN, FRESH_TOKEN)
    assert b"z" * 200_000 in second.content


@respx.mock
def test_a_token_refused_twice_asks_for_a_login() -> None:
    """One replacement, then the person."""
    route = respx.post(f"{API}{DMP}custom_audience/publish/").respond(json=answer(code=40105))

    with pytest.raises(LoginError) as caught:
        a_client().publish(advertiser_id=OWNER, custom_audience_id=AUDIENCE)

    assert caught.value.code == "AUTH_LOGIN_REQUIRED"
    assert "auth login acme" in str(caught.value.hint)
    assert route.call_count == 2


@pytest.mark.parametrize("refused", [False, True], ids=["due", "refused"])
@respx.mock
def test_a_renewal_without_an_answer_leaves_no_write_in_doubt(refused: bool) -> None:
    """The call itself was not sent, or not carried out: nobody has to look for its effect."""

    class Unknown(FixedTokens):
        def access_token(self, channel: Channel) -> SecretText:
            return super().access_token(channel) if refused else self._lost()

        def replace_refused(self, channel: Channel, refused: SecretText) -> SecretText:
            return self._lost()

        def _lost(self) -> SecretText:
            raise OutcomeUnknownError("PLATFORM_TIMEOUT", msg("no answer"))

    route = respx.post(f"{API}{DMP}custom_audience/copy/").respond(json=answer(code=40102))

    with pytest.raises(UnreachableError) as caught:
        a_client(tokens=Unknown()).copy(
            advertiser_id=OWNER, custom_audience_id=AUDIENCE, virtual_adv_id=VIRTUAL
        )

    assert caught.value.code == "PLATFORM_TIMEOUT"
    assert route.call_count == refused


@respx.mock
def test_authorised_accounts_carry_the_token_in_the_query() -> None:
    """So the vendor declares it; there is no token header on this call."""
    route = respx.get(f"{API}/open_api/oauth2/advertiser/get/").respond(
        json=answer(
            {
                "list": [
                    {
                        "account_id": BIG,
                        "account_name": "工作台",
                        "account_type": "CUSTOMER_ADMIN",
                        "is_valid": True,
                        "company_list": [{"customer_company_id": 77}],
                    },
                    {"advertiser_id": "1700000000000009", "advertiser_role": 1, "is_valid": False},
                    {"account_name": "without an id"},
                ]
            }
        )
    )

    first, second = a_directory().authorized_accounts(a_channel())

    assert dict(_sent(route).url.params) == {"access_token": TOKEN}
    assert "Access-Token" not in _sent(route).headers
    assert (first.account_id, first.account_type, first.company_ids) == (
        BIG, "CUSTOMER_ADMIN", (77,),
    )  # fmt: skip
    assert (second.account_id, second.account_type, second.valid) == (
        1700000000000009, "ADVERTISER", False,
    )  # fmt: skip


@respx.mock
def test_brands_without_a_virtual_advertiser_are_left_out() -> None:
    """A copy could not go there."""
    respx.get(f"{API}{DMP}brand/get/").respond(
        json=answer(
            {
                "brand_info": [
                    {"brand_id": 1, "brand_name": "某品牌", "virtual_adv_id": str(VIRTUAL)},
                    {"brand_id": 2, "brand_name": "x"},
                ]
            }
        )
    )

    [brand] = a_directory().brands(a_channel(), OWNER)

    assert (brand.brand_name, brand.virtual_adv_id) == ("某品牌", VIRTUAL)


@pytest.mark.parametrize("data", [None, {}, {"brand_info": None}, {"brand_info": []}])
@respx.mock
def test_no_relation_with_yuntu_is_no_brand(data: Any) -> None:
    """The list may be empty or missing."""
    respx.get(f"{API}{DMP}brand/get/").respond(json=answer(data))

    assert a_directory().brands(a_channel(), OWNER) == []


TOKEN_DATA = {
    "access_token": "a1",
    "refresh_token": "r1",
    "expires_in": 86399,
    "refresh_token_expires_in": 2591999,
}


@respx.mock
def test_a_code_is_exchanged_without_a_token() -> None:
    """The application proves itself by its Secret in the body."""
    route = respx.post(f"{API}/open_api/oauth2/access_token/").respond(json=answer(TOKEN_DATA))

    found = OceanOAuth(QUICK, FakeClock()).exchange(
        a_channel(), SecretText("s3"), SecretText("c0de")
    )

    assert _body(route) == {"app_id": 1234567890123456, "secret": "s3", "auth_code": "c0de"}
    assert "Access-Token" not in _sent(route).headers
    assert (found.access_token, found.refresh_token) == ("a1", "r1")
    assert (found.expires_in, found.refresh_expires_in) == (86399, 2591999)


@respx.mock
def test_older_documents_grant_type_can_be_sent() -> None:
    """Gone from the present documents, so it is a setting."""
    route = respx.post(f"{API}/open_api/oauth2/refresh_token/").respond(json=answer(TOKEN_DATA))
    api = replace(QUICK, grant_type=True)

    OceanOAuth(api, FakeClock()).refresh(
        a_channel(), SecretText("s3"), SecretText("r0"), on_answer=lambda _body: None
    )

    assert _body(route)["grant_type"] == "refresh_token"


@respx.mock
def test_the_raw_answer_of_a_refresh_is_handed_over_before_it_is_parsed() -> None:
    """What it keeps can be parsed later, by another process."""
    respx.post(f"{API}/open_api/oauth2/refresh_token/").respond(json=answer(TOKEN_DATA))
    kept: list[bytes] = []
    oauth = OceanOAuth(QUICK, FakeClock())

    found = oauth.refresh(a_channel(), SecretText("s"), SecretText("r0"), on_answer=kept.append)

    assert [found] == [oauth.parse(body) for body in kept]


@pytest.mark.parametrize(
    ("code", "message", "name", "step"),
    [
        (40107, "refresh_token 错误或已被使用", "AUTH_LOGIN_REQUIRED", "auth login acme"),
        (40103, "refresh_token 已过期", "AUTH_LOGIN_REQUIRED", "auth login acme"),
        (40002, "auth_code 已过期", "AUTH_LOGIN_REQUIRED", "auth login acme"),
        (40001, "secret 与 app_id 不匹配", "APP_REFUSED", "set-secret acme"),
        (40101, "无效的应用", "APP_REFUSED", "set-secret acme"),
        (40108, "grant type error", "AUTH_LOGIN_REQUIRED", "api.grant_type"),
    ],
)
@respx.mock
def test_a_refused_token_call_tells_what_to_mend(
    code: int, message: str, name: str, step: str
) -> None:
    """A wrong Secret, a used code and an old refresh token have different next steps."""
    respx.post(f"{API}/open_api/oauth2/refresh_token/").respond(
        json=answer(code=code, message=message)
    )

    with pytest.raises(LoginError) as caught:
        OceanOAuth(QUICK, FakeClock()).refresh(
            a_channel(), SecretText("s"), SecretText("r0"), on_answer=lambda _body: None
        )

    assert (caught.value.code, caught.value.platform_code) == (name, code)
    assert step in str(caught.value.hint)


@pytest.mark.parametrize("missing", TOKEN_DATA)
@respx.mock
def test_half_an_answer_of_tokens_is_unknown_and_not_repeated(missing: str) -> None:
    """The refresh token may be spent: one attempt, and the truth about it."""
    data = {name: value for name, value in TOKEN_DATA.items() if name != missing}
    route = respx.post(f"{API}/open_api/oauth2/refresh_token/").respond(json=answer(data))

    with pytest.raises(OutcomeUnknownError):
        OceanOAuth(QUICK, FakeClock()).refresh(
            a_channel(), SecretText("s"), SecretText("r0"), on_answer=lambda _body: None
        )

    assert route.call_count == 1
