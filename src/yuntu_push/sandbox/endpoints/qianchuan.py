"""`v1.0/qianchuan/audience*`: plain-text uploads and their audiences."""

import re
from typing import Any

from yuntu_push.sandbox.answers import wrong_parameter
from yuntu_push.sandbox.clock import wire_time
from yuntu_push.sandbox.endpoints.accounts import page_of
from yuntu_push.sandbox.records import (
    Account,
    Kind,
    Platform,
    QianchuanAudience,
    QianchuanFile,
)
from yuntu_push.sandbox.upload_format import MAX_QIANCHUAN_ZIP
from yuntu_push.sandbox.world import DAY, Call

KEY_LIFE = 15 * DAY
MIN_PART = 5_000_000
MOST_IN_PARTS = 1_000_000_000
"""The sandbox's own bound: parts wait in memory until the last one has come."""
_DMP_TYPES = {1: 0, 2: 1, 3: 2, 4: 6, 5: 0, 11: 4, 12: 5, 14: 6, 15: 7, 16: 8, 17: 6, 18: 2}
"""The DMP type whose reach a Qianchuan `data_type` borrows."""
_LINE = re.compile(r"[0-9a-z][0-9a-z:_-]{2,127}", re.ASCII)


def is_plain_id(value: str) -> bool:
    """Whether a line of a plain file looks like an id of any type."""
    return _LINE.fullmatch(value) is not None


def _account(call: Call) -> Account:
    return call.advertiser(Platform.QIANCHUAN)


def upload(call: Call) -> dict[str, Any]:
    """A key for one zip of up to 25 MB, good for 15 days."""
    account = _account(call)
    assert call.upload is not None
    digests, good, skipped = call.upload.result
    key = f"qc-{call.world.draw_hex(32)}"
    call.world.state.qc_files[key] = QianchuanFile(
        key=key,
        advertiser_id=account.id,
        uploaded=call.now,
        size=call.upload.size,
        md5=call.upload.md5,
        parts=1,
        finished=True,
        lines=good,
        skipped=skipped,
        content=call.world.ids.keep(digests),
    )
    return {"file_key": key, "file_md5": call.upload.md5}


def check_part(call: Call, size: int) -> QianchuanFile | None:
    """The file that a part of `size` bytes belongs to, None for the first; refused when to none.

    Before the bytes are looked at: what they are is of no interest when they have no place.
    """
    account, number = _account(call), call.fields["part_num"]
    if call.fields["is_finished"] != 1 and not MIN_PART < size < MAX_QIANCHUAN_ZIP:
        raise wrong_parameter("file 分片应大于 5 MB 且小于 25 MB")
    key = call.fields.get("file_key")
    if key is None:
        if number != 0:
            raise wrong_parameter("file_key 必填(第一个分片除外)")
        return None
    file = call.world.state.qc_files.get(key)
    if file is None or file.advertiser_id != account.id or file.finished:
        raise wrong_parameter("file_key 不存在、已完成或不属于该账户")
    if number != file.parts:
        raise wrong_parameter(f"part_num 应为 {file.parts}")
    if file.size + size > MOST_IN_PARTS:
        raise wrong_parameter("file 各分片合计过大")
    return file


def part_upload(call: Call) -> dict[str, Any]:
    """The key under which the parts of one large zip are put together."""
    assert call.upload is not None
    # Once more: another part may have come while this one was read.
    file = check_part(call, call.upload.size)
    if file is None:
        key = f"qc-{call.world.draw_hex(32)}"
        owner = call.fields["advertiser_id"]
        file = QianchuanFile(key, owner, call.now, 0, "", 0, finished=False)
        call.world.state.qc_files[key] = file
    file.parts += 1
    file.size += call.upload.size
    call.world.parts.setdefault(file.key, []).append(call.fields["file"])
    if call.fields["is_finished"] == 1:
        _assemble(call, file)
    return {"file_key": file.key}


def _assemble(call: Call, file: QianchuanFile) -> None:
    assert call.upload is not None
    digests, file.lines, file.skipped = call.upload.result
    file.md5 = call.upload.md5
    file.finished = True
    file.content = call.world.ids.keep(digests)
    del call.world.parts[file.key]


def create(call: Call) -> dict[str, Any]:
    """An audience of the ids in an uploaded file."""
    account = _account(call)
    world, now = call.world, call.now
    file = world.state.qc_files.get(call.fields["file_key"])
    if file is None or file.advertiser_id != account.id or not file.finished:
        raise wrong_parameter("file_key 不存在、未完成或不属于该账户")
    if now > file.uploaded + KEY_LIFE:
        raise wrong_parameter("file_key 已过期(有效期 15 天)", world.options.state_code)
    data_type = call.fields["data_type"]
    number = 712_000_000 + len(world.state.qc_audiences) * 1009 + int(world.draw() * 997)
    starts = now + world.work(1, 3)
    world.state.qc_audiences[number] = QianchuanAudience(
        id=number,
        advertiser_id=account.id,
        name=call.fields["audience_name"],
        group=call.fields["audience_group"],
        data_type=data_type,
        created=now,
        starts=starts,
        ready=starts + world.work(19, 57, call.slow),
        stock_num=world.ids.reach({_DMP_TYPES[data_type]: file.content}),
    )
    return {"audience_id": number}


