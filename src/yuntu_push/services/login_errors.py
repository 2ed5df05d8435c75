"""The errors of logins that are missing, over, lost or held by another process."""

from collections.abc import Callable

from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import LoginError, TryLaterError
from yuntu_push.domain.text import Text, msg


def login_needed(channel: Channel) -> LoginError:
    """The error for a channel whose login is missing or over."""
    return LoginError(
        "AUTH_LOGIN_REQUIRED",
        msg("channel {channel} has no valid login", channel=channel.name),
        hint=msg("log in: `yuntu-push auth login {channel}`", channel=channel.name),
    )


def ended(channel: Channel) -> LoginError:
    return LoginError(
        "AUTH_LOGIN_REQUIRED",
        msg("the login of channel {channel} has ended or was replaced", channel=channel.name),
        hint=_log_in(channel),
    )


def lost(channel: Channel) -> LoginError:
    return LoginError(
        "AUTH_LOGIN_REQUIRED",
        msg(
            "the answer to the last renewal of {channel} was lost, and with it the login",
            channel=channel.name,
        ),
        hint=_log_in(channel),
    )


def _log_in(channel: Channel) -> Text:
    return msg("log in again: `yuntu-push auth login {channel}`", channel=channel.name)


def held_too_long(channel: Channel) -> Callable[[str], TryLaterError]:
    def busy(holder: str) -> TryLaterError:
        return TryLaterError(
            "AUTH_REFRESH_BUSY",
            msg(
                "another process has held the login of {channel} for a minute ({holder})",
                channel=channel.name,
                holder=holder,
            ),
            hint=msg("wait for it or end it, then run this again"),
        )

    return busy
