"""Qianchuan (巨量千川): plain files in one piece or in parts, audiences, push, list, delete."""

import hashlib
import io
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from support.sandbox import OWNER, QIANCHUAN, Sandbox, local_sandbox

UPLOAD = "v1.0/qianchuan/audience_file/upload/"
PARTS = "v1.0/qianchuan/audience_file/part_upload/"


def plain_zip(*lines: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ids.txt", "\n".join(lines))
    return buffer.getvalue()


def large_zip(size: int) -> bytes:
    noise = random.Random(1).randbytes(size)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=0) as archive:
        archive.writestr("ids.txt", noise.hex("\n", -16)[:size])
    return buffer.getvalue()


def upload(sb: Sandbox, token: str, content: bytes, path: str = UPLOAD, **more: Any) -> dict:
    return sb.upload(token, content, advertiser_id=QIANCHUAN, path=path, signature=None, **more)


def create(sb: Sandbox, token: str, key: str, **changed: Any) -> dict:
    body = {
        "advertiser_id": QIANCHUAN,
        "audience_name": "名单",
        "audience_group": "会员",
        "data_type": 14,
        "match_type": "UID",
        "file_key": key,
        **changed,
    }
    return sb.post("v1.0/qianchuan/audience/create_by_file/", body, token)


def listed(sb: Sandbox, token: str, **filtering: Any) -> list[dict]:
    query = {"advertiser_id": QIANCHUAN, "filtering": filtering}
    return sb.get("v1.0/qianchuan/audience_list/get/", query, token)["data"]["audiences_list"]


def push(sb: Sandbox, token: str, audience: int, **more: Any) -> dict:
    body = {"advertiser_id": QIANCHUAN, "audience_id": audience, **more}
    return sb.post("v1.0/qianchuan/audience/push/", body, token)


def test_bad_lines_are_skipped_and_the_rest_counts(sb: Sandbox, token: str):
    phone = hashlib.sha256(b"x").hexdigest()
    content = plain_zip(phone, "", "有误的一行", phone, phone.upper(), "860000000000000")
    data = upload(sb, token, content)["data"]
    assert data["file_md5"] == hashlib.md5(content).hexdigest()
    file = sb.world.state.qc_files[data["file_key"]]
    assert (file.lines, file.skipped) == (4, 1)
    assert len(sb.world.ids.get(file.content)) == 2


def test_an_audience_waits_is_computed_and_can_then_be_pushed():
    with local_sandbox(speed=1) as sb:
        token = sb.authorize().access
        key = upload(sb, token, plain_zip(*(f"{n:015d}" for n in range(100))))["data"]["file_key"]
        audience = create(sb, token, key, data_type=1)["data"]["audience_id"]
        states = [listed(sb, token)[0]["status"]]
        assert push(sb, token, audience, account_type="LOCAL")["code"] == 40001
        for minutes in (5, 60):
            sb.advance(minutes=minutes)
            states.append(listed(sb, token)[0]["status"])
        assert listed(sb, token)[0]["stock_num"] > 0
        assert push(sb, token, audience, account_type="LOCAL")["code"] == 0
        states.append(listed(sb, token)[0]["status"])
        sb.advance(minutes=15)
        states.append(listed(sb, token)[0]["status"])
        assert states == [2, 3, 1, 7, 8]


def test_pushing_elsewhere_needs_accounts_of_the_same_subject(sb: Sandbox, token: str):
    key = upload(sb, token, plain_zip("1" * 15))["data"]["file_key"]
    audience = create(sb, token, key)["data"]["audience_id"]
    sb.advance(60)
    assert "adv_ids" in push(sb, token, audience, account_type="NO_LOCAL")["message"]
    foreign = push(sb, token, audience, account_type="NO_LOCAL", adv_ids=[1700000000000701])
    assert foreign["code"] == 40001
    assert "主体" in foreign["message"]
    good = push(sb, token, audience, account_type="NO_LOCAL", adv_ids=[QIANCHUAN + 1])
    assert good["data"] == {"audience_id": audience}


