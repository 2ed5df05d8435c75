"""Guards: what a push may change about an audience without a person saying so."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from yuntu_push.domain.errors import ConfigError, GuardError
from yuntu_push.domain.settings import GuardEntry
from yuntu_push.domain.text import Text, msg

_SHARE = re.compile(r"(\d{1,6}(?:\.\d+)?)\s*(%?)")


class GuardName(StrEnum):
    """The guards of a pushes entry, by their keys."""

    MAX_REMOVED = "max_removed"
    MAX_GROWTH = "max_growth"
    MIN_IDS = "min_ids"
    MAX_IDS = "max_ids"


@dataclass(frozen=True)
class Sizes:
    """How a push changes an audience, in ids; `before` is None when that is not known.

    `removed` and `added` are exact where both contents are at hand, else the difference of totals.
    """

    after: int
    before: int | None = None
    removed: int = 0
    added: int = 0

    @classmethod
    def of_totals(cls, before: int | None, after: int) -> "Sizes":
        """The least that must have changed, when only totals are known."""
        old = before or 0
        return cls(after, before, max(0, old - after), max(0, after - old))


def check_guards(guards: GuardEntry, sizes: Sizes, passing: Collection[str] = ()) -> None:
    """Raise one `GuardError` for all guards that refuse; those named in `passing` do not.

    Its code is that of the first one.
    """
    found = _refusals(guards, sizes)
    refused = [(name, reason) for name, reason in found if name.value not in passing]
    if not refused:
        return
    raise GuardError(
        f"GUARD_{refused[0][0].upper()}",
        _together([reason for _, reason in refused]),
        # Those that pass already are named again: the option counts for one run.
        hint=msg("the platform is unchanged; `--allow {guard}` lets one run pass",
                 guard=" --allow ".join(name.value for name, _ in found)),
    )  # fmt: skip


def _together(reasons: Sequence[Text]) -> Text:
    first, *more = reasons
    return msg("{reason}; {more}", reason=first, more=_together(more)) if more else first


def _refusals(guards: GuardEntry, sizes: Sizes) -> list[tuple[GuardName, Text]]:
    found = []
    if guards.min_ids is not None and sizes.after < guards.min_ids:
        found.append((GuardName.MIN_IDS, _bound(sizes.after, guards.min_ids, least=True)))
    if guards.max_ids is not None and sizes.after > guards.max_ids:
        found.append((GuardName.MAX_IDS, _bound(sizes.after, guards.max_ids, least=False)))
    if not sizes.before:
        return found
    if sizes.removed > _allowed(guards.max_removed, sizes.before):
        found.append(
            (
                GuardName.MAX_REMOVED,
                msg(
                    "this push would remove {share} % of the audience (limit {limit})",
                    share=round(100 * sizes.removed / sizes.before),
                    limit=guards.max_removed,
                ),
            )
        )
    if guards.max_growth is not None and sizes.added > _allowed(guards.max_growth, sizes.before):
        found.append(
            (
                GuardName.MAX_GROWTH,
                msg(
                    "this push would add {share} % to the audience (limit {limit})",
                    share=round(100 * sizes.added / sizes.before),
                    limit=guards.max_growth,
                ),
            )
        )
    return found


def _bound(ids: int, limit: int, *, least: bool) -> Text:
    if least:
        return msg("the segment has {ids} ids, fewer than {limit}", ids=ids, limit=limit)
    return msg("the segment has {ids} ids, more than {limit}", ids=ids, limit=limit)


def limit_of(text: str) -> tuple[float, bool]:
    """The number of a limit such as `30%` or `5000`, and whether it is a share; `ConfigError`."""
    match = _SHARE.fullmatch(text.strip())
    if match is None:
        raise ConfigError(
            "GUARD_INVALID",
            msg("{text} is no limit", text=repr(text)),
            hint=msg("write a number of ids such as 5000, or a share such as 30%"),
        )
    return float(match[1]), bool(match[2])


def _allowed(text: str, before: int) -> float:
    """Ids that a limit such as `30%` or `5000` allows."""
    number, is_share = limit_of(text)
    return number * before / 100 if is_share else number
