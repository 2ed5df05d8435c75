"""Settings with their defaults: what the config file may say.

Durations are seconds here; the file writes `90`, `90s`, `3m`, `3h`, `30d`. Each field's docstring
line is the reference for its key.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from yuntu_push.domain.channel import DEFAULT_API_URL, DEFAULT_CALLBACK_URL, Channel, ChannelKind

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?", re.ASCII)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB)?", re.IGNORECASE | re.ASCII)
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
# Longer or larger is a slip of the pen, and more than clocks and machines can reckon with.
_LONGEST, _LARGEST = 3650 * 86400, 10**15


def seconds(text: str | float) -> float:
    """Seconds of a duration such as `90`, `90s`, `3m`, `3h`; `ValueError` otherwise."""
    match = _DURATION.fullmatch(str(text).strip())
    found = float(match[1]) * _UNITS[match[2] or "s"] if match else None
    if found is None or found > _LONGEST:
        raise ValueError(f"expected a duration such as 90, 90s, 3m or 3h, not {text!r}")
    return found


def size_bytes(text: str | int) -> int:
    """Bytes of a size such as `10MB` (10^6) or `500KB` (10^3); `ValueError` otherwise."""
    match = _SIZE.fullmatch(str(text).strip())
    found = float(match[1]) * _SIZES[(match[2] or "B").upper()] if match else None
    if found is None or found > _LARGEST:
        raise ValueError(f"expected a size such as 10MB or 500KB, not {text!r}")
    return int(found)


def _duration(default: float | None) -> Any:
    return field(default=default, metadata={"parse": seconds, "expected": "duration"})


def _size(default: int) -> Any:
    return field(default=default, metadata={"parse": size_bytes, "expected": "size"})


@dataclass(frozen=True)
class ChannelEntry:
    """An entry of `channels:`; the Secret lives in the secret store."""

    kind: ChannelKind
    app_id: int
    callback_url: str = DEFAULT_CALLBACK_URL
    auth_url: str = ""
    api_url: str = DEFAULT_API_URL
    client: str | None = None
    same_app_as: str | None = None

    def channel(self, name: str) -> Channel:
        """The channel that this entry declares under `name`."""
        return Channel(
            name=name,
            kind=self.kind,
            app_id=self.app_id,
            callback_url=self.callback_url,
            auth_url=self.auth_url,
            api_url=self.api_url,
            client=self.client,
            same_app_as=self.same_app_as,
        )


@dataclass(frozen=True)
class SecretsSettings:
    """`secrets:`"""

    backend: Literal["keyring", "file", "env"] | None = None
    key_command: tuple[str, ...] = ()
    allow_backends: tuple[str, ...] = ()
    timeout: float = _duration(3.0)


@dataclass(frozen=True)
class ApiSettings:
    """`api:` — how the platform is called; the last ones are its uncertain points."""

    rate: float = 3.0
    connect_timeout: float = _duration(10.0)
    timeout: float = _duration(60.0)
    upload_timeout: float = _duration(10.0)
    copy_to: Literal["scalar", "list"] = "scalar"
    data_source_type: Literal["UID", "DID"] = "UID"
    name_byte_limit: int | None = None
    grant_type: bool = False


@dataclass(frozen=True)
class PushSettings:
    """`push:`"""

    uploads: int = 2
    poll: float = _duration(60.0)
    timeout: float = _duration(3 * 3600.0)
    stall: float = _duration(6 * 3600.0)
    reconcile_wait: float = _duration(90 * 60.0)
    settle: float = _duration(5 * 60.0)
    copy_unknown: Literal["ask", "again", "done"] = "ask"


@dataclass(frozen=True)
class IdSettings:
    """`ids:` — the shapes that the platform's documents leave open."""

    idfa_case: Literal["upper", "lower"] = "upper"
    oaid_other: Literal["md5", "reject", "plain"] = "md5"
    oaid_md5_case: Literal["given", "lower", "upper"] = "given"


DeflateLevel = Literal["auto", 0, 1, 2, 3]
"""From fast to small; `auto` is the faster one of 2 and 3 on this processor."""


@dataclass(frozen=True)
class SegmentSettings:
    """`segments:`"""

    keep_days: int = 30
    part_size: int = _size(10_000_000)
    deflate_level: DeflateLevel = "auto"
    exclude: tuple[str, ...] = ()
    exclude_csv: tuple[str, ...] = ()


@dataclass(frozen=True)
class SqlSettings:
    """`sql:`"""

    allow_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceEntry:
    """An entry of `sources:`; the password lives in the secret store."""

    url: str


@dataclass(frozen=True)
class GuardEntry:
    """`guards:` of a pushes entry."""

    max_removed: str = "30%"
    max_growth: str | None = None
    min_ids: int | None = None
    max_ids: int | None = None


@dataclass(frozen=True)
class SegmentEntry:
    """`segment:` of a pushes entry: what `segment build` takes as options."""

    name: str
    ids: dict[str, str]
    source: str | None = None
    sql: str | None = None
    sql_file: str | None = None
    csv: tuple[str, ...] = ()
    parquet: tuple[str, ...] = ()
    excel: str | None = None
    sheet: str | None = None
    header_row: int = 1
    params: dict[str, str] = field(default_factory=dict)
    min_rows: int = 1
    require_sql: str | None = None
    on_empty: Literal["later", "fail"] = "later"
    max_rejects: str = "5%"
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class PushEntry:
    """An entry of `pushes:`."""

    name: str
    segment: SegmentEntry
    channel: str | None = None
    account: str | None = None
    brands: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    id_types: tuple[str, ...] = ()
    mode: Literal["reset", "append", "remove", "mirror"] = "reset"
    copy: Literal["first", "each", "weekly", "manual"] = "first"
    publish_at: str | None = None
    audience_name: str | None = None
    description: str = ""
    guards: GuardEntry = field(default_factory=GuardEntry)
    expect_every: float | None = _duration(None)


@dataclass(frozen=True)
class Settings:
    """Everything that the config file may say."""

    channels: dict[str, ChannelEntry] = field(default_factory=dict)
    secrets: SecretsSettings = field(default_factory=SecretsSettings)
    api: ApiSettings = field(default_factory=ApiSettings)
    push: PushSettings = field(default_factory=PushSettings)
    ids: IdSettings = field(default_factory=IdSettings)
    segments: SegmentSettings = field(default_factory=SegmentSettings)
    sql: SqlSettings = field(default_factory=SqlSettings)
    sources: dict[str, SourceEntry] = field(default_factory=dict)
    pushes: dict[str, PushEntry] = field(default_factory=dict)
