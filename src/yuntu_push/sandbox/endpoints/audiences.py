"""`2/dmp/custom_audience/*`: publish, push, copy, read, select, delete."""

from collections.abc import Iterable
from typing import Any

from yuntu_push.sandbox.answers import Refused, no_permission, wrong_parameter
from yuntu_push.sandbox.clock import wire_time
from yuntu_push.sandbox.delivery import (
    AVAILABLE,
    delivery_status,
    in_force,
    is_expired,
    push_status,
    push_to,
    status,
)
from yuntu_push.sandbox.options import CopyAgain, CopyAnswer, CopyNeeds, SelfPush
from yuntu_push.sandbox.records import Audience, Brand, BrandCopy, Kind, Platform, Publish, Push
from yuntu_push.sandbox.world import DAY, Call

_SOURCE = "CUSTOM_AUDIENCE_TYPE_DATA_SOURCE"
_SELECT_FIELDS = (
    "cover_num",
    "custom_audience_id",
    "data_source_id",
    "delivery_status",
    "isdel",
    "name",
    "source",
    "status",
    "tag",
    "upload_num",
)


def _own(call: Call) -> Audience:
    """The audience of the call, which must be its advertiser's and alive."""
    account, state_code = call.advertiser(), call.world.options.state_code
    audience = call.world.state.audiences.get(call.fields["custom_audience_id"])
    if audience is None or audience.advertiser_id != account.id:
        raise wrong_parameter("custom_audience_id 不存在或不属于该广告主")
    if audience.deleted:
        raise wrong_parameter("custom_audience_id 对应的人群包已删除", state_code)
    if is_expired(audience, call.now):
        raise wrong_parameter("custom_audience_id 对应的人群包已过期", state_code)
    return audience


def publish(call: Call) -> dict[str, Any]:
    """Put the audience's present content in force; once in 24 hours."""
    audience, now = _own(call), call.now
    if audience.publishes and now < audience.publishes[-1].requested + DAY:
        code = call.world.options.publish_refused_code
        raise Refused(code, "参数错误:custom_audience_id 对应的人群包 24 小时内只能发布一次")
    ready = now + call.world.work(15, 45, call.slow)
    audience.publishes.append(Publish(now, ready, audience.log_id))
    return {}


def push(call: Call) -> dict[str, Any]:
    """Make the audience usable under other advertisers of the same legal subject (主体)."""
    audience = _own(call)
    accounts = call.world.state.accounts
    owner = accounts[audience.advertiser_id]
    targets = list(dict.fromkeys(call.fields["target_advertiser_ids"]))
    for n, target in enumerate(targets):
        where = f"target_advertiser_ids[{n}]"
        account = accounts.get(target)
        if account is None or account.kind is not Kind.ADVERTISER or not account.valid:
            raise wrong_parameter(f"{where} 不是有效的广告主")
        if account.platform is not Platform.AD:
            raise wrong_parameter(f"{where} 不是巨量营销的广告主")
        if account.company != owner.company:
            sentence = f"{where} 与人群包所属广告主不是同一主体"
            raise wrong_parameter(sentence, call.world.options.subject_code)
        if target == owner.id and call.world.options.self_push is SelfPush.REFUSED:
            raise wrong_parameter(f"{where} 不能推送给人群包所属广告主自己")
    for target in targets:
        if push_to(audience, target) is None:
            ready = call.now + call.world.work(3, 12, call.slow)
            audience.pushes.append(Push(target, call.now, ready))
    return {}


def copy(call: Call) -> dict[str, Any]:
    """Duplicate what is in force into the Yuntu brands behind virtual advertisers."""
    audience = _own(call)
    given = call.fields["to_advertiser_id"]
    virtual = list(given) if isinstance(given, list) else [given]
    if not virtual:
        raise wrong_parameter("to_advertiser_id 不能为空")
    brands = [_bound_brand(call, audience, number) for number in virtual]
    _check_ready(call, audience)
    made = [_copy_into(call, audience, brand) for brand in brands]
    match call.world.options.copy_answer:
        case CopyAnswer.AUDIENCE:
            return {"custom_audience_id": made[0].id}
        case CopyAnswer.ADVERTISER:
            return {"custom_audience_id": brands[0].virtual_adv_id}
        case CopyAnswer.NOTHING:
            return {}


def _bound_brand(call: Call, audience: Audience, virtual_adv_id: int) -> Brand:
    brand = call.world.brand_of(virtual_adv_id)
    if brand is None:
        raise wrong_parameter("to_advertiser_id 不是云图虚拟广告主")
    if audience.advertiser_id not in brand.bound:
        raise no_permission("to_advertiser_id 对应的云图品牌未与该广告主绑定")
    return brand


def _check_ready(call: Call, audience: Audience) -> None:
    options = call.world.options
    seen = delivery_status(audience, audience.advertiser_id, options, call.now)
    match options.copy_needs:
        case CopyNeeds.AVAILABLE if seen != AVAILABLE:
            sentence = f"custom_audience_id 对应的人群包当前不可用({seen})"
            raise wrong_parameter(sentence, options.state_code)
        case CopyNeeds.PUBLISHED if in_force(audience) is None:
            sentence = "custom_audience_id 对应的人群包尚未发布"
            raise wrong_parameter(sentence, options.state_code)
        case _:
            return


