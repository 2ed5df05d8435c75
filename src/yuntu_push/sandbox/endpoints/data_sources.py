"""`2/dmp/brand/get` and `2/dmp/data_source/*`."""

from typing import Any

from yuntu_push.sandbox.answers import wrong_parameter
from yuntu_push.sandbox.clock import beijing_day, wire_time
from yuntu_push.sandbox.delivery import (
    EXPIRES_AFTER,
    delivery_status,
    push_status,
    status,
)
from yuntu_push.sandbox.records import (
    Account,
    Action,
    Audience,
    ChangeLog,
    DataSource,
    LogState,
    UploadedFile,
)
from yuntu_push.sandbox.upload_format import Parsed
from yuntu_push.sandbox.world import DAY, MINUTE, Call, World

PATH_LIFE = 14 * DAY
CREATES_PER_DAY, UPDATES_PER_DAY = 100, 50
_ACTION_CODES = {Action.CREATE: 0, Action.ADD: 1, Action.DELETE: 2, Action.RESET: 3}
_LOG_CODES = {
    LogState.NEW: 0,
    LogState.PROCESSING: 1,
    LogState.EFFECTIVE: 2,
    LogState.FAILED: 3,
}
_SOURCE_DATA_SOURCE = 6
_CUSTOM_TYPES = {0: 1, 1: 2, 2: 3, 4: 11, 5: 12, 6: 14, 7: 15, 8: 16}


def brands(call: Call) -> dict[str, Any]:
    """The Yuntu brands that are bound to an advertiser."""
    account = call.advertiser()
    return {
        "brand_info": [
            {
                "brand_id": brand.id,
                "brand_name": brand.name,
                "virtual_adv_id": brand.virtual_adv_id,
            }
            for brand in call.world.state.brands.values()
            if account.id in brand.bound
        ]
    }


def upload(call: Call) -> dict[str, Any]:
    """A path for an uploaded zip, good for 14 days and for its advertiser."""
    account = call.advertiser()
    assert call.upload is not None
    drop_expired_content(call.world)
    parsed: Parsed = call.upload.result
    path = f"dmp-{call.world.draw_hex(32)}"
    call.world.state.files[path] = UploadedFile(
        path=path,
        advertiser_id=account.id,
        uploaded=call.now,
        size=call.upload.size,
        md5=call.upload.md5,
        ids=parsed.ids,
        lines=parsed.lines,
        content=parsed.keep(call.world.ids),
        complaint=parsed.complaint,
    )
    return {"file_path": path}


def drop_expired_content(world: World) -> None:
    """Let go of the ids of files that no change can use any more."""
    state, now = world.state, world.clock.now()
    pending = {
        path
        for source in state.data_sources.values()
        for log in source.logs
        if log.state in (LogState.NEW, LogState.PROCESSING)
        for path in log.file_paths
    }
    expired = [
        file
        for file in state.files.values()
        if file.content and now > file.uploaded + PATH_LIFE and file.path not in pending
    ]
    for file in expired:
        file.content = {}
    if expired:
        world.ids.forget_unused(_used_sets(world))


def _used_sets(world: World) -> set[str]:
    state = world.state
    contents = [
        *(file.content for file in state.files.values()),
        *(audience.content for audience in state.audiences.values()),
        *(audience.published_content for audience in state.audiences.values()),
    ]
    names = {name for content in contents for name in content.values()}
    return names | {file.content for file in state.qc_files.values()}


def _files(call: Call, account: Account) -> list[UploadedFile]:
    files = []
    for n, path in enumerate(call.fields["file_paths"]):
        file = call.world.state.files.get(path)
        if file is None or file.advertiser_id != account.id:
            raise wrong_parameter(f"file_paths[{n}] 不存在或不属于该广告主")
        if call.now > file.uploaded + PATH_LIFE:
            state_code = call.world.options.state_code
            raise wrong_parameter(f"file_paths[{n}] 已过期(有效期 14 天)", state_code)
        files.append(file)
    return files


def create(call: Call) -> dict[str, Any]:
    """A new data source; its audience is there once parsing is done."""
    account = call.advertiser()
    _files(call, account)
    world, now = call.world, call.now
    own = [each for each in world.state.data_sources.values() if each.advertiser_id == account.id]
    today = beijing_day(now)
    if sum(beijing_day(each.created) == today for each in own) >= CREATES_PER_DAY:
        sentence = f"今日创建数据源已达上限({CREATES_PER_DAY} 次)"
        raise wrong_parameter(sentence, world.options.quota_code)
    name = call.fields["data_source_name"]
    if not world.options.duplicate_names and any(each.name == name for each in own):
        raise wrong_parameter("data_source_name 已存在")
    source = DataSource(
        id=world.draw_hex(32),
        advertiser_id=account.id,
        name=name,
        description=call.fields.get("description", ""),
        type=call.fields.get("data_source_type", "UID"),
        created=now,
        modified=now,
        visible=now + max(world.options.list_lag, world.list_lag),
        logs=[_new_log(call, Action.CREATE, now)],
    )
    world.state.data_sources[source.id] = source
    return {"data_source_id": source.id}


