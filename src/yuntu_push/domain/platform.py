"""What the platform says about data sources and audiences, in our words.

Field meanings: the official SDK's models for `dmp/data_source/read`, `dmp/custom_audience/read` and
`select`. Counters may be missing on the wire, so they are optional here; times are the platform's
own strings (Beijing time) and decide nothing: they are shown, and warn of an expiry.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from yuntu_push.domain.channel import Account


class DeliveryStatus(StrEnum):
    """Whether an audience can be used in delivery; the platform's enum without its prefix."""

    AVAILABLE = "AVAILABLE"  # published and pushed: the only usable state
    NEED_PUSH = "NEED_PUSH"  # published, not pushed
    NEED_PUBLISH = "NEED_PUBLISH"  # pushed, not published
    UNAVAILABLE = "UNAVAILABLE"  # neither


class Operation(IntEnum):
    """`operation_type` of a data source update."""

    ADD = 1
    DELETE = 2
    RESET = 3


@dataclass(frozen=True)
class ChangeLog:
    """One change of a data source: `action` 0 create, 1 add, 2 delete, 3 reset;
    `status` 0 new, 1 processing, 2 effective, 3 failed."""

    change_log_id: int | None
    action: int | None
    status: int | None
    message: str = ""
    file_paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class RemoteAudience:
    """A custom audience (人群包) on the ad platform."""

    custom_audience_id: int
    name: str
    data_source_id: str | None
    status: int | None
    delivery_status: DeliveryStatus | None
    push_status: int | None = None
    upload_num: int | None = None
    cover_num: int | None = None
    source: str = ""
    deleted: bool = False
    create_time: str = ""
    modify_time: str = ""
    expiry_date: str = ""


@dataclass(frozen=True)
class RemoteDataSource:
    """A data source (数据源): `status` 0 created, 1 parsing, 2 finished, 3 seen as failed.

    `audience` is the default audience, there once the source is parsed.
    """

    data_source_id: str
    name: str
    status: int | None
    upload_num: int | None
    cover_num: int | None
    audience: RemoteAudience | None
    change_logs: tuple[ChangeLog, ...]
    published_change_log_id: int | None
    published_time: str = ""


@dataclass(frozen=True)
class TokenAnswer:
    """The token fields of an exchange or refresh; lifetimes in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int
    refresh_expires_in: int

    def __repr__(self) -> str:
        return "TokenAnswer(***)"


@dataclass(frozen=True)
class AuthorizedAccount:
    """One entry of the list of accounts a login authorised."""

    account_id: int
    name: str
    account_type: str
    valid: bool
    company_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Expansion:
    """The advertisers found under an account; `total` is the platform's own count of them, larger
    where its paging ends before its list does."""

    accounts: tuple[Account, ...]
    total: int


@dataclass(frozen=True)
class NetworkFacts:
    """How an API host was reached: through which proxy, trusting whose certificates.

    `genuine` is False when something answered that does not speak as the platform does;
    `server_time` is the host's clock, aware UTC; `seconds` how long the answer took.
    """

    host: str
    proxy: str | None
    ca_bundle: str | None
    server_time: datetime | None
    genuine: bool
    seconds: float
