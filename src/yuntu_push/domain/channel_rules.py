"""What a channel's entry has to be like, whoever wrote it: `channel add` or a person."""

from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from yuntu_push.domain.authorize import is_loopback, listens_here, query_value
from yuntu_push.domain.channel import Channel
from yuntu_push.domain.errors import ConfigError
from yuntu_push.domain.text import msg

_MAX_ID = 2**63 - 1


def channel_problems(channel: Channel) -> Iterator[tuple[str, ConfigError]]:
    """The keys of a channel's entry whose values cannot be used, with why."""
    checks = {
        "app_id": _check_app_id,
        "callback_url": _check_callback,
        "auth_url": _check_auth_url,
        "api_url": _check_api_url,
    }
    for key, check in checks.items():
        try:
            check(channel)
        except ConfigError as exc:
            yield key, exc


def callback_of(auth_url: str) -> str | None:
    """The callback URL that the console's 授权URL names, if it does."""
    return query_value(auth_url, "redirect_uri") or None


def _check_app_id(channel: Channel) -> None:
    if not 0 < channel.app_id <= _MAX_ID:
        raise ConfigError(
            "APP_ID_INVALID",
            msg("{value} is no APP_ID", value=channel.app_id),
            hint=msg(
                "copy the number APP_ID from the application's page (应用详情) in the console"
            ),
        )


def _check_callback(channel: Channel) -> None:
    url = channel.callback_url
    parts = _split(url)
    if not parts or not (listens_here(url) or (parts.scheme == "https" and parts.hostname)):
        raise ConfigError(
            "CALLBACK_URL_INVALID",
            msg("{url} cannot be a callback URL here", url=url),
            hint=msg(
                "use http://127.0.0.1:PORT/PATH, or the https URL registered in the console "
                "(then log in with --paste)"
            ),
        )
    if parts.query or parts.fragment or parts.username:
        raise ConfigError(
            "CALLBACK_URL_INVALID",
            msg("a callback URL has no query, fragment or user name: {url}", url=url),
            hint=msg("use the 回调地址 of the console as it is"),
        )


def _check_auth_url(channel: Channel) -> None:
    url = channel.auth_url
    if not url:
        return
    parts = _split(url)
    secure = parts is not None and (parts.scheme == "https" or listens_here(url))
    if not secure:
        raise ConfigError(
            "AUTH_URL_INVALID",
            msg("the authorisation URL has to begin with https://"),
            hint=msg("copy 授权URL from the application's page in the console"),
        )
    app_id = query_value(url, "app_id")
    if app_id is not None and app_id != str(channel.app_id):
        raise ConfigError(
            "AUTH_URL_MISMATCH",
            msg(
                "the authorisation URL is of application {theirs}, not {ours}",
                theirs=app_id,
                ours=channel.app_id,
            ),
            hint=msg("copy APP_ID and 授权URL from the same application"),
        )
    callback = callback_of(url)
    if callback is not None and callback != channel.callback_url:
        raise ConfigError(
            "AUTH_URL_MISMATCH",
            msg(
                "the authorisation URL answers to {theirs}, the callback URL is {ours}",
                theirs=callback,
                ours=channel.callback_url,
            ),
            hint=msg("register one 回调地址 in the console and copy 授权URL again"),
        )


def _check_api_url(channel: Channel) -> None:
    url = channel.api_url
    parts = _split(url)
    plain = parts is not None and parts.scheme == "http" and is_loopback(parts.hostname)
    if parts is None or not parts.hostname or not (parts.scheme == "https" or plain):
        raise ConfigError(
            "API_URL_INVALID",
            msg("the API URL has to begin with https://: {url}", url=url),
            hint=msg("plain http is for this machine only (127.0.0.1, localhost)"),
        )


def _split(url: str) -> SplitResult | None:
    """The parts of a URL; None when it is none."""
    if any(char.isspace() for char in url):
        return None
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it checks it
    except ValueError:
        return None
    return parts
