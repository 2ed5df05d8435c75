"""Moving all secrets of a home from one store to the other: a session lives in one of them."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import ConfigError, TryLaterError, YuntuPushError
from yuntu_push.domain.segment import PARTS_KEY
from yuntu_push.domain.text import msg
from yuntu_push.services.grants import app_secret_key, grant_key
from yuntu_push.services.ports import ChannelStore, SecretStore, SecretStores
from yuntu_push.services.tokens import Tokens


@dataclass(frozen=True)
class Moved:
    """What was moved: the stores' names and the channels; none when it was there already."""

    source: str
    target: str
    channels: Sequence[str]


class StoreMove:
    """Moves secrets between the keyring and the encrypted file.

    The config names one store for all channels, so all of them move together.
    """

    def __init__(
        self,
        *,
        config: ChannelStore,
        stores: SecretStores,
        tokens: Tokens,
        source_names: Callable[[], Iterable[str]],
    ) -> None:
        self._config = config
        self._stores = stores
        self._tokens = tokens
        self._source_names = source_names

    def others(self, name: str) -> list[str]:
        """The channels that move along with one."""
        return sorted(self._config.channels().keys() - {name})

    def move(self, target_name: str) -> Moved:
        """Copy, prove, write the choice down, then erase.

        A kill leaves the old store in use; one while erasing leaves remains there, which the same
        command erases when it is run again.
        """
        pinned, chosen = self._stores.pinned(), self._stores.chosen()
        if pinned not in {"keyring", "file"}:
            raise ConfigError(
                "SECRETS_UNCHOSEN",
                msg("the config names no store to move from"),
                hint=msg("set secrets.backend in the config to keyring or file"),
            )
        if chosen != pinned:
            raise ConfigError(
                "SECRETS_FORCED",
                msg("the environment forces the store {store}", store=chosen),
                hint=msg("unset YUNTU_PUSH_SECRETS, then run this again"),
            )
        channels = sorted(self._config.channels().values(), key=lambda channel: channel.name)
        if pinned == target_name:
            self._erase_remains(channels, pinned)
            return Moved(pinned, target_name, ())
        source = self._stores.open(pinned, bare=True)
        target = self._stores.open(target_name, bare=True)
        target.probe()
        keys = self._keys(channels)
        with contextlib.ExitStack() as locks:
            for channel in channels:
                locks.enter_context(self._tokens.locked(channel))
            for key in keys:
                _copy(source, target, key)
            self._stores.pin(target_name)
            for key in keys:
                source.delete(key)
        return Moved(pinned, target_name, [channel.name for channel in channels])

    def _erase_remains(self, channels: Sequence[Channel], pinned: str) -> None:
        other = self._stores.open("file" if pinned == "keyring" else "keyring", bare=True)
        with contextlib.suppress(YuntuPushError):  # where there is no such store, nothing remains
            for key in self._keys(channels):
                other.delete(key)

    def _keys(self, channels: Sequence[Channel]) -> list[str]:
        keys = {PARTS_KEY, *(f"source/{name}/password" for name in self._source_names())}
        for channel in channels:
            keys |= {app_secret_key(channel), grant_key(channel, 0), grant_key(channel, 1)}
        return sorted(keys)


def _copy(source: SecretStore, target: SecretStore, key: str) -> None:
    value = source.get(key)
    if value is None:
        target.delete(key)  # nothing of an earlier stay may come back to life
        return
    target.put(key, value)
    if target.get(key) != value:
        raise TryLaterError(
            "SECRETS_UNRELIABLE",
            msg("the {store} store did not give back what was stored", store=target.name),
            hint=msg("nothing was moved; run this again"),
        )
