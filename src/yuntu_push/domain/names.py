"""The rules of names: what a person may call a channel, a segment, a push."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import Text, msg

# What names are given to; the words that errors are made with.
NOUNS = {
    str(noun): noun
    for noun in (
        msg("channel"),
        msg("account"),
        msg("brand"),
        msg("segment"),
        msg("source"),
        msg("push"),
        msg("command"),
        msg("entry"),
        msg("pushes entry"),
        msg("code"),
        msg("audience"),
        msg("audience type"),
        msg("id type"),
    )
}
MAX_NAME = 64
MAX_PUSH_NAME = 16  # the hosted product's rule for 推送任务名称
_CHANNEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")


def is_han(char: str) -> bool:
    """Whether a character is a Chinese one (CJK unified ideographs, extensions, 々〇)."""
    code = ord(char)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x323AF
        or 0xF900 <= code <= 0xFAFF
        or char in "々〇"
    )


def canonical(name: str) -> str:
    """The NFC form under which names are stored and compared."""
    return unicodedata.normalize("NFC", name)


def channel_name(name: str) -> str:
    """The name of a channel, or `ConfigError`: ASCII letters, digits, `_`, `-`; at most 64."""
    if len(name) > MAX_NAME or not _CHANNEL.fullmatch(name):
        raise ConfigError(
            "NAME_INVALID",
            msg("{name} is not a name for a channel", name=repr(name)),
            hint=msg("use ASCII letters, digits, _ and -, at most {limit}", limit=MAX_NAME),
        )
    return name


def local_name(name: str, *, what: str) -> str:
    """The canonical name of a segment, source or pushes entry (`what`), or `ConfigError`.

    Letters (Chinese too), digits, `_`, `-`; at most 64; never a path part.
    """
    text = canonical(name)
    bad = next((c for c in text if not (c.isalnum() or c in "_-")), None)
    if not text or len(text) > MAX_NAME or bad is not None or text[0] == "-":
        raise ConfigError(
            "NAME_INVALID",
            msg("{name} is not a name for a {what}", name=repr(name), what=_noun(what)),
            hint=msg("use letters, digits, _ and -, at most {limit}", limit=MAX_NAME),
        )
    return text


def push_name(name: str) -> str:
    """The name of a push task, or `ConfigError` that points at the offending character.

    The product's rule: Chinese, letters, digits, underscore, at most 16 characters.
    """
    text = canonical(name)
    for place, char in enumerate(text):
        if not (is_han(char) or (char.isascii() and char.isalnum()) or char == "_"):
            raise _push_name_error(
                msg("character {place} ({char}) is not allowed", place=place + 1, char=repr(char)),
                text,
                place,
            )
    if len(text) > MAX_PUSH_NAME:
        raise _push_name_error(
            msg("it has {count} characters", count=len(text)), text, MAX_PUSH_NAME
        )
    if not text:
        raise _push_name_error(msg("it is empty"), text, 0)
    return text


def _push_name_error(reason: Text, name: str, place: int) -> ConfigError:
    return ConfigError(
        "PUSH_NAME_INVALID",
        msg(
            "the push name {name} is refused: {reason}\n    {line}\n    {pointer}",
            name=repr(name),
            reason=reason,
            line=name,
            pointer=_columns(name[:place]) * " " + "^",
        ),
        hint=msg(
            "use Chinese, letters, digits and underscore, at most {limit} characters",
            limit=MAX_PUSH_NAME,
        ),
    )


def _columns(text: str) -> int:
    """Terminal cells that a text takes: East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _noun(what: str) -> Text:
    return NOUNS.get(what, Text(what))


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Up to three known names that a person may have meant."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)


def unknown(what: str, name: str, known: Iterable[str], *, hint: Text | None = None) -> ConfigError:
    """The error for a name that is not there, with the nearest known ones."""
    names = sorted(set(known))
    close = nearest(name, names) or names[:5]
    message = (
        msg(
            "there is no {what} {name}; known: {known}",
            what=_noun(what),
            name=repr(name),
            known=", ".join(close),
        )
        if close
        else msg("there is no {what} {name}", what=_noun(what), name=repr(name))
    )
    return ConfigError(f"{what.upper().replace(' ', '_')}_UNKNOWN", message, hint=hint)
