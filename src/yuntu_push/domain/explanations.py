"""What each code means and what to do about it, without asking anyone.

Own codes stand in `own_codes`, the platform's in `platform_codes`. The class of an error decides
what is to be done, so the steps are per class.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from yuntu_push.domain import errors as e
from yuntu_push.domain.own_codes import OWN_CODES
from yuntu_push.domain.platform_codes import PLATFORM_CODES, family
from yuntu_push.domain.text import Text, msg


@dataclass(frozen=True)
class Explanation:
    """A code's meaning and the next step; `kind` is the class of the error it comes as."""

    code: str
    kind: type[e.YuntuPushError]
    meaning: Text
    step: Text


_STEPS: Mapping[type[e.YuntuPushError], Text] = {
    e.ConfigError: msg("mend the option, the name or the config, then run the command again"),
    e.SourceError: msg("mend the source or the options that describe it, then build again"),
    e.LoginError: msg(
        "log in again: `yuntu-push auth login CHANNEL`; for a missing right, first have it granted "
        "in the developer console"
    ),
    e.RefusedError: msg("the same request is refused again: change what the message points at"),
    e.GuardError: msg("look at what was found, then decide with the option that the hint names"),
    e.PartialError: msg("`yuntu-push push status` names the failed parts, `push resume` retries"),
    e.StillRunningError: msg("nothing failed: `yuntu-push push resume PUSH --wait` attaches again"),
    e.TryLaterError: msg("run the same command later; a cron line may do so by itself"),
    e.StoppedError: msg("run the same command again; what was done is saved"),
    e.YuntuPushError: msg("read the message's next step; a report file, if named, tells more"),
}


def explain(code: str) -> Explanation | None:
    """The explanation of an own code (any case) or of a platform code; None when unknown."""
    wanted = code.strip()
    if wanted.isascii() and wanted.isdecimal() and len(wanted) < 10:
        return _platform(int(wanted))
    name = wanted.upper().replace("-", "_")
    for kind, codes in OWN_CODES.items():
        if name in codes:
            return Explanation(name, kind, codes[name], _step(kind))
    return None


def known_codes() -> list[str]:
    """All codes that can be explained."""
    own = [name for codes in OWN_CODES.values() for name in codes]
    return sorted(own) + [str(number) for number in sorted(PLATFORM_CODES)]


def _platform(number: int) -> Explanation | None:
    found = PLATFORM_CODES.get(number) or family(number)
    if found is None:
        return None
    return Explanation(str(number), found.kind, found.meaning, found.step or _step(found.kind))


def _step(kind: type[e.YuntuPushError]) -> Text:
    return next(_STEPS[cls] for cls in kind.__mro__ if cls in _STEPS)
