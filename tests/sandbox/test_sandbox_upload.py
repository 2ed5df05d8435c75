"""What the upload takes and what it refuses: size, signature, zip, base64, protobuf, patterns."""

import base64
import hashlib
import io
import re
import zipfile
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from support.ocean_table import VECTORS
from support.sandbox import OWNER, Sandbox, dmp_line, dmp_zip, local_sandbox, phone_zip
from yuntu_push.proto.dmp_pb2 import DmpData, IdItem
from yuntu_push.sandbox.options import BadIds, SlowUpload
from yuntu_push.sandbox.upload_format import PATTERNS

VENDOR: dict[str, Any] = yaml.safe_load((VECTORS / "ocean_id_patterns.yaml").read_text("utf-8"))
DataType = IdItem.DataType
DIGEST32 = hashlib.md5(b"x").hexdigest()
DIGEST64 = hashlib.sha256(b"x").hexdigest()
UUID = "0a1b2c3d-1111-2222-3333-444455556666"


def zip_of(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("part.txt", content)
    return buffer.getvalue()


def test_a_path_has_the_observed_form(sb: Sandbox, token: str):
    path = sb.file_path(token, phone_zip(0, 10))
    assert re.fullmatch(r"[a-z]+-[0-9a-f]{32}", path)
    assert sb.state()["files"][0]["ids"] == 10


def test_the_signature_is_optional_and_case_does_not_matter(sb: Sandbox, token: str):
    content = phone_zip(0, 1)
    assert sb.upload(token, content, signature=None)["code"] == 0
    upper = hashlib.md5(content).hexdigest().upper()
    assert sb.upload(token, content, signature=upper)["code"] == 0


def test_a_wrong_signature_has_its_own_code(sb: Sandbox, token: str):
    assert sb.upload(token, phone_zip(0, 1), signature="0" * 32)["code"] == 40900


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "no zip": (b"hello", "zip"),
    "cut zip": (phone_zip(0, 1000)[:-40], "zip"),
    "stored": (zip_of(dmp_line([(6, DIGEST64)]), zipfile.ZIP_STORED), "deflate"),
    "lzma": (zip_of(dmp_line([(6, DIGEST64)]), zipfile.ZIP_LZMA), "deflate"),
    "empty file": (dmp_zip(b""), "没有任何 id"),
    "no base64": (dmp_zip(b"*** not base64 ***\n"), "base64"),
    "cut base64": (dmp_zip(dmp_line([(6, DIGEST64)])[:-3] + b"\n"), "base64"),
    "no protobuf": (dmp_zip(base64.b64encode(b"\xff\xff\xff") + b"\n"), "DmpData"),
    "plain text": (dmp_zip(base64.b64encode(b"13800000000") + b"\n"), "DmpData"),
    "no type": (dmp_zip(base64.b64encode(b"\n\x03\x1a\x01a") + b"\n"), "dataType"),
    "retired type 3": (dmp_zip(base64.b64encode(b"\n\x05\x10\x03\x1a\x01a") + b"\n"), "dataType"),
    "no ids": (dmp_zip(base64.b64encode(b"") + b"\n" + base64.b64encode(b"\x12\x00") + b"\n"), ""),
    "10,001 ids": (dmp_zip(dmp_line([(6, DIGEST64)] * 10_001)), "10000"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_cannot_be_read_is_refused_at_once(sb: Sandbox, token: str, name: str):
    content, word = BAD_FILES[name]
    answer = sb.upload(token, content)
    assert answer["code"] == 40001
    assert "file" in answer["message"]
    assert word in answer["message"]
    assert sb.state()["files"] == []


def test_ten_thousand_ids_on_a_line_are_fine(sb: Sandbox, token: str):
    line = dmp_line((6, hashlib.sha256(str(n).encode()).hexdigest()) for n in range(10_000))
    assert sb.upload(token, dmp_zip(line, line))["code"] == 0
    assert sb.state()["files"][0]["lines"] == 2


GOOD_IDS = [
    (0, "861234567890123"),
    (1, UUID),
    (1, UUID.upper()),
    (2, "1234567890"),
    (4, DIGEST32),
    (5, DIGEST32.upper()),
    (6, DIGEST64),
    (6, DIGEST64.upper()),
    (7, UUID),
    (8, DIGEST32),
]
BAD_IDS = [
    (0, "86123456789012"),
    (0, "8612345678901 3"),
    (1, UUID.replace("-", "")),
    (2, "12a"),
    (2, "１２３"),
    (4, DIGEST32[:16]),
    (5, DIGEST32 + "\n"),
    (6, DIGEST64[:-1] + "g"),
    (6, "13800000000"),
    (7, UUID.upper()),
    (7, DIGEST32),
    (8, DIGEST64),
    (8, ""),
]


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(sorted(VENDOR["patterns"])))
def test_the_patterns_are_the_vendors(data: st.DataObject, kind: int):
    """The same verdict as the vendor's validator on what fits, what nearly fits, and noise."""
    vendor = re.compile(VENDOR["patterns"][kind], re.ASCII)
    fitting = data.draw(st.from_regex(vendor, fullmatch=True))
    noise = data.draw(st.text("0123456789abcdefgABCDEFG-\n １", max_size=66))
    near = data.draw(st.sampled_from([fitting[1:], f"{fitting}0", fitting.upper(), f"{fitting}\n"]))
    for value in (fitting.rstrip("\n"), near, noise):
        wanted = vendor.fullmatch(value) is not None and not value.endswith("\n")
        assert (PATTERNS[kind].fullmatch(value) is not None) == wanted, value


def test_there_is_a_pattern_for_every_published_type():
    assert PATTERNS.keys() == VENDOR["patterns"].keys() == set(DataType.values())


def test_a_file_of_the_vendors_sample_form_is_parsed(sb: Sandbox, token: str):
    lines = []
    for items in VENDOR["sample"]:
        message = DmpData()
        for item in items:
            message.idList.add(
                dataType=item["type"],
                id=item["id"],
                tags=item["tags"],
                timestamp=item.get("timestamp"),
            )
        lines.append(base64.b64encode(message.SerializeToString()))
    for content in (b"\n".join(lines), b"\r\n".join(lines) + b"\r\n"):
        sb.audience(token, dmp_zip(content))
    assert [each["upload_num"] for each in sb.state()["audiences"]] == [4, 4]
    assert {each["state"] for each in sb.state()["data_sources"]} == {"effective"}


@pytest.mark.parametrize(("kind", "value"), GOOD_IDS)
def test_the_vendors_patterns_accept(sb: Sandbox, token: str, kind: int, value: str):
    assert sb.state()["files"] == []
    sb.data_source(token, dmp_zip(dmp_line([(kind, value)])))
    sb.advance(60)
    [source] = sb.state()["data_sources"]
    assert source["state"] == "effective"


@pytest.mark.parametrize(("kind", "value"), BAD_IDS)
def test_an_id_that_fails_its_pattern_fails_the_parse(
    sb: Sandbox, token: str, kind: int, value: str
):
    """The change log says where, never what."""
    sb.data_source(token, dmp_zip(dmp_line([(6, DIGEST64)]), dmp_line([(kind, value)])))
    sb.advance(60)
    [source] = sb.state()["data_sources"]
    assert source["state"] == "failed"
    query = {"advertiser_id": OWNER, "data_source_id_list": [source["id"]]}
    item = sb.get("2/dmp/data_source/read/", query, token)["data"]["data_list"][0]
    assert item["status"] == 3
    assert "第 2 行" in item["change_logs"][0]["message"]
    if value:
        assert value not in item["change_logs"][0]["message"]


@pytest.mark.parametrize("mode", [BadIds.REFUSE, BadIds.SKIP])
def test_what_happens_to_bad_ids_is_a_switch(mode: BadIds):
    with local_sandbox(bad_ids=mode) as sb:
        token = sb.authorize().access
        content = dmp_zip(dmp_line([(6, DIGEST64), (7, "nonsense")]))
        answer = sb.upload(token, content)
        assert (answer["code"] == 40001) == (mode is BadIds.REFUSE)
        assert [each["ids"] for each in sb.state()["files"]] == [1] * (mode is BadIds.SKIP)


def test_hex_case_does_not_make_two_ids(sb: Sandbox, token: str):
    line = dmp_line([(6, DIGEST64), (6, DIGEST64.upper()), (6, DIGEST64)])
    sb.audience(token, dmp_zip(line))
    assert sb.state()["audiences"][0]["upload_num"] == 1


def test_more_than_50_mb_is_refused_and_the_answer_can_be_read(sb: Sandbox, token: str):
    answer = sb.upload(token, b"\0" * 50_000_001)
    assert answer["code"] == 40001
    assert "50 MB" in answer["message"]


def test_a_much_larger_body_is_refused_too(sb: Sandbox, token: str):
    assert "50 MB" in sb.upload(token, b"\0" * 70_000_000)["message"]


def test_nobody_uploads_for_a_foreign_advertiser(sb: Sandbox, token: str):
    assert sb.upload(token, phone_zip(0, 1), advertiser_id=42)["code"] == 40002


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"json": {"advertiser_id": OWNER}}, "multipart"),
        ({"files": {"other": ("x.zip", b"x")}, "data": {"advertiser_id": str(OWNER)}}, "other"),
        ({"files": {"file": ("x.zip", b"x")}}, "advertiser_id"),
        ({"files": {"x": ("a", b"")}, "data": {"advertiser_id": str(OWNER), "file": "x"}}, "x"),
        (
            {"content": b"nonsense", "headers": {"Content-Type": "multipart/form-data"}},
            "multipart",
        ),
        (
            {
                "content": b"nonsense",
                "headers": {"Content-Type": "multipart/form-data; boundary=abc"},
            },
            "",
        ),
    ],
)
def test_a_form_that_is_none(sb: Sandbox, token: str, options: dict[str, Any], word: str):
    headers = {"Access-Token": token, **options.pop("headers", {})}
    answer = sb.raw(
        "POST", "/open_api/2/dmp/data_source/file/upload/", headers=headers, **options
    ).json()
    assert answer["code"] == 40001
    assert word in answer["message"]