def test_parts_of_one_zip_are_put_together(sb: Sandbox, token: str):
    whole = large_zip(12_000_000)
    size = 5_500_000
    parts = [whole[start : start + size] for start in range(0, len(whole), size)]
    key = ""
    for number, part in enumerate(parts):
        more = {"file_key": key} if key else {}
        last = int(number == len(parts) - 1)
        answer = upload(sb, token, part, PARTS, part_num=number, is_finished=last, **more)
        assert answer["code"] == 0, answer
        key = answer["data"]["file_key"]
    file = sb.world.state.qc_files[key]
    assert file.finished
    assert (file.size, file.md5) == (len(whole), hashlib.md5(whole).hexdigest())
    assert file.lines > 250_000
    assert create(sb, token, key)["code"] == 0


def test_parts_out_of_order_or_out_of_size(sb: Sandbox, token: str):
    part = b"x" * 6_000_000
    assert upload(sb, token, part, PARTS, part_num=1, is_finished=0)["code"] == 40001
    small = upload(sb, token, b"x" * 1000, PARTS, part_num=0, is_finished=0)
    assert "5 MB" in small["message"]
    key = upload(sb, token, part, PARTS, part_num=0, is_finished=0)["data"]["file_key"]
    skipped = upload(sb, token, part, PARTS, part_num=2, is_finished=0, file_key=key)
    assert "part_num" in skipped["message"]
    assert create(sb, token, key)["code"] == 40001
    broken = upload(sb, token, b"no zip", PARTS, part_num=1, is_finished=1, file_key=key)
    assert "zip" in broken["message"]


def test_one_piece_has_25_mb_at_most(sb: Sandbox, token: str):
    assert "25 MB" in upload(sb, token, b"\0" * 25_000_001)["message"]


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"audience_name": "名" * 31}, "audience_name"),
        ({"data_type": 13}, "data_type"),
        ({"match_type": "DID"}, "match_type"),
        ({"file_key": "qc-unknown"}, "file_key"),
    ],
)
def test_documented_limits_of_create(sb: Sandbox, token: str, changed: dict, field: str):
    key = upload(sb, token, plain_zip("1" * 15))["data"]["file_key"]
    answer = create(sb, token, key, **changed)
    assert answer["code"] == 40001
    assert field in answer["message"]


def test_a_key_lives_15_days(sb: Sandbox, token: str):
    key = upload(sb, token, plain_zip("1" * 15))["data"]["file_key"]
    sb.advance(days=16)
    assert "过期" in create(sb, sb.authorize().access, key)["message"]


def test_the_list_is_filtered_and_forgets_the_deleted(sb: Sandbox, token: str):
    key = upload(sb, token, plain_zip("1" * 15))["data"]["file_key"]
    ids = [
        create(sb, token, key, audience_name=name, audience_group=group)["data"]["audience_id"]
        for name, group in (("甲", "一组"), ("乙", "二组"))
    ]
    sb.advance(60)
    assert [each["audience_id"] for each in listed(sb, token)] == ids[::-1]
    assert [each["audience_id"] for each in listed(sb, token, audience_name="甲")] == ids[:1]
    assert [each["audience_id"] for each in listed(sb, token, audience_id=ids[1:])] == ids[1:]
    assert listed(sb, token, status=[4]) == []
    assert listed(sb, token, end_time="2020-01-01") == []
    groups = sb.get("v1.0/qianchuan/audience_group/get/", {"advertiser_id": QIANCHUAN}, token)
    assert groups["data"]["audience_group_list"] == ["一组", "二组"]
    body = {"advertiser_id": QIANCHUAN, "audience_id": ids[0]}
    assert sb.post("v1.0/qianchuan/audience/delete/", body, token)["code"] == 0
    assert len(listed(sb, token)) == 1


def test_the_two_platforms_accounts_are_kept_apart(sb: Sandbox, token: str):
    content = plain_zip("1" * 15)
    wrong = sb.upload(token, content, advertiser_id=OWNER, path=UPLOAD, signature=None)
    assert wrong["code"] == 40002
    assert sb.upload(token, content, advertiser_id=QIANCHUAN)["code"] == 40002


def test_parts_that_a_restart_cut_off_begin_anew(tmp_path: Path):
    """The key is refused by name; the parts would not be a zip any more."""
    part = b"x" * 6_000_000
    with local_sandbox(state_file=tmp_path / "world.json") as sb:
        token = sb.authorize().access
        key = upload(sb, token, part, PARTS, part_num=0, is_finished=0)["data"]["file_key"]
    with local_sandbox(state_file=tmp_path / "world.json") as sb:
        answer = upload(sb, token, part, PARTS, part_num=1, is_finished=1, file_key=key)
        assert answer["code"] == 40001
        assert "file_key" in answer["message"]
