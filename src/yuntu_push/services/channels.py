"""Channels (渠道应用): what the config says about them, and what the secret store holds."""

import builtins
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.channel_rules import channel_problems
from yuntu_push.domain.errors import ConfigError, YuntuPushError
from yuntu_push.domain.names import channel_name, unknown
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import msg
from yuntu_push.services.grants import Grants, app_secret_key
from yuntu_push.services.ports import ChannelStore, Clock, DirectoryStore, SecretStores
from yuntu_push.services.tokens import Tokens


@dataclass(frozen=True)
class ChannelView:
    """A channel, and what is known about its Secret and login; times are aware UTC."""

    channel: Channel
    secret_stored: bool
    authorized: bool
    access_token_expires_at: datetime | None
    refresh_token_expires_at: datetime | None


class Channels:
    """The channels of this home. `tokens` is opened only by what touches a login."""

    def __init__(
        self,
        *,
        config: ChannelStore,
        stores: SecretStores,
        tokens: Callable[[], Tokens],
        directory: DirectoryStore,
        clock: Clock,
    ) -> None:
        self._config = config
        self._stores = stores
        self._tokens = tokens
        self._directory = directory
        self._clock = clock

    def names(self) -> list[str]:
        """The channels' names."""
        return sorted(self._config.channels())

    def get(self, name: str) -> Channel:
        """The channel of a name, or `ConfigError` with the nearest known names."""
        known = self._config.channels()
        if name not in known:
            raise unknown("channel", name, known, hint=msg("`yuntu-push channel list`"))
        return known[name]

    def show(self, name: str) -> ChannelView:
        """One channel with its Secret and login."""
        return self._view(self.get(name))

    def list(self) -> list[ChannelView]:
        """All channels with their Secrets and logins."""
        return [self._view(channel) for channel in self._config.channels().values()]

    def check_new(self, channel: Channel) -> None:
        """`ConfigError` when this channel cannot be added."""
        channel_name(channel.name)
        known = self._config.channels()
        taken = next((n for n in known if n.lower() == channel.name.lower()), None)
        if taken is not None:
            raise ConfigError(
                "CHANNEL_EXISTS",
                msg("there is a channel {name} already", name=taken),
                hint=msg("choose another name, or `yuntu-push channel remove {name}`", name=taken),
            )
        for _, problem in channel_problems(channel):
            raise problem
        if channel.same_app_as is not None:
            _check_shared(channel, self.get(channel.same_app_as))

    def add(self, channel: Channel, secret: SecretText | None, *, store: str) -> ChannelView:
        """Write the channel and store its Secret: both, or neither.

        `store` is the secret store to use; it is proven to keep what it is given first, and the
        choice is written down unless the config has one. Without a `secret` the environment or the
        channel named by `same_app_as` must have it.
        """
        self.check_new(channel)
        kept = self._stores.open(store)
        if store != "env":
            kept.probe()
        key = app_secret_key(channel)
        with contextlib.ExitStack() as undo:
            if secret is not None:
                kept.put(key, secret)
                undo.callback(_quietly(lambda: kept.delete(key)))
            elif not Grants(kept).has_secret(channel):
                Grants(kept).secret(channel)  # says which one is missing
            if self._stores.pinned() is None:
                self._stores.pin(store)
            self._config.add_channel(channel)
            undo.pop_all()
        return self.show(channel.name)

    def secret_in_environment(self, channel: Channel) -> bool:
        """Whether the environment has the application's Secret."""
        return Grants(self._stores.open("env")).has_secret(channel)

    def set_secret(self, name: str, secret: SecretText) -> Channel:
        """Store another Secret for the channel's application; the channel that owns it."""
        owner = self.get(self.get(name).secret_owner)
        store = self._stores.current()
        store.probe()
        store.put(app_secret_key(owner), secret)
        return owner

    def remove(self, name: str) -> Channel:
        """Forget a channel: its login, its Secret, its accounts, its config entry.

        In this order, so that after a kill the channel is still there to be removed again. A
        Secret that belongs to another channel stays.
        """
        channel = self.get(name)
        users = [c.name for c in self._config.channels().values() if c.same_app_as == name]
        if users:
            raise ConfigError(
                "CHANNEL_SHARED",
                msg("channels {users} use the Secret of {name}", users=", ".join(users), name=name),
                hint=msg("remove them first"),
            )
        self._tokens().forget(channel)
        if channel.same_app_as is None:
            self._stores.current().delete(app_secret_key(channel))
        self._directory.forget(name)
        self._config.remove_channel(name)
        return channel

    def keep_alive(self) -> Sequence[YuntuPushError]:
        """Renew the logins of which half of a day is over, used or not; what went wrong.

        A quiet channel's 30 days never run out as long as something calls this now and then.
        """
        problems: builtins.list[YuntuPushError] = []
        for channel in self._config.channels().values():
            try:
                self._tokens().keep_alive(channel)
            except YuntuPushError as exc:
                problems.append(exc)
        return problems

    def _view(self, channel: Channel) -> ChannelView:
        grants = Grants(self._stores.current())
        grant = grants.read(channel)
        now = self._clock.now()
        return ChannelView(
            channel=channel,
            secret_stored=grants.has_secret(channel),
            authorized=bool(grant and grant.refresh_token and grant.refresh_expires_at > now),
            access_token_expires_at=grant.access_expires_at if grant else None,
            refresh_token_expires_at=grant.refresh_expires_at if grant else None,
        )


def _check_shared(channel: Channel, owner: Channel) -> None:
    if owner.same_app_as is not None:
        raise ConfigError(
            "CHANNEL_NOT_OWNER",
            msg("channel {name} uses the Secret of another one itself", name=owner.name),
            hint=msg("pass --same-app-as {name}", name=owner.same_app_as),
        )
    if owner.app_id != channel.app_id:
        raise ConfigError(
            "AUTH_URL_MISMATCH",
            msg(
                "channel {name} belongs to application {theirs}, not {ours}",
                name=owner.name,
                theirs=owner.app_id,
                ours=channel.app_id,
            ),
            hint=msg("leave --app-id out, or leave --same-app-as out"),
        )


def _quietly(undo: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        with contextlib.suppress(YuntuPushError):
            undo()

    return run
