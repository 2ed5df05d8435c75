"""What the services need from the outside world.

Adapters fit these Protocols without importing them; `bootstrap` is where mypy proves the fit.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from yuntu_push.domain.authorize import Answer
from yuntu_push.domain.channel import Account, Brand, Channel
from yuntu_push.domain.journal import RefreshRecord
from yuntu_push.domain.platform import (
    AuthorizedAccount,
    Expansion,
    NetworkFacts,
    Operation,
    RemoteAudience,
    RemoteDataSource,
    TokenAnswer,
)
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text


class Clock(Protocol):
    """Time as an argument."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never goes back, for durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class Notice(Protocol):
    """Says a sentence to the person while work goes on (stderr); never personal data."""

    def __call__(self, text: Text, /) -> None: ...


class Progress(Protocol):
    """Shows how far one piece of work is; `total` in the same unit, None when unknown."""

    def __call__(self, label: Text, done: int, total: int | None, /) -> None: ...


class ChannelStore(Protocol):
    """The channels of the config file."""

    def channels(self) -> dict[str, Channel]: ...

    def add_channel(self, channel: Channel) -> None:
        """Write the entry; comments and order of the file survive."""
        ...

    def remove_channel(self, name: str) -> None: ...


class SecretStore(Protocol):
    """One chosen home of secrets; keys are like `channel/acme/app_secret`.

    Every call is bounded in time; a locked or slow store is `TryLaterError`, a refused backend
    `ConfigError`.
    """

    @property
    def name(self) -> str:
        """`keyring`, `file` or `env`."""
        ...

    def describe(self) -> Text:
        """Where secrets are kept and what protects them, for `auth status` and `doctor`."""
        ...

    def get(self, key: str) -> SecretText | None: ...

    def put(self, key: str, value: SecretText) -> None: ...

    def delete(self, key: str) -> None:
        """Forget the entry; nothing happens when there is none."""
        ...

    def probe(self) -> None:
        """Write, read back, compare and delete an entry of the size of a grant, or raise."""
        ...


class SecretStores(Protocol):
    """The choice of the secret store; nothing falls back by itself."""

    def chosen(self) -> str | None:
        """`keyring`, `file` or `env` as the environment or the config says; None when neither."""
        ...

    def pinned(self) -> str | None:
        """What the config file itself says, whatever the environment says."""
        ...

    def current(self) -> SecretStore:
        """The chosen store; one that refuses to store when none was chosen."""
        ...

    def open(self, name: str, *, bare: bool = False) -> SecretStore:
        """The store of a name; `bare` without the secrets of the environment over it."""
        ...

    def pin(self, name: str) -> None:
        """Write the choice into the config."""
        ...


class RefreshJournal(Protocol):
    """The sealed record of a refresh in flight, one per channel.

    `key` is the refresh token being spent: the record opens only for who has it. A full disk is
    met in `begin`, before anything is spent.
    """

    def left_over(self, channel: str, key: SecretText) -> RefreshRecord | None: ...

    def begin(
        self, channel: str, key: SecretText, *, generation: int, started_at: datetime
    ) -> AbstractContextManager[Callable[[bytes], None]]:
        """Note durably that a call starts; what it gives keeps the raw answer durably."""
        ...

    def discard(self, channel: str) -> None: ...


class Callback(Protocol):
    """The listener for the answer of one login; closed when the block ends."""

    @property
    def url(self) -> str:
        """The callback URL that is listened on; its port is real even when 0 was asked for."""
        ...

    def wait(self, state: str, seconds: float) -> Answer | None:
        """The code or the refusal that came with the state, or None when the time is over."""
        ...

    def finish(self, *, succeeded: bool) -> None:
        """Show the browser its last page."""
        ...