def _copy_into(call: Call, audience: Audience, brand: Brand) -> BrandCopy:
    world = call.world
    earlier = [
        each
        for each in world.state.copies
        if each.brand_id == brand.id and each.audience_id == audience.id and not each.replaced
    ]
    if earlier and world.options.copy_again is CopyAgain.REFUSE:
        raise wrong_parameter("custom_audience_id 对应的人群包已推送至该云图品牌")
    if world.options.copy_again is CopyAgain.REPLACE:
        for each in earlier:
            each.replaced = True
    published = in_force(audience)
    made = BrandCopy(
        id=512_000_000 + len(world.state.copies) * 101 + int(world.draw() * 97),
        brand_id=brand.id,
        audience_id=audience.id,
        advertiser_id=audience.advertiser_id,
        name=audience.name,
        requested=call.now,
        ready=call.now + world.work(10, 30, call.slow),
        log_id=published.log_id if published else audience.log_id,
        upload_num=audience.published_upload_num if published else audience.upload_num,
        cover_num=audience.published_cover_num if published else audience.cover_num,
    )
    world.state.copies.append(made)
    return made


def _viewed(call: Call) -> tuple[int, list[Audience]]:
    """Who is looking, and the audiences it owns or was pushed."""
    viewer = call.fields["advertiser_id"]
    call.own_advertiser(viewer)
    lag = max(call.world.options.list_lag, call.world.list_lag)
    seen = []
    for audience in call.world.state.audiences.values():
        if audience.advertiser_id == viewer:
            source = call.world.state.data_sources[audience.data_source_id]
            moment = max(source.visible, audience.created + lag)
        else:
            pushed = push_to(audience, viewer)
            if pushed is None or not pushed.done:
                continue
            moment = pushed.ready + lag
        if moment <= call.now:
            seen.append(audience)
    seen.sort(key=lambda audience: (audience.created, audience.id), reverse=True)
    return viewer, seen


def _brand_view(call: Call) -> list[dict[str, Any]] | None:
    """The copies of a brand, when its virtual advertiser asks and the options let it."""
    brand = call.world.brand_of(call.fields["advertiser_id"])
    if brand is None or not call.world.options.brand_readable:
        return None
    if not any(call.covers(number) for number in brand.bound):
        raise no_permission("没有该云图品牌的操作权限")
    return [_copy_item(each) for each in reversed(call.world.state.copies) if _shown(call, each)]


def _shown(call: Call, each: BrandCopy) -> bool:
    brand = call.world.state.brands[each.brand_id]
    asked = call.fields["advertiser_id"]
    return brand.virtual_adv_id == asked and each.ready <= call.now and not each.replaced


def read(call: Call) -> dict[str, Any]:
    """Audiences by id, deleted ones too; ids that are not there are left out."""
    wanted = set(call.fields["custom_audience_ids"])
    items = _brand_view(call)
    if items is None:
        viewer, seen = _viewed(call)
        items = [_item(call, audience, viewer) for audience in seen]
    return {
        "custom_audience_list": [each for each in items if each["custom_audience_id"] in wanted]
    }


def select(call: Call) -> dict[str, Any]:
    """A page of the advertiser's audiences, its own and those pushed to it, newest first."""
    items = _brand_view(call)
    if items is None:
        viewer, seen = _viewed(call)
        items = [_item(call, audience, viewer) for audience in seen if not audience.deleted]
    if call.fields.get("select_type", 0) == 1:
        items = [item for item in items if item["delivery_status"] == AVAILABLE]
    offset, limit = call.fields.get("offset", 0), call.fields.get("limit", 100)
    return {
        "custom_audience_list": _selected(items[offset : offset + limit]),
        "offset": offset,
        "total_num": len(items),
    }


def _selected(items: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: item[name] for name in _SELECT_FIELDS} for item in items]


def _item(call: Call, audience: Audience, viewer: int) -> dict[str, Any]:
    options, now = call.world.options, call.now
    return {
        "custom_audience_id": audience.id,
        "name": audience.name,
        "data_source_id": audience.data_source_id,
        "source": _SOURCE,
        "status": status(audience, viewer, options, now),
        "delivery_status": delivery_status(audience, viewer, options, now),
        "push_status": push_status(audience, viewer),
        "upload_num": audience.upload_num,
        "cover_num": audience.cover_num,
        "tag": "API文件数据源",
        "isdel": int(audience.deleted),
        "create_time": wire_time(audience.created),
        "modify_time": wire_time(audience.modified),
        "third_party_info": "非三方包",
        "exist_pull_off_tag": 0,
    }


def _copy_item(copied: BrandCopy) -> dict[str, Any]:
    return {
        "custom_audience_id": copied.id,
        "name": copied.name,
        "data_source_id": "",
        "source": _SOURCE,
        "status": 2,
        "delivery_status": AVAILABLE,
        "push_status": 0,
        "upload_num": copied.upload_num,
        "cover_num": copied.cover_num,
        "tag": "API文件数据源",
        "isdel": 0,
        "create_time": wire_time(copied.requested),
        "modify_time": wire_time(copied.ready),
        "third_party_info": "非三方包",
        "exist_pull_off_tag": 0,
    }


def delete(call: Call) -> dict[str, Any]:
    """Delete an audience; copies in brands stay, they are snapshots."""
    audience = _own(call)
    audience.deleted = True
    audience.modified = call.now
    return {}
