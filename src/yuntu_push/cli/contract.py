"""The shape of every command's `data` in the envelope: what scripts may rely on.

`yuntu-push schema COMMAND` prints these as JSON Schema, and tests hold real answers against them.
Ids are strings, times ISO 8601 with offset, paths absolute.
"""

from typing import Any, NotRequired, TypedDict


class Empty(TypedDict):
    """Nothing beyond the envelope."""


class ChannelData(TypedDict):
    """`channel show` and `channel add`."""

    name: str
    kind: str
    app_id: str
    callback_url: str
    auth_url: str
    api_url: str
    secret_stored: bool
    authorized: bool
    access_token_expires_at: str | None
    refresh_token_expires_at: str | None


class ChannelsData(TypedDict):
    """`channel list`."""

    channels: list[ChannelData]


class BrandData(TypedDict):
    """A Yuntu brand bound to an account."""

    brand_id: str
    brand_name: str
    virtual_adv_id: str


class AccountData(TypedDict):
    """One account."""

    channel: str
    advertiser_id: str
    name: str
    account_type: str
    parent_id: str | None
    valid: bool
    company: str
    brands: list[BrandData]


class AccountsData(TypedDict):
    """`accounts list`, `accounts refresh`."""

    accounts: list[AccountData]


class LoginData(AccountsData):
    """`auth login`: the accounts, and what this login changed."""

    gained: list[AccountData]
    lost: list[AccountData]


class TypeCounts(TypedDict):
    """What became of one id type's values."""

    values: int
    blank: int
    hashed_by_us: int
    already_hashed: int
    rejected: int
    duplicates: int
    ids: int


class PartData(TypedDict):
    """One upload-ready file."""

    path: str
    type: str
    bytes: int
    ids: int
    md5: str


class SegmentData(TypedDict):
    """`segment build`, `segment show`; with `--dry-run` there is no version."""

    name: str
    version: int | None
    fingerprint: str
    rows_read: int
    rows_with_id: int
    excluded_rows: int
    ids_total: int
    by_type: dict[str, TypeCounts]
    rejects: dict[str, int]
    rejects_path: str | None
    parts: list[PartData]
    built_at: NotRequired[str]
    seconds: NotRequired[float]
    columns: NotRequired[list[dict[str, Any]]]
    would_fail: NotRequired[dict[str, Any] | None]


class SegmentSummary(TypedDict):
    """A version of a segment in short."""

    name: str
    version: int
    fingerprint: str
    ids_total: int
    id_types: list[str]
    parts: int
    bytes: int
    built_at: str


class SegmentsData(TypedDict):
    """`segment list`, `segment remove`."""

    segments: list[SegmentSummary]


class PushAccount(TypedDict):
    """The owner (推送账户) of a push."""

    advertiser_id: str
    name: str


class PushBrand(TypedDict):
    """A brand of a push and how far it is."""

    brand_id: str
    brand_name: str
    virtual_adv_id: str
    state: str
    yuntu_audience_id: str | None


class PushTarget(TypedDict):
    """A target (投放账户) of a push and how far it is."""

    advertiser_id: str
    state: str


class PushStep(TypedDict):
    """One step of a push."""

    name: str
    state: str
    attempts: int
    started_at: str | None
    finished_at: str | None
    error: dict[str, Any] | None


class PushData(TypedDict):
    """`push create`, `push status`, `push resume` and every command on one push."""

    push_id: str
    name: str
    audience_name: str
    channel: str
    channel_kind: str
    segment: str
    segment_version: int
    audience_type: str
    id_types: list[str]
    account: PushAccount
    brands: list[PushBrand]
    targets: list[PushTarget]
    state: str
    step: str | None
    steps: list[PushStep]
    data_source_id: str | None
    custom_audience_id: str | None
    delivery_status: str | None
    upload_num: int | None
    cover_num: int | None
    next_action: str | None
    next_at: str | None
    created_at: str
    updated_at: str
    error: dict[str, Any] | None


class PushesData(TypedDict):
    """`push list`, `push status` without a push, `push resume --all`."""

    pushes: list[PushData]


class ConfigData(TypedDict):
    """`config show`."""

    path: str
    settings: dict[str, Any]
    origins: NotRequired[dict[str, str]]


