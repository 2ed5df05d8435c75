"""A directory of the platform in memory, and the parts around the directory's services."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from yuntu_push.domain.channel import Account, Brand, Channel, ChannelKind
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.platform import AuthorizedAccount, Expansion
from yuntu_push.domain.text import Text

STAR = Brand(10250001, "星野食品", 1760000000000001)
LIGHT = Brand(10250002, "星野轻食", 1760000000000002)
GREEN = Brand(10250003, "青禾美妆", 1760000000000003)
OWN, SECOND, OTHER, UNBOUND = (1700000000000001 + n for n in range(4))
WORKBENCH, BELOW = 1700000000000100, 1700000000000101


@dataclass
class Config:
    """Channels of a config file."""

    known: dict[str, Channel] = field(
        default_factory=lambda: {
            "acme": Channel("acme", ChannelKind.YUNTU, 1),
            "other": Channel("other", ChannelKind.OCEANENGINE, 2),
        }
    )

    def channels(self) -> dict[str, Channel]:
        """All channels."""
        return self.known

    def add_channel(self, channel: Channel) -> None:
        """Add one."""
        self.known[channel.name] = channel

    def remove_channel(self, name: str) -> None:
        """Remove one."""
        del self.known[name]


@dataclass
class MemoryStore:
    """What was last seen, per channel."""

    kept: dict[str, list[Account]] = field(default_factory=dict)

    def replace(self, channel: str, accounts: Sequence[Account], seen_at: datetime) -> None:
        """Keep these."""
        self.kept[channel] = list(accounts)

    def accounts(self, channel: str | None = None) -> list[Account]:
        """What is kept."""
        if channel is None:
            return [account for kept in self.kept.values() for account in kept]
        return list(self.kept.get(channel, []))

    def forget(self, channel: str) -> None:
        """Keep nothing."""
        self.kept.pop(channel, None)


@dataclass
class Platform:
    """Accounts and brands; `failing` maps a call (`brands 1`, `expand 2`, …) to its error."""

    authorized: list[AuthorizedAccount] = field(default_factory=list)
    below: dict[int, list[Account]] = field(default_factory=dict)
    totals: dict[int, int] = field(default_factory=dict)
    bound: dict[int, list[Brand]] = field(default_factory=dict)
    subjects: dict[int, str] = field(default_factory=dict)
    failing: dict[str, YuntuPushError] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def authorized_accounts(self, channel: Channel) -> list[AuthorizedAccount]:
        """What the login ticked."""
        self._called("authorized")
        return list(self.authorized)

    def expand(self, channel: Channel, account: AuthorizedAccount) -> Expansion:
        """What is under an account."""
        self._called(f"expand {account.account_id}")
        found = self.below.get(account.account_id, [])
        return Expansion(tuple(found), self.totals.get(account.account_id, len(found)))

    def brands(self, channel: Channel, advertiser_id: int) -> list[Brand]:
        """What is bound."""
        self._called("brands")
        self._called(f"brands {advertiser_id}")
        return list(self.bound.get(advertiser_id, []))

    def companies(self, channel: Channel, advertiser_ids: Sequence[int]) -> dict[int, str]:
        """Who owns what."""
        self._called("companies")
        return {n: self.subjects[n] for n in advertiser_ids if n in self.subjects}

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]


def ticked(
    number: int, name: str = "某账户", kind: str = "ADVERTISER", *, valid: bool = True
) -> AuthorizedAccount:
    """An authorised account."""
    return AuthorizedAccount(number, name, kind, valid)


def an_account(
    number: int,
    name: str = "某账户",
    kind: str = "ADVERTISER",
    *,
    parent: int | None = None,
    valid: bool = True,
    company: str = "",
    brands: Sequence[Brand] = (),
) -> Account:
    """An account of the channel acme."""
    return Account("acme", number, name, kind, parent, valid, company, tuple(brands))


def no_progress(_label: Text, _done: int, _total: int | None) -> None:
    """Shows nothing."""
