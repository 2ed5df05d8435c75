"""Answers become data or a typed error; nothing that arrives makes the client stumble."""

import contextlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.ocean import START, answer
from yuntu_push.adapters.ocean import envelope, models
from yuntu_push.adapters.ocean.envelope import Reply
from yuntu_push.domain.errors import (
    LoginError,
    OutcomeUnknownError,
    RefusedError,
    ThrottledError,
    TryLaterError,
    YuntuPushError,
)

DMP = "/open_api/2/dmp/"
PUBLISH = f"{DMP}custom_audience/publish/"
CREATE = f"{DMP}data_source/create/"
UPDATE = f"{DMP}data_source/update/"
PUSH = f"{DMP}custom_audience/push_v2/"
COPY = f"{DMP}custom_audience/copy/"


def _reply(
    document: object = None,
    *,
    path: str = CREATE,
    status: int = 200,
    body: bytes | None = None,
    **headers: str,
) -> Reply:
    raw = json.dumps(document, ensure_ascii=False).encode() if body is None else body
    return Reply(path, status, {k.replace("_", "-"): v for k, v in headers.items()}, raw)


def _error(reply: Reply) -> YuntuPushError:
    with pytest.raises(YuntuPushError) as caught:
        envelope.opened(reply, channel="acme", now=START)
    return caught.value


@pytest.mark.parametrize(
    ("document", "data"),
    [
        (answer({"a": 1}), {"a": 1}),
        (answer([1]), [1]),
        (answer(), None),
        ({**answer(), "data": None}, None),
        ({**answer({}), "code": "0", "surprise": {"x": []}}, {}),
        ({**answer({"id": 9_007_199_254_740_993}), "message": "success"}, {"id": 2**53 + 1}),
    ],
)
def test_success_is_code_0_whatever_else_is_said(document: object, data: object) -> None:
    """Messages vary, fields are added, `data` may be missing: only the code decides."""
    assert envelope.opened(_reply(document), channel="acme", now=START) == data


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        (40000, RefusedError, "PLATFORM_REFUSED"),
        (40001, RefusedError, "PLATFORM_REFUSED"),
        (40002, LoginError, "AUTH_RIGHT_MISSING"),
        (40003, RefusedError, "PLATFORM_REFUSED"),
        (40100, ThrottledError, "PLATFORM_THROTTLED"),
        (40102, LoginError, "AUTH_LOGIN_REQUIRED"),
        (40103, LoginError, "AUTH_LOGIN_REQUIRED"),
        (40105, LoginError, "AUTH_LOGIN_REQUIRED"),
        (40107, LoginError, "AUTH_LOGIN_REQUIRED"),
        (40110, ThrottledError, "PLATFORM_THROTTLED"),
        (40118, LoginError, "AUTH_RIGHT_MISSING"),
        (40119, LoginError, "AUTH_RIGHT_MISSING"),
        (40130, ThrottledError, "PLATFORM_THROTTLED"),
        (40300, RefusedError, "ACCOUNT_BLOCKED"),
        (40900, RefusedError, "UPLOAD_SIGNATURE"),
        (50000, OutcomeUnknownError, "PLATFORM_SERVER_ERROR"),
        (51007, OutcomeUnknownError, "PLATFORM_SERVER_ERROR"),
        (61002, TryLaterError, "CALL_QUOTA"),
        (61003, RefusedError, "ACCOUNT_BLOCKED"),
        (987654, RefusedError, "PLATFORM_REFUSED"),
        (-1, RefusedError, "PLATFORM_REFUSED"),
    ],
)
def test_each_code_takes_the_path_of_its_class(
    code: int, kind: type[YuntuPushError], name: str
) -> None:
    """Throttled, quota, transient, permanent and login are five different ways on."""
    error = _error(_reply(answer(code=code, message="说明"), path="/open_api/2/user/info/"))

    assert (type(error), error.code, error.platform_code) == (kind, name, code)
    assert error.request_id == "2026112312000001"
    assert "说明" in str(error.message)
    assert error.hint is not None


