"""Channels, grants, accounts and brands: who may push where."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from yuntu_push.domain.secret import SecretText


class ChannelKind(StrEnum):
    """Which platform the developer application belongs to."""

    YUNTU = "yuntu"
    OCEANENGINE = "oceanengine"
    QIANCHUAN = "qianchuan"


DEFAULT_CALLBACK_URL = "http://127.0.0.1:8787/oauth/callback"
DEFAULT_API_URL = "https://api.oceanengine.com"
AUTH_PAGES = {
    ChannelKind.YUNTU: "https://open.oceanengine.com/audit/oauth.html",
    ChannelKind.OCEANENGINE: "https://open.oceanengine.com/audit/oauth.html",
    ChannelKind.QIANCHUAN: "https://qianchuan.jinritemai.com/openapi/qc/audit/oauth.html",
}


@dataclass(frozen=True)
class Channel:
    """One login (授权) on one developer application (渠道应用).

    `secret_owner` is the channel under whose name the application's Secret is stored: its own, or
    the one named by `--same-app-as`.
    """

    name: str
    kind: ChannelKind
    app_id: int
    callback_url: str = DEFAULT_CALLBACK_URL
    auth_url: str = ""
    api_url: str = DEFAULT_API_URL
    client: str | None = None
    same_app_as: str | None = None

    @property
    def secret_owner(self) -> str:
        """The channel whose stored app Secret this channel uses."""
        return self.same_app_as or self.name


@dataclass(frozen=True)
class Grant:
    """The tokens one login gave to a channel; times are aware UTC.

    `generation` counts refreshes, so that an older copy is told from a newer one.
    """

    access_token: SecretText
    access_expires_at: datetime
    refresh_token: SecretText
    refresh_expires_at: datetime
    obtained_at: datetime
    generation: int = 1

    def successor(
        self,
        *,
        access_token: SecretText,
        access_expires_at: datetime,
        refresh_token: SecretText,
        refresh_expires_at: datetime,
        obtained_at: datetime,
    ) -> "Grant":
        """The grant that a refresh of this one gave."""
        return replace(
            self,
            access_token=access_token,
            access_expires_at=access_expires_at,
            refresh_token=refresh_token,
            refresh_expires_at=refresh_expires_at,
            obtained_at=obtained_at,
            generation=self.generation + 1,
        )


@dataclass(frozen=True)
class Brand:
    """A Yuntu brand (云图品牌) bound to an advertiser; `virtual_adv_id` receives copies."""

    brand_id: int
    brand_name: str
    virtual_adv_id: int


@dataclass(frozen=True)
class Account:
    """An account reachable through a channel's grant.

    `account_type` is the platform's word (`ADVERTISER`, `CUSTOMER_ADMIN`, `AGENT` …; unknown values
    pass through). `parent_id` is the workbench or agent it was found under. Only an advertiser can
    own a data source.
    """

    channel: str
    advertiser_id: int
    name: str
    account_type: str
    parent_id: int | None = None
    valid: bool = True
    company: str = ""
    brands: tuple[Brand, ...] = ()

    @property
    def is_advertiser(self) -> bool:
        """Whether this account can own a data source."""
        return self.account_type in {"ADVERTISER", "AD", "AD_NORMAL", "QIANCHUAN"}
