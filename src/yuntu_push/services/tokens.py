"""Current access tokens: refreshed by one process at a time, and never lost to a kill of ours.

The platform gives out a new pair at each refresh and voids the old one. So one kernel lock covers
read, call and durable save; the store is proven writable before the refresh token is spent; and
the raw answer is in a sealed journal before anything is parsed. What remains is the moment between
the platform's decision and our first write: then only a new login helps, and we say so.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta

from yuntu_push.domain.channel import Channel, Grant
from yuntu_push.domain.errors import (
    LoginError,
    OutcomeUnknownError,
    YuntuPushError,
)
from yuntu_push.domain.journal import RefreshRecord
from yuntu_push.domain.platform import TokenAnswer
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import msg
from yuntu_push.services.grants import Grants, new_grant, successor
from yuntu_push.services.login_errors import ended, held_too_long, login_needed, lost
from yuntu_push.services.ports import Clock, Locks, Notice, OAuthApi, RefreshJournal, SecretStore

MARGIN = timedelta(minutes=10)  # an access token nearer to its end than this is refreshed first
WAIT_SECONDS = 60.0
QUIET_SECONDS = 3.0
REFRESH_TOKEN_ENDED = {40103, 40107}  # expired; wrong or used


class Tokens:
    """The tokens of all channels."""

    def __init__(
        self,
        *,
        secrets: SecretStore,
        oauth: OAuthApi,
        journal: RefreshJournal,
        locks: Locks,
        clock: Clock,
        notice: Notice,
    ) -> None:
        self._grants = Grants(secrets)
        self._oauth = oauth
        self._journal = journal
        self._locks = locks
        self._clock = clock
        self._notice = notice
        self._seen: dict[str, Grant] = {}

    def access_token(self, channel: Channel) -> SecretText:
        """A token with more than ten minutes left, refreshed when needed, or `LoginError`."""
        seen = self._seen.get(channel.name)
        grant = seen if seen and self._is_fresh(seen) else self._grants.read(channel)
        if grant is None or not self._is_fresh(grant):
            grant = self._renewed(channel, self._is_fresh)
        self._seen[channel.name] = grant
        return grant.access_token

    def replace_refused(self, channel: Channel, refused: SecretText) -> SecretText:
        """Another token than the one the platform just refused, or `LoginError`."""

        def is_another(grant: Grant) -> bool:
            return grant.access_token != refused and self._is_fresh(grant)

        self._seen.pop(channel.name, None)
        grant = self._renewed(channel, is_another)
        self._seen[channel.name] = grant
        return grant.access_token

    def refresh(self, channel: Channel) -> Grant:
        """The grant after a refresh that began after this call, or `LoginError`."""
        before = self._grants.read(channel)
        generation = before.generation if before else 0
        return self._renewed(channel, lambda grant: grant.generation > generation)

    def keep_alive(self, channel: Channel) -> bool:
        """Refresh when half of the access token's life is over; whether it was done.

        Keeps the 30 days of the refresh token from running out on a quiet channel. False for a
        channel without a login; `LoginError` when its login has ended.
        """

        def is_young(grant: Grant) -> bool:
            life = grant.access_expires_at - grant.obtained_at
            return self._clock.now() < grant.obtained_at + life / 2

        grant = self._grants.read(channel)
        if grant is None or is_young(grant):
            return False
        self._seen[channel.name] = self._renewed(channel, is_young)
        return True

    def grant(self, channel: Channel) -> Grant | None:
        """What is stored for a channel now."""
        return self._grants.read(channel)

    def accept(self, channel: Channel, answer_for: Callable[[SecretText], TokenAnswer]) -> Grant:
        """Store the grant of a login; `answer_for` exchanges the code, given the app's Secret.

        The earlier grant and the record of its refresh are forgotten: a new authorisation voids
        them.
        """
        secret = self._grants.secret(channel)
        with self.locked(channel):
            self._seen.pop(channel.name, None)
            before = self._last_generation(channel)
            started_at = self._clock.now()
            answer = answer_for(secret)
            grant = new_grant(answer, started_at, before + 1)
            self._grants.check_size(channel, grant)
            self._grants.save(channel, grant)
            self._grants.forget_older(channel, grant)
            self._journal.discard(channel.name)
        return grant

    def check_ready(self, channel: Channel) -> None:
        """`ConfigError` or `TryLaterError` when a login could not be stored, before it begins."""
        self._grants.secret(channel)
        self._grants.store.probe()

    def forget(self, channel: Channel) -> None:
        """Forget the login of a channel."""
        with self.locked(channel):
            self._grants.forget(channel)
            self._journal.discard(channel.name)
            self._seen.pop(channel.name, None)

    @contextlib.contextmanager
    def locked(self, channel: Channel) -> Iterator[None]:
        """Hold the channel's token lock; says so after 3 s, `TryLaterError` after 60 s."""
        name = f"token-{channel.name}"
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(
                    self._locks.hold(name, wait_seconds=QUIET_SECONDS, busy=_StillHeldError)
                )
            except _StillHeldError as held:
                self._notice(
                    msg("waiting for another process to renew the login ({holder})", holder=held)
                )
                stack.enter_context(
                    self._locks.hold(
                        name, wait_seconds=WAIT_SECONDS - QUIET_SECONDS, busy=held_too_long(channel)
                    )
                )
            yield

    def _is_fresh(self, grant: Grant) -> bool:
        """Whether the access token lasts for a while; short lives get a shorter margin."""
        life = grant.access_expires_at - grant.obtained_at
        return self._clock.now() < grant.access_expires_at - min(MARGIN, life / 2)

    def _renewed(self, channel: Channel, is_valid: Callable[[Grant], bool]) -> Grant:
        """The stored grant if it is valid now, else the one of one refresh."""
        with self.locked(channel):
            grant = self._grants.read(channel)
            if grant is None:
                raise login_needed(channel)
            if is_valid(grant):
                return grant
            record = self._journal.left_over(channel.name, grant.refresh_token)
            if record is not None and record.generation == grant.generation:
                recovered = self._recovered(channel, grant, record)
                if recovered is None:
                    return self._refreshed(channel, grant, in_doubt=True)
                if is_valid(recovered):
                    return recovered
                grant = recovered
            return self._refreshed(channel, grant, in_doubt=False)

    def _recovered(self, channel: Channel, grant: Grant, record: RefreshRecord) -> Grant | None:
        """The grant that a killed refresh got, stored now; None when it left no whole answer."""
        if record.answer is None:
            return None
        try:
            answer = self._oauth.parse(record.answer)
        except YuntuPushError:
            return None  # what was kept is a refusal: nothing changed, the refresh is made again
        recovered = successor(grant, answer, record.started_at)
        self._grants.save(channel, recovered)
        self._journal.discard(channel.name)
        return recovered

    def _refreshed(self, channel: Channel, grant: Grant, *, in_doubt: bool) -> Grant:
        """The grant of one refresh; `in_doubt` when an earlier one may have been carried out."""
        if not grant.refresh_token:
            raise login_needed(channel)
        secret = self._grants.secret(channel)
        self._grants.check_size(channel, grant)
        self._grants.store.probe()
        if in_doubt:
            return self._spend(channel, secret, grant, explain=lost)
        try:
            return self._spend(channel, secret, grant, explain=ended)
        except OutcomeUnknownError:
            # Nobody knows whether the platform changed the tokens; trying the stored one tells.
            return self._spend(channel, secret, grant, explain=lost)

    def _spend(
        self,
        channel: Channel,
        secret: SecretText,
        grant: Grant,
        *,
        explain: Callable[[Channel], LoginError],
    ) -> Grant:
        """One call with the refresh token; its answer is kept before it is looked at."""
        started_at = self._clock.now()
        try:
            with self._journal.begin(
                channel.name,
                grant.refresh_token,
                generation=grant.generation,
                started_at=started_at,
            ) as keep:
                answer = self._oauth.refresh(
                    channel, secret, grant.refresh_token, on_answer=_careful(keep)
                )
        except OutcomeUnknownError:
            raise  # the record stays: it says that the outcome is in doubt
        except LoginError as exc:
            self._journal.discard(channel.name)
            return self._after_refusal(channel, grant, exc, explain)
        except YuntuPushError:  # not sent, or answered without new tokens
            self._journal.discard(channel.name)
            raise
        renewed = successor(grant, answer, started_at)
        self._grants.save(channel, renewed)
        self._journal.discard(channel.name)
        return renewed

    def _after_refusal(
        self,
        channel: Channel,
        spent: Grant,
        refusal: LoginError,
        explain: Callable[[Channel], LoginError],
    ) -> Grant:
        """The grant that someone else stored meanwhile; else `LoginError`.

        A refresh token that has ended is marked so, and not offered to the platform again.
        """
        stored = self._grants.read(channel)
        if stored is not None and stored.generation > spent.generation:
            return stored
        if refusal.platform_code not in REFRESH_TOKEN_ENDED:
            raise refusal
        now = self._clock.now()
        over = spent.successor(
            access_token=spent.access_token,
            access_expires_at=spent.access_expires_at,
            refresh_token=SecretText(""),
            refresh_expires_at=min(spent.refresh_expires_at, now),
            obtained_at=spent.obtained_at,
        )
        with contextlib.suppress(YuntuPushError):  # a courtesy to the next run, not our news
            self._grants.save(channel, over)
        error = explain(channel)
        error.platform_code, error.request_id = refusal.platform_code, refusal.request_id
        raise error from refusal

    def _last_generation(self, channel: Channel) -> int:
        try:
            grant = self._grants.read(channel)
        except YuntuPushError as exc:
            if exc.code != "SECRET_DAMAGED":
                raise
            self._grants.forget(channel)
            return 0
        return grant.generation if grant else 0


class StoredTokens:
    """Tokens for a brief look: the stored one, whatever its age, and only after the platform has
    answered and refused it another. So no renewal is begun that an outage could draw out."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def access_token(self, channel: Channel) -> SecretText:
        """The stored token, or `LoginError`."""
        grant = self._tokens.grant(channel)
        if grant is None:
            raise login_needed(channel)
        return grant.access_token

    def replace_refused(self, channel: Channel, refused: SecretText) -> SecretText:
        """Another token than the one the platform just refused, or `LoginError`."""
        return self._tokens.replace_refused(channel, refused)


class _StillHeldError(Exception):
    """The lock was not free within the quiet time."""


def _careful(keep: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """A `keep` that fails in silence: the answer in hand is still worth storing."""

    def kept(answer: bytes) -> None:
        with contextlib.suppress(YuntuPushError):
            keep(answer)

    return kept
