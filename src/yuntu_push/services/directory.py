"""The directory: which accounts a channel reaches, and which Yuntu brands are bound to them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from yuntu_push.domain.channel import Account, Channel
from yuntu_push.domain.errors import YuntuPushError
from yuntu_push.domain.names import unknown
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.directory_reading import Reading
from yuntu_push.services.ports import (
    ChannelStore,
    Clock,
    DirectoryApi,
    DirectoryStore,
    Progress,
)


@dataclass(frozen=True)
class DirectoryRefresh:
    """What a look at the platform found.

    `bound` says whether any account has a Yuntu brand, None when that could not be read;
    `statement` says it in a sentence, with the next step. `problems` are parts that could not be
    read, of which the earlier knowledge was kept; `notes` tell where a list is not whole.
    """

    accounts: tuple[Account, ...]
    gained: tuple[Account, ...]
    lost: tuple[Account, ...]
    bound: bool | None
    statement: Text
    problems: tuple[YuntuPushError, ...]
    notes: tuple[Text, ...]


class DirectoryService:
    """Reads the directory from the platform and lists it.

    `api` is built only when the platform is asked.
    """

    def __init__(
        self,
        *,
        config: ChannelStore,
        api: Callable[[], DirectoryApi],
        store: DirectoryStore,
        clock: Clock,
        progress: Progress,
    ) -> None:
        self._config = config
        self._api = api
        self._store = store
        self._clock = clock
        self._progress = progress

    def refresh(self, channel: Channel | str, /) -> DirectoryRefresh:
        """Read the channel's accounts and brands anew and keep them.

        Parts that cannot be read are told as `problems`; `LoginError` when the login itself is
        not accepted, `TryLaterError` when the platform cannot be reached.
        """
        channel = self._channel(channel) if isinstance(channel, str) else channel
        before = self._store.accounts(channel.name)
        reading = Reading(channel, self._api(), before, self._progress)
        accounts = reading.all()
        self._store.replace(channel.name, accounts, self._clock.now())
        return DirectoryRefresh(
            accounts=tuple(accounts),
            gained=tuple(_without(accounts, before)),
            lost=tuple(_without(before, accounts)),
            bound=reading.bound(),
            statement=_statement(channel.name, accounts, bound=reading.bound()),
            problems=tuple(reading.problems),
            notes=tuple(reading.notes),
        )

    def list(self, channel: str | None = None) -> "list[Account]":
        """The accounts last seen, of one channel or of all; `ConfigError` for an unknown one."""
        if channel is not None:
            self._channel(channel)
        return self._store.accounts(channel)

    def _channel(self, name: str) -> Channel:
        known = self._config.channels()
        if name not in known:
            raise unknown("channel", name, known, hint=msg("`yuntu-push channel list`"))
        return known[name]


def _without(some: Iterable[Account], others: Iterable[Account]) -> Iterable[Account]:
    known = {account.advertiser_id for account in others}
    return [account for account in some if account.advertiser_id not in known]


def _statement(channel: str, accounts: Iterable[Account], *, bound: bool | None) -> Text:
    if bound is None:
        return msg("whether 巨量云图 is bound could not be read; see the problems above")
    with_brands = [account for account in accounts if account.brands]
    if bound:
        return msg(
            "巨量云图 is bound: {brands} brands on {accounts} accounts",
            brands=len({b.brand_id for account in with_brands for b in account.brands}),
            accounts=len(with_brands),
        )
    return msg(
        "巨量云图 is not bound: let Yuntu's administrator bind the Yuntu account to one of these "
        "accounts in Yuntu's back office, then run `yuntu-push accounts refresh {channel}` again",
        channel=channel,
    )