class OAuthApi(Protocol):
    """The token calls of one channel's API host."""

    def exchange(self, channel: Channel, secret: SecretText, auth_code: SecretText) -> TokenAnswer:
        """The tokens for an authorisation code."""
        ...

    def refresh(
        self,
        channel: Channel,
        secret: SecretText,
        refresh_token: SecretText,
        *,
        on_answer: Callable[[bytes], None],
    ) -> TokenAnswer:
        """The next pair of tokens. One attempt.

        `on_answer` gets the raw body before anything is parsed, so that a crash after it loses
        nothing. `UnreachableError` when the request was provably not sent, `OutcomeUnknownError`
        when its answer was lost, `LoginError` when the refresh token is refused.
        """
        ...

    def parse(self, body: bytes) -> TokenAnswer:
        """The tokens of a raw body kept from an earlier answer."""
        ...


class DirectoryApi(Protocol):
    """Reads of accounts and brands with a channel's grant; all pages are followed."""

    def authorized_accounts(self, channel: Channel) -> list[AuthorizedAccount]: ...

    def expand(self, channel: Channel, account: AuthorizedAccount) -> Expansion:
        """The advertisers under a workbench, agent, enterprise workbench or shop; no account for
        one that is no container."""
        ...

    def brands(self, channel: Channel, advertiser_id: int) -> list[Brand]: ...

    def companies(self, channel: Channel, advertiser_ids: Sequence[int]) -> dict[int, str]:
        """The legal subject (主体) of each advertiser, as far as it can be read."""
        ...


class NetworkProbe(Protocol):
    """A look at an API host without any login."""

    def look(self, api_url: str) -> NetworkFacts:
        """How the host is reached; `UnreachableError` or another error when it is not."""
        ...


class DirectoryStore(Protocol):
    """The accounts and brands last seen, per channel."""

    def replace(self, channel: str, accounts: Sequence[Account], seen_at: datetime) -> None: ...

    def accounts(self, channel: str | None = None) -> list[Account]: ...

    def forget(self, channel: str) -> None: ...


class AudienceApi(Protocol):
    """The DMP calls of one channel.

    Writes raise `UnreachableError` (not sent), `OutcomeUnknownError` (answer lost),
    `ThrottledError`, `TryLaterError`, `RefusedError` or `LoginError`; reads are repeated briefly
    before they raise.
    """

    def upload(self, *, advertiser_id: int, path: Path, md5: str) -> str:
        """Upload one part; the platform's file path, good for 14 days."""
        ...

    def create_data_source(
        self,
        *,
        advertiser_id: int,
        name: str,
        description: str,
        file_paths: Sequence[str],
        source_type: str,
    ) -> str:
        """Create a data source (`source_type` UID or DID); its id."""
        ...

    def update_data_source(
        self,
        *,
        advertiser_id: int,
        data_source_id: str,
        operation: Operation,
        file_paths: Sequence[str],
    ) -> None: ...

    def data_sources(self, *, advertiser_id: int, ids: Sequence[str]) -> list[RemoteDataSource]: ...

    def audiences(self, *, advertiser_id: int) -> Iterator[RemoteAudience]:
        """All audiences created by or pushed to an advertiser, page by page."""
        ...

    def read_audiences(self, *, advertiser_id: int, ids: Sequence[int]) -> list[RemoteAudience]: ...

    def publish(self, *, advertiser_id: int, custom_audience_id: int) -> None: ...

    def push(
        self, *, advertiser_id: int, custom_audience_id: int, targets: Sequence[int]
    ) -> None: ...

    def copy(
        self, *, advertiser_id: int, custom_audience_id: int, virtual_adv_id: int
    ) -> int | None:
        """Copy into a Yuntu brand; the id in the answer, whose meaning is not certain."""
        ...

    def delete_audience(self, *, advertiser_id: int, custom_audience_id: int) -> None: ...

    def server_now(self) -> datetime:
        """The platform's clock as last announced, aware UTC; ours before the first answer."""
        ...


class Locks(Protocol):
    """Kernel locks that vanish with their holder."""

    def hold(
        self, name: str, *, wait_seconds: float, busy: Callable[[str], Exception]
    ) -> AbstractContextManager[None]:
        """Hold the lock `name`; after `wait_seconds`, raise `busy(who holds it)`."""
        ...
