"""Brings the world up to now: everything whose time has come takes effect, in its order."""

from collections.abc import Callable, Iterator
from functools import partial

from yuntu_push.sandbox.records import (
    Action,
    Audience,
    ChangeLog,
    DataSource,
    LogState,
    Publish,
)
from yuntu_push.sandbox.world import World


def settle(world: World) -> bool:
    """Let finished work take effect, earliest first; whether anything did."""
    now = world.clock.now()
    changed = _start_parsing(world, now)
    due = sorted((event for event in _events(world) if event[0] <= now), key=lambda e: e[0])
    for _, apply in due:
        apply()
    return changed or bool(due)


def is_busy(world: World) -> bool:
    """Whether work is under way that will take effect by itself."""
    return any(True for _ in _events(world))


def _start_parsing(world: World, now: float) -> bool:
    changed = False
    for source in world.state.data_sources.values():
        for log in source.logs:
            if log.state is LogState.NEW and log.starts <= now:
                log.state = LogState.PROCESSING
                changed = True
    return changed


def _events(world: World) -> Iterator[tuple[float, Callable[[], None]]]:
    for source in world.state.data_sources.values():
        for log in source.logs:
            if log.state not in (LogState.EFFECTIVE, LogState.FAILED):
                yield log.ready, partial(_finish, world, source, log)
    for audience in world.state.audiences.values():
        for push in audience.pushes:
            if not push.done:
                yield push.ready, partial(setattr, push, "done", True)
        for publish in audience.publishes:
            if not publish.done:
                yield publish.ready, partial(_take_effect, audience, publish)


def _finish(world: World, source: DataSource, log: ChangeLog) -> None:
    complaint = log.message or _complaint(world, log)
    log.finished = log.ready
    source.modified = log.ready
    if complaint:
        log.state, log.message = LogState.FAILED, complaint
        return
    log.state = LogState.EFFECTIVE
    given = world.ids.merge(world.state.files[path].content for path in log.file_paths)
    audience = _audience_of(world, source, log)
    match log.action:
        case Action.CREATE | Action.RESET:
            audience.content = given
        case Action.ADD:
            audience.content = world.ids.merge([audience.content, given])
        case Action.DELETE:
            audience.content = world.ids.subtract(audience.content, given)
    audience.log_id = log.id
    audience.modified = log.ready
    audience.upload_num = world.ids.size(audience.content)
    audience.cover_num = world.ids.reach(audience.content)


def _complaint(world: World, log: ChangeLog) -> str:
    for path in log.file_paths:
        file = world.state.files.get(path)
        if file is not None and file.complaint:
            return file.complaint
    return ""


def _audience_of(world: World, source: DataSource, log: ChangeLog) -> Audience:
    if source.audience_id is not None:
        return world.state.audiences[source.audience_id]
    number = 312_000_000 + len(world.state.audiences) * 1009 + int(world.draw() * 997)
    source.audience_id = number
    audience = Audience(
        id=number,
        advertiser_id=source.advertiser_id,
        data_source_id=source.id,
        name=source.name,
        created=log.ready,
        modified=log.ready,
        content={},
        log_id=log.id,
        upload_num=0,
        cover_num=0,
    )
    world.state.audiences[number] = audience
    return audience


def _take_effect(audience: Audience, publish: Publish) -> None:
    publish.done = True
    publish.log_id = audience.log_id
    audience.published_content = dict(audience.content)
    audience.published_upload_num = audience.upload_num
    audience.published_cover_num = audience.cover_num
