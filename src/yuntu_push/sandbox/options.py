"""What can be set on the sandbox, the doubtful points of the vendor's documents among it."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any


class CopyTo(StrEnum):
    """Type of `to_advertiser_id` in `custom_audience/copy`; the two kinds of SDK disagree."""

    SCALAR = "scalar"
    LIST = "list"


class SelfPush(StrEnum):
    """Whether an owner has to push a new audience to itself before it can use it."""

    NEEDED = "needed"
    IMPLICIT = "implicit"
    REFUSED = "refused"


class CopyNeeds(StrEnum):
    """How far an audience must be before it can be copied into a Yuntu brand."""

    AVAILABLE = "available"
    PUBLISHED = "published"
    PARSED = "parsed"


class CopyAgain(StrEnum):
    """What a second copy of one audience into one brand does."""

    DUPLICATE = "duplicate"
    REPLACE = "replace"
    REFUSE = "refuse"


class CopyAnswer(StrEnum):
    """What `custom_audience_id` in the answer to a copy is; the official SDK contradicts itself."""

    AUDIENCE = "audience"
    ADVERTISER = "advertiser"
    NOTHING = "nothing"


class AfterUpdate(StrEnum):
    """What `delivery_status` shows between an update and the next publish."""

    NEED_PUBLISH = "need_publish"
    AVAILABLE = "available"


class BadIds(StrEnum):
    """What happens to ids that fail the vendor's patterns."""

    PARSE_FAILS = "parse_fails"
    REFUSE = "refuse"
    SKIP = "skip"


class SlowUpload(StrEnum):
    """How an upload ends that took longer than the platform's limit."""

    GATEWAY = "gateway"
    REFUSE = "refuse"
    DROP = "drop"


class GetBody(StrEnum):
    """What a JSON body of a GET request is worth; some community clients send nothing else."""

    IGNORED = "ignored"
    READ = "read"


class NameUnit(StrEnum):
    """What "30 characters" counts: characters, UTF-8 bytes, or Chinese as two."""

    CHARACTERS = "characters"
    BYTES = "bytes"
    WIDE = "wide"


@dataclass(frozen=True)
class SandboxOptions:
    """Where the sandbox listens, how fast its work goes, and how its doubtful points behave."""

    host: str = "127.0.0.1"
    port: int = 0
    speed: float = 600.0
    """Parsing, publishing, pushing and copying go this many times faster than the platform's."""
    state_file: Path | None = None
    faults: Path | None = None
    auto_consent: bool = False
    callback_url: str | None = None
    """The application's registered callback; None accepts any loopback address."""
    seed: int = 20
    copy_to: CopyTo = CopyTo.SCALAR
    self_push: SelfPush = SelfPush.NEEDED
    copy_needs: CopyNeeds = CopyNeeds.AVAILABLE
    copy_again: CopyAgain = CopyAgain.DUPLICATE
    copy_answer: CopyAnswer = CopyAnswer.AUDIENCE
    brand_readable: bool = False
    """Whether `read` and `select` answer for a brand's virtual advertiser."""
    after_update: AfterUpdate = AfterUpdate.NEED_PUBLISH
    publish_after_push: bool = True
    """Whether a push needs a later publish before its target can use the audience."""
    publish_refused_code: int = 40001
    """Code of a second publish inside 24 hours."""
    quota_code: int = 40001
    """Code of a create or update beyond the day's quota."""
    state_code: int = 40001
    """Code of expired paths, and of audiences that are deleted, expired or not far enough."""
    subject_code: int = 40001
    """Code of a push to an advertiser of another legal subject (主体)."""
    permission_code: int = 40002
    """Code of a call that the application lacks the permission point for."""
    revoked_code: int = 40105
    """Code of a token whose authorisation the person took back."""
    token_grace: float = 0.0
    """Seconds that an access token still works after a refresh replaced it."""
    get_body: GetBody = GetBody.IGNORED
    list_lag: float = 0.0
    """Seconds, on the platform's clock, before new things show up in reads."""
    bad_ids: BadIds = BadIds.PARSE_FAILS
    upload_limit: float = 10.0
    """Seconds, real ones, that a DMP upload may take; 0 for no limit."""
    slow_upload: SlowUpload = SlowUpload.GATEWAY
    name_unit: NameUnit = NameUnit.CHARACTERS
    duplicate_names: bool = True
    min_cover: int = 0
    """An audience that covers fewer users ends with status 4, 覆盖人数过少."""
    strict_fields: bool = True
    """Whether undeclared fields are refused; the platform probably ignores them."""
    qps: float = 0.0
    """Calls per second and endpoint, above which 40110 is answered; 0 for no limit."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense, naming the option."""
        if not 0.001 <= self.speed <= 1e9:
            raise ValueError("speed must be between 0.001 and 1000000000")
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be between 0 and 65535")
        for field in fields(self):
            if field.name.endswith("_code") and not 1 <= getattr(self, field.name) <= 99_999:
                raise ValueError(f"{field.name} must be between 1 and 99999")
        for name in ("list_lag", "token_grace", "upload_limit", "min_cover", "qps"):
            if not 0 <= getattr(self, name) <= 1e9:
                raise ValueError(f"{name} must be between 0 and 1000000000")


SWITCHES = frozenset(field.name for field in fields(SandboxOptions)) - {
    "host",
    "port",
    "speed",
    "state_file",
    "faults",
    "auto_consent",
    "callback_url",
    "seed",
}
"""The doubtful points of the vendor's documents."""

_FLAGS = {"true": True, "false": False, "yes": True, "no": False, "1": True, "0": False}


def read_switches(words: Iterable[str]) -> dict[str, Any]:
    """Options out of NAME=VALUE words; ValueError names what is wrong."""
    types = {field.name: field.type for field in fields(SandboxOptions)}
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or name not in SWITCHES:
            raise ValueError(f"{name} is no switch; there are {', '.join(sorted(SWITCHES))}")
        kind = types[name]
        try:
            found[name] = _FLAGS[text.lower()] if kind is bool else kind(text)  # type: ignore[operator]
        except (KeyError, ValueError):
            raise ValueError(f"{name}: {text!r} is none of its values{_choices(kind)}") from None
    return found


def _choices(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return f" ({', '.join(each.value for each in kind)})"
    return ""