def _own(call: Call) -> QianchuanAudience:
    account = _account(call)
    audience = call.world.state.qc_audiences.get(call.fields["audience_id"])
    if audience is None or audience.advertiser_id != account.id or audience.deleted:
        raise wrong_parameter("audience_id 不存在或不属于该账户")
    return audience


def push(call: Call) -> dict[str, Any]:
    """Make the audience usable: in its own account or in others of the same subject."""
    audience = _own(call)
    if audience.ready > call.now:
        sentence = "audience_id 对应的人群尚未计算完成"
        raise wrong_parameter(sentence, call.world.options.state_code)
    if call.fields["account_type"] == "LOCAL":
        targets = [audience.advertiser_id]
    else:
        targets = call.fields.get("adv_ids") or []
        if not targets:
            raise wrong_parameter("adv_ids 必填(account_type 为 NO_LOCAL 时)")
    accounts = call.world.state.accounts
    owner = accounts[audience.advertiser_id]
    for n, target in enumerate(targets):
        account = accounts.get(target)
        if account is None or account.kind is not Kind.ADVERTISER:
            raise wrong_parameter(f"adv_ids[{n}] 不是有效的账户")
        if account.company != owner.company:
            sentence = f"adv_ids[{n}] 不是同一主体的账户"
            raise wrong_parameter(sentence, call.world.options.subject_code)
    audience.targets = sorted({*audience.targets, *targets})
    audience.for_brand = call.fields.get("is_for_brand", 0) == 1
    audience.push_requested = call.now
    audience.push_ready = call.now + call.world.work(3, 12, call.slow)
    return {"audience_id": audience.id}


def status_of(audience: QianchuanAudience, now: float) -> int:
    """1 done, 2 waiting, 3 computing, 5 expiring, 6 expired, 7 pushing, 8 pushed."""
    age = now - audience.created
    if now < audience.starts:
        return 2
    if now < audience.ready:
        return 3
    if age >= 180 * DAY:
        return 6
    if age >= 173 * DAY:
        return 5
    if audience.push_ready is not None:
        return 8 if now >= audience.push_ready else 7
    return 1


def audience_list(call: Call) -> dict[str, Any]:
    """A page of the account's audiences, newest first."""
    account = _account(call)
    asked = call.fields.get("filtering", {})
    rows = [
        _item(each, call.now)
        for each in call.world.state.qc_audiences.values()
        if each.advertiser_id == account.id and not each.deleted
    ]
    rows = [row for row in reversed(rows) if _wanted(row, asked)]
    page, page_info = page_of(call, rows, default_size=20)
    return {"audiences_list": list(page), "page_info": page_info}


def _wanted(row: dict[str, Any], asked: dict[str, Any]) -> bool:
    day = row["create_time"][:10]
    return (
        row["audience_id"] in asked.get("audience_id", [row["audience_id"]])
        and asked.get("audience_name", "") in row["audience_name"]
        and row["audience_type"] in asked.get("audience_type", [row["audience_type"]])
        and row["status"] in asked.get("status", [row["status"]])
        and asked.get("start_time", day)[:10] <= day <= asked.get("end_time", day)[:10]
    )


def _item(audience: QianchuanAudience, now: float) -> dict[str, Any]:
    return {
        "audience_id": audience.id,
        "audience_name": audience.name,
        "audience_group": audience.group,
        "audience_type": "UPLOAD",
        "audience_source": 1,
        "status": status_of(audience, now),
        "stock_num": audience.stock_num if now >= audience.ready else 0,
        "stock_status": 1 if now >= audience.ready else 0,
        "push_product": "BRAND" if audience.for_brand else "",
        "create_time": wire_time(audience.created),
    }


def groups(call: Call) -> dict[str, Any]:
    """The names of the account's audience groups."""
    account = _account(call)
    name = call.fields.get("filtering", {}).get("name", "")
    found = {
        each.group
        for each in call.world.state.qc_audiences.values()
        if each.advertiser_id == account.id and not each.deleted and name in each.group
    }
    return {"audience_group_list": sorted(found)}


def delete(call: Call) -> dict[str, Any]:
    """Delete an audience."""
    audience = _own(call)
    audience.deleted = True
    return {"audience_id": audience.id}