class ConfigCheckData(TypedDict):
    """`config check`."""

    path: str
    exists: bool
    valid: bool


class InitData(TypedDict):
    """`init`."""

    path: str
    created: bool


class GuideStep(TypedDict):
    """One step of the way to the first push."""

    name: str
    what: str
    how: str
    done: bool | None


class GuideData(TypedDict):
    """`guide`."""

    steps: list[GuideStep]


class DemoData(TypedDict):
    """`demo`."""

    steps: list[dict[str, Any]]
    push: PushData


class ChannelRemovedData(TypedDict):
    """`channel remove`."""

    name: str
    removed: bool


class AuthStatus(TypedDict):
    """The login of one channel; `auth refresh`."""

    name: str
    secret_stored: bool
    authorized: bool
    access_token_expires_at: str | None
    refresh_token_expires_at: str | None
    days_left: int | None


class StoreData(TypedDict):
    """Where secrets live."""

    name: str
    description: str


class AuthStatusData(TypedDict):
    """`auth status`."""

    channels: list[AuthStatus]
    store: StoreData


class LogoutData(TypedDict):
    """`auth logout`."""

    name: str
    authorized: bool


MovedData = TypedDict("MovedData", {"from": str, "to": str, "channels": list[str]})


class RejectsData(TypedDict):
    """`segment rejects`."""

    name: str
    version: int
    rejects: dict[str, int]
    rejects_path: str | None


class SegmentChange(TypedDict):
    """What changed in one id type."""

    added: int
    removed: int
    kept: int


class DiffData(TypedDict):
    """`segment diff`."""

    name: str
    from_version: int
    to_version: int
    by_type: dict[str, SegmentChange]


class QuotaData(TypedDict):
    """One quota of the platform, as far as this tool used it."""

    kind: str
    subject: str
    used: int
    limit: int
    left: int
    opens_at: str | None


class QuotasData(TypedDict):
    """`quota`."""

    quotas: list[QuotaData]


class ExplanationData(TypedDict):
    """`explain`."""

    code: str
    meaning: str
    step: str
    retryable: bool
    exit_code: int | None


class CheckData(TypedDict):
    """One check of `doctor`; `state` is ok, warning, failed or skipped."""

    name: str
    channel: str | None
    state: str
    message: str
    hint: str | None
    code: str | None


class ChecksData(TypedDict):
    """`doctor`."""

    checks: list[CheckData]


class ScheduleFile(TypedDict):
    """A file for a scheduler."""

    name: str
    content: str


class ScheduleData(TypedDict):
    """`schedule print`."""

    scheduler: str
    files: list[ScheduleFile]
    written: list[str]


# What each command answers; several where its arguments decide which.
ANSWERS: dict[str, tuple[type, ...]] = {
    "init": (InitData,),
    "guide": (GuideData,),
    "demo": (DemoData,),
    "doctor": (ChecksData,),
    "quota": (QuotasData,),
    "explain": (ExplanationData,),
    "config show": (ConfigData,),
    "config check": (ConfigCheckData,),
    "channel add": (ChannelData,),
    "channel show": (ChannelData,),
    "channel list": (ChannelsData,),
    "channel set-secret": (ChannelData,),
    "channel remove": (ChannelRemovedData,),
    "auth login": (LoginData,),
    "auth status": (AuthStatusData,),
    "auth refresh": (AuthStatus,),
    "auth logout": (LogoutData,),
    "auth move": (MovedData,),
    "accounts list": (AccountsData,),
    "accounts refresh": (AccountsData,),
    "segment build": (SegmentData,),
    "segment show": (SegmentData,),
    "segment verify": (SegmentData,),
    "segment combine": (SegmentData,),
    "segment list": (SegmentsData,),
    "segment remove": (SegmentsData,),
    "segment rejects": (RejectsData,),
    "segment diff": (DiffData,),
    "push create": (PushData,),
    "push status": (PushData, PushesData),
    "push show": (PushData,),
    "push list": (PushesData,),
    "push resume": (PushData, PushesData),
    "push cancel": (PushData,),
    "push copy": (PushData,),
    "push confirm": (PushData,),
    "schedule print": (ScheduleData,),
}
# These print their own output, without the envelope.
BARE = frozenset({"sandbox serve", "schema", "completion", "config path"})
