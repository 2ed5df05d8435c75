"""The platform's memory and clock, and the small things every rule needs from them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from yuntu_push.sandbox.answers import no_permission
from yuntu_push.sandbox.clock import PlatformClock
from yuntu_push.sandbox.idsets import IdSets
from yuntu_push.sandbox.options import SandboxOptions
from yuntu_push.sandbox.records import Account, Brand, Grant, Kind, Platform, WorldState

DAY = 86_400.0
MINUTE = 60.0


@dataclass
class World:
    """One sandbox's world. It belongs to the server's event loop: nobody else touches it."""

    options: SandboxOptions
    state: WorldState
    clock: PlatformClock
    ids: IdSets
    list_lag: float = 0.0
    """Lag that a fault set; the larger of this and the option's holds."""
    parts: dict[str, list[bytes]] = field(default_factory=dict, repr=False)
    """Qianchuan parts whose last one has not come yet, by file key; lost at a restart."""

    issued: list[str] = field(default_factory=list, repr=False)
    """Codes and tokens as they were issued, in memory only: for tests that search files for
    them."""

    def draw(self) -> float:
        """The next random number from 0 to 1; the same seed gives the same row."""
        self.state.counter += 1
        text = f"{self.state.seed} {self.state.counter}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7]) / (1 << 56)

    def draw_hex(self, length: int) -> str:
        """`length` random hex digits."""
        self.state.counter += 1
        text = f"{self.state.seed} {self.state.counter} hex"
        return hashlib.sha256(text.encode()).hexdigest()[:length]

    def work(self, low: float, high: float, slow: float = 1.0) -> float:
        """Seconds that work of `low` to `high` minutes takes here."""
        minutes = low + (high - low) * self.draw()
        return minutes * MINUTE * slow / self.options.speed

    def children(self, parent: int) -> list[Account]:
        """The accounts directly under a container."""
        return [each for each in self.state.accounts.values() if parent in each.parents]

    def brand_of(self, virtual_adv_id: int) -> Brand | None:
        """The brand whose virtual advertiser that is."""
        for brand in self.state.brands.values():
            if brand.virtual_adv_id == virtual_adv_id:
                return brand
        return None


@dataclass(frozen=True)
class Upload:
    """A file that came with a request, digested off the event loop."""

    size: int
    md5: str
    result: Any = None


@dataclass(frozen=True)
class Call:
    """One checked request: the world, the grant that makes it, its fields."""

    world: World
    grant: Grant | None
    fields: dict[str, Any]
    upload: Upload | None = None
    slow: float = 1.0
    complaint: str = ""
    """Failure text for what this call starts, from the fault plan."""
    access_token: str = field(default="", repr=False)

    @property
    def now(self) -> float:
        """The platform's time."""
        return self.world.clock.now()

    def covers(self, account_id: int) -> bool:
        """Whether the token covers the account, itself or through a container."""
        if self.grant is None:
            return False
        return covered(self.world, self.grant.accounts, account_id)

    def advertiser(self, platform: Platform = Platform.AD) -> Account:
        """The advertiser the call is about; refused when the token does not cover it."""
        return self.own_advertiser(self.fields["advertiser_id"], platform)

    def own_advertiser(self, account_id: int, platform: Platform = Platform.AD) -> Account:
        """An advertiser of `platform` that the token covers."""
        account = self.own_account(account_id)
        if account.kind is not Kind.ADVERTISER:
            raise no_permission(f"账户 {account_id} 不是广告主账户")
        if account.platform is not platform:
            raise no_permission(f"账户 {account_id} 不属于该平台")
        return account

    def own_account(self, account_id: int, *kinds: Kind) -> Account:
        """An account that the token covers, of one of `kinds` when some are named."""
        account = self.world.state.accounts.get(account_id)
        if account is None or not self.covers(account_id):
            raise no_permission(f"没有账户 {account_id} 的操作权限")
        if kinds and account.kind not in kinds:
            raise no_permission(f"账户 {account_id} 的类型不适用于该接口")
        return account


def covered(world: World, granted: Iterable[int], account_id: int) -> bool:
    """Whether `account_id` is among the granted accounts or under one of them."""
    accounts = world.state.accounts
    granted_ids = set(granted)
    waiting, seen = [account_id], set[int]()
    while waiting:
        account = accounts.get(waiting.pop())
        if account is None or account.id in seen or not account.valid:
            continue
        if account.id in granted_ids:
            return True
        seen.add(account.id)
        waiting.extend(account.parents)
    return False
