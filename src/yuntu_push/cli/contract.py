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
    """`segment build`, `segment show`."""

    name: str
    version: int
    fingerprint: str
    rows_read: int
    rows_with_id: int
    excluded_rows: int
    ids_total: int
    by_type: dict[str, TypeCounts]
    rejects: dict[str, int]
    rejects_path: str | None
    parts: list[PartData]
    built_at: str
    seconds: float


class SegmentsData(TypedDict):
    """`segment list`."""

    segments: list[dict[str, Any]]


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


ANSWERS: dict[str, type] = {
    "init": InitData,
    "guide": GuideData,
    "demo": DemoData,
    "config show": ConfigData,
    "config check": ConfigCheckData,
    "channel add": ChannelData,
    "channel show": ChannelData,
    "channel list": ChannelsData,
    "auth login": LoginData,
    "accounts list": AccountsData,
    "accounts refresh": AccountsData,
    "segment build": SegmentData,
    "segment show": SegmentData,
    "segment list": SegmentsData,
    "push create": PushData,
    "push status": PushData,
    "push list": PushesData,
    "push resume": PushData,
}
