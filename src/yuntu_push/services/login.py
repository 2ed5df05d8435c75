"""Logging in: the order of events from the authorisation page to the list of accounts."""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from yuntu_push.domain.authorize import (
    Answer,
    Verdict,
    answer_in_text,
    authorization_url,
    listens_here,
)
from yuntu_push.domain.channel import Channel, Grant
from yuntu_push.domain.errors import ConfigError, LoginError, OutcomeUnknownError, TryLaterError
from yuntu_push.domain.platform import TokenAnswer
from yuntu_push.domain.secret import SecretText
from yuntu_push.domain.text import Text, msg
from yuntu_push.services.directory import DirectoryRefresh
from yuntu_push.services.ports import Callback, Notice, OAuthApi
from yuntu_push.services.tokens import Tokens

STATE_BYTES = 32


class AccountsRefresh(Protocol):
    """Reads the accounts of a channel from the platform into the directory."""

    def refresh(self, channel: Channel, /) -> DirectoryRefresh: ...


@dataclass(frozen=True)
class LoggedIn:
    """A login: its grant, and the accounts it reaches, with those that came and went."""

    grant: Grant
    directory: DirectoryRefresh


class Login:
    """Logs channels in.

    `listen` opens the listener for a callback URL; `notice` hears of the login before its accounts
    are read, which takes minutes where there are hundreds; `random_state` gives an unguessable
    text.
    """

    def __init__(
        self,
        *,
        tokens: Tokens,
        oauth: OAuthApi,
        accounts: AccountsRefresh,
        listen: Callable[[str], AbstractContextManager[Callback]],
        notice: Notice,
        random_state: Callable[[], str] = lambda: secrets.token_urlsafe(STATE_BYTES),
    ) -> None:
        self._tokens = tokens
        self._oauth = oauth
        self._accounts = accounts
        self._listen = listen
        self._notice = notice
        self._random_state = random_state

    def can_listen(self, channel: Channel) -> bool:
        """Whether the answer comes to this machine; otherwise it has to be pasted."""
        return listens_here(channel.callback_url)

    def by_browser(
        self, channel: Channel, *, seconds: float, show: Callable[[str], None]
    ) -> LoggedIn:
        """Log in through the callback; `show` gets the page's URL once we listen for the answer.

        `LoginError` when the person refuses, when the platform refuses the code, or when `seconds`
        are over; then nothing has changed.
        """
        if not self.can_listen(channel):
            raise ConfigError(
                "CALLBACK_ELSEWHERE",
                msg("the answer to {url} does not come to this machine", url=channel.callback_url),
                hint=msg("`yuntu-push auth login {channel} --paste`", channel=channel.name),
            )
        self._tokens.check_ready(channel)
        state = self._random_state()
        with self._listen(channel.callback_url) as callback:
            show(authorization_url(replace(channel, callback_url=callback.url), state))
            answer = callback.wait(state, seconds)
            succeeded = False
            try:
                grant = self._grant(channel, answer, seconds)
                succeeded = True
            finally:
                callback.finish(succeeded=succeeded)
        return self._logged_in(channel, grant)

    def by_paste(
        self, channel: Channel, *, show: Callable[[str], None], read: Callable[[], str]
    ) -> LoggedIn:
        """Log in with what `read` gives: the redirected URL, or the code alone."""
        self._tokens.check_ready(channel)
        state = self._random_state()
        show(authorization_url(channel, state))
        answer = answer_in_text(read(), state)
        return self._logged_in(channel, self._grant(channel, answer, None))

    def _grant(self, channel: Channel, answer: Answer | None, seconds: float | None) -> Grant:
        if answer is None:
            raise _late(channel, seconds or 0)
        if answer.verdict is not Verdict.CODE:
            raise _no_code(channel, answer.verdict)
        return self._tokens.accept(
            channel, lambda secret: self._exchanged(channel, secret, answer.code)
        )

    def _exchanged(self, channel: Channel, secret: SecretText, code: SecretText) -> TokenAnswer:
        try:
            return self._oauth.exchange(channel, secret, code)
        except OutcomeUnknownError as exc:
            # A code works once, so there is nothing to repeat.
            raise LoginError(
                "AUTH_ANSWER_LOST",
                msg("the platform's answer to the login was lost: {reason}", reason=exc.message),
                hint=_again(channel),
                platform_code=exc.platform_code,
                request_id=exc.request_id,
            ) from exc

    def _logged_in(self, channel: Channel, grant: Grant) -> LoggedIn:
        self._notice(
            msg("channel {channel} is authorised; now its accounts are read", channel=channel.name)
        )
        try:
            return LoggedIn(grant, self._accounts.refresh(channel))
        except TryLaterError as exc:
            # "The same command again" would be another login, which voids the one just stored.
            exc.hint = msg(
                "the login is stored; read its accounts later: "
                "`yuntu-push accounts refresh {channel}`",
                channel=channel.name,
            )
            raise


def _again(channel: Channel) -> Text:
    return msg("log in again: `yuntu-push auth login {channel}`", channel=channel.name)


def _late(channel: Channel, seconds: float) -> LoginError:
    return LoginError(
        "AUTH_LOGIN_TIMEOUT",
        msg("no answer came within {seconds:g} s", seconds=seconds),
        hint=msg(
            "log in again (--timeout for more time); if the browser ended elsewhere, "
            "`yuntu-push auth login {channel} --paste`",
            channel=channel.name,
        ),
    )


def _no_code(channel: Channel, verdict: Verdict) -> LoginError:
    match verdict:
        case Verdict.REFUSED:
            return LoginError(
                "AUTH_REFUSED",
                msg("the authorisation was refused, or the page sent no code"),
                hint=msg(
                    "`yuntu-push auth login {channel}`, tick the accounts and agree",
                    channel=channel.name,
                ),
            )
        case Verdict.FOREIGN:
            return LoginError(
                "AUTH_STATE_WRONG",
                msg("what was pasted is the answer to another login, or has been changed"),
                hint=msg("open the URL printed by this login, and paste the address it ends on"),
            )
        case _:
            return LoginError(
                "AUTH_NOTHING_PASTED",
                msg("there is no code in what was pasted"),
                hint=msg("paste the whole address that the browser ended on"),
            )
