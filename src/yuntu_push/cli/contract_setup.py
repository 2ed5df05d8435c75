"""The shapes of what everything around segments and pushes answers; see `contract`."""

from typing import Any, NotRequired, TypedDict

from yuntu_push.cli.contract_work import PushData


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
    entry: str | None
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


class SourceData(TypedDict):
    """`source add`, `source login`, `source test`, `source remove`; the URL has no password."""

    name: str
    url: str
    kind: str
    password_stored: bool


class SourcesData(TypedDict):
    """`source list`."""

    sources: list[SourceData]


class StateData(TypedDict):
    """`state export`, `state import`; `kept` is where a replaced setup was put."""

    path: str
    made_at: str
    made_by: str
    accounts: int
    pushes: int
    working: int
    kept: str | None
