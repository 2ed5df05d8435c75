"""Words of others are shown without what they quote."""

import base64
import hashlib

import pytest

from yuntu_push.domain.scrubbing import HIDDEN, scrubbed

PHONE = "13912345678"
DIGEST = hashlib.sha256(PHONE.encode())


@pytest.mark.parametrize(
    "value",
    [
        PHONE,
        f"+86{PHONE}",
        f"86 {PHONE}",
        "139 1234 5678",
        "139-1234-5678",
        DIGEST.hexdigest(),
        DIGEST.hexdigest().upper(),
        base64.b64encode(DIGEST.digest()).decode(),
        hashlib.md5(PHONE.encode()).hexdigest(),
        "7D3E4F5A-1B2C-4D5E-8F90-A1B2C3D4E5F6",
        "490154203237518",
        "11010519491231002X",
        "8665bec59fe45a76165013b1aff53d7fda814be3",
        "1b9f_-Zk7Jd2Qp0Xr4Tt6Vw8Ya1Bc3De5Fg7Hi9Jk",
    ],
)
@pytest.mark.parametrize("frame", ["{}", "手机号{}无效", 'id "{}", row 3', "[{}]", "value={};"])
def test_an_id_a_digest_or_a_token_is_hidden(value: str, frame: str):
    said = scrubbed(frame.format(value))

    assert value not in said
    assert said.replace("+", "") == frame.format(HIDDEN)


@pytest.mark.parametrize(
    "text",
    ["access_token=abc123def", 'secret: "s3cr3t-x"', "Bearer abcdef.123", "auth_code：x1y2z3w4"],
)
def test_what_is_named_a_secret_is_hidden_whatever_it_looks_like(text: str):
    said = scrubbed(text)

    assert HIDDEN in said
    assert not any(part in said for part in ("abc123", "s3cr3t", "abcdef", "x1y2"))


@pytest.mark.parametrize(
    "text",
    [
        "参数 advertiser_id 1700000000000001 无权限",
        "人群包 512000042 状态不对，code=40001",
        "audience 高价值会员_1126_k7q2m9 at 2026-11-26 06:19, 10000000 ids, 24 h",
        "the token is invalid; refresh token expired",
    ],
)
def test_what_helps_to_understand_stays(text: str):
    assert scrubbed(text) == text
