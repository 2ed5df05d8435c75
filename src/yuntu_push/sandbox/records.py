"""What the platform remembers: plain records, kept as JSON in the state file.

Moments are seconds since 1970 on the platform's clock. Contents of audiences are names of id sets
(`idsets`), one per id type. Tokens and codes stand here as digests only.
"""

from dataclasses import dataclass, field
from enum import StrEnum

Content = dict[int, str]
"""Id type number to the name of its id set."""


class Kind(StrEnum):
    """Account types that the seeded world has (`account_type` on the wire)."""

    ADVERTISER = "ADVERTISER"
    WORKBENCH = "CUSTOMER_ADMIN"
    ENTERPRISE = "PLATFORM_ROLE_ENTERPRISE_BP_ADMIN"
    AGENT = "AGENT"
    CHILD_AGENT = "CHILD_AGENT"
    SHOP = "PLATFORM_ROLE_SHOP_ACCOUNT"


class Platform(StrEnum):
    """Where an advertiser places its ads."""

    AD = "AD"
    QIANCHUAN = "QIANCHUAN"
    LOCAL = "LOCAL"


@dataclass
class Account:
    """An account of the platform; `parents` are the containers it is seen under."""

    id: int
    name: str
    kind: Kind
    company: str
    platform: Platform = Platform.AD
    parents: list[int] = field(default_factory=list)
    valid: bool = True


@dataclass
class Login:
    """A person's login and the accounts it may authorise."""

    uid: int
    name: str
    email: str
    accounts: list[int]


@dataclass
class Brand:
    """A Yuntu brand, its virtual advertiser and the advertisers bound to it."""

    id: int
    name: str
    virtual_adv_id: int
    industry: str
    bound: list[int] = field(default_factory=list)


@dataclass
class Application:
    """The developer application."""

    app_id: int
    name: str
    secret: str
    callback_url: str | None
    permissions: list[str]


@dataclass
class AuthCode:
    """A code on its way from the consent page to the token exchange."""

    digest: str
    uid: int
    accounts: list[int]
    permissions: list[str]
    material: bool
    expires: float
    used: bool = False


@dataclass
class Grant:
    """The one live authorisation of a login."""

    uid: int
    accounts: list[int]
    permissions: list[str]
    material: bool
    access: str
    access_expires: float
    refresh: str
    refresh_expires: float
    earlier: str = ""
    """The access token before the last refresh, which may work a little longer."""
    earlier_expires: float = 0.0


@dataclass
class UploadedFile:
    """A DMP zip that was accepted, under its path."""

    path: str
    advertiser_id: int
    uploaded: float
    size: int
    md5: str
    ids: int
    lines: int
    content: Content
    complaint: str = ""
    """Why parsing it will fail; empty when it will not."""


class Action(StrEnum):
    """What a change log did; `CODES` has the wire's numbers."""

    CREATE = "create"
    ADD = "add"
    DELETE = "delete"
    RESET = "reset"


class LogState(StrEnum):
    """How far a change is."""

    NEW = "new"
    PROCESSING = "processing"
    EFFECTIVE = "effective"
    FAILED = "failed"


@dataclass
class ChangeLog:
    """One change of a data source, from its request to its effect."""

    id: int
    action: Action
    file_paths: list[str]
    created: float
    starts: float
    ready: float
    state: LogState = LogState.NEW
    message: str = ""
    finished: float | None = None


@dataclass
class Publish:
    """One publish of an audience, with the content it puts in force."""

    requested: float
    ready: float
    log_id: int
    done: bool = False


@dataclass
class Push:
    """An audience on its way to an advertiser."""

    target: int
    requested: float
    ready: float
    done: bool = False


@dataclass
class Audience:
    """A custom audience (人群包), made by a data source."""

    id: int
    advertiser_id: int
    data_source_id: str
    name: str
    created: float
    modified: float
    content: Content
    log_id: int
    upload_num: int
    cover_num: int
    publishes: list[Publish] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)
    deleted: bool = False
    published_content: Content = field(default_factory=dict)
    published_cover_num: int = 0
    published_upload_num: int = 0


@dataclass
class DataSource:
    """A DMP data source (数据源)."""

    id: str
    advertiser_id: int
    name: str
    description: str
    type: str
    created: float
    modified: float
    visible: float
    """When reads begin to show it."""
    logs: list[ChangeLog]
    audience_id: int | None = None


@dataclass
class BrandCopy:
    """An audience in a Yuntu brand: a snapshot of what was in force when it was copied."""

    id: int
    brand_id: int
    audience_id: int
    advertiser_id: int
    name: str
    requested: float
    ready: float
    log_id: int
    upload_num: int
    cover_num: int
    replaced: bool = False


@dataclass
class QianchuanFile:
    """A plain-text zip for Qianchuan; `content` is there once the last part has come."""

    key: str
    advertiser_id: int
    uploaded: float
    size: int
    md5: str
    parts: int
    finished: bool
    lines: int = 0
    skipped: int = 0
    content: str = ""


@dataclass
class QianchuanAudience:
    """A Qianchuan audience made from a file."""

    id: int
    advertiser_id: int
    name: str
    group: str
    data_type: int
    created: float
    starts: float
    ready: float
    stock_num: int
    targets: list[int] = field(default_factory=list)
    push_requested: float | None = None
    push_ready: float | None = None
    for_brand: bool = False
    deleted: bool = False


@dataclass
class WorldState:
    """Everything the platform remembers."""

    seed: int
    app: Application
    offset: float = 0.0
    counter: int = 0
    """How many random draws were made; the next draw follows from seed and counter."""
    salt: str = ""
    """Keys the digests of ids, so that no two sandboxes' digests can be compared."""
    accounts: dict[int, Account] = field(default_factory=dict)
    logins: dict[int, Login] = field(default_factory=dict)
    brands: dict[int, Brand] = field(default_factory=dict)
    codes: list[AuthCode] = field(default_factory=list)
    grants: dict[int, Grant] = field(default_factory=dict)
    revoked: list[str] = field(default_factory=list)
    """Digests of the tokens whose authorisation was taken back."""
    files: dict[str, UploadedFile] = field(default_factory=dict)
    data_sources: dict[str, DataSource] = field(default_factory=dict)
    audiences: dict[int, Audience] = field(default_factory=dict)
    copies: list[BrandCopy] = field(default_factory=list)
    qc_files: dict[str, QianchuanFile] = field(default_factory=dict)
    qc_audiences: dict[int, QianchuanAudience] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    """Calls of each endpoint that were answered with success."""
