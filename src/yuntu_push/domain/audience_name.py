"""The name that an audience bears on the platform: recognisable, unique, frozen.

It is the only key by which a data source can be found again whose creation got no answer, so the
push's short id is always part of it.
"""

import string
from datetime import datetime

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.quota import BEIJING
from yuntu_push.domain.text import msg

MAX_AUDIENCE_NAME = 30  # the platform's limit for data sources; characters, as far as is known
DEFAULT_TEMPLATE = "{name}_{date}_{id}"
FIELDS = ("name", "date", "id", "segment", "version")
ID_ALPHABET = "23456789bcdfghjkmnpqrstvwxz"  # no vowels, no look-alikes
ID_LENGTH = 6


def audience_name(
    template: str | None,
    *,
    name: str,
    push_id: str,
    segment: str,
    version: int,
    at: datetime,
    byte_limit: int | None = None,
) -> str:
    """The audience's name by `template`, or `ConfigError` when it is too long or not understood.

    Fields: `{name}`, `{date}` (MMDD, Beijing), `{id}`, `{segment}`, `{version}`. The id is appended
    where a template leaves it out. The default shortens the push's name to fit `byte_limit`.
    """
    facts = {
        "name": name,
        "date": at.astimezone(BEIJING).strftime("%m%d"),
        "id": push_id,
        "segment": segment,
        "version": str(version),
    }
    if template is None:
        return _default(facts, byte_limit)
    wanted = fields_of(template)
    text = template.format_map(facts)
    if "id" not in wanted:
        text = f"{text}_{push_id}"
    if not _fits(text, byte_limit):
        raise _too_long(text, byte_limit)
    return text


def fields_of(template: str) -> set[str]:
    """The fields that a template names, or `ConfigError` when it cannot be read."""
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as exc:
        raise ConfigError(
            "AUDIENCE_NAME_INVALID",
            msg("the audience name {template} cannot be read", template=repr(template)),
            hint=msg("write it like {example}", example=DEFAULT_TEMPLATE),
        ) from exc
    unknown = sorted(found.difference(FIELDS))
    if unknown:
        raise ConfigError(
            "AUDIENCE_NAME_INVALID",
            msg("the audience name has an unknown field: {field}", field=", ".join(unknown)),
            hint=msg("use {fields}", fields=" ".join(f"{{{field}}}" for field in FIELDS)),
        )
    return found


def _default(facts: dict[str, str], byte_limit: int | None) -> str:
    name = facts["name"]
    while name:
        text = DEFAULT_TEMPLATE.format_map({**facts, "name": name})
        if _fits(text, byte_limit):
            return text
        name = name[:-1]
    raise _too_long(DEFAULT_TEMPLATE.format_map(facts), byte_limit)


def _fits(text: str, byte_limit: int | None) -> bool:
    within = byte_limit is None or len(text.encode()) <= byte_limit
    return within and len(text) <= MAX_AUDIENCE_NAME


def _too_long(text: str, byte_limit: int | None) -> ConfigError:
    return ConfigError(
        "AUDIENCE_NAME_TOO_LONG",
        msg(
            "the audience name {name} is too long: {count} characters, {bytes} bytes",
            name=repr(text),
            count=len(text),
            bytes=len(text.encode()),
        ),
        hint=msg("at most {limit} characters", limit=MAX_AUDIENCE_NAME)
        if byte_limit is None
        else msg(
            "at most {limit} characters and {bytes} bytes",
            limit=MAX_AUDIENCE_NAME,
            bytes=byte_limit,
        ),
    )
