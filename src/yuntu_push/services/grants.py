"""Grants and app Secrets in the secret store: two slots per channel, by generation."""

from datetime import datetime, timedelta

from yuntu_push.domain.channel import Channel, Grant
from yuntu_push.domain.errors import ConfigError, TryLaterError
from yuntu_push.domain.grant_envelope import MAX_ENVELOPE, envelope, grant_of
from yuntu_push.domain.platform import TokenAnswer
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import msg
from yuntu_push.services.ports import SecretStore

_SLOTS = (0, 1)


def app_secret_key(channel: Channel) -> str:
    """Where the Secret of a channel's application is stored."""
    return f"channel/{channel.secret_owner}/app_secret"


def grant_key(channel: Channel, generation: int) -> str:
    """Where the grant of a generation is stored: the other slot than the one before it."""
    return f"channel/{channel.name}/grant_{generation % len(_SLOTS)}"


class Grants:
    """Reads and writes the grants of channels in one secret store.

    A write goes to the slot that does not hold the present grant, so that a torn write leaves the
    present one readable.
    """

    def __init__(self, secrets: SecretStore) -> None:
        self.store = secrets

    def secret(self, channel: Channel) -> SecretText:
        """The Secret of the channel's application, or `ConfigError`."""
        found = self.store.get(app_secret_key(channel))
        if not found:
            raise ConfigError(
                "SECRET_MISSING",
                msg("no Secret is stored for channel {channel}", channel=channel.secret_owner),
                hint=msg("`yuntu-push channel set-secret {channel}`", channel=channel.secret_owner),
            )
        return found

    def has_secret(self, channel: Channel) -> bool:
        """Whether the application's Secret is there."""
        return bool(self.store.get(app_secret_key(channel)))

    def read(self, channel: Channel) -> Grant | None:
        """The newest readable grant of this application; None when there is none."""
        found: list[Grant] = []
        damage: ConfigError | None = None
        for slot in _SLOTS:
            try:
                text = self.store.get(grant_key(channel, slot))
            except ConfigError as exc:
                if exc.code != "SECRET_DAMAGED":
                    raise
                damage = exc
                continue
            grant = grant_of(text, channel.app_id) if text else None
            if grant is not None:
                found.append(grant)
        if not found and damage is not None:
            raise damage
        return max(found, key=lambda grant: grant.generation, default=None)

    def check_size(self, channel: Channel, grant: Grant) -> None:
        """`ConfigError` when the grant is too long for the smallest store."""
        size = len(envelope(grant, channel.app_id).reveal())
        if size > MAX_ENVELOPE:
            raise ConfigError(
                "SECRET_TOO_LONG",
                msg(
                    "the tokens of {channel} take {size} characters, a store holds {limit}",
                    channel=channel.name,
                    size=size,
                    limit=MAX_ENVELOPE,
                ),
                hint=msg("report this: the platform's tokens have become longer"),
            )

    def save(self, channel: Channel, grant: Grant) -> None:
        """Store a grant in the slot of its generation, and prove it by reading it back."""
        key = grant_key(channel, grant.generation)
        text = envelope(grant, channel.app_id)
        self.store.put(key, text)
        if self.store.get(key) != text:
            raise TryLaterError(
                "SECRETS_UNRELIABLE",
                msg("the {store} store did not give back what was stored", store=self.store.name),
                hint=msg("run this again; if it repeats, `yuntu-push doctor`"),
            )

    def forget(self, channel: Channel) -> None:
        """Forget the tokens of a channel; its Secret stays."""
        for slot in _SLOTS:
            self.store.delete(grant_key(channel, slot))

    def forget_older(self, channel: Channel, grant: Grant) -> None:
        """Forget the slot beside a grant."""
        self.store.delete(grant_key(channel, grant.generation + 1))


def successor(grant: Grant, answer: TokenAnswer, started_at: datetime) -> Grant:
    """The grant that a refresh of `grant`, begun at `started_at`, gave."""
    return new_grant(answer, started_at, grant.generation + 1)


def new_grant(answer: TokenAnswer, started_at: datetime, generation: int) -> Grant:
    """A grant whose lives count from before the call, so that they never end later than said."""
    return Grant(
        access_token=SecretText(answer.access_token),
        access_expires_at=started_at + timedelta(seconds=answer.expires_in),
        refresh_token=SecretText(answer.refresh_token),
        refresh_expires_at=started_at + timedelta(seconds=answer.refresh_expires_in),
        obtained_at=started_at,
        generation=generation,
    )