@pytest.mark.parametrize(
    ("path", "code", "text", "kind", "name"),
    [
        (PUBLISH, 40001, "该人群包 24 小时内只能发布一次", TryLaterError, "PUBLISH_WINDOW"),
        (PUBLISH, 40002, "24小时内已发布过,请勿频繁发布", TryLaterError, "PUBLISH_WINDOW"),
        (PUBLISH, 40001, "only once in 24 hours", TryLaterError, "PUBLISH_WINDOW"),
        (CREATE, 40001, "今日创建数据源已达上限(100 次)", TryLaterError, "CREATE_QUOTA"),
        (CREATE, 40001, "daily create limit exceeded", TryLaterError, "CREATE_QUOTA"),
        (UPDATE, 40001, "该数据源今日更新已达上限(50 次)", TryLaterError, "UPDATE_QUOTA"),
        (PUSH, 40001, "目标广告主与人群包所属广告主不是同一主体", RefusedError, "OTHER_SUBJECT"),
        (PUSH, 40002, "only accounts of the same company", RefusedError, "OTHER_SUBJECT"),
        (COPY, 40002, "云图品牌未与该广告主绑定", LoginError, "YUNTU_NOT_BOUND"),
        (COPY, 40001, "对应的人群包尚未发布", TryLaterError, "AUDIENCE_NOT_READY"),
        (CREATE, 40001, "data_source_name 长度不能超过 30 个字符", RefusedError, "NAME_TOO_LONG"),
        (CREATE, 40001, "data_source_name 已存在", RefusedError, "NAME_TAKEN"),
        (UPDATE, 40001, "file_paths[3] 已过期(有效期 14 天)", RefusedError, "UPLOAD_EXPIRED"),
        (UPDATE, 40001, "data_source_id 对应的人群包已删除", RefusedError, "DATA_SOURCE_GONE"),
        (UPDATE, 40001, "the data source has been deleted", RefusedError, "DATA_SOURCE_GONE"),
        (PUBLISH, 40001, "该人群包已被删除", RefusedError, "DATA_SOURCE_GONE"),
        (PUBLISH, 40001, "custom_audience_id 对应的人群包已过期", RefusedError, "DATA_SOURCE_GONE"),
        (COPY, 40001, "custom_audience_id 对应的人群包已删除", RefusedError, "DATA_SOURCE_GONE"),
        (PUBLISH, 40001, "覆盖人数过少", RefusedError, "AUDIENCE_TOO_SMALL"),
        # The same words elsewhere mean nothing of the kind.
        (CREATE, 40001, "24 小时", RefusedError, "PLATFORM_REFUSED"),
        (PUBLISH, 40001, "custom_audience_id 不存在", RefusedError, "PLATFORM_REFUSED"),
        (
            PUSH,
            40001,
            "target_advertiser_ids[0] 不是有效的广告主",
            RefusedError,
            "PLATFORM_REFUSED",
        ),
        (COPY, 40001, "to_advertiser_id 不是云图虚拟广告主", RefusedError, "PLATFORM_REFUSED"),
        (COPY, 40002, "没有账户 1 的操作权限", LoginError, "AUTH_RIGHT_MISSING"),
    ],
)
def test_business_rules_are_known_by_their_words_where_they_apply(
    path: str, code: int, text: str, kind: type[YuntuPushError], name: str
) -> None:
    """They come as parameter or permission errors; the text and the endpoint tell them apart."""
    error = _error(_reply(answer(code=code, message=text), path=path))

    assert (type(error), error.code, error.platform_code) == (kind, name, code)