def _new_log(call: Call, action: Action, after: float) -> ChangeLog:
    starts = max(call.now, after) + call.world.work(1, 2)
    return ChangeLog(
        id=90_000_000 + call.world.state.counter,
        action=action,
        file_paths=list(call.fields["file_paths"]),
        created=call.now,
        starts=starts,
        ready=starts + call.world.work(19, 58, call.slow),
        message=call.complaint,
    )


def update(call: Call) -> None:
    """Add, delete or replace ids; the data source and its audience keep their ids."""
    account, options = call.advertiser(), call.world.options
    source = call.world.state.data_sources.get(call.fields["data_source_id"])
    if source is None or source.advertiser_id != account.id:
        raise wrong_parameter("data_source_id 不存在或不属于该广告主")
    if source.logs[0].state is LogState.FAILED:
        sentence = "data_source_id 对应的数据源创建失败,不能更新"
        raise wrong_parameter(sentence, options.state_code)
    audience = _default_audience(call, source)
    if audience is not None and audience.deleted:
        raise wrong_parameter("data_source_id 对应的人群包已删除", options.state_code)
    _files(call, account)
    today = beijing_day(call.now)
    done = sum(beijing_day(log.created) == today for log in source.logs[1:])
    if done >= UPDATES_PER_DAY:
        sentence = f"该数据源今日更新已达上限({UPDATES_PER_DAY} 次)"
        raise wrong_parameter(sentence, options.quota_code)
    action = {1: Action.ADD, 2: Action.DELETE, 3: Action.RESET}[call.fields["operation_type"]]
    source.logs.append(_new_log(call, action, source.logs[-1].ready))
    source.modified = call.now
    if audience is not None:
        for publish in audience.publishes:
            if not publish.done:  # an update under a running publish delays it
                publish.ready += 30 * MINUTE / options.speed


def _default_audience(call: Call, source: DataSource) -> Audience | None:
    if source.audience_id is None:
        return None
    return call.world.state.audiences[source.audience_id]


def read(call: Call) -> dict[str, Any]:
    """Data sources by id, newest first; ids that are not there are left out."""
    account = call.advertiser()
    sources = [
        source
        for source in map(
            call.world.state.data_sources.get, dict.fromkeys(call.fields["data_source_id_list"])
        )
        if source is not None and source.advertiser_id == account.id and source.visible <= call.now
    ]
    sources.sort(key=lambda source: source.created, reverse=True)
    return {"data_list": [_item(call, source) for source in sources]}


def _item(call: Call, source: DataSource) -> dict[str, Any]:
    audience = _default_audience(call, source)
    finished = [log for log in source.logs if log.state is LogState.EFFECTIVE]
    item: dict[str, Any] = {
        "data_source_id": source.id,
        "name": source.name,
        "description": source.description,
        "data_source_type": source.type,
        "status": _LOG_CODES[source.logs[0].state],
        "upload_num": audience.upload_num if audience else None,
        "cover_num": audience.cover_num if audience else None,
        "create_time": wire_time(source.created),
        "modify_time": wire_time(source.modified),
        "lastest_published_change_log_id": finished[-1].id if finished else -1,
        "lastest_published_time": wire_time(_last_time(finished)),
        "change_logs": [_log_item(log) for log in source.logs],
    }
    if audience is not None:
        item["default_audience"] = _audience_item(call, source, audience)
    return item


def _last_time(finished: list[ChangeLog]) -> float | None:
    moments = [log.finished for log in finished if log.finished is not None]
    return max(moments) if moments else None


def _log_item(log: ChangeLog) -> dict[str, Any]:
    return {
        "action": _ACTION_CODES[log.action],
        "change_log_id": log.id,
        "status": _LOG_CODES[log.state],
        "file_paths": log.file_paths,
        "message": log.message if log.state is LogState.FAILED else "",
        "create_time": wire_time(log.created),
        "modify_time": wire_time(log.finished or log.created),
        "published_time": wire_time(log.finished),
    }


def _audience_item(call: Call, source: DataSource, audience: Audience) -> dict[str, Any]:
    options, now, owner = call.world.options, call.now, audience.advertiser_id
    kinds = sorted(audience.content)
    return {
        "advertiser_id": owner,
        "custom_audience_id": audience.id,
        "data_source_id": source.id,
        "name": audience.name,
        "custom_type": _CUSTOM_TYPES[kinds[0]] if kinds else 0,
        "source": _SOURCE_DATA_SOURCE,
        "status": status(audience, owner, options, now),
        "push_status": push_status(audience, owner),
        "delivery_status": delivery_status(audience, owner, options, now),
        "upload_num": audience.upload_num,
        "cover_num": audience.cover_num,
        "expiry_date": wire_time(audience.created + EXPIRES_AFTER)[:10],
        "create_time": wire_time(audience.created),
        "modify_time": wire_time(audience.modified),
        "isdel": int(audience.deleted),
        "calculate_type": 0,
        "calculate_sub_type": 0,
        "tag": "API文件数据源",
        "third_party_info": "非三方包",
    }
