"""What the values of the config have to be like, beyond their types.

They are checked when the file is read: a wrong value of an entry must not be found by the run that
cron starts, hours after an upload.
"""

import re
from collections.abc import Callable, Iterator

from yuntu_push.domain.audience_name import fields_of
from yuntu_push.domain.entry_source import id_columns, source_spec
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.guards import limit_of
from yuntu_push.domain.identifiers import id_type_named
from yuntu_push.domain.names import local_name, push_name
from yuntu_push.domain.segment import MAX_PART_SIZE
from yuntu_push.domain.segment_build import MIN_PART_SIZE, RejectLimit
from yuntu_push.domain.settings import GuardEntry, PushEntry, SegmentEntry, Settings
from yuntu_push.domain.text import Text, msg

_TIME_OF_DAY = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
Problem = tuple[str, Text]
"""A key path and what is wrong with its value."""


def setting_problems(settings: Settings) -> Iterator[Problem]:
    """Every key whose value has the right type but makes no sense."""
    yield from _numbers(settings)
    for name, entry in settings.pushes.items():
        for key, problem in _entry_problems(entry):
            yield f"pushes.{name}.{key}", problem


def _numbers(settings: Settings) -> Iterator[Problem]:
    api, push, segments = settings.api, settings.push, settings.segments
    more_than_nothing = {
        "secrets.timeout": settings.secrets.timeout,
        "api.connect_timeout": api.connect_timeout,
        "api.timeout": api.timeout,
        "api.upload_timeout": api.upload_timeout,
        "push.poll": push.poll,
        "push.stall": push.stall,
    }
    for key, value in more_than_nothing.items():
        if not value > 0:
            yield key, msg("expected more than 0")
    yield from _least("api.rate", api.rate, 0)
    yield from _least("push.uploads", push.uploads, 1)
    yield from _least("api.name_byte_limit", api.name_byte_limit, 1)
    yield from _least("segments.keep_days", segments.keep_days, 1)
    if not MIN_PART_SIZE <= segments.part_size <= MAX_PART_SIZE:
        yield "segments.part_size", msg("expected a size from 10KB to 50MB")


def _entry_problems(entry: PushEntry) -> Iterator[Problem]:
    yield from _refused("name", lambda: push_name(entry.name))
    yield from _refused("id_types", lambda: [id_type_named(name) for name in entry.id_types])
    if entry.publish_at is not None and not _TIME_OF_DAY.fullmatch(entry.publish_at):
        yield "publish_at", msg("expected a time of day such as 03:30 (Beijing time)")
    if entry.audience_name is not None:
        yield from _refused("audience_name", lambda: fields_of(entry.audience_name or ""))
    if entry.expect_every is not None and not entry.expect_every > 0:
        yield "expect_every", msg("expected more than 0")
    for key, problem in _guard_problems(entry.guards):
        yield f"guards.{key}", problem
    for key, problem in _segment_problems(entry.segment):
        yield f"segment.{key}" if key else "segment", problem


def _guard_problems(guards: GuardEntry) -> Iterator[Problem]:
    yield from _refused("max_removed", lambda: limit_of(guards.max_removed))
    if guards.max_growth is not None:
        yield from _refused("max_growth", lambda: limit_of(guards.max_growth or ""))
    yield from _least("min_ids", guards.min_ids, 0)
    yield from _least("max_ids", guards.max_ids, 0)


def _segment_problems(segment: SegmentEntry) -> Iterator[Problem]:
    yield from _refused("name", lambda: local_name(segment.name, what="segment"))
    if not segment.ids:
        yield "ids", msg("expected an id type and its column, such as {phone: mobile}")
    yield from _refused("ids", lambda: id_columns(segment))
    yield from _refused("", lambda: source_spec(segment))
    yield from _refused("max_rejects", lambda: RejectLimit.parse(segment.max_rejects))
    yield from _least("header_row", segment.header_row, 1)
    yield from _least("min_rows", segment.min_rows, 0)


def _least(key: str, value: float | None, least: int) -> Iterator[Problem]:
    if value is not None and not value >= least:
        yield key, msg("expected a number of at least {least}", least=least)


def _refused(key: str, check: Callable[[], object]) -> Iterator[Problem]:
    try:
        check()
    except ConfigError as exc:
        yield key, exc.message