def test_daily_quotas_open_at_the_platforms_midnight() -> None:
    """The day is Beijing's, counted by the platform's clock."""
    late = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 23:59 in Beijing
    with pytest.raises(TryLaterError) as caught:
        envelope.opened(_reply(answer(code=61002)), channel="acme", now=late)

    assert caught.value.next_at == late + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"x_ratelimit_retryin": "7"}, 7.0),
        ({"x_ratelimit_retryin": "300", "retry_after": "5"}, 300.0),
        ({"retry_after": "2.5"}, 2.5),
        ({"retry_after": "Mon, 23 Nov 2026 04:02:00 GMT"}, 120.0),
        ({"retry_after": "Mon, 23 Nov 2026 03:00:00 GMT"}, 0.0),
        ({"retry_after": "86400"}, 3600.0),
        ({"retry_after": "-3"}, 0.0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({"retry_after": "inf"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [200, 429])
def test_the_platforms_hint_is_read_and_bounded(
    headers: dict[str, str], seconds: float | None, status: int
) -> None:
    """`X-RateLimit-RetryIn` before `Retry-After`, seconds or a date, an hour at most."""
    reply = (
        _reply(answer(code=40110), **headers)
        if status == 200
        else _reply(body=b"slow down", status=429, **headers)
    )
    error = _error(reply)

    assert isinstance(error, ThrottledError)
    assert error.retry_in == seconds
    expected = None if seconds is None else START + timedelta(seconds=seconds)
    assert error.next_at == expected


@pytest.mark.parametrize(
    ("status", "body", "kind", "name"),
    [
        (200, b"<html>login</html>", OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b"", OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b'{"code": 0, "da', OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b"[1, 2]", OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b'{"data": {}}', OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b'{"code": true}', OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b"\xff\xfe\x00", OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b"[" * 100_000, OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (200, b'{"code": ' + b"9" * 5000 + b"}", OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (302, b"", OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (502, b'{"code": 0}', OutcomeUnknownError, "PLATFORM_ANSWER_UNREADABLE"),
        (500, b"<html>", OutcomeUnknownError, "PLATFORM_SERVER_ERROR"),
        (504, b"", OutcomeUnknownError, "PLATFORM_SERVER_ERROR"),
        (408, b"", OutcomeUnknownError, "PLATFORM_SERVER_ERROR"),
        (403, b"<html>", RefusedError, "PLATFORM_HTTP_REFUSED"),
        (404, b"", RefusedError, "PLATFORM_HTTP_REFUSED"),
    ],
)
def test_what_is_no_envelope_is_told_by_its_status(
    status: int, body: bytes, kind: type[YuntuPushError], name: str
) -> None:
    """HTML, half a JSON, nothing, a gateway's page: a typed error, never a stumble."""
    error = _error(_reply(body=body, status=status, content_type="text/html"))

    assert (type(error), error.code) == (kind, name)


def test_a_hostile_message_becomes_one_bounded_line() -> None:
    """What the platform says is shown on a terminal: no control characters, no novel."""
    error = _error(_reply(answer(code=40001, message="\x1b[31mred\nline\x07 " + "长" * 5000)))

    text = str(error.message)
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 400


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    body=st.binary(max_size=200) | _JSON.map(lambda d: json.dumps(d).encode()),
    status=st.integers(100, 599),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-retryin", "content-type"]), st.text()
    ),
)
def test_no_answer_makes_it_stumble(body: bytes, status: int, headers: dict[str, str]) -> None:
    """Whatever arrives ends in data or in one of our errors."""
    with contextlib.suppress(YuntuPushError):
        envelope.opened(Reply(CREATE, status, headers, body), channel="acme", now=START)


@settings(max_examples=300, deadline=None)
@given(item=st.dictionaries(
    st.sampled_from([
        "custom_audience_id", "data_source_id", "name", "status", "delivery_status", "upload_num",
        "cover_num", "isdel", "default_audience", "change_logs", "brand_id", "virtual_adv_id",
        "account_id", "account_type", "is_valid", "company_list", "access_token", "expires_in",
        "lastest_published_change_log_id", "expire_date", "file_paths",
    ]),
    _JSON,
))  # fmt: skip
def test_no_item_makes_the_models_stumble(item: dict[str, object]) -> None:
    """Fields of another type than declared are left out, never a failure."""
    models.audience(item)
    models.data_source(item)
    models.brand(item)
    models.authorized_account(item)
    models.token_answer(item)