@pytest.mark.parametrize(
    "content",
    [
        b"--x\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nv\r\n--x--\r\n",
        b"no boundary here" * 1000,
        b"--x\r\n\r\n" * 3000,
    ],
)
def test_a_broken_multipart_body_is_a_parameter_error(sb: Sandbox, token: str, content: bytes):
    headers = {"Access-Token": token, "Content-Type": "multipart/form-data; boundary=x"}
    path = "/open_api/2/dmp/data_source/file/upload/"
    answer = sb.raw("POST", path, content=content, headers=headers)
    assert answer.json()["code"] == 40001
    assert sb.upload(token, phone_zip(0, 1))["code"] == 0


def test_a_slow_upload_ends_as_the_switch_says():
    for mode, check in (
        (SlowUpload.GATEWAY, lambda r: r.status_code == 504),
        (SlowUpload.REFUSE, lambda r: r.json()["code"] == 50000),
    ):
        with local_sandbox(upload_limit=0.000001, slow_upload=mode) as sb:
            answer = sb.raw(
                "POST",
                "/open_api/2/dmp/data_source/file/upload/",
                headers={"Access-Token": sb.authorize().access},
                data={"advertiser_id": str(OWNER)},
                files={"file": ("x.zip", phone_zip(0, 1))},
            )
            assert check(answer)
